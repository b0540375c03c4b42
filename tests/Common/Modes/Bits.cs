namespace Fusion.Tests;

/// <summary>Comparison of arrays bit by bit.</summary>
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
        byte[] a = Read(expected);
        byte[] b = Read(actual);
        int at = a.AsSpan().CommonPrefixLength(b);
        if (at == a.Length) return null;
        int size = expected.DType.Size;
        int element = at / size;
        Range bytes = (element * size)..((element + 1) * size);
        double x = expected.AsType(DType.Float64).ToArray<double>()[element];
        double y = actual.AsType(DType.Float64).ToArray<double>()[element];
        return $"{actual.Type}, element {element}: {y:R} ({Hex(b[bytes])}), expected {x:R} ({Hex(a[bytes])})";
    }

    private static byte[] Read(NDArray array) => array.Contiguous().Bytes.ToArray();

    private static string Hex(byte[] bytes) => Convert.ToHexString([.. bytes.Reverse()]);
}
