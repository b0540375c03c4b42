using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>One row of a grid: result x joins the elements source[taps[t] + x] of all taps t, in their order.</summary>
internal unsafe interface IWindowRow
{
    /// <summary>What an element outside the source counts as.</summary>
    static abstract double Padding { get; }

    static abstract void Row<L, T>(T* source, nint* taps, nint tapCount, T* weights, T* result, nint count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;

    /// <summary>Four rows of windows of 3 × 3 may be joined at once: see <see cref="FourRows"/>.</summary>
    static virtual bool JoinsRows => false;

    /// <summary>
    /// Four rows of windows of 3 × 3, of a register or more, with the bits of <see cref="Row"/>: rows of the source and of the result at their distances, the taps of
    /// a row at theirs.
    /// </summary>
    static virtual void FourRows<L, T>(T* source, nint sourceStep, nint tapStep, T* weights, T* result, nint resultStep, nint count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        => throw new NotSupportedException();

    /// <summary>Windows of 2 × 2 may be joined row by row: see <see cref="Pairs"/>.</summary>
    static virtual bool JoinsPairs => false;

    /// <summary>The result of windows a b / c d, with the bits of <see cref="Row"/> (of two NaNs either).</summary>
    static virtual L Pairs<L>(L a, L b, L c, L d, in WindowWeights<L> weights) where L : struct, ILane<L> => throw new NotSupportedException();
}

/// <summary>The weights of a window of 2 × 2.</summary>
internal readonly ref struct WindowWeights<L>
    where L : struct
{
    public required L A { get; init; }

    public required L B { get; init; }

    public required L C { get; init; }

    public required L D { get; init; }
}

/// <summary>How the elements of a window are joined.</summary>
internal interface IWindowOp
{
    static abstract double Start { get; }

    static abstract bool Weighted { get; }

    /// <summary>Results of parts of a window may be joined like elements.</summary>
    static virtual bool JoinsParts => false;

    static abstract L Step<L>(L result, L element, L weight) where L : struct, ILane<L>;
}

/// <summary>Σ x, rounded at every tap.</summary>
internal readonly struct WindowSum : IWindowOp
{
    public static double Start => 0;

    public static bool Weighted => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Step<L>(L result, L element, L weight) where L : struct, ILane<L> => result + element;
}

/// <summary>Σ w·x, one chain of fused multiply-adds.</summary>
internal readonly struct WindowProduct : IWindowOp
{
    public static double Start => 0;

    public static bool Weighted => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Step<L>(L result, L element, L weight) where L : struct, ILane<L> => L.Fma(weight, element, result);
}

/// <summary>The largest element; NaN if there is one.</summary>
internal readonly struct WindowMax : IWindowOp
{
    public static double Start => double.NegativeInfinity;

    public static bool Weighted => false;

    public static bool JoinsParts => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Step<L>(L result, L element, L weight)
        where L : struct, ILane<L>
        => L.Select(L.Or(L.Greater(element, result), L.NotEqual(element, element)), element, result);
}

/// <summary>Rows of windows whose elements are joined one by one.</summary>
internal readonly unsafe struct WindowRow<TOp> : IWindowRow
    where TOp : IWindowOp
{
    public static double Padding => TOp.Start;

    public static bool JoinsPairs => true;

    public static bool JoinsRows => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Pairs<L>(L a, L b, L c, L d, in WindowWeights<L> weights)
        where L : struct, ILane<L>
    {
        if (TOp.JoinsParts) return TOp.Step(TOp.Step(a, b, weights.B), TOp.Step(c, d, weights.D), weights.A);
        L upper = TOp.Step(TOp.Step(L.Const(TOp.Start), a, weights.A), b, weights.B);
        return TOp.Step(TOp.Step(upper, c, weights.C), d, weights.D);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<L, T>(T* source, nint* taps, nint tapCount, T* weights, T* result, nint count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var weight = L.Const(0);
        for (; count > L.Count; count -= 2 * L.Count, source += 2 * L.Count, result += 2 * L.Count)
        {
            L a = L.Const(TOp.Start), b = a;
            for (nint t = 0; t < tapCount; t++)
            {
                T* s = source + taps[t];
                if (TOp.Weighted) weight = L.Broadcast(weights[t]);
                a = TOp.Step(a, L.Load(s), weight);
                b = TOp.Step(b, L.Load(s + L.Count), weight);
            }

            L.Store(a, result);
            LaneTail.Store<L, T>(b, result + L.Count, count - L.Count);
        }

        if (count <= 0) return;
        var last = L.Const(TOp.Start);
        for (nint t = 0; t < tapCount; t++)
        {
            if (TOp.Weighted) weight = L.Broadcast(weights[t]);
            last = TOp.Step(last, L.Load(source + taps[t]), weight);
        }

        LaneTail.Store<L, T>(last, result, count);
    }

    // Every register of the source is loaded once for the up to three rows that meet it: most loads are not aligned, and cost twice as much as a multiply-add.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FourRows<L, T>(T* source, nint sourceStep, nint tapStep, T* weights, T* result, nint resultStep, nint count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        L start = L.Const(TOp.Start), w0 = start, w1 = start, w2 = start, w3 = start, w4 = start, w5 = start, w6 = start, w7 = start, w8 = start;
        if (TOp.Weighted)
        {
            (w0, w1, w2) = (L.Broadcast(weights[0]), L.Broadcast(weights[1]), L.Broadcast(weights[2]));
            (w3, w4, w5) = (L.Broadcast(weights[3]), L.Broadcast(weights[4]), L.Broadcast(weights[5]));
            (w6, w7, w8) = (L.Broadcast(weights[6]), L.Broadcast(weights[7]), L.Broadcast(weights[8]));
        }

        // The last register may have been done in part: the same again.
        for (nint i = 0; i < count; i += L.Count)
        {
            nint column = Math.Min(i, count - L.Count);
            T* s = source + column, to = result + column;
            L x = L.Load(s), y = L.Load(s + tapStep), z = L.Load(s + 2 * tapStep);
            L a = Three(start, x, y, z, w0, w1, w2);
            s += sourceStep;
            (x, y, z) = (L.Load(s), L.Load(s + tapStep), L.Load(s + 2 * tapStep));
            a = Three(a, x, y, z, w3, w4, w5);
            L b = Three(start, x, y, z, w0, w1, w2);
            s += sourceStep;
            (x, y, z) = (L.Load(s), L.Load(s + tapStep), L.Load(s + 2 * tapStep));
            L.Store(Three(a, x, y, z, w6, w7, w8), to);
            b = Three(b, x, y, z, w3, w4, w5);
            L c = Three(start, x, y, z, w0, w1, w2);
            s += sourceStep;
            (x, y, z) = (L.Load(s), L.Load(s + tapStep), L.Load(s + 2 * tapStep));
            L.Store(Three(b, x, y, z, w6, w7, w8), to + resultStep);
            c = Three(c, x, y, z, w3, w4, w5);
            L d = Three(start, x, y, z, w0, w1, w2);
            s += sourceStep;
            (x, y, z) = (L.Load(s), L.Load(s + tapStep), L.Load(s + 2 * tapStep));
            L.Store(Three(c, x, y, z, w6, w7, w8), to + 2 * resultStep);
            d = Three(d, x, y, z, w3, w4, w5);
            s += sourceStep;
            (x, y, z) = (L.Load(s), L.Load(s + tapStep), L.Load(s + 2 * tapStep));
            L.Store(Three(d, x, y, z, w6, w7, w8), to + 3 * resultStep);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Three<L>(L value, L x, L y, L z, L wx, L wy, L wz)
        where L : struct, ILane<L>
        => TOp.Step(TOp.Step(TOp.Step(value, x, wx), y, wy), z, wz);
}

/// <summary>The weight, any pattern of bits, of the first tap that meets the largest element, or the first NaN; all bits where every element is −∞ or padding.</summary>
internal readonly unsafe struct WindowArgMaxRow : IWindowRow
{
    public static double Padding => double.NegativeInfinity;

    public static bool JoinsPairs => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Pairs<L>(L a, L b, L c, L d, in WindowWeights<L> weights)
        where L : struct, ILane<L>
    {
        L first = IsBetter(b, a), second = IsBetter(d, c), upper = L.Select(first, b, a), lower = L.Select(second, d, c), below = IsBetter(lower, upper);
        L weight = L.Select(below, L.Select(second, weights.D, weights.C), L.Select(first, weights.B, weights.A));
        return L.Select(L.Equal(L.Select(below, lower, upper), L.Const(double.NegativeInfinity)), L.Bits(-1), weight);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row<L, T>(T* source, nint* taps, nint tapCount, T* weights, T* result, nint count)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (; count > 0; count -= L.Count, source += L.Count, result += L.Count)
        {
            L max = L.Const(double.NegativeInfinity), weight = L.Bits(-1);
            for (nint t = 0; t < tapCount; t++)
            {
                var x = L.Load(source + taps[t]);
                var better = IsBetter(x, max);
                max = L.Select(better, x, max);
                weight = L.Select(better, L.Broadcast(weights[t]), weight);
            }

            LaneTail.Store<L, T>(weight, result, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L IsBetter<L>(L x, L max) where L : struct, ILane<L> => L.Or(L.Greater(x, max), L.And(L.NotEqual(x, x), L.Equal(max, max)));
}
