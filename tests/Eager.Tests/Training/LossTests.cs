using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Losses against their formulas in double, every reduction, and their gradients.</summary>
public sealed class LossTests
{
    private static readonly double[] s_prediction = [0.5, -1.5, 2, 0, 30, -40];
    private static readonly double[] s_target = [1, 0.25, 2, 0.5, 1, 0];

    public static TheoryData<string> Names => [.. s_losses.Keys];

    // Element-wise losses: name → (function, formula of prediction and target).
    private static readonly Dictionary<string, (Func<NDArray, NDArray, Reduction, NDArray> Loss, Func<double, double, double> Formula)> s_losses = new()
    {
        ["MeanSquaredError"] = (Loss.MeanSquaredError, static (p, t) => (p - t) * (p - t)),
        ["L1"] = (Loss.L1, static (p, t) => Math.Abs(p - t)),
        ["Huber"] = (static (p, t, r) => Loss.Huber(p, t, r), static (p, t) => Math.Abs(p - t) <= 1 ? (p - t) * (p - t) / 2 : Math.Abs(p - t) - 0.5),
        ["Huber, δ = 2"] = (static (p, t, r) => Loss.Huber(p, t, r, delta: 2), static (p, t) => Math.Abs(p - t) <= 2 ? (p - t) * (p - t) / 2 : 2 * (Math.Abs(p - t) - 1)),
        ["BinaryCrossEntropyWithLogits"] = (Loss.BinaryCrossEntropyWithLogits, static (p, t) => Math.Max(p, 0) + Math.Log(1 + Math.Exp(-Math.Abs(p))) - p * t),
        ["Hinge"] = (static (p, t, r) => Loss.Hinge(p, t, r), static (p, t) => Math.Max(0, 1 - p * t)),
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void ElementwiseLossesFollowTheirFormulas(string name)
    {
        (Func<NDArray, NDArray, Reduction, NDArray> loss, Func<double, double, double> formula) = s_losses[name];
        double[] expected = [.. s_prediction.Zip(s_target, formula)];
        NDArray p = Nd.Array(s_prediction).Reshape(2, 3), t = Nd.Array(s_target).Reshape(2, 3);
        Assert.Equal(new Shape(2, 3), loss(p, t, Reduction.None).Shape);
        Expect.Near(1e-12, loss(p, t, Reduction.None), expected);
        Expect.Near(1e-12, loss(p, t, Reduction.Sum), expected.Sum());
        Expect.Near(1e-12, loss(p, t, Reduction.Mean), expected.Average());
        Assert.Equal(0, loss(p, t, Reduction.Mean).Rank);
        GradientCheckReport report = Autograd.CheckGradients(x => loss(x[0], t.Reshape(6)[..4], Reduction.Mean), [Nd.Array([0.3, -1.2, 1.1, 0.1])], order: 2);
        Assert.True(report.Passed, report.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ATargetThatWouldOnlyBroadcastIsAnError(string name) =>
        Expect.Throws<ShapeException>(() => s_losses[name].Loss(Nd.Ones((4, 1)), Nd.Ones(4), Reduction.Mean), name.Split(',')[0], "(4, 1)", "(4,)", "Reshape");

    [Theory]
    [MemberData(nameof(Names))]
    public void IntegersAreConvertedToFloat32(string name)
    {
        Func<NDArray, NDArray, Reduction, NDArray> loss = s_losses[name].Loss;
        NDArray p = Nd.Array([1, 200, 3]), t = Nd.Array([3, 1, 1]);
        foreach (DType dtype in new[] { DType.UInt8, DType.Int32, DType.Int64, DType.Bool })
        {
            (NDArray x, NDArray y) = (p.AsType(dtype), t.AsType(dtype));
            foreach (Reduction reduction in Enum.GetValues<Reduction>())
            {
                NDArray expected = loss(x.AsType(DType.Float32), y.AsType(DType.Float32), reduction), actual = loss(x, y, reduction);
                Assert.Equal(DType.Float32, actual.DType);
                if (!expected.ArrayEqual(actual)) Assert.Fail($"{dtype}, {reduction}: {actual}, expected {expected}");
            }
        }
    }

    [Fact]
    public void CrossEntropyOfClassesAndOfProbabilities()
    {
        double[,] logits = { { 1, 2, 3 }, { 1000, 0, -1000 } };
        NDArray x = Leaf.Attached(Nd.Array(logits));
        double logSum = Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(3));
        double[] expected = [logSum - 1, 1000];
        foreach (NDArray target in new[] { Nd.Array([0, 1]), Nd.Array([0L, 1L]), Nd.Array([0, 1]).OneHot(3).AsType(DType.Float64) })
        {
            Expect.Near(1e-14, Loss.SoftmaxCrossEntropy(x, target, Reduction.None), expected);
            Expect.Near(1e-14, Loss.SoftmaxCrossEntropy(x, target, Reduction.Sum), expected.Sum());
            using (Autograd.Record()) Loss.SoftmaxCrossEntropy(x, target).Backward();
            double[] softmax = [Math.Exp(1 - logSum), Math.Exp(2 - logSum), Math.Exp(3 - logSum), 1, 0, 0];
            Expect.Near(1e-14, x.Grad, (softmax[0] - 1) / 2, softmax[1] / 2, softmax[2] / 2, 0.5, -0.5, 0);
        }
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(1)]
    public void LabelSmoothingMixesTheClassesIn(double smoothing)
    {
        NDArray x = Nd.Array(new[,] { { 1, 2, 3.5 }, { -4, 0.25, 7 } }), classes = Nd.Array([2, 0]), p = classes.OneHot(3).AsType(DType.Float64);
        NDArray expected = Loss.SoftmaxCrossEntropy(x, p * (1 - smoothing) + smoothing / 3, Reduction.None);
        foreach (NDArray target in new[] { classes, p })
        {
            Expect.Near(1e-14, Loss.SoftmaxCrossEntropy(x, target, smoothing, Reduction.None), expected.ToArray<double>());
            Expect.Near(1e-14, Loss.SoftmaxCrossEntropy(x, target, smoothing, Reduction.Sum), expected.Sum().Item<double>());
            Expect.Near(1e-14, Loss.SoftmaxCrossEntropy(x, target, labelSmoothing: smoothing), expected.Mean().Item<double>());
            GradientCheckReport report = Autograd.CheckGradients(v => Loss.SoftmaxCrossEntropy(v[0], target, labelSmoothing: smoothing), [x], order: 2);
            Assert.True(report.Passed, report.ToString());
            NDArray half = Loss.SoftmaxCrossEntropy(x.AsType(DType.Float16), target == p ? p.AsType(DType.Float16) : target, labelSmoothing: smoothing);
            Assert.Equal(DType.Float16, half.DType);
        }
    }

    [Fact]
    public void KullbackLeiblerDivergence()
    {
        double[] target = [0.2, 0, 0.8, 0.5, 0.25, 0.25];
        double[] log = [-1, -2, -0.5, -1.5, -0.25, -3];
        double[] terms = [.. target.Zip(log, static (t, l) => t == 0 ? 0 : t * (Math.Log(t) - l))];
        NDArray p = Nd.Array(log).Reshape(2, 3), t = Nd.Array(target).Reshape(2, 3);
        Expect.Near(1e-14, Loss.KLDivergence(p, t, Reduction.None), terms[..3].Sum(), terms[3..].Sum());
        Expect.Near(1e-14, Loss.KLDivergence(p, t), terms.Sum() / 2);
        NDArray x = Leaf.Attached(p.Copy());
        using (Autograd.Record()) Loss.KLDivergence(x, t, Reduction.Sum).Backward();
        Expect.Near(1e-14, x.Grad, [.. target.Select(static v => -v)]);
    }

    /// <summary>A class without probability on either side, such as a masked one, counts for nothing; what is no number is not hidden.</summary>
    [Fact]
    public void DivergenceOfClassesThatAreMasked()
    {
        NDArray log = Leaf.Attached(Nd.Array([-0.5, double.NegativeInfinity])), target = Leaf.Attached(Nd.Array([1.0, 0])), loss;
        using (Autograd.Record()) loss = Loss.KLDivergence(log, target);
        Expect.Near(1e-14, loss, 0.5);
        loss.Backward();
        Expect.Near(1e-14, log.Grad, -1, 0);
        Expect.Near(1e-14, target.Grad, 1.5, 0);
        Assert.Equal(double.NaN, Loss.KLDivergence(Nd.Array([-0.5, -1.0]), Nd.Array([1, double.NaN])).Item<double>());
        Assert.Equal(double.PositiveInfinity, Loss.KLDivergence(Nd.Array([-0.5, double.NegativeInfinity]), Nd.Array([0.5, 0.5])).Item<double>());
    }

    /// <summary>The literal 0 fits a smoothing and a reduction; it is the smoothing.</summary>
    [Fact]
    public void ALiteralZeroIsNoSmoothing()
    {
        NDArray x = Nd.Array(new[,] { { 1.0, 2, 3 }, { 0, 1, 0 } }), labels = Nd.Array([0, 1]);
        Assert.Equal(Loss.SoftmaxCrossEntropy(x, labels).Item<double>(), Loss.SoftmaxCrossEntropy(x, labels, 0).Item<double>());
        Assert.Equal(new Shape(2), Loss.SoftmaxCrossEntropy(x, labels, Reduction.None).Shape);
    }

    [Fact]
    public void BadArgumentsAreRefused()
    {
        Expect.Throws<ArgumentNullException>(() => Loss.L1(null!, Nd.Ones(1)));
        Expect.Throws<ArgumentNullException>(() => Loss.L1(Nd.Ones(1), null!));
        Expect.Throws<ArgumentOutOfRangeException>(() => Loss.L1(Nd.Ones(1), Nd.Ones(1), (Reduction)8), "reduction");
        Expect.Throws<ArgumentOutOfRangeException>(() => Loss.Huber(Nd.Ones(1), Nd.Ones(1), delta: 0));
        Expect.Throws<ArgumentOutOfRangeException>(() => Loss.SoftmaxCrossEntropy(Nd.Ones((1, 3)), Nd.Array([3])), "label", "'target'");
    }
}
