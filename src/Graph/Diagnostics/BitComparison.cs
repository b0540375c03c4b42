namespace Fusion;

/// <summary>Compares elements bit by bit. Any NaN equals any other: which bits a NaN gets depends on the order of operands that the JIT chooses.</summary>
internal static class BitComparison
{
    /// <summary>The first element that differs, or −1.</summary>
    public static long FirstDifference(NDArray expected, NDArray actual)
    {
        NDArray a = expected.OnHost().Contiguous();
        NDArray b = actual.OnHost().Contiguous();
        int size = expected.DType.Size;
        int start = 0;
        while (true)
        {
            start += a.Bytes[start..].CommonPrefixLength(b.Bytes[start..]);
            if (start == a.Bytes.Length) return -1;
            int element = start / size;
            if (!(IsNaN(a, element) && IsNaN(b, element))) return element;
            start = (element + 1) * size;
        }
    }

    private static bool IsNaN(NDArray array, int element) => array.DType switch
    {
        DType.Float32 => float.IsNaN(BitConverter.ToSingle(array.Bytes[(element * 4)..])),
        DType.Float64 => double.IsNaN(BitConverter.ToDouble(array.Bytes[(element * 8)..])),
        DType.Float16 => Half.IsNaN(BitConverter.ToHalf(array.Bytes[(element * 2)..])),
        DType.BFloat16 => BFloat16.IsNaN(BFloat16.FromBits(BitConverter.ToUInt16(array.Bytes[(element * 2)..]))),
        _ => false,
    };
}
