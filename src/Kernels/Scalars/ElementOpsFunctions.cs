using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// The transcendental operators: each is the formula of the same name.

/// <summary>eˣ</summary>
internal readonly struct ExpOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Exp(x);
}

/// <summary>2ˣ</summary>
internal readonly struct Exp2Op : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Exp2(x);
}

/// <summary>eˣ − 1</summary>
internal readonly struct ExpM1Op : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.ExpM1(x);
}

/// <summary>ln x</summary>
internal readonly struct LogOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Log(x);
}

/// <summary>log₂ x</summary>
internal readonly struct Log2Op : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Log2(x);
}

/// <summary>log₁₀ x</summary>
internal readonly struct Log10Op : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Log10(x);
}

/// <summary>ln(1 + x)</summary>
internal readonly struct LogP1Op : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.LogP1(x);
}

/// <summary>sin x</summary>
internal readonly struct SinOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Sin(x);
}

/// <summary>cos x</summary>
internal readonly struct CosOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Cos(x);
}

/// <summary>tan x</summary>
internal readonly struct TanOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Tan(x);
}

/// <summary>tanh x</summary>
internal readonly struct TanhOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Tanh(x);
}

/// <summary>1/(1 + e⁻ˣ)</summary>
internal readonly struct SigmoidOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Sigmoid(x);
}

/// <summary>erf x</summary>
internal readonly struct ErfOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Erf(x);
}

/// <summary>ln(1 + eˣ)</summary>
internal readonly struct SoftplusOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Softplus(x);
}

/// <summary>x·sigmoid(x)</summary>
internal readonly struct SiluOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Silu(x);
}

/// <summary>x·Φ(x)</summary>
internal readonly struct GeluOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Gelu(x);
}

/// <summary>the derivative of x·Φ(x)</summary>
internal readonly struct GeluSlopeOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.GeluSlope(x);
}

/// <summary>the tanh form of GELU</summary>
internal readonly struct GeluTanhOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.GeluTanh(x);
}

/// <summary>xʸ</summary>
internal readonly struct PowOp : IBinaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => Formulas.Pow(x, y);
}
