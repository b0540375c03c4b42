using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

internal readonly struct AddOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => x + y;
}

internal readonly struct SubtractOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => x - y;
}

internal readonly struct MultiplyOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => x * y;
}

internal readonly struct DivideOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => x / y;
}

/// <summary>x·y + z, rounded twice: the bits of the two operators.</summary>
internal readonly struct MultiplyAddOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y, L z) where L : struct, ILane<L> => (x * y) + z;
}

/// <summary>x·y + z with one rounding.</summary>
internal readonly struct FusedMultiplyAddOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y, L z) where L : struct, ILane<L> => L.Fma(x, y, z);
}

/// <summary>Flips the sign bit: −(+0) is −0.</summary>
internal readonly struct NegateOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => -x;
}

internal readonly struct AbsOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Abs(x);
}

/// <summary>1, −1, 0 (for both zeros) or NaN.</summary>
internal readonly struct SignOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L zero = L.Const(0);
        return L.Select(L.Greater(x, zero), L.Const(1), L.Select(L.Less(x, zero), L.Const(-1), x + zero));
    }
}

internal readonly struct SquareOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return x * x;
    }
}

/// <summary>x³ as x²·x, two roundings.</summary>
internal readonly struct CubeOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return x * x * x;
    }
}

internal readonly struct ReciprocalOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Const(1) / x;
}

internal readonly struct SqrtOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Sqrt(x);
}

/// <summary>1 / √x, two roundings: the hardware's estimate would give other bits on every machine.</summary>
internal readonly struct ReciprocalSqrtOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Const(1) / L.Sqrt(x);
}

/// <summary>|x − y|.</summary>
internal readonly struct AbsoluteDifferenceOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Abs(x - y);
}

/// <summary>1 − x² as (1 − x)·(1 + x), which has no cancellation near ±1.</summary>
internal readonly struct OneMinusSquareOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return (L.Const(1) - x) * (L.Const(1) + x);
    }
}

/// <summary>(x − y)·s, two roundings.</summary>
internal readonly struct ScaledDifferenceOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y, L s) where L : struct, ILane<L> => (x - y) * s;
}

/// <summary>x + t·(y − x), taken from the nearer end, so that t = 0 gives x and t = 1 gives y exactly (as in PyTorch).</summary>
internal readonly struct LerpOp : ITernaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y, L t) where L : struct, ILane<L>
    {
        (x, y, t) = (L.Let(x), L.Let(y), L.Let(t));
        L difference = L.Let(y - x);
        return L.Select(L.Less(L.Abs(t), L.Const(0.5)), x + (t * difference), y - (difference * (L.Const(1) - t)));
    }
}
