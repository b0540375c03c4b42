namespace Fusion.Tests;

/// <summary>Comparison of arrays bit by bit, all NaNs alike, in words.</summary>
internal static class Bits
{
    /// <summary>The first difference between two lists of arrays, in words; null if there is none.</summary>
    public static string? Difference(IReadOnlyList<NDArray> expected, IReadOnlyList<NDArray> actual)
    {
        if (expected.Count != actual.Count) return $"{actual.Count} arrays, expected {expected.Count}";
        for (int i = 0; i < expected.Count; i++)
            if (Difference(expected[i], actual[i]) is { } difference) return expected.Count == 1 ? difference : $"array {i}: {difference}";
        return null;
    }

    /// <summary>The first difference between two arrays, in words; null if there is none.</summary>
    public static string? Difference(NDArray expected, NDArray actual)
    {
        if (expected.Type != actual.Type) return $"{actual.Type}, expected {expected.Type}";
        int at = BitComparison.FirstDifference(expected, actual);
        if (at < 0) return null;
        return $"{actual.Type}, element {at}: {Text(actual, at)}, expected {Text(expected, at)}";
    }

    // The number and its bits.
    private static string Text(NDArray array, int at)
    {
        byte[] bytes = array.Contiguous().Bytes.Slice(at * array.DType.Size, array.DType.Size).ToArray();
        return $"{RefArray.Of(array).Values[at]:R} ({Convert.ToHexString([.. bytes.Reverse()])})";
    }
}
