using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>What a quantile is that lies between two elements.</summary>
public enum QuantileMode
{
    /// <summary>On the straight line between them.</summary>
    Linear,

    /// <summary>The smaller one.</summary>
    Lower,

    /// <summary>The larger one.</summary>
    Higher,

    /// <summary>The nearer one; in the middle that of the even position in the order of size.</summary>
    Nearest,

    /// <summary>Their mean.</summary>
    Midpoint,
}

// Reductions that leave NaN out, order statistics, counting.
public static partial class Nd
{
    /// <summary>Σ x over the elements that are not NaN; 0 if there are none.</summary>
    public static NDArray NanSum(this NDArray x, int[]? axes = null, bool keepDims = false) =>
        Sum(Where(IsNaN(x), 0, x), CheckedAxes(x, axes, "NanSum"), keepDims);

    /// <summary>Π x over the elements that are not NaN; 1 if there are none.</summary>
    public static NDArray NanProd(this NDArray x, int[]? axes = null, bool keepDims = false) =>
        Prod(Where(IsNaN(x), 1, x), CheckedAxes(x, axes, "NanProd"), keepDims);

    /// <summary>The mean of the elements that are not NaN; NaN if there are none.</summary>
    public static NDArray NanMean(this NDArray x, int[]? axes = null, bool keepDims = false)
    {
        if (Checked(x).DType.IsHalf) return NanMean(Elements.Wide(x), axes, keepDims).AsType(x.DType);
        NDArray real = RealInput(x);
        axes = CheckedAxes(x, axes, "NanMean");
        return NanSum(real, axes, keepDims) / Sum(LogicalNot(IsNaN(real)), axes, keepDims).AsType(real.DType);
    }

    /// <summary>The largest element that is not NaN; NaN if there are none. Of integers it is <see cref="Max(NDArray, int[], bool)"/>.</summary>
    /// <exception cref="ShapeException">A reduced axis is empty.</exception>
    public static NDArray NanMax(this NDArray x, int[]? axes = null, bool keepDims = false) =>
        NanExtremum("NanMax", OpTable.Max, double.NegativeInfinity, x, axes, keepDims);

    /// <summary>The smallest element that is not NaN; NaN if there are none. Of integers it is <see cref="Min(NDArray, int[], bool)"/>.</summary>
    /// <exception cref="ShapeException">A reduced axis is empty.</exception>
    public static NDArray NanMin(this NDArray x, int[]? axes = null, bool keepDims = false) =>
        NanExtremum("NanMin", OpTable.Min, double.PositiveInfinity, x, axes, keepDims);

    /// <summary>NaN, ∞ and −∞ replaced by numbers; the infinities by the type's limits unless given.</summary>
    public static NDArray NanToNum(this NDArray x, double nan = 0, double? positiveInfinity = null, double? negativeInfinity = null)
    {
        NDArray real = RealInput(x);
        double limit = real.DType switch
        {
            DType.Float32 => float.MaxValue,
            DType.Float16 => (double)Half.MaxValue,
            DType.BFloat16 => (double)BFloat16.MaxValue,
            _ => double.MaxValue,
        };
        NDArray finite = Where(Equal(real, double.PositiveInfinity), positiveInfinity ?? limit, Where(IsNaN(real), nan, real));
        return Where(Equal(real, double.NegativeInfinity), negativeInfinity ?? -limit, finite);
    }

    /// <summary>The q-quantile, 0 ≤ q ≤ 1, between neighbours on a straight line; of the flattened array when no axis is given; NaN if an element is.</summary>
    /// <exception cref="ArgumentOutOfRangeException">q is outside [0, 1].</exception>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Quantile(this NDArray x, double q, int? axis = null, bool keepDims = false) => Quantile(x, q, axis, QuantileMode.Linear, keepDims);

    /// <summary>The q-quantile, as <see cref="Quantile(NDArray, double, int?, bool)"/>, of which <paramref name="mode"/> says what it is between two elements.</summary>
    /// <remarks><c>mx.np.quantile</c>, <c>np.quantile(method=…)</c>, <c>torch.quantile(interpolation=…)</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">q is outside [0, 1].</exception>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Quantile(this NDArray x, double q, int? axis, QuantileMode mode, bool keepDims = false)
    {
        if (!(q is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(q), q, "Quantile: q lies between 0 and 1.");
        Require.Member(mode);
        return Quantiles("Quantile", x, [q], axis, keepDims, mode)[0];
    }

    /// <summary>Several quantiles at once, as <see cref="Quantile(NDArray, double, int?, bool)"/> has each, along a new first axis.</summary>
    /// <remarks><c>mx.np.quantile</c>, <c>np.quantile</c>, <c>torch.quantile</c> of an array q. The elements are sorted once.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A q is outside [0, 1].</exception>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Quantile(this NDArray x, double[] q, int? axis = null, bool keepDims = false) => Quantile(x, q, axis, QuantileMode.Linear, keepDims);

    /// <summary>Several quantiles at once, as <see cref="Quantile(NDArray, double, int?, QuantileMode, bool)"/> has each, along a new first axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A q is outside [0, 1].</exception>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Quantile(this NDArray x, double[] q, int? axis, QuantileMode mode, bool keepDims = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (axis is int given) _ = x.Shape.Axis(given, "Quantile");
        ArgumentNullException.ThrowIfNull(q);
        for (int i = 0; i < q.Length; i++)
            if (!(q[i] is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(q), q[i], $"Quantile: q[{i}] is {q[i]}; each q lies between 0 and 1.");
        Require.Member(mode);
        return Stacked("Quantile", x, q, axis, keepDims, mode);
    }

    /// <summary>The element below which p per cent of the others lie: <see cref="Quantile(NDArray, double, int?, QuantileMode, bool)"/> of p/100.</summary>
    /// <remarks><c>mx.np.percentile</c>, <c>np.percentile</c>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">p is outside [0, 100].</exception>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Percentile(this NDArray x, double p, int? axis = null, bool keepDims = false, QuantileMode mode = QuantileMode.Linear)
    {
        if (!(p is >= 0 and <= 100)) throw new ArgumentOutOfRangeException(nameof(p), p, "Percentile: p lies between 0 and 100.");
        Require.Member(mode);
        return Quantiles("Percentile", x, [p / 100], axis, keepDims, mode)[0];
    }

    /// <summary>Several percentiles at once, along a new first axis.</summary>
    /// <remarks><c>mx.np.percentile</c>, <c>np.percentile</c> of an array.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A p is outside [0, 100].</exception>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Percentile(this NDArray x, double[] p, int? axis = null, bool keepDims = false, QuantileMode mode = QuantileMode.Linear)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (axis is int given) _ = x.Shape.Axis(given, "Percentile");
        ArgumentNullException.ThrowIfNull(p);
        for (int i = 0; i < p.Length; i++)
            if (!(p[i] is >= 0 and <= 100)) throw new ArgumentOutOfRangeException(nameof(p), p[i], $"Percentile: p[{i}] is {p[i]}; each p lies between 0 and 100.");
        Require.Member(mode);
        return Stacked("Percentile", x, System.Array.ConvertAll(p, static y => y / 100), axis, keepDims, mode);
    }

    /// <summary>The middle element, or the mean of the two in the middle; NaN if an element is.</summary>
    /// <exception cref="ShapeException">The axis is empty.</exception>
    public static NDArray Median(this NDArray x, int? axis = null, bool keepDims = false) => Quantiles("Median", x, [0.5], axis, keepDims)[0];

    private static NDArray Stacked(string op, NDArray x, double[] q, int? axis, bool keepDims, QuantileMode mode) => q.Length == 0
        ? Slice(Stack(Quantiles(op, x, [0], axis, keepDims)), 0, 0, 0)
        : Stack(Quantiles(op, x, q, axis, keepDims, mode));

    private static NDArray[] Quantiles(string op, NDArray x, double[] q, int? axis, bool keepDims, QuantileMode mode = QuantileMode.Linear)
    {
        if (Checked(x).DType.IsHalf) return System.Array.ConvertAll(Quantiles(op, Elements.Wide(x), q, axis, keepDims, mode), y => y.AsType(x.DType));
        NDArray real = RealInput(x);
        NDArray input = axis is null ? Reshape(real, -1) : real;
        int at = input.Shape.Axis(axis ?? 0, op), n = input.Shape[at];
        if (n == 0) throw new ShapeException($"{op}: {(axis is null ? string.Empty : $"axis {at} of ")}the shape {x.Shape} is empty.");
        NDArray sorted = Sort(input, at);
        return System.Array.ConvertAll(q, Of);

        NDArray Of(double fraction)
        {
            double position = fraction * (n - 1);
            position = mode switch
            {
                QuantileMode.Lower => Math.Floor(position),
                QuantileMode.Higher => Math.Ceiling(position),
                QuantileMode.Nearest => Math.Round(position),
                QuantileMode.Midpoint => (Math.Floor(position) + Math.Ceiling(position)) / 2,
                _ => position,
            };
            int low = (int)position;
            NDArray value = Slice(sorted, at, low, low + 1);
            if (position > low)
            {
                // Beside an infinity a difference may be no number.
                NDArray next = Slice(sorted, at, low + 1, low + 2);
                value = Where(LogicalOr(IsInfinity(value), IsInfinity(next)), value + next, Lerp(value, next, position - low));
            }

            // NaN is sorted to the end.
            NDArray result = Where(IsNaN(Slice(sorted, at, n - 1, n)), double.NaN, value);
            if (axis is null) return Reshape(result, keepDims ? Ones1(x.Rank) : []);
            return keepDims ? result : Squeeze(result, at);
        }
    }

    /// <summary>
    /// The mean with weights, Σ w·x / Σ w. Weights of rank 1 lie along the axis, where one axis is averaged; others broadcast to x.
    /// </summary>
    public static NDArray Average(this NDArray x, NDArray weights, int[]? axes = null, bool keepDims = false)
    {
        DType dtype = DTypes.Promote(Checked(x).DType, Checked(weights).DType);
        if (dtype.IsHalf) return Average(Elements.Wide(x), Elements.Wide(weights), axes, keepDims).AsType(dtype);
        using Temporaries made = Temporaries.Collect();
        axes = CheckedAxes(x, axes, "Average");
        NDArray w = RealInput(weights);
        if (w.Rank == 1 && axes is [int axis])
        {
            // (n) becomes (n, 1, …, 1) with the axes after the one that is averaged.
            int at = x.Shape.Axis(axis, "Average");
            if (w.Size != x.Shape[at])
                throw new ShapeException($"Average: the weights {weights.Shape} do not lie along axis {axis} of {x.Shape}, whose size is {x.Shape[at]}.");
            w = Reshape(w, Shape.Create([w.Shape[0], .. Ones1(x.Rank - 1 - at)]));
        }

        if (!Broadcasting.FitsInto(w.Shape, x.Shape)) throw new ShapeException($"Average: the weights {weights.Shape} do not broadcast to {x.Shape}.");
        w = BroadcastTo(w, x.Shape);
        return made.Keep(SumOfProducts(x, w, axes, keepDims) / Sum(w, axes, keepDims));
    }

    /// <summary>The number of elements that are not 0, Int64.</summary>
    public static NDArray CountNonZero(this NDArray x, int[]? axes = null, bool keepDims = false) =>
        Sum(Truth(x), CheckedAxes(x, axes, "CountNonZero"), keepDims);

    /// <summary>
    /// How many elements fall into each of <paramref name="bins"/> equal intervals of [low, high] (Int64; the last one contains high), and the edges.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no bin, or the interval is empty or not finite.</exception>
    public static (NDArray Counts, NDArray Edges) Histogram(this NDArray x, int bins, double low, double high)
    {
        NDArray real = Elements.Wide(Reshape(RealInput(x).Detach(), -1));
        Require.Positive(bins);
        if (!(low < high) || !double.IsFinite(high - low))
            throw new ArgumentOutOfRangeException(nameof(high), high, $"Histogram: the interval [{low}, {high}] is empty or not finite.");
        NDArray edges = Linspace(low, high, Errors.Extent("Histogram", bins + 1L), real.DType, real.Device);
        return (OpTable.Histogram.Apply(real, edges), Elements.To(edges, Elements.RealType(x.DType)));
    }

    /// <summary>How often each of 0, 1, 2, … occurs, or the sum of the weights where it occurs. Reads the largest number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public static NDArray BinCount(this NDArray x, NDArray? weights = null, int minLength = 0)
    {
        Require.NotNegative(minLength);
        Indexing.CheckIndexType("BinCount", Checked(x).DType);
        NDArray flat = OneAxis("BinCount", x);
        (long least, long most) = flat.Size == 0 ? (0, -1) : (Min(flat).AsType(DType.Int64).Item<long>(), Max(flat).AsType(DType.Int64).Item<long>());
        if (least < 0) throw new ArgumentOutOfRangeException(nameof(x), least, $"BinCount: the number {least} is negative.");
        if (weights is not null && weights.Shape != x.Shape) throw new ShapeException($"BinCount: the weights are {weights.Shape}, the numbers {x.Shape}.");
        if (most >= int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(x), most, $"BinCount: the number {most} would need a bin for every smaller one; at most {int.MaxValue} are possible.");
        int count = Math.Max(minLength, (int)most + 1);
        return weights is null
            ? OpTable.CountIndices.Apply(flat, new DepthAttributes(count))
            : OpTable.TakeGradient.Apply(Reshape(weights, -1), flat, new TakeAttributes(0, count, "BinCount"));
    }

    private static NDArray NanExtremum(string function, Op extremum, double neutral, NDArray x, int[]? axes, bool keepDims)
    {
        ReduceAttributes attributes = Reductions.Attributes(function, Checked(x), axes, keepDims);
        CheckNotEmpty(function, x, attributes);
        if (!x.DType.IsFloat) return extremum.Apply(Elements.To(x, Elements.NumberType(x.DType)), attributes);
        NDArray missing = IsNaN(x);
        return Where(All(missing, axes, keepDims), double.NaN, extremum.Apply(Where(missing, neutral, x), attributes));
    }

    private static void CheckNotEmpty(string op, NDArray x, ReduceAttributes attributes)
    {
        foreach (int axis in attributes.Axes.Span)
            if (x.Shape.Dimensions[axis] == 0) throw new ShapeException($"{op}: axis {axis} of the shape {x.Shape} is empty, and nothing is the largest or smallest of none.");
    }

    // Named here, where the name of the function is known that was called.
    private static int[]? CheckedAxes(NDArray x, int[]? axes, string op)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (axes is not null) _ = Reductions.Attributes(op, x, axes, false);
        return axes;
    }

    private static NDArray Checked(NDArray x, [CallerArgumentExpression(nameof(x))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(x, name);
        return x;
    }
}
