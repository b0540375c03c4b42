using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Normalization of contiguous rows (layer and RMS norm): x̂ = (x − μ)·r with r = 1/√(mean (x − μ)² + ε), where μ is the mean of the row, or 0 when the job is
/// not centered. Sums follow <see cref="ReduceTree"/>; the variance is taken in a second pass over the row, about its mean.
/// </summary>
internal static unsafe class RowNormalize
{
    /// <summary>y = x̂·gamma + beta, with one gamma and beta per column; either may be 0 (none).</summary>
    public static void Forward(DType dtype, nint x, nint gamma, nint beta, nint y, long rows, long columns, double epsilon, bool centered) =>
        RowDriver.Run<NormalizeRows>(dtype, new RowJob
        {
            Input = x,
            Second = gamma,
            Third = beta,
            Output = y,
            RowCount = rows,
            Columns = columns,
            Epsilon = epsilon,
            Centered = centered,
        });

    /// <summary>dx = r·(h − mean h − x̂·mean(h·x̂)) with h = g·gamma (gamma may be 0, none; without centering there is no mean h).</summary>
    public static void Gradient(DType dtype, nint x, nint g, nint gamma, nint dx, long rows, long columns, double epsilon, bool centered) =>
        RowDriver.Run<NormalizeGradientRows>(dtype, new RowJob
        {
            Input = x,
            Second = g,
            Third = gamma,
            Output = dx,
            RowCount = rows,
            Columns = columns,
            Epsilon = epsilon,
            Centered = centered,
        });

    /// <summary>sums = Σ g·x̂ over the rows, one per column: in blocks of rows, whose sums are added in their order.</summary>
    public static void Sums<T>(DType dtype, nint x, nint g, T* sums, long rows, long columns, double epsilon, bool centered)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var blocks = (rows + NormalizeSumsRows.Block - 1) / NormalizeSumsRows.Block;
        using var scratch = new NativeScratch(blocks * columns * sizeof(T));
        T* partials = (T*)scratch.Pointer;
        RowDriver.Run<NormalizeSumsRows>(dtype, new RowJob
        {
            Input = x,
            Second = g,
            Output = (nint)partials,
            RowCount = blocks,
            Columns = columns,
            TotalRows = rows,
            Epsilon = epsilon,
            Centered = centered,
        });
        new Span<T>(sums, checked((int)columns)).Clear();
        for (long block = 0; block < blocks; block++)
        {
            for (long i = 0; i < columns; i++) sums[i] += partials[block * columns + i];
        }
    }
}

/// <summary>The mean and the reciprocal root of the mean square about it, of one row.</summary>
internal static unsafe class RowMoments<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (L Mean, L Scale) Of(T* x, RowJob* job)
    {
        var n = T.CreateTruncating(job->Columns);
        var mean = L.Broadcast(job->Centered ? ReduceTree.ReduceRow<SumReduction, L, T>(x, job->Columns) / n : T.Zero);
        var variance = RowSum<SquaredDifference, L, T>.Sum(x, x, mean, job->Columns) / n;
        return (mean, L.Broadcast(T.One / T.Sqrt(variance + T.CreateTruncating(job->Epsilon))));
    }
}

/// <summary>Input: x; Second: gamma; Third: beta; Output: y, may be x.</summary>
internal readonly unsafe struct NormalizeRows : IRowKernel
{
    public static long ParallelElements => 32 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        var ahead = RowAhead.Distance<T>(n);
        T* x = (T*)job->Input + start * n, y = (T*)job->Output + start * n, gamma = (T*)job->Second, beta = (T*)job->Third;
        for (; start < end; start++, x += n, y += n)
        {
            var (mean, scale) = RowMoments<L, T>.Of(x, job);
            long i = 0;
            for (; i + L.Count <= n; i += L.Count)
            {
                L.Store(Normalized(x + i, mean, scale, gamma, beta, i), y + i);
                RowAhead.Fetch(x + i + ahead);
                RowAhead.Fetch(y + i + ahead);
            }

            if (i < n) LaneTail.Store<L, T>(Normalized(x + i, mean, scale, gamma, beta, i), y + i, n - i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static L Normalized(T* x, L mean, L scale, T* gamma, T* beta, long i)
        {
            var v = (L.Load(x) - mean) * scale;
            if (gamma != null) v *= L.Load(gamma + i);
            if (beta != null) v += L.Load(beta + i);
            return v;
        }
    }
}

/// <summary>Input: x; Second: g; Third: gamma; Output: dx, may be x or g.</summary>
internal readonly unsafe struct NormalizeGradientRows : IRowKernel
{
    public static long ParallelElements => 32 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long n = job->Columns, offset = start * n;
        var ahead = RowAhead.Distance<T>(n);
        var count = T.CreateTruncating(n);
        T* x = (T*)job->Input + offset, g = (T*)job->Second + offset, dx = (T*)job->Output + offset, gamma = (T*)job->Third;
        using var scratch = new NativeScratch(gamma == null ? 0 : n * sizeof(T));
        for (; start < end; start++, x += n, g += n, dx += n)
        {
            T* h = g;
            if (gamma != null)
            {
                h = (T*)scratch.Pointer;
                for (long i = 0; i < n; i += L.Count) LaneTail.Store<L, T>(L.Load(g + i) * L.Load(gamma + i), h + i, n - i);
            }

            var (mean, scale) = RowMoments<L, T>.Of(x, job);
            var meanOfH = L.Broadcast(job->Centered ? ReduceTree.ReduceRow<SumReduction, L, T>(h, n) / count : T.Zero);
            var dot = L.Broadcast(RowSum<ShiftedProduct, L, T>.Sum(x, h, mean, n) / count) * scale;
            long k = 0;
            for (; k + L.Count <= n; k += L.Count)
            {
                L.Store((L.Load(h + k) - meanOfH - (L.Load(x + k) - mean) * scale * dot) * scale, dx + k);
                RowAhead.Fetch(x + k + ahead);
                RowAhead.Fetch(g + k + ahead);
                RowAhead.Fetch(dx + k + ahead);
            }

            if (k < n) LaneTail.Store<L, T>((L.Load(h + k) - meanOfH - (L.Load(x + k) - mean) * scale * dot) * scale, dx + k, n - k);
        }
    }
}

/// <summary>Σ g·x̂ over a block of rows. Input: x; Second: g; Output: one row per block.</summary>
internal readonly unsafe struct NormalizeSumsRows : IRowKernel
{
    public const long Block = 64;

    public static long ParallelElements => 32 * 1024 / Block;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        for (var block = start; block < end; block++)
        {
            T* sums = (T*)job->Output + block * n;
            new Span<T>(sums, checked((int)n)).Clear();
            var last = Math.Min(job->TotalRows, (block + 1) * Block);
            for (var row = block * Block; row < last; row++)
            {
                T* x = (T*)job->Input + row * n, g = (T*)job->Second + row * n;
                var (mean, scale) = RowMoments<L, T>.Of(x, job);
                for (long i = 0; i < n; i += L.Count)
                    LaneTail.Store<L, T>(L.Load(sums + i) + L.Load(g + i) * ((L.Load(x + i) - mean) * scale), sums + i, n - i);
            }
        }
    }
}
