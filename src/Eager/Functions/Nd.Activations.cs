namespace Fusion;

// Activations made of other functions. In half precision they are computed in Float32 and rounded once.
public static partial class Nd
{
    /// <summary>x limited to [0, 6]; the gradient passes on the closed interval, as that of <see cref="Clip"/>.</summary>
    /// <remarks><c>mx.np.clip(x, 0, 6)</c>, <c>torch.nn.functional.relu6</c> (whose derivative is 0 at 0 and 6).</remarks>
    public static NDArray Relu6(this NDArray x) => Clip(x, 0, 6);

    /// <summary>x · (clip(x + 3, 0, 6) / 6); the derivative is −½ at −3 and 1½ at 3.</summary>
    /// <remarks><c>torch.nn.functional.hardswish</c>. Howard et al., "Searching for MobileNetV3", ICCV 2019.</remarks>
    public static NDArray HardSwish(this NDArray x)
    {
        if (Checked(x).DType.IsHalf) return HardSwish(Elements.Wide(x)).AsType(x.DType);
        NDArray real = RealInput(x);
        return real * (Clip(real + 3, 0, 6) / 6);
    }

    /// <summary>max(x, 0) + min(α·(exp(x/α) − 1), 0), whose derivative is continuous for every α.</summary>
    /// <remarks><c>torch.nn.functional.celu</c>. Barron, "Continuously Differentiable Exponential Linear Units", 2017.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">α is not positive.</exception>
    public static NDArray Celu(this NDArray x, double alpha = 1)
    {
        Require.Positive(alpha);
        if (Checked(x).DType.IsHalf) return Celu(Elements.Wide(x), alpha).AsType(x.DType);
        NDArray real = RealInput(x);

        // The exponent is limited first: a derivative of 0 times an overflow would be NaN.
        return Relu(real) + alpha * ExpM1(Minimum(real, 0) / alpha);
    }

    /// <summary>a · σ(b) with the halves a and b of an axis: (…, 2n, …) becomes (…, n, …).</summary>
    /// <remarks><c>torch.nn.functional.glu</c>. Dauphin et al., "Language Modeling with Gated Convolutional Networks", ICML 2017.</remarks>
    /// <exception cref="ShapeException">The axis has an odd size.</exception>
    public static NDArray Glu(this NDArray x, int axis = -1)
    {
        int at = Checked(x).Shape.Axis(axis, "Glu"), n = x.Shape[at];
        if (n % 2 != 0) throw new ShapeException($"Glu: axis {axis} of {x.Shape} has the size {n} and no two equal halves. Slice or Pad it to an even size.");
        if (x.DType.IsHalf) return Glu(Elements.Wide(x), axis).AsType(x.DType);
        NDArray real = RealInput(x);
        return Slice(real, at, 0, n / 2) * Sigmoid(Slice(real, at, n / 2, n));
    }

    /// <summary>x for x &gt; 0, slope·x otherwise, with slopes that are learned and broadcast with x; the derivative at 0 is the slope.</summary>
    /// <remarks>
    /// <c>mx.npx.leaky_relu('prelu')</c>, <c>torch.nn.functional.prelu</c>, whose slopes lie along axis 1: reshape them to (c, 1, 1) for images (n, c, h, w).
    /// He et al., "Delving Deep into Rectifiers", ICCV 2015.
    /// </remarks>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static NDArray PRelu(this NDArray x, NDArray slope)
    {
        DType dtype = Elements.RealType(DTypes.Promote(Checked(x).DType, Checked(slope).DType));
        if (dtype.IsHalf) return PRelu(Elements.Wide(x), Elements.Wide(slope)).AsType(dtype);
        _ = Broadcasting.Infer("PRelu", x.Shape, slope.Shape);
        (x, slope) = (Elements.To(x, dtype), Elements.To(slope, dtype));

        // The factor is limited, so that the slope's gradient is 0 where x is +∞.
        return Where(Greater(x, 0), x, slope * Minimum(x, 0));
    }

    /// <summary>ln x − ln(1 − x), the inverse of <see cref="Sigmoid"/>; with ε of x limited to [ε, 1 − ε].</summary>
    /// <remarks><c>torch.logit(eps)</c>, <c>scipy.special.logit</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">ε is not in [0, ½].</exception>
    public static NDArray Logit(this NDArray x, double? epsilon = null)
    {
        if (epsilon is not (null or (>= 0 and <= 0.5))) throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"Logit: epsilon is {epsilon}; it must be between 0 and 0.5.");
        if (Checked(x).DType.IsHalf) return Logit(Elements.Wide(x), epsilon).AsType(x.DType);
        NDArray real = RealInput(x);
        if (epsilon is double least) real = Clip(real, least, 1 - least);
        return Log(real) - LogP1(-real);
    }

    /// <summary>x · ln y, and 0 where x is 0 unless y is NaN.</summary>
    /// <remarks><c>torch.xlogy</c>, <c>scipy.special.xlogy</c>.</remarks>
    /// <exception cref="ShapeException">The shapes do not broadcast.</exception>
    public static NDArray XLogY(this NDArray x, NDArray y)
    {
        DType dtype = Elements.RealType(DTypes.Promote(Checked(x).DType, Checked(y).DType));
        if (dtype.IsHalf) return XLogY(Elements.Wide(x), Elements.Wide(y)).AsType(dtype);
        _ = Broadcasting.Infer("XLogY", x.Shape, y.Shape);
        (x, y) = (Elements.To(x, dtype), Elements.To(y, dtype));

        // Where the logarithm is not finite or no number; elsewhere the product is 0 by itself, and has its gradient.
        NDArray isNothing = LogicalAnd(Equal(x, 0), LogicalOr(LessOrEqual(y, 0), Equal(y, double.PositiveInfinity)));
        return Where(isNothing, 0, x * Log(Where(isNothing, 1, y)));
    }
}
