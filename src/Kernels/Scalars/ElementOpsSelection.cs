using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

/// <summary>The larger; NaN if one of them is NaN; the first if they are equal (so Maximum(−0, +0) is −0).</summary>
internal readonly struct MaximumOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L>
    {
        (x, y) = (L.Let(x), L.Let(y));
        return L.Select(L.NotEqual(y, y), y, L.MaxNative(y, x));
    }
}

/// <summary>The smaller; NaN if one of them is NaN; the first if they are equal.</summary>
internal readonly struct MinimumOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L>
    {
        (x, y) = (L.Let(x), L.Let(y));
        return L.Select(L.NotEqual(y, y), y, L.MinNative(y, x));
    }
}

/// <summary>x limited to [low, high]; NaN stays NaN; high if low &gt; high. The limits must not be NaN.</summary>
internal readonly struct ClipOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L low, L high) where L : struct, ILane<L> => L.MinNative(high, L.MaxNative(low, x));
}

/// <summary>The magnitude of x with the sign of y.</summary>
internal readonly struct CopySignOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Or(L.Abs(x), L.And(y, SignBit<L>()));

    [MethodImpl(AggressiveInlining)]
    internal static L SignBit<L>() where L : struct, ILane<L> => L.Const(-0.0);
}

/// <summary>x where x &gt; 0, else 0; NaN stays NaN and −0 stays −0.</summary>
internal readonly struct ReluOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.MaxNative(L.Const(0), x);
}

/// <summary>x where x &gt; 0, else slope·x.</summary>
internal readonly struct LeakyReluOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L slope) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return L.Select(L.Greater(x, L.Const(0)), x, slope * x);
    }
}

/// <summary>With d = x − y: ½d² where |d| ≤ δ, else δ·(|d| − ½δ).</summary>
internal readonly struct HuberOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y, L delta) where L : struct, ILane<L>
    {
        delta = L.Let(delta);
        L difference = L.Let(x - y);
        L size = L.Let(L.Abs(difference));
        L half = L.Const(0.5);
        return L.Select(L.LessOrEqual(size, delta), difference * difference * half, (size - (half * delta)) * delta);
    }
}

/// <summary>½σ·x² where |x| ≤ δ, else |x| − ½δ; with δ = 1/σ they meet.</summary>
internal readonly struct SmoothL1Op : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L sigma, L delta) where L : struct, ILane<L>
    {
        (x, delta) = (L.Let(x), L.Let(delta));
        L size = L.Let(L.Abs(x));
        L half = L.Const(0.5);
        return L.Select(L.LessOrEqual(size, delta), x * x * (half * sigma), size - (half * delta));
    }
}

/// <summary>x·α + β, two roundings, limited to [0, 1].</summary>
internal readonly struct HardSigmoidOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L alpha, L beta) where L : struct, ILane<L> => L.MinNative(L.Const(1), L.MaxNative(L.Const(0), x * alpha + beta));
}

/// <summary>x where the mask is set, else y.</summary>
internal readonly struct WhereOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L mask, L x, L y) where L : struct, ILane<L> => L.Select(mask, x, y);
}
