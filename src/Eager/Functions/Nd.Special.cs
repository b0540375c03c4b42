using System.Runtime.CompilerServices;

namespace Fusion;

public static partial class Nd
{
    /// <summary>sinh x.</summary>
    public static NDArray Sinh(this NDArray x) => Elements.Real(OpTable.Sinh, x);

    /// <summary>cosh x.</summary>
    public static NDArray Cosh(this NDArray x) => Elements.Real(OpTable.Cosh, x);

    /// <summary>arsinh x = ln(x + √(x² + 1)).</summary>
    public static NDArray Asinh(this NDArray x) => Elements.Real(OpTable.Asinh, x);

    /// <summary>arcosh x = ln(x + √(x² − 1)); NaN below 1.</summary>
    public static NDArray Acosh(this NDArray x) => Elements.Real(OpTable.Acosh, x);

    /// <summary>artanh x = ½·ln((1 + x)/(1 − x)); ±∞ at ±1, NaN beyond.</summary>
    public static NDArray Atanh(this NDArray x) => Elements.Real(OpTable.Atanh, x);

    /// <summary>arcsin x in radians; NaN outside [−1, 1].</summary>
    public static NDArray Asin(this NDArray x) => Elements.Real(OpTable.Asin, x);

    /// <summary>arccos x in radians; NaN outside [−1, 1].</summary>
    public static NDArray Acos(this NDArray x) => Elements.Real(OpTable.Acos, x);

    /// <summary>arctan x in radians.</summary>
    public static NDArray Atan(this NDArray x) => Elements.Real(OpTable.Atan, x);

    /// <summary>The angle of the point (x, y) in (−π, π]; the derivative at (0, 0) is 0.</summary>
    public static NDArray Atan2(this NDArray y, NDArray x) => Elements.Real(OpTable.Atan2, Checked(y), Checked(x));

    /// <summary>The angle of the point (x, y) in (−π, π]; the derivative at (0, 0) is 0.</summary>
    public static NDArray Atan2(this NDArray y, double x) => Elements.Real(OpTable.Atan2, Checked(y), x);

    /// <summary>The angle of the point (x, y) in (−π, π]; the derivative at (0, 0) is 0.</summary>
    public static NDArray Atan2(double y, NDArray x) => Elements.Real(OpTable.Atan2, y, Checked(x));

    /// <summary>√(x² + y²) without overflow on the way; the derivative at (0, 0) is 0.</summary>
    public static NDArray Hypot(this NDArray x, NDArray y) => Elements.Real(OpTable.Hypot, x, y);

    /// <summary>√(x² + y²) without overflow on the way; the derivative at (0, 0) is 0.</summary>
    public static NDArray Hypot(this NDArray x, double y) => Elements.Real(OpTable.Hypot, x, y);

    /// <summary>√(x² + y²) without overflow on the way; the derivative at (0, 0) is 0.</summary>
    public static NDArray Hypot(double x, NDArray y) => Elements.Real(OpTable.Hypot, x, y);

    /// <summary>∛x, of negative numbers too.</summary>
    public static NDArray Cbrt(this NDArray x) => Elements.Real(OpTable.Cbrt, x);

    /// <summary>|x| with the sign of y (that of −0 counts).</summary>
    public static NDArray CopySign(this NDArray x, NDArray y) => Elements.Real(OpTable.CopySign, x, y);

    /// <summary>|x| with the sign of y (that of −0 counts).</summary>
    public static NDArray CopySign(this NDArray x, double y) => Elements.Real(OpTable.CopySign, x, y);

    /// <summary>|x| with the sign of y (that of −0 counts).</summary>
    public static NDArray CopySign(double x, NDArray y) => Elements.Real(OpTable.CopySign, x, y);

    /// <summary>ln(eˣ + eʸ) without overflow.</summary>
    public static NDArray LogAddExp(this NDArray x, NDArray y) => Elements.Real(OpTable.LogAddExp, x, y);

    /// <summary>ln(eˣ + eʸ) without overflow.</summary>
    public static NDArray LogAddExp(this NDArray x, double y) => Elements.Real(OpTable.LogAddExp, x, y);

    /// <summary>ln(eˣ + eʸ) without overflow.</summary>
    public static NDArray LogAddExp(double x, NDArray y) => Elements.Real(OpTable.LogAddExp, x, y);

    /// <summary>x·π/180.</summary>
    public static NDArray DegreesToRadians(this NDArray x) => RealInput(x) * (Math.PI / 180);

    /// <summary>x·180/π.</summary>
    public static NDArray RadiansToDegrees(this NDArray x) => RealInput(x) * (180 / Math.PI);

    /// <summary>The inverse of <see cref="Erf"/>; ±∞ at ±1, NaN beyond.</summary>
    public static NDArray ErfInv(this NDArray x) => Elements.Real(OpTable.ErfInv, x);

    /// <summary>Γ(x); NaN at the negative integers, ±∞ at ±0.</summary>
    public static NDArray Gamma(this NDArray x) => Elements.Real(OpTable.Gamma, x);

    /// <summary>ln |Γ(x)|; +∞ at 0 and the negative integers.</summary>
    public static NDArray LogGamma(this NDArray x) => Elements.Real(OpTable.LogGamma, x);

    /// <summary>ψ(x), the derivative of ln Γ(x); NaN at the negative integers, ∓∞ at ±0.</summary>
    public static NDArray Digamma(this NDArray x) => Elements.Real(OpTable.Digamma, x);

    /// <summary>The n-th derivative of ψ(x), n ≥ 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">n is negative or above 20.</exception>
    public static NDArray Polygamma(int n, NDArray x)
    {
        Require.NotNegative(n);
        if (n > 20) throw new ArgumentOutOfRangeException(nameof(n), n, $"Polygamma: n is {n}; it must be 20 or less.");
        NDArray real = RealInput(x);
        return n switch
        {
            0 => OpTable.Digamma.Apply(real),
            1 => OpTable.Trigamma.Apply(real),
            _ => OpTable.Polygamma.Apply(real, n),
        };
    }

    /// <summary>x for x &gt; 0, α·(eˣ − 1) otherwise.</summary>
    /// <remarks>Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", ICLR 2016.</remarks>
    public static NDArray Elu(this NDArray x, double alpha = 1) => Elements.Real(OpTable.Elu, x, alpha);

    /// <summary>λ·x for x &gt; 0, λ·α·(eˣ − 1) otherwise, with λ = 1.0507…, α = 1.6732….</summary>
    /// <remarks>Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017.</remarks>
    public static NDArray Selu(this NDArray x) => Elements.Real(OpTable.Selu, x);

    /// <summary>x·tanh(softplus x).</summary>
    /// <remarks>Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.</remarks>
    public static NDArray Mish(this NDArray x) => Elements.Real(OpTable.Mish, x);

    /// <summary>x·α + β limited to [0, 1]; the defaults are MXNet's (PyTorch has α = 1/6).</summary>
    public static NDArray HardSigmoid(this NDArray x, double alpha = 0.2, double beta = 0.5)
    {
        NDArray real = RealInput(x);
        return OpTable.HardSigmoid.Apply(
            [real, Elements.Weak(OpTable.HardSigmoid, alpha, real.DType), Elements.Weak(OpTable.HardSigmoid, beta, real.DType)]);
    }

    /// <summary>ln σ(x), stable at both ends.</summary>
    public static NDArray LogSigmoid(this NDArray x) => Elements.Real(OpTable.LogSigmoid, x);

    /// <summary>x / (1 + |x|).</summary>
    public static NDArray Softsign(this NDArray x) => Elements.Real(OpTable.Softsign, x);

    private static NDArray RealInput(NDArray x, [CallerArgumentExpression(nameof(x))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        return Elements.To(x, Elements.RealType(x.DType));
    }
}
