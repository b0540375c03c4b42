using Fusion.NN;
using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Weights of classes, labels that do not count, label smoothing: against the formulas in plain loops.</summary>
public sealed class LossWeightTests
{
    private const int Classes = 4;

    private static readonly NDArray s_x = Random((5, Classes)) * 3, s_weights = Doubles(0.5, 2, 1, 0.25);
    private static readonly int[] s_labels = [2, 0, 3, 2, 1];

    public static TheoryData<bool, int?, double> Options
    {
        get
        {
            TheoryData<bool, int?, double> data = [];
            foreach (bool weighted in new[] { false, true })
                foreach (int? ignored in new int?[] { null, 2, -100, 7 })
                    foreach (double smoothing in new[] { 0, 0.1, 1 }) data.Add(weighted, ignored, smoothing);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void CrossEntropyMeetsItsFormula(bool weighted, int? ignored, double smoothing)
    {
        // A label outside of the classes only where it is the one that does not count.
        int[] labels = ignored is -100 or 7 ? [2, ignored.Value, 3, ignored.Value, 1] : s_labels;
        double[] weights = weighted ? s_weights.Values() : [1, 1, 1, 1], logP = Nd.LogSoftmax(s_x).Values(), terms = new double[5];
        double number = 0;
        for (int i = 0; i < 5; i++)
        {
            if (labels[i] == ignored) continue;
            for (int k = 0; k < Classes; k++)
                terms[i] -= (smoothing / Classes + (k == labels[i] ? 1 - smoothing : 0)) * weights[k] * logP[i * Classes + k];
            number += weights[labels[i]];
        }

        foreach (DType type in new[] { DType.Int32, DType.Int64 })
        {
            NDArray target = Nd.Array(labels).AsType(type);
            NDArray? w = weighted ? s_weights : null;
            NDArray Value(NDArray x, Reduction reduction) =>
                Loss.SoftmaxCrossEntropy(x, target, reduction, classWeights: w, ignoreLabel: ignored, labelSmoothing: smoothing);
            Close([5], terms, Value(s_x, Reduction.None));
            Close([], [terms.Sum()], Value(s_x, Reduction.Sum));
            Close([], [terms.Sum() / number], Value(s_x, Reduction.Mean));
            Gradients(x => Value(x[0], Reduction.Mean), s_x);
            if (smoothing != 0) continue;
            NDArray likelihood = Loss.NegativeLogLikelihood(Nd.LogSoftmax(s_x), target, Reduction.Mean, w, ignored);
            Close([], [terms.Sum() / number], likelihood);
            Close(terms, Loss.NegativeLogLikelihood(Nd.LogSoftmax(s_x), target, Reduction.None, w, ignored));
            Gradients(x => Loss.NegativeLogLikelihood(x[0], target, classWeights: w, ignoreLabel: ignored), s_x / 3);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    public void ProbabilitiesHaveWeightsToo(double smoothing)
    {
        NDArray p = Nd.Softmax(Random((5, Classes), 3));
        double[] weights = s_weights.Values(), values = p.Values(), logP = Nd.LogSoftmax(s_x).Values(), terms = new double[5];
        for (int i = 0; i < 20; i++) terms[i / Classes] -= weights[i % Classes] * ((1 - smoothing) * values[i] + smoothing / Classes) * logP[i];
        Close(terms, Loss.SoftmaxCrossEntropy(s_x, p, Reduction.None, s_weights, labelSmoothing: smoothing));
        Close([terms.Average()], Loss.SoftmaxCrossEntropy(s_x, p, classWeights: s_weights, labelSmoothing: smoothing));
        Gradients(x => Loss.SoftmaxCrossEntropy(x[0], p, classWeights: s_weights, labelSmoothing: smoothing), s_x);
    }

    [Fact]
    public void OptionsThatDoNothingGiveTheShorterOverloads()
    {
        NDArray target = Nd.Array(s_labels);
        Close(Loss.SoftmaxCrossEntropy(s_x, target), Loss.SoftmaxCrossEntropy(s_x, target, ignoreLabel: -100));
        Close(Loss.SoftmaxCrossEntropy(s_x, target), Loss.SoftmaxCrossEntropy(s_x, target, classWeights: Nd.Ones(Classes)));
        Close(Loss.SoftmaxCrossEntropy(s_x, target, 0.2), Loss.SoftmaxCrossEntropy(s_x, target, classWeights: Nd.Ones(Classes), labelSmoothing: 0.2));
        Close(Loss.NegativeLogLikelihood(s_x, target), Loss.NegativeLogLikelihood(s_x, target, ignoreLabel: -1));
        NDArray images = Random((2, 3, Classes));
        NDArray labels = Nd.Array(new[,] { { 0, 255, 3 }, { 255, 1, 1 } });
        NDArray counted = Loss.SoftmaxCrossEntropy(Nd.Stack([images[0, 0], images[0, 2], images[1, 1], images[1, 2]]), Nd.Array([0, 3, 1, 1]));
        Close(counted, Loss.SoftmaxCrossEntropy(images, labels, ignoreLabel: 255));
    }

    [Fact]
    public void WhereNoLabelCountsTheSumIsZeroAndTheMeanNoNumber()
    {
        NDArray none = Nd.Array([9, 9, 9, 9, 9]), x = Leaf.Attached(s_x.Copy());
        Close([0], Loss.SoftmaxCrossEntropy(s_x, none, Reduction.Sum, ignoreLabel: 9));
        Close([double.NaN], Loss.SoftmaxCrossEntropy(s_x, none, ignoreLabel: 9));
        Close([double.NaN], Loss.NegativeLogLikelihood(s_x, none, ignoreLabel: 9, classWeights: s_weights));
        using (Autograd.Record()) Loss.SoftmaxCrossEntropy(x, none, Reduction.Sum, ignoreLabel: 9).Backward();
        Close(new double[20], x.Grad!);
    }

    [Fact]
    public void HalvesAreRoundedOnce()
    {
        NDArray target = Nd.Array(s_labels), x = s_x.AsType(DType.Float16), wide = x.AsType(DType.Float32);
        NDArray expected = Loss.SoftmaxCrossEntropy(wide, target, classWeights: s_weights, ignoreLabel: 3, labelSmoothing: 0.1).AsType(DType.Float16);
        Assert.Null(Bits.Difference(expected, Loss.SoftmaxCrossEntropy(x, target, classWeights: s_weights, ignoreLabel: 3, labelSmoothing: 0.1)));
        Assert.Equal(DType.Float16, Loss.NegativeLogLikelihood(x, target, ignoreLabel: 3, classWeights: s_weights.AsType(DType.Float16)).DType);
    }

    [Fact]
    public void CompiledBitsAreThoseOfEagerExecution()
    {
        NDArray labels = Nd.Array([2, -100, 3, 0, 1]), weights = s_weights.AsType(DType.Float32);
        Func<NDArray, NDArray, NDArray> f = (x, y) => Loss.SoftmaxCrossEntropy(x, y, classWeights: weights, ignoreLabel: -100, labelSmoothing: 0.1)
            + Loss.NegativeLogLikelihood(x, y, ignoreLabel: -100) + Loss.BinaryCrossEntropyWithLogits(x, Nd.Sigmoid(x), weights);
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = f.Hybridize();
        (NDArray value, NDArray gradient) = Both(f);
        for (int call = 0; call < 2; call++)
        {
            (NDArray later, NDArray gradientLater) = Both(compiled.Invoke);
            Assert.Null(Bits.Difference(value, later));
            Assert.Null(Bits.Difference(gradient, gradientLater));
        }

        Assert.False(compiled.Report.FellBack, compiled.Report.FallbackReason);

        (NDArray Value, NDArray Gradient) Both(Func<NDArray, NDArray, NDArray> loss)
        {
            NDArray x = Leaf.Attached(s_x.AsType(DType.Float32)), y;
            using (Autograd.Record()) y = loss(x, labels);
            y.Backward();
            return (y, x.Grad!);
        }
    }

    [Fact]
    public void PositiveSamplesCountSeveralTimes()
    {
        NDArray t = Nd.Abs(Random((5, Classes), 4));
        double[] x = s_x.Values(), target = t.Values(), weights = s_weights.Values(), terms = new double[20];
        for (int i = 0; i < 20; i++)
        {
            double s = 1 / (1 + Math.Exp(-x[i]));
            terms[i] = -weights[i % Classes] * target[i] * Math.Log(s) - (1 - target[i]) * Math.Log(1 - s);
        }

        Close(s_x.Shape, terms, Loss.BinaryCrossEntropyWithLogits(s_x, t, s_weights, Reduction.None));
        Close([terms.Average()], Loss.BinaryCrossEntropyWithLogits(s_x, t, s_weights));
        Gradients(v => Loss.BinaryCrossEntropyWithLogits(v[0], v[1], s_weights), s_x, t);
        Close([0, 3000], Loss.BinaryCrossEntropyWithLogits(Doubles(1000, -1000), Doubles(1, 1), Nd.Scalar(3), Reduction.None));
        Expect.Throws<ShapeException>(() => Loss.BinaryCrossEntropyWithLogits(s_x, t, Nd.Ones(5)), "BinaryCrossEntropyWithLogits: positiveWeight (5,)", "(5, 4)");
    }

    [Fact]
    public void WhatDoesNotFitIsNamed()
    {
        NDArray target = Nd.Array(s_labels);
        Expect.Throws<ShapeException>(() => Loss.SoftmaxCrossEntropy(s_x, target, classWeights: Nd.Ones(3)), "SoftmaxCrossEntropy: classWeights must be (4,)", "(3,)");
        Expect.Throws<ShapeException>(() => Loss.NegativeLogLikelihood(s_x, target, classWeights: Nd.Ones((4, 1))), "NegativeLogLikelihood: classWeights must be (4,)");
        Expect.Throws<ArgumentOutOfRangeException>(() => Loss.SoftmaxCrossEntropy(s_x, Nd.Array([0, 1, 2, 3, 4]), ignoreLabel: 3), "SoftmaxCrossEntropy: label 4", "'target'");
        Expect.Throws<ArgumentOutOfRangeException>(() => Loss.NegativeLogLikelihood(s_x, Nd.Array([0, 1, 2, 3, -1]), ignoreLabel: -100), "NegativeLogLikelihood: label -1");
        Expect.Throws<ArgumentException>(() => Loss.SoftmaxCrossEntropy(s_x, s_x, ignoreLabel: 3), "SoftmaxCrossEntropy: the target holds probabilities", "Reduction.None");
        Expect.Throws<ShapeException>(() => Loss.SoftmaxCrossEntropy(s_x, Nd.Array([1]), ignoreLabel: 3), "SoftmaxCrossEntropy: logits (5, 4)");
        Expect.Throws<DTypeException>(() => Loss.SoftmaxCrossEntropy(s_x, Nd.Ones(5), ignoreLabel: 3), "SoftmaxCrossEntropy", "Float32");
    }
}
