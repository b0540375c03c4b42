using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// More functions: each is the formula of the same name.

/// <summary>sinh x</summary>
internal readonly struct SinhOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Sinh(x);
}

/// <summary>cosh x</summary>
internal readonly struct CoshOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Cosh(x);
}

/// <summary>arsinh x</summary>
internal readonly struct AsinhOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Asinh(x);
}

/// <summary>arcosh x</summary>
internal readonly struct AcoshOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Acosh(x);
}

/// <summary>artanh x</summary>
internal readonly struct AtanhOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Atanh(x);
}

/// <summary>arcsin x</summary>
internal readonly struct AsinOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Asin(x);
}

/// <summary>arccos x</summary>
internal readonly struct AcosOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Acos(x);
}

/// <summary>arctan x</summary>
internal readonly struct AtanOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Atan(x);
}

/// <summary>∛x</summary>
internal readonly struct CbrtOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Cbrt(x);
}

/// <summary>Γ(x)</summary>
internal readonly struct GammaOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Gamma(x);
}

/// <summary>ln |Γ(x)|</summary>
internal readonly struct LogGammaOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.LogGamma(x);
}

/// <summary>ψ(x) = d/dx ln Γ(x)</summary>
internal readonly struct DigammaOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Digamma(x);
}

/// <summary>ψ′(x)</summary>
internal readonly struct TrigammaOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Trigamma(x);
}

/// <summary>erf⁻¹(x)</summary>
internal readonly struct ErfInvOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.ErfInv(x);
}

/// <summary>scaled exponential linear unit</summary>
internal readonly struct SeluOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Selu(x);
}

/// <summary>x·tanh(softplus x)</summary>
internal readonly struct MishOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Mish(x);
}

/// <summary>ln σ(x)</summary>
internal readonly struct LogSigmoidOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.LogSigmoid(x);
}

/// <summary>x/(1 + |x|)</summary>
internal readonly struct SoftsignOp : IUnaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => Formulas.Softsign(x);
}

/// <summary>the angle of the point (y, x)</summary>
internal readonly struct Atan2Op : IBinaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L y, L x) where L : struct, ILane<L> => Formulas.Atan2(y, x);
}

/// <summary>√(x² + y²)</summary>
internal readonly struct HypotOp : IBinaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => Formulas.Hypot(x, y);
}

/// <summary>x or α(eˣ − 1)</summary>
internal readonly struct EluOp : IBinaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => Formulas.Elu(x, y);
}

/// <summary>ln(eˣ + eʸ)</summary>
internal readonly struct LogAddExpOp : IBinaryOp
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Invoke<L>(L x, L y) where L : struct, ILane<L> => Formulas.LogAddExp(x, y);
}
