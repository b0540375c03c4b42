using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>What layers, losses, optimizers and random numbers refuse begins with the name that the caller wrote, not with what they are made of.</summary>
public sealed class LayerErrorTests
{
    private static readonly NDArray s_x = Nd.Ones((2, 3)), s_scalar = Nd.Scalar(1), s_classes = Nd.Array([0, 5]);
    private static readonly Sgd s_sgd = new([Nd.Ones(2)], 1);

    private static readonly Dictionary<string, (Type Exception, Action Act, string[] Parts)> s_cases = new()
    {
        ["linear"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Linear(-1, 2), ["Linear: inFeatures is -1; it must be positive"]),
        ["linear type"] = (typeof(DTypeException), static () => _ = new Linear(1, 2, dtype: DType.Int32), ["Linear: Int32"]),
        ["convolution"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Conv2d(2, 2, 3, groups: 0), ["Conv2d: groups is 0"]),
        ["convolution type"] = (typeof(DTypeException), static () => _ = new Conv1d(2, 2, 3, dtype: DType.Bool), ["Conv1d: Bool"]),
        ["convolution stride"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Conv2d(2, 2, 3, stride: 0), ["Conv2d: stride (0,) must be positive"]),
        ["convolution padding"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Conv3d(2, 2, 3, padding: -1), ["Conv3d", "padding"]),
        ["convolution dilation"] = (typeof(ShapeException), static () => _ = new Conv1d(2, 2, 3, dilation: (1, 2)), ["Conv1d: dilation (1, 2)"]),
        ["transposed convolution stride"] = (typeof(ArgumentOutOfRangeException), static () => _ = new ConvTranspose2d(2, 2, 3, stride: 0), ["ConvTranspose2d: stride (0,) must be positive"]),
        ["pooling kernel"] = (typeof(ArgumentOutOfRangeException), static () => _ = new MaxPool2d(0), ["MaxPool2d: kernel (0,) must be positive"]),
        ["pooling stride"] = (typeof(ArgumentOutOfRangeException), static () => _ = new AvgPool2d(2, 0), ["AvgPool2d: stride"]),
        ["pooling padding"] = (typeof(ArgumentOutOfRangeException), static () => _ = new AvgPool2d(2, padding: -1), ["AvgPool2d", "padding"]),
        ["batch norm momentum"] = (typeof(ArgumentOutOfRangeException), static () => _ = new BatchNorm(2, momentum: 1.5), ["BatchNorm: momentum is 1.5; it must be between 0 and 1"]),
        ["embedding type"] = (typeof(DTypeException), static () => _ = new Embedding(2, 2, dtype: DType.Int64), ["Embedding: Int64"]),
        ["batch norm type"] = (typeof(DTypeException), static () => _ = new BatchNorm(2, dtype: DType.Int32), ["BatchNorm: Int32"]),
        ["layer norm type"] = (typeof(DTypeException), static () => _ = new LayerNorm(2, dtype: DType.Int32), ["LayerNorm: Int32"]),
        ["rms norm type"] = (typeof(DTypeException), static () => _ = new RmsNorm(2, dtype: DType.Int32), ["RmsNorm: Int32"]),
        ["group norm type"] = (typeof(DTypeException), static () => _ = new GroupNorm(1, 2, dtype: DType.Int32), ["GroupNorm: Int32"]),
        ["batch norm epsilon"] = (typeof(ArgumentOutOfRangeException), static () => _ = new BatchNorm(2, epsilon: -1), ["BatchNorm: epsilon is -1"]),
        ["layer norm epsilon"] = (typeof(ArgumentOutOfRangeException), static () => _ = new LayerNorm(2, double.NaN), ["LayerNorm: epsilon is NaN"]),
        ["rms norm epsilon"] = (typeof(ArgumentOutOfRangeException), static () => _ = new RmsNorm(2, -0.5), ["RmsNorm: epsilon is -0.5"]),
        ["group norm epsilon"] = (typeof(ArgumentOutOfRangeException), static () => _ = new GroupNorm(1, 2, -1), ["GroupNorm: epsilon is -1"]),
        ["dropout"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Dropout(1.5), ["Dropout: p is 1.5; it must be between 0 and 1"]),
        ["recurrent dropout"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Lstm(2, 2, 2, dropout: -0.5), ["Lstm: dropout is -0.5"]),
        ["attention dropout"] = (typeof(ArgumentOutOfRangeException), static () => _ = new MultiHeadAttention(2, 1, dropout: double.NaN), ["MultiHeadAttention: dropout is NaN"]),
        ["transformer dropout"] = (typeof(ArgumentOutOfRangeException), static () => _ = new TransformerBlock(2, 1, dropout: 2), ["TransformerBlock: dropout is 2"]),
        ["recurrent type"] = (typeof(DTypeException), static () => _ = new Gru(1, 2, dtype: DType.Int32), ["Gru: Int32"]),
        ["recurrent input"] = (typeof(ShapeException), static () => new Lstm(3, 2).Forward(Nd.Ones((4, 1, 5))), ["Lstm", "(4, 1, 5)", "3 features", "not 5"]),
        ["recurrent cell"] = (typeof(ShapeException), static () => new Lstm(3, 2).Forward(Nd.Ones((4, 1, 3)), Nd.Ones((1, 1, 2)), Nd.Ones((1, 2))), ["Lstm: cell", "(1, 1, 2)", "(1, 2)"]),
        ["recurrent layers"] = (typeof(InsufficientMemoryException), static () => _ = new Lstm(1, 2, layers: int.MaxValue), ["Lstm: 2147483647 layers have 8589934588 parameters"]),
        ["attention heads"] = (typeof(ArgumentException), static () => _ = new MultiHeadAttention(3, 2), ["MultiHeadAttention: 2 heads"]),
        ["attention size"] = (typeof(ShapeException), static () => _ = new MultiHeadAttention(1 << 30, 1), ["MultiHeadAttention", "3221225472"]),
        ["attention batch"] = (typeof(ShapeException), static () => Attend((2, 4, 2), (3, 4, 2), (3, 4, 2)), ["MultiHeadAttention", "(3, 4, 2)"]),
        ["attention time"] = (typeof(ShapeException), static () => Attend((2, 4, 2), (2, 3, 2), (2, 4, 2)), ["MultiHeadAttention", "one time"]),
        ["transformer"] = (typeof(ArgumentOutOfRangeException), static () => _ = new TransformerBlock(-1, 1), ["TransformerBlock: features is -1"]),
        ["transformer input"] = (typeof(ShapeException), static () => new TransformerBlock(4, 2).Forward(Nd.Ones((1, 2, 5))), ["TransformerBlock: the input (1, 2, 5) must be (batch, time, 4)"]),
        ["linear input"] = (typeof(ShapeException), static () => new Linear(3, 2).Forward(s_scalar), ["Linear: the input is a scalar"]),
        ["transformer hidden"] = (typeof(ArgumentOutOfRangeException), static () => _ = new TransformerBlock(2, 1, 0), ["TransformerBlock: hidden is 0"]),
        ["transformer size"] = (typeof(ShapeException), static () => _ = new TransformerBlock(1 << 30, 1), ["TransformerBlock", "4294967296"]),
        ["chain"] = (typeof(ArgumentOutOfRangeException), static () => new Sequential(new Relu()).Slice(-1, 1), ["Slice: start is -1"]),
        ["chain length"] = (typeof(ArgumentOutOfRangeException), static () => new Sequential(new Relu()).Slice(1, 2), ["Slice: 2 modules from position 1 on, of 1"]),
        ["cross entropy of a scalar"] = (typeof(ShapeException), static () => Loss.SoftmaxCrossEntropy(s_scalar, s_scalar), ["SoftmaxCrossEntropy", "scalar"]),
        ["likelihood of a scalar"] = (typeof(ShapeException), static () => Loss.NegativeLogLikelihood(s_scalar, s_classes), ["NegativeLogLikelihood", "scalar"]),
        ["likelihood shape"] = (typeof(ShapeException), static () => Loss.NegativeLogLikelihood(s_x, Nd.Array([0])), ["NegativeLogLikelihood", "(2, 3)", "(1,)"]),
        ["likelihood type"] = (typeof(DTypeException), static () => Loss.NegativeLogLikelihood(s_x, Nd.Ones(2)), ["NegativeLogLikelihood", "Float32"]),
        ["likelihood class"] = (typeof(ArgumentOutOfRangeException), static () => Loss.NegativeLogLikelihood(s_x, s_classes), ["NegativeLogLikelihood: label 5", "'target'"]),
        ["likelihood of a class from the end"] = (typeof(ArgumentOutOfRangeException), static () => Loss.NegativeLogLikelihood(s_x, Nd.Array([0, -1])), ["NegativeLogLikelihood: label -1", "0 to 2", "'target'"]),
        ["cross entropy class"] = (typeof(ArgumentOutOfRangeException), static () => Loss.SoftmaxCrossEntropy(s_x, s_classes), ["SoftmaxCrossEntropy: label 5", "'target'"]),
        ["cross entropy smoothing"] = (typeof(ArgumentOutOfRangeException), static () => Loss.SoftmaxCrossEntropy(s_x, s_classes, labelSmoothing: 1.5), ["SoftmaxCrossEntropy: labelSmoothing is 1.5"]),
        ["cross entropy shape"] = (typeof(ShapeException), static () => Loss.SoftmaxCrossEntropy(s_x, Nd.Array([0])), ["SoftmaxCrossEntropy: logits (2, 3)", "target is (1,)"]),
        ["cross entropy of integers"] = (typeof(ShapeException), static () => Loss.SoftmaxCrossEntropy(s_x, s_x.AsType(DType.Int32)), ["SoftmaxCrossEntropy", "target is (2, 3)", "AsType"]),
        ["cross entropy of probabilities"] = (typeof(ShapeException), static () => Loss.SoftmaxCrossEntropy(s_x, Nd.Ones((2, 4))), ["SoftmaxCrossEntropy: target", "(2, 4)", "(2, 3)"]),
        ["convolution rank"] = (typeof(ShapeException), static () => new Conv2d(3, 8, 3).Forward(Nd.Ones((3, 8, 8))), ["Conv2d: the input (3, 8, 8)", "ExpandDims"]),
        ["convolution of too many axes"] = (typeof(ShapeException), static () => new Conv1d(3, 8, 3).Forward(Nd.Ones((1, 3, 8, 8))), ["Conv1d: the input (1, 3, 8, 8)", "Reshape"]),
        ["convolution channels"] = (typeof(ShapeException), static () => new Conv2d(3, 8, 3).Forward(Nd.Ones((1, 8, 8, 3))), ["Conv2d: the input (1, 8, 8, 3) has 8 channels"]),
        ["convolution window"] = (typeof(ShapeException), static () => new Conv3d(1, 1, 9).Forward(Nd.Ones((1, 1, 4, 4, 4))), ["Conv3d: a window of 9 elements"]),
        ["transposed convolution channels"] = (typeof(ShapeException), static () => new ConvTranspose2d(3, 8, 3).Forward(Nd.Ones((1, 4, 8, 8))), ["ConvTranspose2d: the input (1, 4, 8, 8) has 4 channels"]),
        ["output padding"] = (typeof(ArgumentOutOfRangeException), static () => new ConvTranspose2d(3, 8, 3, outputPadding: 5).Forward(Nd.Ones((1, 3, 8, 8))), ["ConvTranspose2d: outputPadding 5"]),
        ["maximum pooling rank"] = (typeof(ShapeException), static () => new MaxPool2d(3).Forward(s_x), ["MaxPool2d: the input (2, 3)", "Reshape"]),
        ["average pooling window"] = (typeof(ShapeException), static () => new AvgPool2d(9).Forward(Nd.Ones((1, 1, 4, 4))), ["AvgPool2d: a window of 9 elements"]),
        ["group norm channels"] = (typeof(ShapeException), static () => new GroupNorm(2, 4).Forward(Nd.Ones((2, 6, 4))), ["GroupNorm: gamma must be (6,)", "(2, 6, 4)", "(4,)"]),
        ["layer norm gamma"] = (typeof(ShapeException), static () => s_x.LayerNorm(Nd.Ones((2, 3))), ["LayerNorm: gamma must be (3,)", "(2, 3)"]),
        ["layer norm beta"] = (typeof(ShapeException), static () => s_x.LayerNorm(beta: Nd.Ones(2)), ["LayerNorm: beta must be (3,)", "(2,)"]),
        ["divergence of a scalar"] = (typeof(ShapeException), static () => Loss.KLDivergence(s_scalar, s_scalar), ["KLDivergence", "scalar"]),
        ["cosine of a scalar"] = (typeof(ShapeException), static () => Loss.CosineDistance(s_scalar, s_scalar), ["CosineDistance", "scalar"]),
        ["huber"] = (typeof(ArgumentOutOfRangeException), static () => Loss.Huber(s_x, s_x, delta: -0.5), ["Huber: delta is -0.5"]),
        ["smooth l1"] = (typeof(ArgumentOutOfRangeException), static () => Loss.SmoothL1(s_x, s_x, (Reduction)7), ["SmoothL1: the reduction"]),
        ["reduction"] = (typeof(ArgumentOutOfRangeException), static () => Loss.Hinge(s_x, s_x, (Reduction)7), ["Hinge: the reduction"]),
        ["ctc"] = (typeof(ShapeException), static () => Loss.Ctc(s_x, Nd.Array([0])), ["Ctc: logits (2, 3)"]),
        ["decay"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Sgd([Nd.Ones(2)], 1, weightDecay: -1), ["Sgd: weightDecay is -1"]),
        ["no number"] = (typeof(ArgumentOutOfRangeException), static () => _ = new Adam([Nd.Ones(2)], epsilon: double.NaN), ["Adam: epsilon is NaN"]),
        ["renamed"] = (typeof(ArgumentOutOfRangeException), static () => _ = new AdaGrad([Nd.Ones(2)], learningRateDecay: -1), ["AdaGrad: learningRateDecay is -1"]),
        ["schedule"] = (typeof(ArgumentOutOfRangeException), static () => _ = new CosineSchedule(s_sgd, 0), ["CosineSchedule: steps is 0"]),
        ["log-normal"] = (typeof(DTypeException), static () => Nd.Random.LogNormal(0, 1, 2, DType.Int32), ["Random.LogNormal: Int32"]),
        ["deviation"] = (typeof(ArgumentOutOfRangeException), static () => Nd.Random.LogNormal(0, -1, 2), ["Random.LogNormal: the standard deviation"]),
        ["exponential"] = (typeof(DTypeException), static () => Nd.Random.Exponential(1, 2, DType.Int32), ["Random.Exponential: Int32"]),
        ["beta"] = (typeof(DTypeException), static () => Nd.Random.Beta(1, 1, 2, DType.Int32), ["Random.Beta: Int32"]),
        ["bounds"] = (typeof(ShapeException), static () => Nd.Random.Uniform(s_x, Nd.Ones(2)), ["Random.Uniform: the shapes (2, 3) and (2,)"]),
        ["multinomial"] = (typeof(ArgumentOutOfRangeException), static () => Nd.Random.Multinomial(Nd.Array(new[,] { { 1f, 2 }, { 3, -1 } })), ["Random.Multinomial: the probability of class 1 in line 1", "'probabilities'"]),
        ["multinomial of nothing"] = (typeof(ArgumentOutOfRangeException), static () => Nd.Random.Multinomial(Nd.Zeros(3)), ["Random.Multinomial: line 0 has no class", "'probabilities'"]),
        ["permutation"] = (typeof(ArgumentOutOfRangeException), static () => Nd.Random.Permutation(-1), ["Random.Permutation: n is -1"]),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void TheMessageBeginsWithTheName(string name)
    {
        (Type exception, Action act, string[] parts) = s_cases[name];
        string message = Assert.Throws(exception, act).Message;
        Assert.StartsWith(parts[0], message, StringComparison.Ordinal);
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        (string? usual, string? odd) = OddCulture.Messages(act);
        Assert.Equal(usual, odd);
    }

    private static void Attend(Shape query, Shape key, Shape value) => new MultiHeadAttention(2, 1).Forward(Nd.Ones(query), Nd.Ones(key), Nd.Ones(value));
}
