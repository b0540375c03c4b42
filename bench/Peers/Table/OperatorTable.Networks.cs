using Fusion.NN;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Peers.Table;

// What networks are made of.
internal static partial class OperatorTable
{
    private static readonly Operand s_images = Operand.Real((2, 4, 9, 8), (8, 32, 28, 28)), s_distinctImages = Operand.Distinct((2, 4, 9, 8), (8, 32, 28, 28));
    private static readonly Operand s_sequences = Operand.Real((2, 4, 11), (8, 32, 784)), s_volumes = Operand.Real((2, 3, 5, 6, 4), (2, 8, 14, 14, 14));
    private static readonly Operand s_channels = Operand.Real(4, 32, 0.5, 2), s_queries = Operand.Real((2, 3, 5, 8), (4, 4, 64, 32));

    private static readonly OperatorRow[] Networks =
    [
        Matrix("Softmax", static x => Nd.Softmax(x), static x => F.softmax(x, -1)),
        Matrix("Softmax: columns", static x => Nd.Softmax(x, 0), static x => F.softmax(x, 0)),
        Matrix("LogSoftmax", static x => Nd.LogSoftmax(x), static x => F.log_softmax(x, -1)),
        new("SoftmaxCrossEntropy", static x => Nd.SoftmaxCrossEntropy(x[0], x[1]), static x => F.cross_entropy(x[0], x[1], reduction: nn.Reduction.None),
            Operand.Real((8, 10), LargeMatrix), Operand.Index(8, 1000, 10)),
        new("SoftmaxCrossEntropy: probabilities", static x => Nd.SoftmaxCrossEntropy(x[0], Nd.Softmax(x[1])),
            static x => F.cross_entropy(x[0], F.softmax(x[1], 1), reduction: nn.Reduction.None),
            Operand.Real((8, 10), LargeMatrix), Operand.Real((8, 10), LargeMatrix)),
        Lossy("MeanSquaredError", static (x, y) => Loss.MeanSquaredError(x, y), static (x, y) => F.mse_loss(x, y)),
        Lossy("L1", static (x, y) => Loss.L1(x, y), static (x, y) => F.l1_loss(x, y)),
        Lossy("Huber", static (x, y) => Loss.Huber(x, y), static (x, y) => F.huber_loss(x, y)),
        Lossy("BinaryCrossEntropyWithLogits", static (x, y) => Loss.BinaryCrossEntropyWithLogits(x, Nd.Sigmoid(y)),
            static (x, y) => F.binary_cross_entropy_with_logits(x, sigmoid(y))),
        Lossy("KLDivergence", static (x, y) => Loss.KLDivergence(Nd.LogSoftmax(x), Nd.Softmax(y)),
            static (x, y) => F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), false, nn.Reduction.None).sum(1).mean()),
        Lossy("PoissonNegativeLogLikelihood", static (x, y) => Loss.PoissonNegativeLogLikelihood(x, Nd.Square(y)),
            static (x, y) => F.poisson_nll_loss(x, y.square())),
        Lossy("CosineDistance", static (x, y) => Loss.CosineDistance(x, y), static (x, y) => (1 - F.cosine_similarity(x, y)).mean()),
        new("NegativeLogLikelihood", static x => Loss.NegativeLogLikelihood(x[0], x[1]), static x => F.nll_loss(x[0], x[1]), Operand.Real((8, 10), LargeMatrix),
            Operand.Index(8, 1000, 10)),
        new("CtcLoss", static x => Nd.CtcLoss(x[0], x[1] + 1),
            static x => F.ctc_loss(F.log_softmax(x[0], 2), x[1] + 1, full(3, 12L), full(3, 4L), reduction: nn.Reduction.None),
            Operand.Real((12, 3, 6), (12, 3, 6)), Operand.Index((3, 4), (3, 4), 5)) { IsTimed = false, Slack = 10 },

        Convolved("Conv1D", static x => Nd.Conv1D(x[0], x[1], x[2], 2, 1), static x => F.conv1d(x[0], x[1], x[2], 2, 1), s_sequences, (4, 4, 3), (32, 32, 3)),
        Convolved("Conv2D", static x => Nd.Conv2D(x[0], x[1], x[2]), static x => F.conv2d(x[0], x[1], x[2]), s_images, (4, 4, 3, 3), (32, 32, 3, 3)),
        Convolved("Conv2D: stride, padding, dilation", static x => Nd.Conv2D(x[0], x[1], x[2], (2, 1), (1, 2), (1, 2)),
            static x => F.conv2d(x[0], x[1], x[2], [2, 1], [1, 2], [1, 2]), s_images, (4, 4, 3, 3), (32, 32, 3, 3)),
        Convolved("Conv2D: groups", static x => Nd.Conv2D(x[0], x[1], x[2], 1, 1, 1, 2), static x => F.conv2d(x[0], x[1], x[2], [1, 1], [1, 1], [1, 1], 2),
            s_images, (4, 2, 3, 3), (32, 16, 3, 3)),
        Convolved("Conv2D: depthwise", static x => Nd.Conv2D(x[0], x[1], x[2], 1, 1, 1, x[0].Shape[1]),
            static x => F.conv2d(x[0], x[1], x[2], [1, 1], [1, 1], [1, 1], x[0].shape[1]), s_images, (4, 1, 3, 3), (32, 1, 3, 3)),
        Convolved("Conv2D: 1×1", static x => Nd.Conv2D(x[0], x[1], x[2]), static x => F.conv2d(x[0], x[1], x[2]), s_images, (4, 4, 1, 1), (32, 32, 1, 1)),
        Convolved("Conv3D", static x => Nd.Conv3D(x[0], x[1], x[2], 1, 1), static x => F.conv3d(x[0], x[1], x[2], [1, 1, 1], [1, 1, 1]), s_volumes,
            (4, 3, 3, 3, 3), (32, 8, 3, 3, 3)),
        Convolved("ConvTranspose1D", static x => Nd.ConvTranspose1D(x[0], x[1], x[2], 2, 1), static x => F.conv_transpose1d(x[0], x[1], x[2], 2, 1),
            s_sequences, (4, 4, 3), (32, 32, 3)),
        Convolved("ConvTranspose2D", static x => Nd.ConvTranspose2D(x[0], x[1], x[2], 2, 1, 1),
            static x => F.conv_transpose2d(x[0], x[1], x[2], [2, 2], [1, 1], [1, 1]), s_images, (4, 4, 3, 3), (32, 32, 3, 3)),
        Convolved("ConvTranspose3D", static x => Nd.ConvTranspose3D(x[0], x[1], x[2], 2), static x => F.conv_transpose3d(x[0], x[1], x[2], [2, 2, 2]),
            s_volumes, (3, 4, 2, 2, 2), (8, 32, 2, 2, 2)),
        Pooled("MaxPool2D", static x => Nd.MaxPool2D(x, 3, 2, 1), static x => F.max_pool2d(x, 3, 2, 1)),
        Pooled("AvgPool2D", static x => Nd.AvgPool2D(x, 3, 2, 1), static x => F.avg_pool2d(x, 3, 2, 1)),
        Pooled("AvgPool2D: padding not counted", static x => Nd.AvgPool2D(x, 3, 2, 1, false), static x => F.avg_pool2d(x, 3, 2, 1, false, false)),
        Pooled("AdaptiveAvgPool", static x => Nd.AdaptiveAvgPool(x, (4, 3)), static x => F.adaptive_avg_pool2d(x, (4L, 3L))),
        Pooled("GlobalAvgPool", Nd.GlobalAvgPool, static x => x.mean([2, 3], true)),
        Pooled("GlobalMaxPool", Nd.GlobalMaxPool, static x => x.amax([2L, 3L], true)),
        new("MaxPool1D", static x => Nd.MaxPool1D(x[0], 3, 2, 1), static x => F.max_pool1d(x[0], 3, 2, 1), Operand.Distinct((2, 4, 11), (8, 32, 784))),
        new("AvgPool1D", static x => Nd.AvgPool1D(x[0], 3, 2, 1), static x => F.avg_pool1d(x[0], 3, 2, 1), s_sequences),
        new("MaxPool3D", static x => Nd.MaxPool3D(x[0], 2), static x => F.max_pool3d(x[0], [2, 2, 2]), Operand.Distinct((2, 3, 5, 6, 4), (2, 8, 14, 14, 14))),
        new("AvgPool3D", static x => Nd.AvgPool3D(x[0], 2), static x => F.avg_pool3d(x[0], [2, 2, 2]), s_volumes),

        new("LayerNorm", static x => Nd.LayerNorm(x[0], x[1], x[2]), static x => F.layer_norm(x[0], [x[0].shape[1]], x[1], x[2]),
            Operand.Real((7, 33), LargeMatrix), Operand.Real(33, 1000), Operand.Real(33, 1000)),
        new("RmsNorm", static x => Nd.RmsNorm(x[0], x[1]), static x => x[0] * rsqrt(x[0].square().mean([-1], true) + 1e-6) * x[1],
            Operand.Real((7, 33), LargeMatrix), Operand.Real(33, 1000)),
        new("GroupNorm", static x => Nd.GroupNorm(x[0], 2, x[1], x[2]), static x => F.group_norm(x[0], 2, x[1], x[2]), s_images, s_channels, s_channels),
        new("InstanceNorm", static x => Nd.InstanceNorm(x[0], x[1], x[2]), static x => F.instance_norm(x[0], null!, null!, x[1], x[2]), s_images, s_channels,
            s_channels),
        new("BatchNorm", static x => Nd.BatchNorm(x[0], x[1], x[2], x[3], x[4]), static x => F.batch_norm(x[0], x[3], x[4], x[1], x[2]),
            s_images, s_channels, s_channels, s_channels with { IsConstant = true }, s_channels with { IsConstant = true }),
        new("ScaledDotProductAttention", static x => Nd.ScaledDotProductAttention(x[0], x[1], x[2]),
            static x => F.scaled_dot_product_attention(x[0], x[1], x[2]), s_queries, s_queries, s_queries),
        new("ScaledDotProductAttention: causal", static x => Nd.ScaledDotProductAttention(x[0], x[1], x[2], causal: true),
            static x => F.scaled_dot_product_attention(x[0], x[1], x[2], is_casual: true), s_queries, s_queries, s_queries),
    ];

    private static OperatorRow Lossy(string name, Func<NDArray, NDArray, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs) =>
        new(name, x => ours(x[0], x[1]), x => theirs(x[0], x[1]), Operand.Real((8, 10), LargeMatrix), Operand.Real((8, 10), LargeMatrix));

    private static OperatorRow Convolved(string name, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, Operand x, Shape weight, Shape timed) =>
        new(name, ours, theirs, x, Operand.Real(weight, timed), Operand.Real(4, 32)) { Slack = 2 };

    private static OperatorRow Pooled(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) => new(name, x => ours(x[0]), x => theirs(x[0]),
        s_distinctImages);
}
