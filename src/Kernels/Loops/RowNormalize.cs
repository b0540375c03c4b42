using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Normalization of contiguous rows (layer and RMS norm): x̂ = (x − μ)·r with r = 1/√(mean (x − μ)² + ε), where μ is the mean of the row, or 0 when the job is
/// not centered. Sums follow <see cref="ReduceTree"/>; the variance is taken in a second pass over the row, about its mean.
/// </summary>
internal static unsafe class RowNormalize
{
    /// <summary>y = x̂·gamma + beta, with one gamma and beta per column; beta may be 0 (none), or both.</summary>
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
}

/// <summary>The mean and the reciprocal root of the mean square about it, of one row.</summary>
internal static unsafe class RowMoments<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="x">The row.</param>
    /// <param name="job">Its length, ε, and whether there is a mean.</param>
    /// <param name="ahead">As much memory, which is asked for.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (T Mean, T Scale) Of(T* x, RowJob* job, T* ahead)
    {
        var mean = Mean(x, job);
        return (mean, Scale(RowSum<Fetching<SquaredDifference>, L, T>.Sum(x, x, L.Broadcast(mean), job->Columns, null, ahead), job));
    }

    /// <summary>The mean, or 0 without centering.</summary>
    public static T Mean(T* x, RowJob* job) => job->Centered ? ReduceTree.ReduceRow<SumReduction, L, T>(x, job->Columns) / T.CreateTruncating(job->Columns) : T.Zero;

    /// <summary>1/√(mean + ε) from the sum of the squares about the mean.</summary>
    public static T Scale(T squares, RowJob* job) => T.One / T.Sqrt(squares / T.CreateTruncating(job->Columns) + T.CreateTruncating(job->Epsilon));
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
        T* x = (T*)job->Input + start * n, y = (T*)job->Output + start * n;
        var room = RowVectors.Room<T>(n, end - start);
        using var scratch = new NativeScratch(2 * room + PagePlaces.Room);
        var places = PagePlaces.Of([job->Input, job->Output]);
        var copies = PagePlaces.Next(scratch.Pointer, ref places);
        T* gamma = RowVectors.Aligned((T*)job->Second, n, end - start, copies), beta = RowVectors.Aligned((T*)job->Third, n, end - start, copies + room);
        for (; start < end; start++, x += n, y += n)
        {
            var (mean, scale) = RowMoments<L, T>.Of(x, job, y);
            if (beta != null) RowMap<ScaledAndShifted, L, T>.Run(x, gamma, beta, y, n, ahead, mean, scale);
            else if (gamma != null) RowMap<Scaled, L, T>.Run(x, gamma, gamma, y, n, ahead, mean, scale);
            else RowMap<Standardized, L, T>.Run(x, x, x, y, n, ahead, mean, scale);
        }
    }

    /// <summary>(a − s)·t.</summary>
    private readonly struct Standardized : IRowMap
    {
        public static RowParts Reads => RowParts.First;

        public static RowParts Fetches => RowParts.First;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => (a - s) * t;
    }

    /// <summary>(a − s)·t·b.</summary>
    private readonly struct Scaled : IRowMap
    {
        public static RowParts Reads => RowParts.First | RowParts.Second;

        public static RowParts Fetches => RowParts.First;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => (a - s) * t * b;
    }

    /// <summary>(a − s)·t·b + c.</summary>
    private readonly struct ScaledAndShifted : IRowMap
    {
        public static RowParts Reads => RowParts.First | RowParts.Second | RowParts.Third;

        public static RowParts Fetches => RowParts.First;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => (a - s) * t * b + c;
    }
}

/// <summary>What the gradient of a row reads beside its elements: the moments of x, mean h and mean(h·x̂).</summary>
internal static unsafe class RowGradientMoments<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <param name="x">The row of x.</param>
    /// <param name="g">The row of the upstream gradient.</param>
    /// <param name="gamma">One a column, or null.</param>
    /// <param name="dx">The row of the result, which is asked for.</param>
    /// <param name="job">The length, ε, and whether there is a mean.</param>
    public static (T Mean, T Scale, T Shift, T Dot) Of(T* x, T* g, T* gamma, T* dx, RowJob* job) =>
        gamma == null ? Of<PlainSecond>(x, g, null, dx, job) : Of<ScaledSecond>(x, g, gamma, dx, job);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static (T Mean, T Scale, T Shift, T Dot) Of<TScaling>(T* x, T* g, T* gamma, T* dx, RowJob* job)
        where TScaling : IRowScaling
    {
        var n = job->Columns;
        T count = T.CreateTruncating(n), mean = T.Zero, shift = T.Zero;
        if (job->Centered)
        {
            var (sum, total) = PairSum<First, Second, TScaling, L, T>.Sum(x, g, gamma, L.Const(0), n);
            (mean, shift) = (sum / count, total / count);
        }

        var (squares, products) = PairSum<Fetching<SquaredDifference>, ShiftedProduct, TScaling, L, T>.Sum(x, g, gamma, L.Broadcast(mean), n, dx);
        var scale = RowMoments<L, T>.Scale(squares, job);
        return (mean, scale, shift, products / count * scale);
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
        T* x = (T*)job->Input + offset, g = (T*)job->Second + offset, dx = (T*)job->Output + offset;
        using var scratch = new NativeScratch(RowVectors.Room<T>(n, end - start) + PagePlaces.Room);
        var places = PagePlaces.Of([job->Input, job->Second, job->Output]);
        var gamma = RowVectors.Aligned((T*)job->Third, n, end - start, PagePlaces.Next(scratch.Pointer, ref places));
        for (; start < end; start++, x += n, g += n, dx += n)
        {
            var (mean, scale, shift, dot) = RowGradientMoments<L, T>.Of(x, g, gamma, dx, job);
            if (gamma != null) RowMap<ScaledGradient, L, T>.Run(x, g, gamma, dx, n, ahead, mean, scale, shift, dot);
            else RowMap<Gradient, L, T>.Run(x, g, g, dx, n, ahead, mean, scale, shift, dot);
        }
    }

    /// <summary>(b − u − (a − s)·t·v)·t.</summary>
    private readonly struct Gradient : IRowMap
    {
        public static RowParts Reads => RowParts.First | RowParts.Second;

        public static RowParts Fetches => RowParts.First | RowParts.Second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => (b - u - (a - s) * t * v) * t;
    }

    /// <summary>The same with b·c for b.</summary>
    private readonly struct ScaledGradient : IRowMap
    {
        public static RowParts Reads => RowParts.First | RowParts.Second | RowParts.Third;

        public static RowParts Fetches => RowParts.First | RowParts.Second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => Gradient.Map(a, b * c, c, s, t, u, v);
    }
}
