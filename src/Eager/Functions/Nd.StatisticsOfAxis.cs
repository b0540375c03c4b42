namespace Fusion;

// Statistics along one axis.
public static partial class Nd
{
    /// <summary>Σ x over the elements that are not NaN, along one axis.</summary>
    public static NDArray NanSum(this NDArray x, int axis, bool keepDims = false) => NanSum(x, [axis], keepDims);

    /// <summary>Π x over the elements that are not NaN, along one axis.</summary>
    public static NDArray NanProd(this NDArray x, int axis, bool keepDims = false) => NanProd(x, [axis], keepDims);

    /// <summary>The mean of the elements that are not NaN, along one axis.</summary>
    public static NDArray NanMean(this NDArray x, int axis, bool keepDims = false) => NanMean(x, [axis], keepDims);

    /// <summary>The largest element that is not NaN, along one axis.</summary>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray NanMax(this NDArray x, int axis, bool keepDims = false) => NanMax(x, [axis], keepDims);

    /// <summary>The smallest element that is not NaN, along one axis.</summary>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray NanMin(this NDArray x, int axis, bool keepDims = false) => NanMin(x, [axis], keepDims);

    /// <summary>The variance of the elements that are not NaN, along one axis.</summary>
    public static NDArray NanVar(this NDArray x, int axis, bool keepDims = false, int correction = 0) => NanVar(x, [axis], keepDims, correction);

    /// <summary>The standard deviation of the elements that are not NaN, along one axis.</summary>
    public static NDArray NanStd(this NDArray x, int axis, bool keepDims = false, int correction = 0) => NanStd(x, [axis], keepDims, correction);

    /// <summary>The largest element less the smallest, along one axis.</summary>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Ptp(this NDArray x, int axis, bool keepDims = false) => Ptp(x, [axis], keepDims);

    /// <summary>The number of elements that are not 0, along one axis.</summary>
    public static NDArray CountNonZero(this NDArray x, int axis, bool keepDims = false) => CountNonZero(x, [axis], keepDims);

    /// <summary>The mean with weights along one axis; weights of rank 1 lie along it, others broadcast to x.</summary>
    public static NDArray Average(this NDArray x, NDArray weights, int axis, bool keepDims = false) => Average(x, weights, [axis], keepDims);
}
