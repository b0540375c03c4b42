using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

internal readonly struct LogicalAndOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.And(x, y);
}

internal readonly struct LogicalOrOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Or(x, y);
}

internal readonly struct LogicalXorOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Xor(x, y);
}

internal readonly struct LogicalNotOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Not(x);
}

/// <summary>1 where the mask is set, else 0.</summary>
internal readonly struct MaskToValueOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L mask) where L : struct, ILane<L> => L.And(mask, L.Const(1));
}

/// <summary>Set where x ≠ 0; NaN is not 0.</summary>
internal readonly struct ValueToMaskOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.NotEqual(x, L.Const(0));
}
