namespace Fusion;

/// <summary>
/// The functions on arrays. Each is an extension method, so <c>Nd.Exp(x)</c> and <c>x.Exp()</c> are one definition. Element-wise functions keep the
/// shape; functions of real numbers convert integers and Bool to Float32.
/// </summary>
public static partial class Nd
{
    /// <summary>|x|; the derivative at 0 is 0.</summary>
    public static NDArray Abs(this NDArray x) => Elements.Number(OpTable.Abs, x);

    /// <summary>−1, 0 or 1; NaN stays NaN; the derivative is 0.</summary>
    public static NDArray Sign(this NDArray x) => Elements.Number(OpTable.Sign, x);

    /// <summary>−x.</summary>
    public static NDArray Negate(this NDArray x) => Elements.Number(OpTable.Negate, x);

    /// <summary>The largest integer not above x; the derivative is 0.</summary>
    public static NDArray Floor(this NDArray x) => Elements.Number(OpTable.Floor, x);

    /// <summary>The smallest integer not below x; the derivative is 0.</summary>
    public static NDArray Ceiling(this NDArray x) => Elements.Number(OpTable.Ceiling, x);

    /// <summary>The nearest integer, ties to even; the derivative is 0.</summary>
    public static NDArray Round(this NDArray x) => Elements.Number(OpTable.Round, x);

    /// <summary>x without its fraction; the derivative is 0.</summary>
    public static NDArray Truncate(this NDArray x) => Elements.Number(OpTable.Truncate, x);

    /// <summary>x².</summary>
    public static NDArray Square(this NDArray x) => Elements.Number(OpTable.Square, x);

    /// <summary>√x; NaN below 0.</summary>
    public static NDArray Sqrt(this NDArray x) => Elements.Real(OpTable.Sqrt, x);

    /// <summary>1/√x.</summary>
    public static NDArray ReciprocalSqrt(this NDArray x) => Elements.Real(OpTable.ReciprocalSqrt, x);

    /// <summary>1/x.</summary>
    public static NDArray Reciprocal(this NDArray x) => Elements.Real(OpTable.Reciprocal, x);

    /// <summary>eˣ.</summary>
    public static NDArray Exp(this NDArray x) => Elements.Real(OpTable.Exp, x);

    /// <summary>2ˣ.</summary>
    public static NDArray Exp2(this NDArray x) => Elements.Real(OpTable.Exp2, x);

    /// <summary>eˣ − 1, accurate near 0.</summary>
    public static NDArray ExpM1(this NDArray x) => Elements.Real(OpTable.ExpM1, x);

    /// <summary>ln x; −∞ at 0, NaN below.</summary>
    public static NDArray Log(this NDArray x) => Elements.Real(OpTable.Log, x);

    /// <summary>log₂ x.</summary>
    public static NDArray Log2(this NDArray x) => Elements.Real(OpTable.Log2, x);

    /// <summary>log₁₀ x.</summary>
    public static NDArray Log10(this NDArray x) => Elements.Real(OpTable.Log10, x);

    /// <summary>ln(1 + x), accurate near 0.</summary>
    public static NDArray LogP1(this NDArray x) => Elements.Real(OpTable.LogP1, x);

    /// <summary>sin x, x in radians.</summary>
    public static NDArray Sin(this NDArray x) => Elements.Real(OpTable.Sin, x);

    /// <summary>cos x, x in radians.</summary>
    public static NDArray Cos(this NDArray x) => Elements.Real(OpTable.Cos, x);

    /// <summary>tan x, x in radians.</summary>
    public static NDArray Tan(this NDArray x) => Elements.Real(OpTable.Tan, x);

    /// <summary>tanh x.</summary>
    public static NDArray Tanh(this NDArray x) => Elements.Real(OpTable.Tanh, x);

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    public static NDArray Sigmoid(this NDArray x) => Elements.Real(OpTable.Sigmoid, x);

    /// <summary>The error function, 2/√π · ∫₀ˣ exp(−t²) dt.</summary>
    public static NDArray Erf(this NDArray x) => Elements.Real(OpTable.Erf, x);

    /// <summary>ln(1 + eˣ), stable at both ends.</summary>
    public static NDArray Softplus(this NDArray x) => Elements.Real(OpTable.Softplus, x);

    /// <summary>max(x, 0); the derivative at 0 is 0; NaN stays NaN.</summary>
    public static NDArray Relu(this NDArray x) => Elements.Number(OpTable.Relu, x);

    /// <summary>x · sigmoid(x).</summary>
    public static NDArray Silu(this NDArray x) => Elements.Real(OpTable.Silu, x);

    /// <summary>x·Φ(x) with the normal distribution function Φ; with <paramref name="approximate"/> the tanh form ½x(1 + tanh(√(2/π)(x + 0.044715x³))).</summary>
    /// <remarks>Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.</remarks>
    public static NDArray Gelu(this NDArray x, bool approximate = false) => Elements.Real(approximate ? OpTable.GeluTanh : OpTable.Gelu, x);

    /// <summary>x for x &gt; 0, slope·x otherwise; the derivative at 0 is the slope.</summary>
    public static NDArray LeakyRelu(this NDArray x, double slope = 0.01) => Elements.Real(OpTable.LeakyRelu, x, slope);

    /// <summary>True where x is NaN.</summary>
    public static NDArray IsNaN(this NDArray x) => Elements.Real(OpTable.IsNaN, x);

    /// <summary>True where x is neither infinite nor NaN.</summary>
    public static NDArray IsFinite(this NDArray x) => Elements.Real(OpTable.IsFinite, x);

    /// <summary>True where x is +∞ or −∞.</summary>
    public static NDArray IsInfinity(this NDArray x) => Elements.Real(OpTable.IsInfinity, x);

    /// <summary>True where x is 0 or false.</summary>
    public static NDArray LogicalNot(this NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return OpTable.LogicalNot.Apply(Elements.To(x, DType.Bool));
    }
}
