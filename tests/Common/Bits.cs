using System.Globalization;

namespace Fusion.Tests;

/// <summary>
/// Equality of arrays to the bit: type, shape and every element, −0 included. Any NaN equals any other: IEEE 754 leaves its bits open.
/// </summary>
public static class Bits
{
    /// <summary>The first difference between two lists of arrays, or null.</summary>
    public static string? Difference(IReadOnlyList<NDArray> expected, IReadOnlyList<NDArray> actual)
    {
        if (expected.Count != actual.Count) return $"{actual.Count} arrays, expected {expected.Count}";
        for (int i = 0; i < expected.Count; i++)
            if (Difference(expected[i], actual[i]) is { } difference) return expected.Count == 1 ? difference : $"array {i}: {difference}";
        return null;
    }

    /// <summary>What differs first, or null.</summary>
    public static string? Difference(NDArray? expected, NDArray? actual)
    {
        if (expected is null || actual is null)
            return ReferenceEquals(expected, actual) ? null : $"expected {expected?.ToString() ?? "null"}, got {actual?.ToString() ?? "null"}";
        if (expected.DType != actual.DType) return $"the type is {actual.DType}, expected {expected.DType}";
        if (expected.Shape != actual.Shape) return $"the shape is {actual.Shape}, expected {expected.Shape}";
        return expected.DType switch
        {
            DType.Float32 => Compare(expected, actual, static (float x) => float.IsNaN(x) ? 0xFFFFFFFFu : BitConverter.SingleToUInt32Bits(x)),
            DType.Float64 => Compare(expected, actual, static (double x) => double.IsNaN(x) ? ulong.MaxValue : BitConverter.DoubleToUInt64Bits(x)),
            DType.Int32 => Compare(expected, actual, static (int x) => x),
            DType.Int64 => Compare(expected, actual, static (long x) => x),
            DType.Float16 => Compare(expected, actual, static (Half x) => Half.IsNaN(x) ? (ushort)0xFFFF : BitConverter.HalfToUInt16Bits(x)),
            DType.BFloat16 => Compare(expected, actual, static (BFloat16 x) => BFloat16.IsNaN(x) ? (ushort)0xFFFF : BFloat16.ToBits(x)),
            DType.UInt8 => Compare(expected, actual, static (byte x) => x),
            _ => Compare(expected, actual, static (bool x) => x),
        };
    }

    private static string? Compare<T, TBits>(NDArray expected, NDArray actual, Func<T, TBits> bits)
        where TBits : IEquatable<TBits>
    {
        T[] a = expected.ToArray<T>();
        T[] b = actual.ToArray<T>();
        int count = 0;
        int first = -1;
        for (int i = 0; i < a.Length; i++)
        {
            if (bits(a[i]).Equals(bits(b[i]))) continue;
            if (count++ == 0) first = i;
        }

        return first < 0 ? null : string.Create(
            CultureInfo.InvariantCulture, $"{count} of {a.Length} elements of {expected.Shape} differ, the first at {first}: {b[first]:R}, expected {a[first]:R}");
    }
}
