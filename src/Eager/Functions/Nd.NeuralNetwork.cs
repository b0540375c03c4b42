namespace Fusion;

public static partial class Nd
{
    /// <summary>exp(x) / Σ exp(x) along an axis, without overflow.</summary>
    public static NDArray Softmax(this NDArray x, int axis = -1) => AlongAxis(OpTable.Softmax, x, axis);

    /// <summary>x − ln Σ exp(x) along an axis, without overflow.</summary>
    public static NDArray LogSoftmax(this NDArray x, int axis = -1) => AlongAxis(OpTable.LogSoftmax, x, axis);

    /// <summary>
    /// −Σ p·log softmax(x) along the last axis, one value per sample: of class indices (labels of the shape without the last axis, Int32 or Int64), or
    /// of probabilities (labels of the logits' shape).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A class index is outside the last axis.</exception>
    public static NDArray SoftmaxCrossEntropy(this NDArray logits, NDArray labels)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(labels);
        if (logits.Rank == 0) throw new ShapeException("SoftmaxCrossEntropy: the logits are a scalar and have no last axis. Reshape or ExpandDims first.");
        return SoftmaxCrossEntropyFor(null, logits, labels);
    }

    /// <summary>The same for a loss whose parameter messages name.</summary>
    internal static NDArray SoftmaxCrossEntropyFor(CallerAttributes? caller, NDArray logits, NDArray labels)
    {
        NDArray real = Elements.To(logits, Elements.RealType(logits.DType));
        if (labels.DType.IsFloat && labels.Shape == logits.Shape)
        {
            if (DTypes.Promote(labels.DType, real.DType) is { IsHalf: true } dtype)
                return SoftmaxCrossEntropyFor(caller, Elements.Wide(logits), Elements.Wide(labels)).AsType(dtype);
            return -Sum(labels * LogSoftmax(real), -1);
        }

        (string op, string parameter) = CallerAttributes.OfCrossEntropy(caller);
        if (labels.DType.IsFloat && labels.Rank == logits.Rank)
            throw new ShapeException($"{op}: {parameter}, probabilities {labels.Shape}, must have the shape of the logits, {logits.Shape}. Reshape or slice one of them.");
        Indexing.CheckIndexType(op, labels.DType);
        return OpTable.CrossEntropy.Apply(real, labels, caller);
    }

    /// <summary>
    /// In training mode sets each element to 0 with probability <paramref name="p"/> and scales the others by 1/(1 − p); otherwise returns the input.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="p">The probability of a zero.</param>
    /// <param name="axes">Axes along which one decision holds for all elements; none by default.</param>
    /// <remarks>Srivastava et al., "Dropout", JMLR 15, 2014, in the inverted form.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="p"/> is not in [0, 1].</exception>
    public static NDArray Dropout(this NDArray x, double p = 0.5, int[]? axes = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        Require.Fraction(p);
        int[] sizes = x.Shape.ToArray();
        foreach (int axis in axes ?? []) sizes[x.Shape.Axis(axis, "Dropout")] = 1;
        NDArray real = Elements.To(x, Elements.RealType(x.DType));
        if (!Autograd.IsTraining || p == 0) return ReferenceEquals(real, x) ? x.Alias() : real;
        NDArray keep = Random.Uniform(0, 1, Shape.Own(sizes), device: x.Device) >= p;
        return Where(keep, p == 1 ? real : real * (1 / (1 - p)), 0);
    }

    /// <summary>½(σx)² for |x| &lt; 1/σ², |x| − ½/σ² beyond, with the scalar σ, as in MXNet.</summary>
    /// <remarks>Girshick, "Fast R-CNN", ICCV 2015, eq. 3.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">σ is not positive.</exception>
    public static NDArray SmoothL1(this NDArray x, double scalar = 1)
    {
        Require.Positive(scalar);
        if (Checked(x).DType.IsHalf) return SmoothL1(Elements.Wide(x), scalar).AsType(x.DType);
        double square = scalar * scalar;
        NDArray real = Elements.To(x, Elements.RealType(x.DType));
        return OpTable.SmoothL1.Apply([real, Elements.Weak(OpTable.SmoothL1, square, real.DType), Elements.Weak(OpTable.SmoothL1, 1 / square, real.DType)]);
    }

    private static NDArray AlongAxis(Op op, NDArray x, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray real = Elements.To(x, Elements.RealType(x.DType));
        if (x.Rank == 0) return op.Apply(real);
        int at = x.Shape.Axis(axis, op.Name);
        return at == x.Rank - 1 ? op.Apply(real) : SwapAxes(op.Apply(SwapAxes(real, at, -1)), at, -1);
    }
}
