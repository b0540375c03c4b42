using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Index tuples as positions in row-major order, axis by axis.</summary>
internal static unsafe class RavelIndex
{
    /// <summary>
    /// positions[i] = positions[i]·n + index[i] with the indices into an axis of size n. Checks all of them first and returns the place of the first that
    /// is out of range, or −1.
    /// </summary>
    public static long AddAxis(nint indices, DType indexType, long count, long n, long* positions)
    {
        long bad = new GatherIndex(indices, indexType, n).FirstBad(count);
        if (bad >= 0) return bad;
        if (indexType == DType.Int32) Add((int*)indices, count, n, positions);
        else Add((long*)indices, count, n, positions);
        return -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add<TIndex>(TIndex* indices, long count, long n, long* positions)
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        for (long i = 0; i < count; i++)
        {
            // Without a branch: n is added to negative indices.
            long raw = long.CreateTruncating(indices[i]);
            positions[i] = (positions[i] * n) + raw + (n & (raw >> 63));
        }
    }
}
