using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Cases;

/// <summary>Operators on rows, and losses: forward, and forward with backward.</summary>
internal static class Rows
{
    public const string Area = "rows: softmax, norms, losses";

    private const int Size = 1024;

    private static readonly Pair[] s_reductions =
    [
        Row("sum of rows", static x => Nd.Sum(x[0], [1]), static t => t[0].sum([1L])) with { Work = Passes(1) },
        Row("sum of columns", static x => Nd.Sum(x[0], [0]), static t => t[0].sum([0L])) with { Work = Passes(1) },
        Row("max of rows", static x => Nd.Max(x[0], [1]), static t => t[0].amax([1L])) with { Work = Passes(1), IsQuick = false },
    ];

    private static readonly Pair[] s_rows =
    [
        Row("softmax", static x => Nd.Softmax(x[0]), static t => F.softmax(t[0], 1)),
        Row("log-softmax", static x => Nd.LogSoftmax(x[0]), static t => F.log_softmax(t[0], 1)),
        Row("layer norm", static x => Nd.LayerNorm(x[0], x[1], x[2]), static t => F.layer_norm(t[0], [Size], t[1], t[2]), scaled: true),
        Row("RMS norm", static x => Nd.RmsNorm(x[0], x[1]), static t => t[0] * rsqrt(t[0].square().mean([-1], true) + 1e-6) * t[1], scaled: true) with
        {
            IsQuick = false, Variables = [0, 1],
        },
        Row("group norm", static x => Images(x[0]).GroupNorm(8, x[1][..64], x[2][..64]),
            static t => F.group_norm(t[0].view(16, 64, 32, 32), 8, t[1].slice(0, 0, 64, 1), t[2].slice(0, 0, 64, 1)), scaled: true) with { IsQuick = false },
    ];

    // Of a batch's own mean and variance: only what is recorded is in training mode.
    private static readonly Pair s_batchNorm =
        Row("batch norm", static x => Images(x[0]).BatchNorm(x[1][..64], x[2][..64], Nd.Zeros(64, x[0].DType), Nd.Ones(64, x[0].DType)),
            static t => F.batch_norm(t[0].view(16, 64, 32, 32), zeros(64, t[0].dtype), ones(64, t[0].dtype), t[1].slice(0, 0, 64, 1), t[2].slice(0, 0, 64, 1), true),
            scaled: true);

    // The short planes at the end of a network.
    private static readonly Pair[] s_planes =
    [
        Plane("batch norm", 32, 4, static x => Nd.BatchNorm(x[0], x[1], x[2], Nd.Zeros(512, x[0].DType), Nd.Ones(512, x[0].DType)),
            static t => F.batch_norm(t[0], zeros(512, t[0].dtype), ones(512, t[0].dtype), t[1], t[2], true)),
        Plane("group norm", 32, 7, static x => x[0].GroupNorm(32, x[1], x[2]), static t => F.group_norm(t[0], 32, t[1], t[2])),
        Plane("instance norm", 8, 7, static x => x[0].InstanceNorm(x[1], x[2]), static t => F.instance_norm(t[0], null!, null!, t[1], t[2])),
    ];

    private static readonly Pair[] s_losses =
    [
        new(Area, "cross-entropy, 1024×1024", static () => [FusionSide.Normal((Size, Size), 1), FusionSide.Indices(Size, Size, 2)],
            static x => Nd.Mean(Nd.SoftmaxCrossEntropy(x[0], x[1])), static t => F.cross_entropy(t[0], t[1])) { IsCompiled = true, Work = Passes(2) },
        new(Area, "mean-squared error, 1024×1024", static () => [FusionSide.Normal((Size, Size), 1), FusionSide.Normal((Size, Size), 2)],
            static x => NN.Loss.MeanSquaredError(x[0], x[1]), static t => F.mse_loss(t[0], t[1])) { IsCompiled = true, Variables = [0], Work = Passes(3) },
        new(Area, "binary cross-entropy, 1024×1024", static () => [FusionSide.Normal((Size, Size), 1), FusionSide.Positive((Size, Size), 2)],
            static x => NN.Loss.BinaryCrossEntropyWithLogits(x[0], x[1]), static t => F.binary_cross_entropy_with_logits(t[0], t[1]))
        {
            IsCompiled = true, Variables = [0], IsQuick = false, Work = Passes(3),
        },
    ];

    public static IEnumerable<PeerCase> All =>
    [
        .. s_reductions.Select(static r => r.Forward()),
        .. s_rows.Select(static r => r.Forward()),
        // The input, the head gradient and the input's gradient: the result itself need not be in memory.
        .. s_rows.Append(s_batchNorm).Select(static r => (r with { Work = Passes(3) }).WithBackward()),
        .. s_planes.Select(static r => r.WithBackward()),
        .. s_losses.Select(static r => r.WithBackward()),
    ];

    private static Pair Row(string name, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, bool scaled = false) =>
        new(Area, $"{name}, 1024×1024", scaled ? Scaled : static () => [FusionSide.Normal((Size, Size), 1)], ours, theirs) { IsCompiled = true, Work = Passes(2) };

    private static Pair Plane(string name, int batch, int size, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs) =>
        new(Area, $"{name}, {batch} of 512 planes of {size}²", () => [FusionSide.Normal((batch, 512, size, size), 1), FusionSide.Positive(512, 2), FusionSide.Normal(512, 3)], ours, theirs)
        {
            IsCompiled = true, Work = Work.Floats(3.0 * batch * 512 * size * size),
        };

    private static NDArray[] Scaled() => [FusionSide.Normal((Size, Size), 1), FusionSide.Positive(Size, 2), FusionSide.Normal(Size, 3)];

    private static NDArray Images(NDArray x) => x.Reshape(16, 64, 32, 32);

    private static Work Passes(int count) => Work.Floats((double)count * Size * Size);
}
