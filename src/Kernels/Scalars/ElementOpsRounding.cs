using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

internal readonly struct FloorOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Floor(x);
}

internal readonly struct CeilingOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Ceiling(x);
}

/// <summary>To the nearest integer, ties to even.</summary>
internal readonly struct RoundOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Round(x);
}

internal readonly struct TruncateOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Truncate(x);
}

/// <summary>x − ⌊x/y⌋·y with the sign of y; NaN for y = 0 or an infinite x, as NumPy's <c>remainder</c>.</summary>
internal readonly struct ModOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L>
    {
        (x, y) = (L.Let(x), L.Let(y));
        L zero = L.Const(0);
        L rest = L.Let(L.Remainder(x, y));
        L wrapped = L.Select(FloorDivideOp.SignsDiffer(rest, y), rest + y, rest);
        return L.Select(L.Equal(rest, zero), L.And(y, CopySignOp.SignBit<L>()), wrapped);
    }
}

/// <summary>⌊x/y⌋, consistent with <see cref="ModOp"/>, as NumPy's <c>floor_divide</c>; ±∞ or NaN for y = 0.</summary>
internal readonly struct FloorDivideOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L>
    {
        (x, y) = (L.Let(x), L.Let(y));
        (L zero, L one) = (L.Const(0), L.Const(1));
        L ratio = L.Let(x / y);
        L rest = L.Let(L.Remainder(x, y));
        // An exact multiple of y, divided: an integer but for the rounding of the division, hence to the nearest.
        L quotient = (x - rest) / y;
        quotient = L.Let(L.Round(L.Select(SignsDiffer(rest, y), quotient - one, quotient)));
        L signed = L.Select(L.Equal(quotient, zero), L.And(ratio, CopySignOp.SignBit<L>()), quotient);
        return L.Select(L.Equal(y, zero), ratio, signed);
    }

    // rest ≠ 0 and its sign is not that of y.
    [MethodImpl(AggressiveInlining)]
    internal static L SignsDiffer<L>(L rest, L y) where L : struct, ILane<L> =>
        L.And(L.NotEqual(rest, L.Const(0)), L.Xor(L.Less(rest, L.Const(0)), L.Less(y, L.Const(0))));
}
