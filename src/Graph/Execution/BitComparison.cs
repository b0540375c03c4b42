using System.Runtime.InteropServices;

namespace Fusion;

/// <summary>
/// Comparison of arrays of one type, bit by bit. NaN is NaN, whichever of its bit patterns: which of two NaNs an operation passes on is the
/// processor's choice and no part of the promise of equal bits.
/// </summary>
internal static class BitComparison
{
    /// <summary>The position of the first element that differs, in row-major order; −1: none does.</summary>
    public static int FirstDifference(NDArray expected, NDArray actual)
    {
        NDArray a = expected.Contiguous();
        NDArray b = actual.Contiguous();
        int size = a.DType.Size;
        for (int i = 0; i < a.Size; i++)
        {
            i += a.Bytes[(i * size)..].CommonPrefixLength(b.Bytes[(i * size)..]) / size;
            if (i < a.Size && !(IsNaN(a, i) && IsNaN(b, i))) return i;
        }

        return -1;
    }

    private static bool IsNaN(NDArray x, int i) => x.DType switch
    {
        DType.Float32 => float.IsNaN(MemoryMarshal.Cast<byte, float>(x.Bytes)[i]),
        DType.Float64 => double.IsNaN(MemoryMarshal.Cast<byte, double>(x.Bytes)[i]),
        _ => false,
    };
}
