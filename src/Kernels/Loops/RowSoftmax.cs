using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The steps that the softmax family shares. A row's maximum ignores NaN; a NaN, +∞ or a row of −∞ makes the sum, and with it the row, NaN (PyTorch).</summary>
internal static unsafe class RowExp<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>A row that fits a register, padded with −∞, whose exponential is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L LoadShort(T* x, long n) => LaneTail.Load<L, T>(x, n, L.Const(double.NegativeInfinity));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L MaxShort(L x) => L.Broadcast(ReduceTree.FoldRegister<MaxNumberReduction, L, T>(L.MaxNative(x, L.Const(double.NegativeInfinity))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T SumShort(L exp) => ReduceTree.FoldRegister<SumReduction, L, T>(L.Const(0) + exp);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static L Max(T* x, long n) => L.Broadcast(ReduceTree.ReduceRow<MaxNumberReduction, L, T>(x, n));

    /// <summary>y = exp(x − max), and its sum; y may be x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpSum(T* x, T* y, L max, long n) => RowSum<Fetching<KeptExp>, L, T>.Sum(x, x, max, n, y, y + RowAhead.Distance<T>(n));

    /// <summary>The natural logarithm, in every element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Log(T sum) => Log(L.Broadcast(sum));

    /// <summary>The natural logarithms.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static L Log(L sums) => Formulas.Log(sums);
}

/// <summary>y = exp(x − max) · (1 / Σ exp(x − max)). Input: x; Output: y, may be x.</summary>
internal readonly unsafe struct SoftmaxRows : IRowKernel
{
    public static long ParallelElements => 16 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        T* x = (T*)job->Input + start * n, y = (T*)job->Output + start * n;
        if (n <= L.Count)
        {
            for (; start < end; start++, x += n, y += n)
            {
                var v = RowExp<L, T>.LoadShort(x, n);
                var e = Formulas.ExpOfNegative(v - RowExp<L, T>.MaxShort(v));
                LaneTail.Store<L, T>(e * L.Broadcast(T.One / RowExp<L, T>.SumShort(e)), y, n);
            }

            return;
        }

        var ahead = RowAhead.Distance<T>(n);
        for (; start < end; start++, x += n, y += n)
            RowMap<Scaled, L, T>.Run(y, x, x, y, n, ahead, T.One / RowExp<L, T>.ExpSum(x, y, RowExp<L, T>.Max(x, n), n));
    }

    /// <summary>a·s; b is what the next row begins with.</summary>
    private readonly struct Scaled : IRowMap
    {
        public static RowParts Reads => RowParts.First;

        public static RowParts Fetches => RowParts.Second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => a * s;
    }
}

/// <summary>y = (x − max) − log Σ exp(x − max). Input: x; Output: y, may be x.</summary>
internal readonly unsafe struct LogSoftmaxRows : IRowKernel
{
    public static long ParallelElements => 16 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        var ahead = RowAhead.Distance<T>(n);
        T* x = (T*)job->Input + start * n, y = (T*)job->Output + start * n;
        for (; start < end; start++, x += n, y += n)
        {
            if (n <= L.Count)
            {
                var v = RowExp<L, T>.LoadShort(x, n);
                v -= RowExp<L, T>.MaxShort(v);
                LaneTail.Store<L, T>(v - Formulas.Log(L.Broadcast(RowExp<L, T>.SumShort(Formulas.ExpOfNegative(v)))), y, n);
                continue;
            }

            var max = RowExp<L, T>.Max(x, n);
            var log = RowExp<L, T>.Log(RowSum<Fetching<ExpToMaximum>, L, T>.Sum(x, x, max, n, null, y));
            RowMap<Difference, L, T>.Run(x, x, x, y, n, ahead, LaneTail.First<L, T>(max), LaneTail.First<L, T>(log));
        }
    }

    /// <summary>a − s − t.</summary>
    private readonly struct Difference : IRowMap
    {
        public static RowParts Reads => RowParts.First;

        public static RowParts Fetches => RowParts.First;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => a - s - t;
    }
}

/// <summary>max + log Σ exp(x − max), with a shift of 0 where max is infinite, so that a row of −∞ gives −∞ and +∞ gives +∞. Input: x; Output: one per row.</summary>
internal readonly unsafe struct LogSumExpRows : IRowKernel
{
    public static long ParallelElements => 16 * 1024;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        T* x = (T*)job->Input + start * n;
        for (; start < end; start++, x += n)
        {
            var v = RowExp<L, T>.LoadShort(x, n);
            var max = n <= L.Count ? RowExp<L, T>.MaxShort(v) : RowExp<L, T>.Max(x, n);
            max = L.Select(L.Less(L.Abs(max), L.Const(double.PositiveInfinity)), max, L.Const(0));
            var sum = n <= L.Count ? RowExp<L, T>.SumShort(Formulas.Exp(v - max)) : RowSum<ShiftedExp, L, T>.Sum(x, x, max, n);
            LaneTail.Store<L, T>(RowExp<L, T>.Log(sum) + max, (T*)job->Output + start, 1);
        }
    }
}
