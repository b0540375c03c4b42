namespace Fusion.Tests;

/// <summary>
/// Comparison of arrays bit by bit. NaN is NaN, whichever of its bit patterns: which of two NaNs an operation passes on is the processor's choice.
/// </summary>
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
        byte[] a = expected.Contiguous().Bytes.ToArray();
        byte[] b = actual.Contiguous().Bytes.ToArray();
        if (a.AsSpan().SequenceEqual(b)) return null;
        double[] x = RefArray.Of(expected).Values;
        double[] y = RefArray.Of(actual).Values;
        int size = expected.DType.Size;
        for (int i = 0; i < x.Length; i++)
        {
            Range bytes = (i * size)..((i + 1) * size);
            if (!a.AsSpan(bytes).SequenceEqual(b.AsSpan(bytes)) && !(double.IsNaN(x[i]) && double.IsNaN(y[i])))
                return $"{actual.Type}, element {i}: {y[i]:R} ({Hex(b[bytes])}), expected {x[i]:R} ({Hex(a[bytes])})";
        }

        return null;
    }

    private static string Hex(byte[] bytes) => Convert.ToHexString([.. bytes.Reverse()]);
}
