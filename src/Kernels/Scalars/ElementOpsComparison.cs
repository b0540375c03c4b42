using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

internal readonly struct EqualOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Equal(x, y);
}

internal readonly struct NotEqualOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.NotEqual(x, y);
}

internal readonly struct GreaterOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Greater(x, y);
}

internal readonly struct GreaterOrEqualOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.GreaterOrEqual(x, y);
}

internal readonly struct LessOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.Less(x, y);
}

internal readonly struct LessOrEqualOp : IBinaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => L.LessOrEqual(x, y);
}

internal readonly struct IsNaNOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return L.NotEqual(x, x);
    }
}

internal readonly struct IsFiniteOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Less(L.Abs(x), L.Const(double.PositiveInfinity));
}

internal readonly struct IsInfinityOp : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => L.Equal(L.Abs(x), L.Const(double.PositiveInfinity));
}
