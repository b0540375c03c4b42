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
}

/// <summary>How the elements of a window are joined.</summary>
internal interface IWindowOp
{
    static abstract double Start { get; }

    static abstract bool Weighted { get; }

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
}

/// <summary>The weight, any pattern of bits, of the first tap that meets the largest element, or the first NaN; all bits where every element is −∞ or padding.</summary>
internal readonly unsafe struct WindowArgMaxRow : IWindowRow
{
    public static double Padding => double.NegativeInfinity;

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
                var better = L.Or(L.Greater(x, max), L.And(L.NotEqual(x, x), L.Equal(max, max)));
                max = L.Select(better, x, max);
                weight = L.Select(better, L.Broadcast(weights[t]), weight);
            }

            LaneTail.Store<L, T>(weight, result, count);
        }
    }
}
