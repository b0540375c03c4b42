namespace Fusion;

// Variances that leave NaN out, and covariances.
public static partial class Nd
{
    /// <summary>The largest element less the smallest, over axes.</summary>
    /// <remarks><c>np.ptp</c>.</remarks>
    /// <exception cref="ShapeException">A reduced axis is empty.</exception>
    public static NDArray Ptp(this NDArray x, int[]? axes = null, bool keepDims = false)
    {
        CheckNotEmpty("Ptp", Checked(x), Reductions.Attributes("Ptp", x, axes, keepDims));
        return Max(x, axes, keepDims) - Min(x, axes, keepDims);
    }

    /// <summary>Σ (x − mean)² / (n − correction) over the n elements that are not NaN; of no more of them than the correction, a division by 0.</summary>
    /// <remarks><c>np.nanvar(ddof=correction)</c>.</remarks>
    public static NDArray NanVar(this NDArray x, int[]? axes = null, bool keepDims = false, int correction = 0)
    {
        if (Checked(x).DType.IsHalf) return NanVar(Elements.Wide(x), axes, keepDims, correction).AsType(x.DType);
        NDArray real = RealInput(x);
        axes = CheckedAxes(x, axes, "NanVar");
        using Temporaries made = Temporaries.Collect();
        NDArray missing = IsNaN(real), number = Sum(LogicalNot(missing), axes, keepDims).AsType(real.DType);
        NDArray distance = Where(missing, 0, real - NanMean(real, axes, keepDims: true));
        return made.Keep(Sum(Square(distance), axes, keepDims) / Maximum(number - correction, 0));
    }

    /// <summary>√NanVar. The gradient is 0 where the deviation is 0, as for a constant.</summary>
    /// <remarks><c>np.nanstd(ddof=correction)</c>.</remarks>
    public static NDArray NanStd(this NDArray x, int[]? axes = null, bool keepDims = false, int correction = 0)
    {
        if (Checked(x).DType.IsHalf) return NanStd(Elements.Wide(x), axes, keepDims, correction).AsType(x.DType);
        return Root(NanVar(x, CheckedAxes(x, axes, "NanStd"), keepDims, correction));
    }

    /// <summary>
    /// The covariances of v variables with n observations each, (v, n): Σ (xᵢ − mean xᵢ)·(xⱼ − mean xⱼ) / (n − correction), (v, v); of one variable (n) its
    /// variance, of rank 0.
    /// </summary>
    /// <remarks><c>np.cov(ddof=correction)</c>, <c>torch.cov</c>.</remarks>
    /// <exception cref="ShapeException">The rank is not 1 or 2.</exception>
    public static NDArray Cov(this NDArray x, int correction = 1) => Covariances("Cov", x, correction);

    /// <summary>The covariances divided by both deviations: 1 on the diagonal, −1 to 1 elsewhere; NaN for a variable that is constant.</summary>
    /// <remarks><c>np.corrcoef</c>, <c>torch.corrcoef</c>.</remarks>
    /// <exception cref="ShapeException">The rank is not 1 or 2.</exception>
    public static NDArray CorrCoef(this NDArray x)
    {
        if (Checked(x).DType.IsHalf) return CorrCoef(Elements.Wide(x)).AsType(x.DType);
        using Temporaries made = Temporaries.Collect();
        NDArray covariances = Covariances("CorrCoef", x, 1);
        if (covariances.Rank == 0) return made.Keep(covariances / covariances);
        NDArray deviation = Sqrt(Diagonal(covariances));
        return made.Keep(Clip(covariances / ExpandDims(deviation, 1) / ExpandDims(deviation, 0), -1, 1));
    }

    private static NDArray Covariances(string op, NDArray x, int correction)
    {
        if (Checked(x).Rank is not (1 or 2)) throw new ShapeException($"{op}: {x.Shape} must be (variables, observations) or (observations,). Reshape it.");
        if (x.DType.IsHalf) return Covariances(op, Elements.Wide(x), correction).AsType(x.DType);
        using Temporaries made = Temporaries.Collect();
        NDArray distance = RealInput(x);
        distance -= Mean(distance, [-1], keepDims: true);
        double number = Math.Max(0, x.Shape[^1] - (double)correction);
        return made.Keep((x.Rank == 1 ? SumOfProducts(distance, distance) : MatMul(distance, Transpose(distance))) / number);
    }
}
