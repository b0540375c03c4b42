namespace Fusion;

public static partial class Nd
{
    /// <summary>The largest element of every window of x (n, c, w); see <see cref="MaxPool2D"/>.</summary>
    public static NDArray MaxPool1D(this NDArray x, Shape? kernel = null, Shape? stride = null, Padding padding = default) =>
        MaxPoolFor("MaxPool1D", 1, x, kernel, stride, padding);

    /// <summary>
    /// The largest element of every window of x (n, c, h, w), NaN if there is one. The gradient goes to the first of equal elements.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="kernel">The size of a window; 2 by default, one number or one per dimension.</param>
    /// <param name="stride">The distance of windows; the kernel by default.</param>
    /// <param name="padding">Elements −∞ around the input, fewer than the kernel has; none by default. See <see cref="Padding"/>.</param>
    /// <exception cref="ShapeException">Another rank, or the kernel does not fit the padded input.</exception>
    public static NDArray MaxPool2D(this NDArray x, Shape? kernel = null, Shape? stride = null, Padding padding = default) =>
        MaxPoolFor("MaxPool2D", 2, x, kernel, stride, padding);

    /// <summary>The largest element of every window of x (n, c, d, h, w); see <see cref="MaxPool2D"/>.</summary>
    public static NDArray MaxPool3D(this NDArray x, Shape? kernel = null, Shape? stride = null, Padding padding = default) =>
        MaxPoolFor("MaxPool3D", 3, x, kernel, stride, padding);

    /// <summary>The mean of every window of x (n, c, w); see <see cref="AvgPool2D"/>.</summary>
    public static NDArray AvgPool1D(this NDArray x, Shape? kernel = null, Shape? stride = null, Padding padding = default, bool countIncludePad = true) =>
        AvgPoolFor("AvgPool1D", 1, x, kernel, stride, padding, countIncludePad);

    /// <summary>The mean of every window of x (n, c, h, w).</summary>
    /// <param name="x">The input.</param>
    /// <param name="kernel">The size of a window; 2 by default, one number or one per dimension.</param>
    /// <param name="stride">The distance of windows; the kernel by default.</param>
    /// <param name="padding">Zeros around the input, fewer than the kernel has; none by default. See <see cref="Padding"/>.</param>
    /// <param name="countIncludePad">Divide by the size of the window; otherwise by the number of its elements that are not padding.</param>
    /// <exception cref="ShapeException">Another rank, or the kernel does not fit the padded input.</exception>
    public static NDArray AvgPool2D(this NDArray x, Shape? kernel = null, Shape? stride = null, Padding padding = default, bool countIncludePad = true) =>
        AvgPoolFor("AvgPool2D", 2, x, kernel, stride, padding, countIncludePad);

    /// <summary>The mean of every window of x (n, c, d, h, w); see <see cref="AvgPool2D"/>.</summary>
    public static NDArray AvgPool3D(this NDArray x, Shape? kernel = null, Shape? stride = null, Padding padding = default, bool countIncludePad = true) =>
        AvgPoolFor("AvgPool3D", 3, x, kernel, stride, padding, countIncludePad);

    /// <summary>
    /// Averages of windows that tile each spatial axis of x (n, c, …) to a given size: window i of an axis covers ⌊i·in/out⌋ to ⌈(i + 1)·in/out⌉ − 1.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="outputSize">One size for all spatial axes or one each.</param>
    /// <exception cref="ShapeException">The input has no spatial axis, or an empty one.</exception>
    public static NDArray AdaptiveAvgPool(this NDArray x, Shape outputSize)
    {
        int n = SpatialAxes("AdaptiveAvgPool", x);
        int[] sizes = WindowRules.PerDimension("AdaptiveAvgPool", "outputSize", outputSize, n);
        if (x.DType.IsHalf) return AdaptiveAvgPool(Elements.Wide(x), outputSize).AsType(x.DType);
        foreach (int size in sizes) ResampleAttributes.CheckSize("AdaptiveAvgPool", size);
        if (x.Shape.Dimensions[2..].Contains(0)) throw new ShapeException("AdaptiveAvgPool: a spatial axis is empty and has no mean.");
        NDArray result = Elements.To(x, Elements.RealType(x.DType));
        if (x.Shape.Dimensions[2..].SequenceEqual(sizes)) return ReferenceEquals(result, x) ? x.Alias() : result;
        // The last two axes are those of planes; then each axis before them with all that lies behind it.
        int[] shape = x.Shape.ToArray();
        using Temporaries made = Temporaries.Collect();
        if (n == 1) Average(2, 1, shape[2], 1, sizes[0]);
        else Average(n, shape[n], shape[n + 1], sizes[n - 2], sizes[n - 1]);
        for (int at = n - 1; at >= 2; at--)
        {
            int behind = Extent(shape.AsSpan(at + 1));
            Average(at, shape[at], behind, sizes[at - 2], behind);
        }

        return made.Keep(Reshape(result, shape));

        // The axes from one on, as planes; axes of the array that are done have their new size.
        void Average(int axis, int height, int width, int newHeight, int newWidth)
        {
            NDArray planes = Reshape(result, Extent(shape.AsSpan(0, axis)), height, width);
            result = OpTable.Resample.Apply(planes, new ResampleAttributes(ResampleKind.Average, height, width, newHeight, newWidth, false));
            shape[axis] = sizes[axis - 2];
            if (axis == n) shape[^1] = sizes[^1];
        }
    }

    private static int Extent(ReadOnlySpan<int> sizes)
    {
        Int128 product = 1;
        foreach (int size in sizes) product *= size;
        return Errors.Extent("AdaptiveAvgPool", product);
    }

    /// <summary>The mean over all spatial axes of x (n, c, …); they stay with size 1.</summary>
    /// <exception cref="ShapeException">The input has no spatial axis.</exception>
    public static NDArray GlobalAvgPool(this NDArray x)
    {
        int n = SpatialAxes("GlobalAvgPool", x);
        return Mean(x, [.. Enumerable.Range(2, n)], keepDims: true);
    }

    /// <summary>The largest element over all spatial axes of x (n, c, …); they stay with size 1. The gradient is shared equally among ties.</summary>
    /// <exception cref="ShapeException">The input has no spatial axis, or an empty one.</exception>
    public static NDArray GlobalMaxPool(this NDArray x)
    {
        int n = SpatialAxes("GlobalMaxPool", x);
        return Max(x, [.. Enumerable.Range(2, n)], keepDims: true);
    }

    /// <summary>A pooling with n spatial axes, for a function or a layer that messages name.</summary>
    internal static NDArray MaxPoolFor(string op, int n, NDArray x, Shape? kernel, Shape? stride, Padding padding) =>
        OpTable.MaxPool.Apply(Elements.To(x, RealTypeOf(x)), PoolAttributes(op, n, x, kernel, stride, padding));

    /// <inheritdoc cref="MaxPoolFor"/>
    internal static NDArray AvgPoolFor(string op, int n, NDArray x, Shape? kernel, Shape? stride, Padding padding, bool countIncludePad)
    {
        WindowAttributes a = PoolAttributes(op, n, x, kernel, stride, padding);
        if (x.DType.IsHalf) return AvgPoolFor(op, n, Elements.Wide(x), kernel, stride, padding, countIncludePad).AsType(x.DType);
        NDArray sum = OpTable.SumPool.Apply(Elements.To(x, RealTypeOf(x)), a);
        bool padded = a.Before.Span.ContainsAnyExcept(0) || a.After.Span.ContainsAnyExcept(0);
        return countIncludePad || !padded ? sum / WindowRules.Kernel(a, 1).Taps : sum / WindowCounts(a, sum.DType, sum.Device);
    }

    private static WindowAttributes PoolAttributes(string op, int n, NDArray x, Shape? kernel, Shape? stride, Padding padding)
    {
        ArgumentNullException.ThrowIfNull(x);
        WindowRules.CheckRank(op, n, x.Shape);
        int[] sizes = WindowRules.PerDimension(op, "kernel", kernel ?? 2, n);
        WindowAttributes a = WindowRules.Attributes(op, x.Shape.Dimensions[2..], sizes, stride ?? Shape.Create(sizes), null, padding);
        for (int i = 0; i < n; i++)
        {
            if (Math.Max(a.Before[i], a.After[i]) >= a.Kernel[i])
                throw new ShapeException($"{op}: the padding {a.Before[i]}, {a.After[i]} along axis {i + 2} must be less than the kernel " +
                    $"{a.Kernel[i]}: a window would see nothing else.");
        }

        return a;
    }

    /// <summary>How many elements of each window are not padding, in the shape of the output's spatial axes.</summary>
    private static NDArray WindowCounts(WindowAttributes a, DType dtype, Device device)
    {
        double[] counts = [1];
        for (int i = 0; i < a.Dimensions; i++)
        {
            double[] along = new double[a.OutputAlong(i)];
            for (int o = 0; o < along.Length; o++)
            {
                int start = o * a.Stride[i] - a.Before[i];
                along[o] = Math.Min(a.Input[i], start + a.Kernel[i]) - Math.Max(0, start);
            }

            counts = [.. counts.SelectMany(_ => along, static (outer, inner) => outer * inner)];
        }

        NDArray result = Table(counts, WindowRules.OutputShape(1, 1, a).Dimensions[2..].ToArray(), device);
        return dtype == DType.Float64 ? result : result.AsType(dtype);
    }

    private static int SpatialAxes(string op, NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return x.Rank > 2 ? x.Rank - 2 : throw new ShapeException($"{op}: the input {x.Shape} must be (batch, channels, spatial …).");
    }

    private static DType RealTypeOf(NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return Elements.RealType(x.DType);
    }
}
