namespace Fusion;

// Group normalization of (n, c, …): a group of channels of one sample is a row of the layer normalization, with one gamma and beta a channel.
internal static partial class OpTable
{
    /// <summary>
    /// x̂·gamma + beta with the moments of each group of channels of each sample of x (n, c, …). Inputs: x, gamma, beta. Attributes:
    /// <see cref="GroupNormAttributes"/>.
    /// </summary>
    public static readonly Op GroupNorm = Row(new Op
    {
        Name = "GroupNorm",
        IsTotal = true,
        Arity = 3,
        Infer = (x, attributes, y) => GroupNormalization.Infer(x, (GroupNormAttributes)attributes!, y),
        Run = (x, attributes, y) => GroupNormalization.Run(x[0], x[1], x[2], (GroupNormAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceGroups.Normalize(x[0], x[1], x[2], (GroupNormAttributes)attributes!, y[0]),
        Gradient =
        [
            c => GroupNormGradient!.Apply([c.X, c.Y, c.G, Nd.StopGradient(c.Common(GroupNormCommon))], c.Attributes<GroupNormAttributes>()),
            c => Nd.Sum(c.Common(GroupNormCommon)[1], 0),
            c => Nd.Sum(c.Common(GroupNormCommon)[0], 0),
        ],
        Joint = GroupNormalization.Gradients,
        Saves = Saved.Input0 | Saved.Input1,
        SavesPerInput = [Saved.Input0 | Saved.Input1, Saved.Input0, Saved.Input0],
    }).Named("npx.group_norm, -, torch.nn.functional.group_norm", "float");

    /// <summary>D(x, g·gamma), over groups. Inputs: x, gamma, the upstream gradient, and a constant, the sums of <see cref="GroupNormSums"/>.</summary>
    public static readonly Op GroupNormGradient = Row(new Op
    {
        Name = "GroupNormGradient",
        IsTotal = true,
        Arity = 4,
        Infer = (x, attributes, y) => GroupNormalization.InferGradient(x, (GroupNormAttributes)attributes!, y),
        Run = (x, attributes, y) => GroupNormalization.RunGradient(x[0], x[1], x[2], x[3], (GroupNormAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceGroups.Gradient(x[0], x[1], x[2], (GroupNormAttributes)attributes!, y[0]),
        Companion = new(static () => GroupNormSums!, 3, [0, 2],
            static (x, attributes, y) => GroupNormalization.RunGradients(x[0], x[1], x[2], (GroupNormAttributes)attributes!, y[0], y[1])),
        Gradient =
        [
            GroupNormSecond,
            c => SumAllButChannels(c.Z * GroupGradient(c.X, c.G, c.Attributes<GroupNormAttributes>())),
            c => PerChannel(c.Y, c.X.Rank) * GroupGradient(c.X, c.G, c.Attributes<GroupNormAttributes>()),
            null,
        ],
        Saves = Saved.Input0 | Saved.Input1 | Saved.Input2,
    });

    /// <summary>Σ g and Σ g·x̂ of every channel of every sample, as (2, n, c). Inputs: x, g.</summary>
    public static readonly Op GroupNormSums = Row(new Op
    {
        Name = "GroupNormSums",
        IsTotal = true,
        Arity = 2,
        Infer = (x, attributes, y) => GroupNormalization.InferSums(x, (GroupNormAttributes)attributes!, y),
        Run = (x, attributes, y) => GroupNormalization.RunSums(x[0], x[1], (GroupNormAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceGroups.Sums(x[0], x[1], (GroupNormAttributes)attributes!, y[0]),
        Gradient =
        [
            c => GroupGradient(c.X, PerSample(c.G[1], c.X.Rank) * c.Y, c.Attributes<GroupNormAttributes>()),
            c => PerSample(c.G[0], c.X.Rank) + PerSample(c.G[1], c.X.Rank) * GroupStandardized(c.X, c.Attributes<GroupNormAttributes>()),
        ],
        Saves = Saved.Inputs,
        SavesPerInput = [Saved.Inputs, Saved.Input0],
    });

    /// <summary>x̂ of x (n, c, …).</summary>
    internal static NDArray GroupStandardized(NDArray x, GroupNormAttributes a) =>
        Nd.Reshape(Standardize.Apply(GroupNormalization.Rows(x, a), new NormAttributes(a.Epsilon, true)), x.Shape);

    /// <summary>D(x, h) over groups.</summary>
    internal static NDArray GroupGradient(NDArray x, NDArray h, GroupNormAttributes a) => Nd.Reshape(
        StandardizeGradient.Apply(GroupNormalization.Rows(x, a), GroupNormalization.Rows(h, a), new NormAttributes(a.Epsilon, true)), x.Shape);

    private static NDArray GroupNormCommon(GradientContext c) => GroupNormSums.Apply(c.X, c.G, c.Attributes<GroupNormAttributes>());

    private static NDArray GroupNormSecond(GradientContext c)
    {
        GroupNormAttributes a = c.Attributes<GroupNormAttributes>();
        NDArray h = c.Z * PerChannel(c.Y, c.X.Rank);
        NDArray second = StandardizeSecond(
            GroupNormalization.Rows(c.X, a), GroupNormalization.Rows(h, a), GroupNormalization.Rows(c.G, a), new NormAttributes(a.Epsilon, true));
        return Nd.Reshape(second, c.X.Shape);
    }

    /// <summary>One value per channel of each sample, (n, c), for broadcasting with an array (n, c, …) of a rank.</summary>
    private static NDArray PerSample(NDArray values, int rank) =>
        Nd.Reshape(values, [values.Shape[0], values.Shape[1], .. Enumerable.Repeat(1, rank - 2)]);
}
