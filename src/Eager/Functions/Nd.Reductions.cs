namespace Fusion;

// axes: null for all (the result has rank 0); negative axes count from the end. keepDims leaves reduced axes with size 1. Sums have one fixed
// order: the same bits for any number of threads.
public static partial class Nd
{
    /// <summary>Σ x. Integers and Bool are added up in Int64; an empty sum is 0.</summary>
    public static NDArray Sum(this NDArray x, int[]? axes = null, bool keepDims = false) => Reduce(OpTable.Sum, x, axes, keepDims);

    /// <summary>Σ x along one axis.</summary>
    public static NDArray Sum(this NDArray x, int axis, bool keepDims = false) => Reduce(OpTable.Sum, x, [axis], keepDims);

    /// <summary>Σ x / n; integers give Float32; an empty mean is NaN.</summary>
    public static NDArray Mean(this NDArray x, int[]? axes = null, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType.IsHalf) return Mean(Elements.Wide(x), axes, keepDims).AsType(x.DType);
        double count = Count("Mean", x, axes);
        return Reduce(OpTable.Sum, x.DType.IsFloat ? x : x.AsType(DType.Float32), axes, keepDims) / count;
    }

    /// <summary>Σ x / n along one axis.</summary>
    public static NDArray Mean(this NDArray x, int axis, bool keepDims = false) => Mean(x, [axis], keepDims);

    /// <summary>Π x; an empty product is 1. Multiplied pairwise, so that gradients of every order are exact at zeros as well.</summary>
    public static NDArray Prod(this NDArray x, int[]? axes = null, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType.IsHalf) return Prod(Elements.Wide(x), axes, keepDims).AsType(x.DType);
        ReduceAttributes attributes = Reductions.Attributes("Prod", x, axes, keepDims);
        NDArray result = x.DType.IsFloat ? x : x.AsType(DType.Int64);
        using Temporaries made = Temporaries.Collect();
        for (int i = attributes.Axes.Length - 1; i >= 0; i--) result = Product(result, attributes.Axes[i], keepDims);
        return made.Keep(ReferenceEquals(result, x) ? x.Alias() : result);
    }

    /// <summary>Π x along one axis.</summary>
    public static NDArray Prod(this NDArray x, int axis, bool keepDims = false) => Prod(x, [axis], keepDims);

    /// <summary>The largest; NaN if one is. The gradient is shared equally among ties.</summary>
    /// <exception cref="ShapeException">A reduced axis is empty.</exception>
    public static NDArray Max(this NDArray x, int[]? axes = null, bool keepDims = false) => Reduce(OpTable.Max, x, axes, keepDims);

    /// <summary>The largest along one axis.</summary>
    public static NDArray Max(this NDArray x, int axis, bool keepDims = false) => Reduce(OpTable.Max, x, [axis], keepDims);

    /// <summary>The smallest; NaN if one is. The gradient is shared equally among ties.</summary>
    /// <exception cref="ShapeException">A reduced axis is empty.</exception>
    public static NDArray Min(this NDArray x, int[]? axes = null, bool keepDims = false) => Reduce(OpTable.Min, x, axes, keepDims);

    /// <summary>The smallest along one axis.</summary>
    public static NDArray Min(this NDArray x, int axis, bool keepDims = false) => Reduce(OpTable.Min, x, [axis], keepDims);

    /// <summary>Σ (x − mean)² / (n − correction); of no more elements than the correction, a division by 0.</summary>
    public static NDArray Var(this NDArray x, int[]? axes = null, bool keepDims = false, int correction = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType.IsHalf) return Var(Elements.Wide(x), axes, keepDims, correction).AsType(x.DType);
        using Temporaries made = Temporaries.Collect();
        ReduceAttributes attributes = Reductions.Attributes("Var", x, axes, keepDims);
        NDArray sum = x.DType.IsFloat && Reductions.RowLength(x.Shape.Dimensions, attributes.Axes.Span) > 0
            ? OpTable.SumOfSquaredDeviations.Apply(x, attributes)
            : SumOfSquares(x - Mean(x, axes, keepDims: true), axes, keepDims);
        return made.Keep(sum / Math.Max(0, Count("Var", x, axes) - correction));
    }

    /// <summary>The variance along one axis.</summary>
    public static NDArray Var(this NDArray x, int axis, bool keepDims = false, int correction = 0) => Var(x, [axis], keepDims, correction);

    /// <summary>√Var. The gradient is 0 where the deviation is 0, as for a constant.</summary>
    public static NDArray Std(this NDArray x, int[]? axes = null, bool keepDims = false, int correction = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.DType.IsHalf ? Std(Elements.Wide(x), axes, keepDims, correction).AsType(x.DType) : Root(Var(x, CheckedAxes(x, axes, "Std"), keepDims, correction));
    }

    /// <summary>The standard deviation along one axis.</summary>
    public static NDArray Std(this NDArray x, int axis, bool keepDims = false, int correction = 0) => Std(x, [axis], keepDims, correction);

    /// <summary>√Σ x², the Euclidean norm. The gradient is 0 where the norm is 0.</summary>
    public static NDArray Norm(this NDArray x, int[]? axes = null, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType.IsHalf) return Norm(Elements.Wide(x), axes, keepDims).AsType(x.DType);
        using Temporaries made = Temporaries.Collect();
        return made.Keep(Root(SumOfSquares(Elements.To(x, Elements.RealType(x.DType)), CheckedAxes(x, axes, "Norm"), keepDims)));
    }

    /// <summary>The Euclidean norm along one axis.</summary>
    public static NDArray Norm(this NDArray x, int axis, bool keepDims = false) => Norm(x, [axis], keepDims);

    /// <summary>ln Σ eˣ without overflow; −∞ of no elements.</summary>
    public static NDArray LogSumExp(this NDArray x, int[]? axes = null, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.DType.IsHalf) return LogSumExp(Elements.Wide(x), axes, keepDims).AsType(x.DType);
        using Temporaries made = Temporaries.Collect();
        NDArray real = Elements.To(x, Elements.RealType(x.DType));
        if (Count("LogSumExp", x, axes) == 0) return made.Keep(Log(Sum(Exp(real), axes, keepDims)));
        NDArray max = StopGradient(Max(real, axes, keepDims: true));
        NDArray shift = Where(IsFinite(max), max, 0);
        NDArray sum = Log(Sum(Exp(real - shift), axes, keepDims));
        return made.Keep(sum + Reshape(shift, sum.Shape));
    }

    /// <summary>ln Σ eˣ along one axis.</summary>
    public static NDArray LogSumExp(this NDArray x, int axis, bool keepDims = false) => LogSumExp(x, [axis], keepDims);

    /// <summary>The index (Int64) of the first largest element along an axis, or of the flattened array; the first NaN wins.</summary>
    public static NDArray ArgMax(this NDArray x, int? axis = null, bool keepDims = false) => ArgReduce(OpTable.ArgMax, x, axis, keepDims);

    /// <summary>The index (Int64) of the first smallest element along an axis, or of the flattened array; the first NaN wins.</summary>
    public static NDArray ArgMin(this NDArray x, int? axis = null, bool keepDims = false) => ArgReduce(OpTable.ArgMin, x, axis, keepDims);

    /// <summary>True when one element is true (or ≠ 0).</summary>
    public static NDArray Any(this NDArray x, int[]? axes = null, bool keepDims = false) => Reduce(OpTable.Any, Truth(x), axes, keepDims);

    /// <summary>True when one element along the axis is true (or ≠ 0).</summary>
    public static NDArray Any(this NDArray x, int axis, bool keepDims = false) => Any(x, [axis], keepDims);

    /// <summary>True when all elements are true (or ≠ 0).</summary>
    public static NDArray All(this NDArray x, int[]? axes = null, bool keepDims = false) => Reduce(OpTable.All, Truth(x), axes, keepDims);

    /// <summary>True when all elements along the axis are true (or ≠ 0).</summary>
    public static NDArray All(this NDArray x, int axis, bool keepDims = false) => All(x, [axis], keepDims);

    /// <summary>Running sums along an axis, in order; of the flattened array when no axis is given. Float32 is added up in Float64 (on a GPU in Float32), integers give Int64.</summary>
    public static NDArray CumSum(this NDArray x, int? axis = null)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray input = Elements.To(axis is null ? Flatten(x) : x, Reductions.SumType(x.DType));
        return OpTable.CumSum.Apply(input, new ScanAttributes(input.Shape.Axis(axis ?? 0, "CumSum"), false));

        static NDArray Flatten(NDArray a) => a.Rank == 1 ? a : Reshape(a, -1);
    }

    /// <summary>
    /// Running sums along an axis, or of the flattened array: with <paramref name="reverse"/> from the end, with <paramref name="exclusive"/> of the elements
    /// before alone (behind, if reversed), so that the first sum is 0.
    /// </summary>
    /// <remarks><c>np.cumsum</c>, <c>torch.cumsum</c> have neither; <c>tf.cumsum(exclusive, reverse)</c>, <c>jax.lax.cumsum(reverse)</c>, <c>mlx.cumsum(reverse, inclusive)</c>.</remarks>
    public static NDArray CumSum(this NDArray x, int? axis, bool exclusive = false, bool reverse = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray input = Elements.To(axis is null ? OneAxis("CumSum", x) : x, Reductions.SumType(x.DType));
        int at = input.Shape.Axis(axis ?? 0, "CumSum"), n = input.Shape[at];
        ScanAttributes scan = new(at, reverse);
        if (!exclusive || n == 0) return OpTable.CumSum.Apply(input, scan);

        // Not the sums less the elements, which would round and make NaN of infinities.
        (int Before, int After)[] widths = new (int, int)[input.Rank];
        widths[at] = reverse ? (0, 1) : (1, 0);
        return Pad(OpTable.CumSum.Apply(reverse ? Slice(input, at, 1, n) : Slice(input, at, 0, n - 1), scan), widths);
    }

    /// <summary>√x of a sum of squares; the gradient is 0 where it is 0.</summary>
    internal static NDArray Root(NDArray x) => Elements.Real(OpTable.Root, x);

    /// <summary>Σ x²; integers are squared in their own type.</summary>
    internal static NDArray SumOfSquares(NDArray x, int[]? axes = null, bool keepDims = false) =>
        x.DType.IsFloat ? Reduce(OpTable.SumOfSquares, x, axes, keepDims) : Sum(Square(x), axes, keepDims);

    /// <summary>Σ a·b of two arrays of one shape.</summary>
    internal static NDArray SumOfProducts(NDArray a, NDArray b, int[]? axes = null, bool keepDims = false)
    {
        if (a.DType != b.DType || !a.DType.IsFloat) return Sum(a * b, axes, keepDims);
        return OpTable.SumOfProducts.Apply(a, b, Reductions.Attributes("Sum", a, axes, keepDims));
    }

    /// <summary>Σ (a − b)² of two arrays of one shape.</summary>
    internal static NDArray SumOfSquaredDifferences(NDArray a, NDArray b, int[]? axes = null, bool keepDims = false)
    {
        if (a.DType != b.DType || !a.DType.IsFloat) return SumOfSquares(a - b, axes, keepDims);
        return OpTable.SumOfSquaredDifferences.Apply(a, b, Reductions.Attributes("Sum", a, axes, keepDims));
    }

    private static NDArray Reduce(Op op, NDArray x, int[]? axes, bool keepDims)
    {
        ArgumentNullException.ThrowIfNull(x);
        return op.Apply(x, Reductions.Attributes(op.Name, x, axes, keepDims));
    }

    private static NDArray ArgReduce(Op op, NDArray x, int? axis, bool keepDims)
    {
        ArgumentNullException.ThrowIfNull(x);
        NDArray input = axis is null ? OneAxis(op.Name, x) : x;
        NDArray result = op.Apply(input, Reductions.Attributes(op.Name, input, [axis ?? 0], keepDims && axis is not null));
        return axis is null && keepDims ? Reshape(result, Ones1(x.Rank)) : result;
    }

    // All elements along one axis.
    private static NDArray OneAxis(string op, NDArray x) => Reshape(x, Errors.Extent(op, x.Size));

    private static int[] Ones1(int rank)
    {
        int[] sizes = new int[rank];
        System.Array.Fill(sizes, 1);
        return sizes;
    }

    private static NDArray Truth(NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Elements.To(x, DType.Bool);
    }

    private static double Count(string op, NDArray x, int[]? axes)
    {
        if (axes is null) return x.Size;
        double count = 1;
        if (axes.Length > 1) _ = Reductions.Attributes(op, x, axes, false);
        foreach (int axis in axes) count *= x.Shape[x.Shape.Axis(axis, op)];
        return count;
    }

    private static NDArray Product(NDArray x, int axis, bool keepDims)
    {
        int n = x.Shape[axis];
        if (n == 0) x = Sum(x, axis, keepDims: true) + 1;
        for (; n > 1; n = (n + 1) / 2)
        {
            int half = n / 2;
            NDArray pairs = Slice(x, axis, 0, half) * Slice(x, axis, half, 2 * half);
            x = n % 2 == 0 ? pairs : Concat([pairs, Slice(x, axis, n - 1, n)], axis);
        }

        return keepDims ? x : Squeeze(x, axis);
    }
}
