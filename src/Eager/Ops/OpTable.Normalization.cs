using Fusion.Kernels;

namespace Fusion;

// Normalizations of the last axis and of the channels. Their gradients are rows as well: with D(x, h) = r·(h − mean h − x̂·mean(h·x̂)), the transpose of the
// derivative of x̂ (which is symmetric), every derivative is again made of these rows and public operators.
internal static partial class OpTable
{
    /// <summary>x̂ = (x − mean x)/√(variance + ε) along the last axis; without centering x/√(mean x² + ε). Attributes: <see cref="NormAttributes"/>.</summary>
    public static readonly Op Standardize = Row(new Op
    {
        Name = "Standardize",
        IsTotal = true,
        Infer = (x, _, y) => Normalization.InferRows("Standardize", x, y),
        Run = (x, attributes, y) => Normalization.RunRows(x[0], null, null, (NormAttributes)attributes!, y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, a, rows, n) => Normalized(d, o[0], null, null, o[1], rows, n, a)),
        Rows = Normalization.Rows(gamma: false, beta: false),
        Formula = RowFormula.Lines(static (p, x, a) => Normalized(p, x[0], null, null, a)),
        Gradient = [c => StandardizeGradient!.Apply(c.X, c.G, c.Attributes<NormAttributes>())],
        Saves = Saved.Input0,
    });

    /// <summary>D(x, h) of the input and the upstream gradient.</summary>
    public static readonly Op StandardizeGradient = Row(new Op
    {
        Name = "StandardizeGradient",
        IsTotal = true,
        Arity = 2,
        Infer = (x, _, y) => y[0] = RowOps.CheckPair("StandardizeGradient", x),
        Run = (x, attributes, y) => Normalization.RunRowsGradient(x[0], x[1], null, (NormAttributes)attributes!, y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, a, rows, n) => NormalizedGradient(d, o[0], o[1], null, o[2], rows, n, a)),
        Rows = Normalization.GradientRows(gamma: false),
        Formula = RowFormula.Lines(static (p, x, a) => NormalizedGradient(p, x[0], x[1], null, a)),
        Gradient =
        [
            c => StandardizeSecond(c.X, c.Y, c.G, c.Attributes<NormAttributes>()),
            c => StandardizeGradient!.Apply(c.X, c.G, c.Attributes<NormAttributes>()),
        ],
        Saves = Saved.Inputs,
    });

    /// <summary>x̂·gamma + beta along the last axis. Inputs: x, gamma, beta.</summary>
    public static readonly Op LayerNorm = Row(new Op
    {
        Name = "LayerNorm",
        IsTotal = true,
        Arity = 3,
        Infer = (x, _, y) => Normalization.InferRows("LayerNorm", x, y),
        Run = (x, attributes, y) => Normalization.RunRows(x[0], x[1], x[2], (NormAttributes)attributes!, y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, a, rows, n) => Normalized(d, o[0], o[1], o[2], o[3], rows, n, a)),
        Rows = Normalization.Rows(gamma: true, beta: true),
        Formula = RowFormula.Lines(static (p, x, a) => Normalized(p, x[0], x[1], x[2], a)),
        Gradient = [c => LayerNormGradient!.Apply([c.X, c.G, c.Y], c.Attributes<NormAttributes>()),
            c => c.Common(LayerNormCommon)[1], c => c.Common(LayerNormCommon)[0]],
        Joint = Normalization.RowsGradients,
        Saves = Saved.Input0 | Saved.Input1,
        SavesPerInput = [Saved.Input0 | Saved.Input1, Saved.Input0, Saved.Input0],
    }).Named("npx.layer_norm, -, torch.nn.functional.layer_norm", "float");

    /// <summary>x̂·gamma along the last axis, not centered. Inputs: x, gamma.</summary>
    public static readonly Op RmsNorm = Row(new Op
    {
        Name = "RmsNorm",
        IsTotal = true,
        Arity = 2,
        Infer = (x, _, y) => Normalization.InferRows("RmsNorm", x, y),
        Run = (x, attributes, y) => Normalization.RunRows(x[0], x[1], null, (NormAttributes)attributes!, y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, a, rows, n) => Normalized(d, o[0], o[1], null, o[2], rows, n, a)),
        Rows = Normalization.Rows(gamma: true, beta: false),
        Formula = RowFormula.Lines(static (p, x, a) => Normalized(p, x[0], x[1], null, a)),
        Gradient = [c => LayerNormGradient!.Apply([c.X, c.G, c.Y], c.Attributes<NormAttributes>()),
            c => c.Common(LayerNormCommon)[1]],
        Joint = Normalization.RowsGradients,
        Saves = Saved.Inputs,
        SavesPerInput = [Saved.Inputs, Saved.Input0],
    }).Named("-, -, torch.nn.functional.rms_norm", "float");

    /// <summary>D(x, g·gamma). Inputs: x, the upstream gradient, gamma.</summary>
    public static readonly Op LayerNormGradient = Row(new Op
    {
        Name = "LayerNormGradient",
        IsTotal = true,
        Arity = 3,
        Infer = (x, _, y) => Normalization.InferRows("LayerNormGradient", [x[0], x[2]], y),
        Run = (x, attributes, y) => Normalization.RunRowsGradient(x[0], x[1], x[2], (NormAttributes)attributes!, y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, a, rows, n) => NormalizedGradient(d, o[0], o[1], o[2], o[3], rows, n, a)),
        Rows = Normalization.GradientRows(gamma: true),
        Formula = RowFormula.Lines(static (p, x, a) => NormalizedGradient(p, x[0], x[1], x[2], a)),
        Gradient =
        [
            c => StandardizeSecond(c.X, c.Y * c.Z, c.G, c.Attributes<NormAttributes>()),
            c => c.Z * StandardizeGradient.Apply(c.X, c.G, c.Attributes<NormAttributes>()),
            c => c.Y * StandardizeGradient.Apply(c.X, c.G, c.Attributes<NormAttributes>()),
        ],
        Saves = Saved.Inputs,
    });

    /// <summary>Σ g and Σ g·x̂ over all rows, the gradients of beta and gamma, as (2, n). Inputs: x, g.</summary>
    public static readonly Op LayerNormSums = Row(new Op
    {
        Name = "LayerNormSums",
        IsTotal = true,
        Arity = 2,
        Infer = (x, _, y) => y[0] = RowOps.CheckPair("LayerNormSums", x) with { Shape = (2, x[0].Shape[-1]) },
        Run = (x, attributes, y) => Normalization.RunRowsSums(x[0], x[1], (NormAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceRowExecution.NormalizeSums(x[0], x[1], (NormAttributes)attributes!, y[0]),
        Sums = Normalization.SumRule,
        Gradient =
        [
            c => LayerNormGradient.Apply([c.X, c.Y, c.G[1]], c.Attributes<NormAttributes>()),
            c => c.G[0] + c.G[1] * Standardize.Apply(c.X, c.Attributes<NormAttributes>()),
        ],
        Saves = Saved.Inputs,
        SavesPerInput = [Saved.Inputs, Saved.Input0],
    });

    /// <summary>Mean and variance (divided by the count) of every channel of (n, c, …), as (2, c).</summary>
    public static readonly Op ChannelMoments = Row(new Op
    {
        Name = "ChannelMoments",
        IsTotal = true,
        Infer = (x, _, y) => Normalization.InferMoments(x, y),
        Run = (x, _, y) => Normalization.RunMoments(x[0], y[0]),
        DeviceRun = (x, _, y) => DeviceChannels.Moments(x[0], y[0]),
        Gradient = [c => (PerChannel(c.G[0], c.X.Rank) + PerChannel(c.G[1],
            c.X.Rank) * 2 * (c.X - PerChannel(c.Output[0], c.X.Rank))) * (c.X.Shape[1] / (double)c.X.Size)],
        Saves = Saved.Input0 | Saved.Output,
    });

    /// <summary>
    /// x̂·gamma + beta with the moments of each channel of x (n, c, …) itself. Inputs: x, gamma, beta, and the moments as of <see cref="ChannelMoments"/>,
    /// a constant: the rule of x knows how they depend on it. Attributes: <see cref="NormAttributes"/>.
    /// </summary>
    public static readonly Op BatchNorm = Row(new Op
    {
        Name = "BatchNorm",
        IsTotal = true,
        Arity = 4,
        Infer = (x, _, y) => Normalization.InferBatchNorm(x, y),
        Run = (x, attributes, y) => Normalization.RunChannels(x[0], x[1], x[2], x[3], ((NormAttributes)attributes!).Epsilon, y[0]),
        DeviceRun = (x, attributes, y) => DeviceChannels.Normalize(x[0], x[1], x[2], x[3], ((NormAttributes)attributes!).Epsilon, y[0]),
        Companion = new(static () => ChannelMoments, 3, [0],
            static (x, attributes, y) => Normalization.RunChannels(x[0], x[1], x[2], y[1], ((NormAttributes)attributes!).Epsilon, y[0], computesMoments: true)),
        Gradient =
        [
            c => BatchNormGradient!.Apply([c.X, c.Y, c.G, c.W, Nd.StopGradient(c.Common(BatchNormCommon))], c.Attributes<NormAttributes>()),
            c => c.Common(BatchNormCommon)[1],
            c => c.Common(BatchNormCommon)[0],
            null,
        ],
        Joint = Normalization.ChannelsGradients,
        Saves = Saved.Input0 | Saved.Input1 | Saved.Input3,
        SavesPerInput = [Saved.Input0 | Saved.Input1 | Saved.Input3, Saved.Input0 | Saved.Input3, Saved.Input0 | Saved.Input3, Saved.None],
    }).Named("npx.batch_norm, -, torch.nn.functional.batch_norm", "float");

    /// <summary>
    /// gamma·D(x, g), over channels. Inputs: x, gamma, the upstream gradient, and two constants, the moments of x and the sums of <see cref="BatchNormSums"/>.
    /// </summary>
    public static readonly Op BatchNormGradient = Row(new Op
    {
        Name = "BatchNormGradient",
        IsTotal = true,
        Arity = 5,
        Infer = (x, _, y) => Normalization.InferBatchNormGradient(x, y),
        Run = (x, attributes, y) => Normalization.RunChannelsGradient(x[0], x[1], x[2], x[3], x[4], ((NormAttributes)attributes!).Epsilon, y[0]),
        DeviceRun = (x, attributes, y) => DeviceChannels.Gradient(x[0], x[1], x[2], x[3], x[4], ((NormAttributes)attributes!).Epsilon, y[0]),
        Companion = new(static () => BatchNormSums!, 4, [0, 2, 3],
            static (x, attributes, y) => Normalization.RunChannelsGradient(x[0], x[1], x[2], x[3], y[1], ((NormAttributes)attributes!).Epsilon, y[0], computesSums: true)),
        Gradient =
        [
            BatchNormSecond,
            c => SumAllButChannels(c.G * ChannelGradient(c.X, Nd.OnesLike(c.Y), c.Z, c.W, c.Attributes<NormAttributes>())),
            c => ChannelGradient(c.X, c.Y, c.G, c.W, c.Attributes<NormAttributes>()),
            null,
        ],
        Saves = Saved.Input0 | Saved.Input1 | Saved.Input2 | Saved.Input3,
    });

    /// <summary>Σ g and Σ g·x̂ of every channel, as (2, c). Inputs: x, g, and the moments of x, a constant.</summary>
    public static readonly Op BatchNormSums = Row(new Op
    {
        Name = "BatchNormSums",
        IsTotal = true,
        Arity = 3,
        Infer = (x, _, y) => Normalization.InferSums(x, y),
        Run = (x, attributes, y) => Normalization.RunSums(x[0], x[1], x[2], ((NormAttributes)attributes!).Epsilon, y[0]),
        DeviceRun = (x, attributes, y) => DeviceChannels.Sums(x[0], x[1], x[2], ((NormAttributes)attributes!).Epsilon, y[0]),
        Gradient =
        [
            c => ChannelGradient(c.X, c.G[1], c.Y, c.Z, c.Attributes<NormAttributes>()),
            c => BatchNorm.Apply([c.X, c.G[1], c.G[0], c.Z], c.Attributes<NormAttributes>()),
            null,
        ],
        Saves = Saved.Inputs,
    });

    private static NDArray LayerNormCommon(GradientContext c) => LayerNormSums.Apply(c.X, c.G, c.Attributes<NormAttributes>());

    private static NDArray BatchNormCommon(GradientContext c) => BatchNormSums.Apply([c.X, c.G, c.W], c.Attributes<NormAttributes>());

    private static NDArray ChannelGradient(NDArray x, NDArray gamma, NDArray g, NDArray moments, NormAttributes a) =>
        BatchNormGradient.Apply([x, gamma, g, moments, Nd.StopGradient(BatchNormSums.Apply([x, g, moments], a))], a);

    private static void Normalized(
        GpuDevice device, DeviceOperand x, DeviceOperand? gamma, DeviceOperand? beta, DeviceOperand y, int rows, int columns, object? attributes)
    {
        (double epsilon, bool centered) = (NormAttributes)attributes!;
        DeviceRowKernels.Normalize(device, x, gamma, beta, y, rows, columns, epsilon, centered);
    }

    private static void NormalizedGradient(
        GpuDevice device, DeviceOperand x, DeviceOperand g, DeviceOperand? gamma, DeviceOperand dx, int rows, int columns, object? attributes)
    {
        (double epsilon, bool centered) = (NormAttributes)attributes!;
        DeviceRowKernels.NormalizeGradient(device, x, g, gamma, dx, rows, columns, epsilon, centered);
    }

    private static RowValue Normalized(RowSpecBuilder p, RowValue x, RowValue? gamma, RowValue? beta, object? attributes)
    {
        (double epsilon, bool centered) = (NormAttributes)attributes!;
        return RowFormulas.Normalize(p, x, gamma, beta, p.Constant(epsilon), centered);
    }

    private static RowValue NormalizedGradient(RowSpecBuilder p, RowValue x, RowValue g, RowValue? gamma, object? attributes)
    {
        (double epsilon, bool centered) = (NormAttributes)attributes!;
        return RowFormulas.NormalizeGradient(p, x, g, gamma, p.Constant(epsilon), centered);
    }

    private static NDArray StandardizeSecond(NDArray x, NDArray h, NDArray u, NormAttributes a) => Normalization.SecondDerivative(
        x, h, u, [-1], a, Standardize.Apply(x, a), StandardizeGradient.Apply(x, u, a), StandardizeGradient.Apply(x, h, a));

    private static NDArray BatchNormSecond(GradientContext c)
    {
        NormAttributes a = c.Attributes<NormAttributes>();
        NDArray one = Nd.OnesLike(c.Y), normalized = BatchNorm.Apply([c.X, one, Nd.ZerosLike(c.Y), c.W], a);
        NDArray second = Normalization.SecondDerivative(
            c.X, c.Z, c.G, Normalization.ChannelAxes(c.X.Rank), a, normalized, ChannelGradient(c.X, one, c.G, c.W, a),
            ChannelGradient(c.X, one, c.Z, c.W, a));
        return PerChannel(c.Y, c.X.Rank) * second;
    }

    /// <summary>One value per channel, for broadcasting with an array (n, c, …) of a rank.</summary>
    private static NDArray PerChannel(NDArray values, int rank) => Nd.Reshape(values, [values.Shape[0], .. Enumerable.Repeat(1, rank - 2)]);
}
