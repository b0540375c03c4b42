namespace Fusion;

public static partial class Nd
{
    /// <summary>x where the condition is true (or ≠ 0), y elsewhere; all three broadcast. Gradients are selected, too.</summary>
    public static NDArray Where(this NDArray condition, NDArray x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        DType dtype = x.DType == y.DType ? x.DType : DTypes.Promote(x.DType, y.DType);
        return Select(condition, Elements.To(x, dtype), Elements.To(y, dtype), dtype);
    }

    /// <summary>x where the condition is true (or ≠ 0), a number elsewhere.</summary>
    public static NDArray Where(this NDArray condition, NDArray x, double y)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(x);
        DType dtype = Elements.WeakType(x.DType, y);
        return Select(condition, Elements.To(x, dtype), Elements.Weak(OpTable.Where, y, dtype), dtype);
    }

    /// <summary>A number where the condition is true (or ≠ 0), y elsewhere.</summary>
    public static NDArray Where(this NDArray condition, double x, NDArray y)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(y);
        DType dtype = Elements.WeakType(y.DType, x);
        return Select(condition, Elements.Weak(OpTable.Where, x, dtype), Elements.To(y, dtype), dtype);
    }

    /// <summary>One number where the condition is true (or ≠ 0), another one elsewhere, as Float32.</summary>
    public static NDArray Where(this NDArray condition, double x, double y)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return Select(condition, Elements.Scalar(x, DType.Float32), Elements.Scalar(y, DType.Float32), DType.Float32);
    }

    /// <summary>x limited to [low, high]; the gradient passes on the closed interval.</summary>
    /// <exception cref="ArgumentException"><paramref name="low"/> exceeds <paramref name="high"/>, or one of them is NaN.</exception>
    public static NDArray Clip(this NDArray x, double low, double high)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!(low <= high)) throw new ArgumentException(low > high ? $"Clip: low {low} exceeds high {high}." : $"Clip: a bound is NaN: [{low}, {high}].");
        DType dtype = DTypes.Promote(Bound(x.DType, low), Bound(x.DType, high));
        return OpTable.Clip.Apply([Elements.To(x, dtype), Elements.Weak(OpTable.Clip, low, dtype), Elements.Weak(OpTable.Clip, high, dtype)]);
    }

    /// <summary>x + t·(y − x), of numbers reckoned from the nearer end: x at t = 0 and y at t = 1 exactly.</summary>
    public static NDArray Lerp(this NDArray x, NDArray y, NDArray t)
    {
        DType dtype = DTypes.Promote(DTypes.Promote(Checked(x).DType, Checked(y).DType), Checked(t).DType);
        if (!dtype.IsFloat) _ = Broadcasting.Infer("Lerp", Broadcasting.Infer("Lerp", x.Shape, y.Shape), t.Shape);
        return dtype.IsFloat ? OpTable.Lerp.Apply([Elements.To(x, dtype), Elements.To(y, dtype), Elements.To(t, dtype)]) : x + t * (y - x);
    }

    /// <summary>x + t·(y − x), of numbers reckoned from the nearer end: x at t = 0 and y at t = 1 exactly.</summary>
    public static NDArray Lerp(this NDArray x, NDArray y, double t)
    {
        DType dtype = DTypes.Promote(Checked(x).DType, Checked(y).DType);
        if (!dtype.IsFloat) _ = Broadcasting.Infer("Lerp", x.Shape, y.Shape);
        return dtype.IsFloat ? OpTable.Lerp.Apply([Elements.To(x, dtype), Elements.To(y, dtype), Elements.Weak(OpTable.Lerp, t, dtype)]) : x + t * (y - x);
    }

    // Where on Bool values runs on the bytes.
    private static NDArray Select(NDArray condition, NDArray x, NDArray y, DType dtype)
    {
        NDArray mask = Elements.To(condition, DType.Bool);
        if (dtype != DType.Bool) return OpTable.Where.Apply([mask, x, y]);
        return OpTable.Where.Apply([mask, x.AsType(DType.UInt8), y.AsType(DType.UInt8)]).AsType(DType.Bool);
    }

    private static DType Bound(DType dtype, double bound) => double.IsInfinity(bound) && dtype.IsFloat ? dtype : Elements.WeakType(dtype, bound);
}
