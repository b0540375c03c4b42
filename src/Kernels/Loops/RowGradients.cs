using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>dx = y · (g − Σ y·g). Input: y, the softmax; Second: g; Output: dx, may be either.</summary>
internal readonly unsafe struct SoftmaxGradientRows : IRowKernel
{
    public static long ParallelElements => 64 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        var offset = start * n;
        var ahead = RowAhead.Distance<T>(n);
        T* y = (T*)job->Input + offset, g = (T*)job->Second + offset, dx = (T*)job->Output + offset;
        var zero = L.Const(0);
        for (; start < end; start++, y += n, g += n, dx += n)
        {
            if (n <= L.Count)
            {
                var gradient = LaneTail.Load<L, T>(g, n, zero);
                var value = LaneTail.Load<L, T>(y, n, zero);
                LaneTail.Store<L, T>(value * (gradient - L.Broadcast(RowExp<L, T>.SumShort(value * gradient))), dx, n);
                continue;
            }

            var dot = RowSum<Fetching<Product>, L, T>.Sum(y, g, zero, n, null, dx);
            RowMap<Gradient, L, T>.Run(y, g, g, dx, n, ahead, dot);
        }
    }

    /// <summary>a·(b − s).</summary>
    private readonly struct Gradient : IRowMap
    {
        public static RowParts Reads => RowParts.First | RowParts.Second;

        public static RowParts Fetches => RowParts.First | RowParts.Second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => a * (b - s);
    }
}

/// <summary>dx = g − exp(y) · Σ g. Input: y, the log-softmax; Second: g; Output: dx, may be either.</summary>
internal readonly unsafe struct LogSoftmaxGradientRows : IRowKernel
{
    public static long ParallelElements => 16 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        var offset = start * n;
        var ahead = RowAhead.Distance<T>(n);
        T* y = (T*)job->Input + offset, g = (T*)job->Second + offset, dx = (T*)job->Output + offset;
        for (; start < end; start++, y += n, g += n, dx += n)
        {
            RowMap<Gradient, L, T>.Run(y, g, g, dx, n, ahead, ReduceTree.ReduceRow<SumReduction, L, T>(g, n));
        }
    }

    /// <summary>b − exp(a)·s.</summary>
    private readonly struct Gradient : IRowMap
    {
        public static RowParts Reads => RowParts.First | RowParts.Second;

        public static RowParts Fetches => RowParts.First | RowParts.Second | RowParts.Result;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => b - Formulas.Exp(a) * s;
    }
}
