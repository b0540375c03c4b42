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

            var dot = L.Broadcast(RowSum<Product, L, T>.Sum(y, g, zero, n));
            long i = 0;
            for (; i + L.Count <= n; i += L.Count)
            {
                L.Store(L.Load(y + i) * (L.Load(g + i) - dot), dx + i);
                RowAhead.Fetch(y + i + ahead);
                RowAhead.Fetch(g + i + ahead);
                RowAhead.Fetch(dx + i + ahead);
            }

            if (i < n) LaneTail.Store<L, T>(L.Load(y + i) * (L.Load(g + i) - dot), dx + i, n - i);
        }
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
            var sum = L.Broadcast(ReduceTree.ReduceRow<SumReduction, L, T>(g, n));
            long i = 0;
            for (; i + L.Count <= n; i += L.Count)
            {
                L.Store(L.Load(g + i) - Formulas.Exp(L.Load(y + i)) * sum, dx + i);
                RowAhead.Fetch(y + i + ahead);
                RowAhead.Fetch(g + i + ahead);
                RowAhead.Fetch(dx + i + ahead);
            }

            if (i < n) LaneTail.Store<L, T>(L.Load(g + i) - Formulas.Exp(L.Load(y + i)) * sum, dx + i, n - i);
        }
    }
}
