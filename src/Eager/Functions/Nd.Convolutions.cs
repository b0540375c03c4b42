using System.Runtime.CompilerServices;

namespace Fusion;

public static partial class Nd
{
    /// <summary>The cross-correlation of x (n, c, w) with weight (o, c/groups, kernel); see <see cref="Conv2D"/>.</summary>
    public static NDArray Conv1D(
        this NDArray x, NDArray weight, NDArray? bias = null, Shape? stride = null, Padding padding = default, Shape? dilation = null, int groups = 1) =>
        ConvFor("Conv1D", 1, x, weight, bias, stride, padding, dilation, groups);

    /// <summary>
    /// y[n, o, i, j] = bias[o] + Σ over c, k, l of weight[o, c, k, l]·x[n, c, i·stride + k·dilation − padding, j·stride + l·dilation − padding] for x (n, c, h,
    /// w)
    /// and weight (o, c/groups, k, l). With groups the channels and filters are cut into as many parts that do not see each other.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="weight">The filters.</param>
    /// <param name="bias">(o,), or none.</param>
    /// <param name="stride">The distance of windows; 1 by default, one number or one per dimension.</param>
    /// <param name="padding">Zeros around the input; none by default. See <see cref="Padding"/>.</param>
    /// <param name="dilation">The distance of the taps; 1 by default, one number or one per dimension.</param>
    /// <param name="groups">The number of groups; as many as channels: a depthwise convolution.</param>
    /// <exception cref="ShapeException">Ranks, channels or groups do not match, or the kernel does not fit the padded input.</exception>
    public static NDArray Conv2D(
        this NDArray x, NDArray weight, NDArray? bias = null, Shape? stride = null, Padding padding = default, Shape? dilation = null, int groups = 1) =>
        ConvFor("Conv2D", 2, x, weight, bias, stride, padding, dilation, groups);

    /// <summary>The cross-correlation of x (n, c, d, h, w) with weight (o, c/groups, k, l, m); see <see cref="Conv2D"/>.</summary>
    public static NDArray Conv3D(
        this NDArray x, NDArray weight, NDArray? bias = null, Shape? stride = null, Padding padding = default, Shape? dilation = null, int groups = 1) =>
        ConvFor("Conv3D", 3, x, weight, bias, stride, padding, dilation, groups);

    /// <summary>The transpose of <see cref="Conv1D"/>; see <see cref="ConvTranspose2D"/>.</summary>
    public static NDArray ConvTranspose1D(
        this NDArray x, NDArray weight, NDArray? bias = null, Shape? stride = null, Padding padding = default, Shape? outputPadding = null,
            Shape? dilation = null, int groups = 1) =>
        ConvTransposeFor("ConvTranspose1D", 1, x, weight, bias, stride, padding, outputPadding, dilation, groups);

    /// <summary>
    /// The transposed convolution: the map that sends the gradient of a <see cref="Conv2D"/>'s output to that of its input, for x (n, c, h, w) and weight
    /// (c, o/groups, k, l). The output has the size (h − 1)·stride − padding before and after + (k − 1)·dilation + outputPadding + 1; with
    /// <see cref="Padding.Same"/> h·stride.
    /// </summary>
    /// <param name="x">The input.</param>
    /// <param name="weight">The filters, (in, out/groups, …).</param>
    /// <param name="bias">(o,), or none.</param>
    /// <param name="stride">The distance at which the windows are laid down; 1 by default.</param>
    /// <param name="padding">What is cut off around the output; none by default.</param>
    /// <param name="outputPadding">Further elements at the end of the output, less than the stride or less than the dilation; none by default.</param>
    /// <param name="dilation">The distance of the taps; 1 by default.</param>
    /// <param name="groups">The number of groups.</param>
    /// <remarks>Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.</remarks>
    /// <exception cref="ShapeException">Ranks, channels or groups do not match, or nothing is left of the output.</exception>
    public static NDArray ConvTranspose2D(
        this NDArray x, NDArray weight, NDArray? bias = null, Shape? stride = null, Padding padding = default, Shape? outputPadding = null,
            Shape? dilation = null, int groups = 1) =>
        ConvTransposeFor("ConvTranspose2D", 2, x, weight, bias, stride, padding, outputPadding, dilation, groups);

    /// <summary>The transpose of <see cref="Conv3D"/>; see <see cref="ConvTranspose2D"/>.</summary>
    public static NDArray ConvTranspose3D(
        this NDArray x, NDArray weight, NDArray? bias = null, Shape? stride = null, Padding padding = default, Shape? outputPadding = null,
            Shape? dilation = null, int groups = 1) =>
        ConvTransposeFor("ConvTranspose3D", 3, x, weight, bias, stride, padding, outputPadding, dilation, groups);

    /// <summary>A convolution with n spatial axes, for a function or a layer that messages name.</summary>
    internal static NDArray ConvFor(string op, int n, NDArray x, NDArray weight, NDArray? bias, Shape? stride, Padding padding, Shape? dilation, int groups)
    {
        CheckRanks(op, n, x, weight, groups, "(out, in / groups, kernel …)");
        Convolutions.CheckChannels(op, x.Shape, weight.Shape, bias?.Shape, groups);
        WindowAttributes attributes = WindowRules.Attributes(op, x.Shape.Dimensions[2..], weight.Shape.Dimensions[2..], stride, dilation, padding, groups);
        DType dtype = Elements.RealType(DTypes.Promote(x.DType, weight.DType));
        (NDArray input, NDArray filters) = (Elements.To(x, dtype), Elements.To(weight, dtype));
        return bias is null ? OpTable.Conv.Apply(input, filters, attributes) : OpTable.ConvBias.Apply([input, filters, Elements.To(bias, dtype)], attributes);
    }

    /// <summary>A transposed convolution with n spatial axes, for a function or a layer that messages name.</summary>
    internal static NDArray ConvTransposeFor(
        string op, int n, NDArray x, NDArray weight, NDArray? bias, Shape? stride, Padding padding, Shape? outputPadding, Shape? dilation, int groups)
    {
        CheckRanks(op, n, x, weight, groups, "(in, out / groups, kernel …)");
        Convolutions.CheckTransposedChannels(op, x.Shape, weight.Shape, groups);
        int[] strides = WindowRules.PerDimension(op, "stride", stride ?? 1, n), dilations = WindowRules.PerDimension(op, "dilation", dilation ?? 1, n);
        Shape extra = outputPadding ?? 0;
        if (extra.Rank != 1 && extra.Rank != n) throw new ShapeException($"{op}: outputPadding {extra} must be one number or one per dimension, {n}.");
        int[] sizes = new int[n];
        (int Before, int After)[] borders = new (int, int)[n], zeros = new (int, int)[n + 2], cuts = new (int, int)[n + 2];
        for (int i = 0; i < n; i++)
        {
            int more = extra[extra.Rank == 1 ? 0 : i], size = x.Shape[i + 2];
            if (more >= Math.Max(strides[i], dilations[i]))
                throw new ArgumentOutOfRangeException(nameof(outputPadding), more,
                    $"{op}: outputPadding {more} must be less than the stride {strides[i]} or the dilation {dilations[i]} along axis {i + 2}.");
            (int before, int after) = padding.IsSame ? (0, 0) : padding.Along(op, i, n);
            long length = (size - 1L) * strides[i] - before - after + (weight.Shape[i + 2] - 1L) * dilations[i] + more + 1;
            if (padding.IsSame) length = (long)size * strides[i];
            if (Errors.Extent(op, length) <= 0)
                throw new ShapeException($"{op}: nothing is left of axis {i + 2} of the input {x.Shape} with the kernel {weight.Shape[i + 2]} and " +
                    $"{before} + {after} of padding. Pad less.");
            if (more >= strides[i] && !padding.IsSame)
            {
                // Some of these elements no window meets: they are put behind all that windows reach, and the padding is cut off afterwards.
                (zeros[i + 2], cuts[i + 2]) = ((0, more), (before, after));
                (length, before, after) = (length + before + after - more, 0, 0);
            }

            (borders[i], sizes[i]) = ((before, after), Errors.Extent(op, length));
        }

        Padding border = padding.IsSame ? padding : Padding.Pairs(borders);
        WindowAttributes attributes = WindowRules.Attributes(op, sizes, weight.Shape.Dimensions[2..], strides, dilations, border, groups);
        DType dtype = Elements.RealType(DTypes.Promote(x.DType, weight.DType)), wide = bias is null ? dtype : Elements.WideType(dtype);
        NDArray result = OpTable.ConvInputGradient.Apply(Elements.To(x, wide), Elements.To(weight, wide), attributes);
        if (System.Array.Exists(zeros, static z => z.After > 0)) result = Pad(result, zeros);
        for (int i = 2; i < cuts.Length; i++)
            if (cuts[i] != default) result = Slice(result, i, cuts[i].Before, result.Shape[i] - cuts[i].After);
        return bias is null ? result : Elements.To(result + Elements.To(Elements.To(ChannelShape(bias, op, result), dtype), wide), dtype);
    }

    private static void CheckRanks(string op, int n, NDArray x, NDArray weight, int groups, string layout)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        if (groups < 1) throw new ArgumentOutOfRangeException(nameof(groups), groups, $"{op}: the number of groups must be positive.");
        WindowRules.CheckRank(op, n, x.Shape);
        if (weight.Rank != n + 2) throw new ShapeException($"{op}: the weight {weight.Shape} must have {n + 2} axes, {layout}.");
        for (int i = 2; i < weight.Rank; i++)
            if (weight.Shape[i] == 0) throw new ShapeException($"{op}: the weight {weight.Shape} has no element along axis {i}.");
    }

    /// <summary>One value per channel as an array that broadcasts along axis 1 of <paramref name="x"/>.</summary>
    private static NDArray ChannelShape(NDArray values, string op, NDArray x, [CallerArgumentExpression(nameof(values))] string? name = null)
    {
        if (values.Rank != 1 || values.Shape[0] != x.Shape[1])
            throw new ShapeException($"{op}: {name} must be ({x.Shape[1]},), one value per channel of the array {x.Shape}, it is {values.Shape}.");
        int[] sizes = new int[x.Rank - 1];
        System.Array.Fill(sizes, 1);
        sizes[0] = x.Shape[1];
        return Reshape(values, Shape.Own(sizes));
    }
}
