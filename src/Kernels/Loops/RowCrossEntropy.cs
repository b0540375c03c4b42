using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The negative log-softmax at the label: bit for bit the element that <see cref="LogSoftmaxRows"/> writes. Input: logits; Output: one loss per row;
/// SecondOutput: the log-softmax, or null. Labels were checked.
/// </summary>
internal readonly unsafe struct CrossEntropyRows : IRowKernel
{
    public static long ParallelElements => 16 * 1024;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        var loss = (T*)job->Output;
        if (job->SecondOutput != 0)
        {
            var inner = new RowJob { Input = job->Input, Output = job->SecondOutput, Columns = n };
            LogSoftmaxRows.Rows<L, T>(&inner, start, end);
            for (; start < end; start++) loss[start] = -((T*)job->SecondOutput)[start * n + job->Label(start)];
            return;
        }

        T* x = (T*)job->Input + start * n, columns = stackalloc T[ShortRows<L, T>.Elements + L.Count], atLabels = columns + ShortRows<L, T>.Elements;
        for (long taken; (taken = ShortRows<L, T>.Take(end - start, n)) > 0; start += taken, x += taken * n)
        {
            var sums = ShortRows<L, T>.Exp(x, n, taken, columns, out var maxima);
            for (long r = 0; r < taken; r++) atLabels[r] = x[r * n + job->Label(start + r)];
            LaneTail.Store<L, T>(-(L.Load(atLabels) - maxima - RowExp<L, T>.Log(sums)), loss + start, taken);
        }

        for (; start < end; start++, x += n)
        {
            var v = RowExp<L, T>.LoadShort(x, n);
            var max = n <= L.Count ? RowExp<L, T>.MaxShort(v) : RowExp<L, T>.Max(x, n);
            var sum = n <= L.Count ? RowExp<L, T>.SumShort(Formulas.ExpOfNegative(v - max)) : RowSum<ExpToMaximum, L, T>.Sum(x, x, max, n);
            LaneTail.Store<L, T>(-(L.Broadcast(x[job->Label(start)]) - max - RowExp<L, T>.Log(sum)), loss + start, 1);
        }
    }
}

/// <summary>dx = (softmax(x) − one-hot(label)) · g. Input: logits x; Second: g, one per row; Output: dx, may be x. Labels were checked.</summary>
internal readonly unsafe struct CrossEntropyGradientRows : IRowKernel
{
    public static long ParallelElements => 16 * 1024;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        T* x = (T*)job->Input + start * n, dx = (T*)job->Output + start * n;
        T* exps = stackalloc T[L.Count], columns = stackalloc T[ShortRows<L, T>.Elements];
        for (long taken; (taken = ShortRows<L, T>.Take(end - start, n)) > 0; start += taken, x += taken * n, dx += taken * n)
            Together<L, T>(job, start, x, n, taken, columns, dx);
        var ahead = RowAhead.Distance<T>(n);
        for (; start < end; start++, x += n, dx += n)
        {
            var gradient = ((T*)job->Second)[start];
            var label = job->Label(start);
            T atLabel, scale;
            if (n <= L.Count)
            {
                var v = RowExp<L, T>.LoadShort(x, n);
                var e = Formulas.ExpOfNegative(v - RowExp<L, T>.MaxShort(v));
                L.Store(e, exps);
                atLabel = exps[label];
                scale = T.One / RowExp<L, T>.SumShort(e);
                LaneTail.Store<L, T>(e * L.Broadcast(scale) * L.Broadcast(gradient), dx, n);
            }
            else
            {
                scale = T.One / RowExp<L, T>.ExpSum(x, dx, RowExp<L, T>.Max(x, n), n);
                atLabel = dx[label];
                RowMap<Scaled, L, T>.Run(dx, x, x, dx, n, ahead, scale, gradient);
            }

            dx[label] = (atLabel * scale - T.One) * gradient;
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Together<L, T>(RowJob* job, long start, T* x, long n, long rows, T* columns, T* dx)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T* scales = stackalloc T[2 * L.Count], atLabels = scales + L.Count, gradients = (T*)job->Second + start;
        L scale = L.Const(1) / ShortRows<L, T>.Exp(x, n, rows, columns, out _), gradient = LaneTail.Load<L, T>(gradients, rows, L.Const(0));
        L.Store(scale, scales);
        for (long r = 0; r < rows; r++) atLabels[r] = columns[job->Label(start + r) * L.Count + r];
        for (long i = 0; i < n * L.Count; i += L.Count) L.Store(L.Load(columns + i) * scale * gradient, columns + i);
        ShortRows<L, T>.Store(columns, n, rows, dx);
        for (long r = 0; r < rows; r++) dx[r * n + job->Label(start + r)] = (atLabels[r] * scales[r] - T.One) * gradients[r];
    }

    /// <summary>a·s·t; b is what the next row begins with.</summary>
    private readonly struct Scaled : IRowMap
    {
        public static RowParts Reads => RowParts.First;

        public static RowParts Fetches => RowParts.Second;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static L Map<L>(L a, L b, L c, L s, L t, L u, L v) where L : struct, ILane<L> => a * s * t;
    }
}
