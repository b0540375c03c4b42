using Fusion.NN;
using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Losses against their formulas in plain loops, and their gradients.</summary>
public sealed class LossFormulaTests
{
    private static readonly NDArray s_x = Random((3, 4)), s_y = Random((3, 4), 2);

    private static readonly (string Name, Func<NDArray, NDArray, Reduction, NDArray> Loss, Func<double, double, double> Term, NDArray Target)[] s_elementwise =
    [
        ("MeanSquaredError", Loss.MeanSquaredError, (p, t) => (p - t) * (p - t), s_y),
        ("L1", Loss.L1, (p, t) => Math.Abs(p - t), s_y),
        ("Huber", (p, t, r) => Loss.Huber(p, t, r, delta: 0.5), (p, t) => Math.Abs(p - t) <= 0.5 ? (p - t) * (p - t) / 2 : 0.5 * (Math.Abs(p - t) - 0.25), s_y),
        ("BinaryCrossEntropyWithLogits", Loss.BinaryCrossEntropyWithLogits, BinaryCrossEntropy, Nd.Abs(s_y)),
        ("Hinge", (p, t, r) => Loss.Hinge(p, t, r), (p, t) => Math.Max(0, 1 - p * t), Nd.Sign(s_y)),
        ("PoissonNegativeLogLikelihood", Loss.PoissonNegativeLogLikelihood, (p, t) => Math.Exp(p) - t * p, Nd.Abs(s_y)),
    ];

    public static TheoryData<int> ElementWise => [0, 1, 2, 3, 4, 5];

    [Theory]
    [MemberData(nameof(ElementWise))]
    public void ElementWiseLossesMeetTheirFormulas(int index)
    {
        (_, Func<NDArray, NDArray, Reduction, NDArray> loss, Func<double, double, double> term, NDArray target) = s_elementwise[index];
        double[] terms = [.. s_x.Values().Zip(target.Values(), term)];
        Close(s_x.Shape, terms, loss(s_x, target, Reduction.None));
        Close([terms.Sum()], loss(s_x, target, Reduction.Sum));
        Close([terms.Average()], loss(s_x, target, Reduction.Mean));
        Gradients(x => loss(x[0], target, Reduction.Mean), s_x);
        Assert.Throws<ShapeException>(() => loss(s_x, target[0], Reduction.Mean));
    }

    [Fact]
    public void BinaryCrossEntropyIsFiniteAtBothEnds() =>
        Close([0, 1000, 1000, 0], Loss.BinaryCrossEntropyWithLogits(Doubles(1000, 1000, -1000, -1000), Doubles(1, 0, 1, 0), Reduction.None));

    [Fact]
    public void LossesOfDistributionsMeetTheirFormulas()
    {
        double[] logits = s_x.Values(), target = Nd.Softmax(s_y).Values();
        double[] logP = new double[12], divergence = new double[3], crossEntropy = new double[3];
        for (int i = 0; i < 12; i++) logP[i] = logits[i] - Math.Log(Enumerable.Range(i / 4 * 4, 4).Sum(k => Math.Exp(logits[k])));
        for (int i = 0; i < 12; i++)
        {
            divergence[i / 4] += target[i] * (Math.Log(target[i]) - logP[i]);
            crossEntropy[i / 4] -= target[i] * logP[i];
        }

        NDArray classes = Nd.Array([2, 0, 3]);
        double[] picked = [-logP[2], -logP[4], -logP[11]];
        Close(divergence, Loss.KLDivergence(Nd.LogSoftmax(s_x), Nd.Softmax(s_y), Reduction.None));
        Close(crossEntropy, Loss.SoftmaxCrossEntropy(s_x, Nd.Softmax(s_y), Reduction.None));
        Close(picked, Loss.SoftmaxCrossEntropy(s_x, classes, Reduction.None));
        Close(picked, Loss.NegativeLogLikelihood(Nd.LogSoftmax(s_x), classes, Reduction.None));
        Gradients(x => Loss.KLDivergence(Nd.LogSoftmax(x[0]), Nd.Softmax(s_y)), s_x);
        Gradients(x => Loss.NegativeLogLikelihood(Nd.LogSoftmax(x[0]), classes), s_x);
        Close([0.0], Loss.KLDivergence(Nd.Log(Shaped((1, 2), 1, 1e-9)), Shaped((1, 2), 1, 0)));
    }

    [Fact]
    public void DistancesAndSmoothAbsoluteValues()
    {
        Close([0, 1, 2], Loss.CosineDistance(Shaped((3, 2), 1, 1, 1, 0, 1, 2), Shaped((3, 2), 2, 2, 0, 3, -1, -2), Reduction.None));
        Gradients(x => Loss.CosineDistance(x[0], x[1]), s_x, s_y);
        Close([0.02, 0.5 - 0.125, 2 - 0.125], Nd.SmoothL1(Doubles(0.1, -0.5, 2), 2));
        Gradients(x => Nd.SmoothL1(x[0], 2), s_x);
        Close([Loss.Ctc(Random((4, 2, 3)), Nd.Array([1, 2], (2, 1)), Reduction.Sum).Item<double>() / 2], Loss.Ctc(Random((4, 2, 3)), Nd.Array([1, 2], (2, 1))));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.SmoothL1(s_x, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Loss.Huber(s_x, s_y, delta: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Loss.L1(s_x, s_y, (Reduction)9));
    }

    private static double BinaryCrossEntropy(double x, double t) => -t * Math.Log(1 / (1 + Math.Exp(-x))) - (1 - t) * Math.Log(1 - 1 / (1 + Math.Exp(-x)));
}
