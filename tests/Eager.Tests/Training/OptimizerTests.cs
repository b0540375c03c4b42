using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Optimizers against PyTorch's formulas written by hand in double, and the rules about gradients.</summary>
public sealed class OptimizerTests
{
    private const int Steps = 12;
    private static readonly double[] s_start = [1, -2, 0.5, 4, 0];

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0, 0.1, false)]
    [InlineData(0.9, 0, false)]
    [InlineData(0.9, 0.01, false)]
    [InlineData(0.9, 0, true)]
    [InlineData(0.5, 0.2, true)]
    public void StochasticGradientDescent(double momentum, double weightDecay, bool nesterov) => Compare(
        p => new Sgd(p, 0.05, momentum, weightDecay, nesterov),
        (p, state, g, _) =>
        {
            g += weightDecay * p;
            if (momentum == 0) return p - 0.05 * g;
            state[0] = momentum * state[0] + g;
            return p - 0.05 * (nesterov ? g + momentum * state[0] : state[0]);
        });

    [Theory]
    [InlineData(0.9, 0.999, 1e-8, 0, false)]
    [InlineData(0.8, 0.99, 1e-3, 0, false)]
    [InlineData(0.9, 0.999, 1e-8, 0.1, false)]
    [InlineData(0.9, 0.999, 1e-8, 0.1, true)]
    [InlineData(0, 0, 1e-2, 0.01, true)]
    public void AdaptiveMoments(double beta1, double beta2, double epsilon, double weightDecay, bool decoupled) => Compare(
        p => decoupled ? new AdamW(p, 0.1, beta1, beta2, epsilon, weightDecay) : new Adam(p, 0.1, beta1, beta2, epsilon, weightDecay),
        (p, state, g, t) =>
        {
            if (decoupled) p -= 0.1 * weightDecay * p;
            else g += weightDecay * p;
            state[0] = beta1 * state[0] + (1 - beta1) * g;
            state[1] = beta2 * state[1] + (1 - beta2) * g * g;
            double corrected = Math.Sqrt(state[1]) / Math.Sqrt(1 - Math.Pow(beta2, t)) + epsilon;
            return p - 0.1 / (1 - Math.Pow(beta1, t)) * state[0] / corrected;
        });

    [Fact]
    public void TheDefaultsAreThoseOfPyTorch()
    {
        Assert.Equal((1e-3, 1e-3), (new Adam([Leaf.Of(1)]).LearningRate, new AdamW([Leaf.Of(1)]).LearningRate));
        NDArray adam = Leaf.Doubles(1), adamW = Leaf.Doubles(1);
        Step(new Adam([adam]), adam);
        Step(new AdamW([adamW]), adamW);
        Expect.Near(1e-10, adam, 1 - 1e-3);
        Expect.Near(1e-10, adamW, 1 - 1e-3 - 1e-5);
    }

    [Fact]
    public void TheLearningRateMayChangeBetweenSteps()
    {
        NDArray w = Leaf.Doubles(10);
        Sgd sgd = new([w], 1);
        Step(sgd, w);
        sgd.LearningRate = 0.5;
        Step(sgd, w);
        Expect.Elements(w, 8.5);
        Assert.Equal(2, sgd.StepCount);
        Expect.Throws<ArgumentOutOfRangeException>(() => sgd.LearningRate = -1, "Sgd");
        Expect.Throws<ArgumentOutOfRangeException>(() => sgd.LearningRate = double.NaN, "Sgd");
    }

    [Fact]
    public void AStaleGradientIsRefusedByNameAndNothingChanges()
    {
        Linear layer = new(2, 1);
        Sgd sgd = new(layer.Parameters, 0.1);
        double[] before = Expect.Doubles(layer.Weight);
        using (Autograd.Record()) layer.Weight.Sum().Backward();
        Expect.Throws<AutogradException>(sgd.Step, "Sgd.Step", "'bias'", "(1,)", "IgnoreStaleGradients");
        Assert.Equal(before, Expect.Doubles(layer.Weight));
        Assert.True(layer.Weight.FreshGrad);
        sgd.IgnoreStaleGradients = true;
        double[] bias = Expect.Doubles(layer.Bias!);
        sgd.Step();
        Assert.Equal(bias, Expect.Doubles(layer.Bias!));
        Expect.Near(1e-6, layer.Weight, before[0] - 0.1, before[1] - 0.1);
        sgd.IgnoreStaleGradients = false;
        Expect.Throws<AutogradException>(sgd.Step, "'weight'");
        Expect.Throws<AutogradException>(new Sgd([Leaf.Of(1, 2)], 0.1).Step, "parameter 0, (2,)");
        Expect.Throws<AutogradException>(new Sgd([Nd.Ones(2)], 0.1).Step, "has no gradient", "AttachGrad()");
        NDArray gone = Leaf.Of(1, 2);
        Sgd ofGone = new([gone], 0.1);
        gone.Dispose();
        Expect.Throws<ObjectDisposedException>(ofGone.Step, "Sgd.Step", "parameter 0, (2,)", "disposed");
    }

    [Fact]
    public void AParameterThatWasSkippedKeepsItsOwnStepCount()
    {
        NDArray often = Leaf.Doubles(1), seldom = Leaf.Doubles(1);
        Adam adam = new([often, seldom], 0.1) { IgnoreStaleGradients = true };
        for (int i = 0; i < 5; i++) Step(adam, often);
        Expect.Elements(seldom, 1);
        Step(adam, seldom);
        Expect.Near(1e-7, seldom, 0.9);
    }

    [Fact]
    public void AStepIsNotRecordedAndWorksInsideTheScope()
    {
        NDArray w = Leaf.Doubles(2);
        Sgd sgd = new([w], 0.5, momentum: 0.9);
        using (Autograd.Record())
        {
            (w * w).Backward();
            sgd.Step();
            Assert.True(Autograd.IsRecording);
            (w * w).Backward();
            sgd.Step();
        }

        Expect.Near(1e-14, w, -(0.9 * 4 * 0.5));
        Assert.Same(w, Assert.Single(sgd.Parameters));
    }

    [Fact]
    public void AddedGradientsOfSeveralBatchesMakeOneStep()
    {
        NDArray w = Leaf.Attached(Nd.Array([1.0]), GradReq.Add);
        Sgd sgd = new([w], 0.1);
        for (int step = 0; step < 2; step++)
        {
            for (int batch = 0; batch < 4; batch++)
                using (Autograd.Record()) (w * 2).Backward();
            sgd.Step();
            sgd.ZeroGrad();
        }

        Expect.Near(1e-14, w, 1 - 2 * 0.8);
    }

    [Fact]
    public void ClippingScalesAllGradientsByOneFactor()
    {
        NDArray a = Leaf.Doubles(0, 0), b = Leaf.Of(0);
        Sgd sgd = new([a, b], 0.1);
        using (Autograd.Record()) Autograd.Backward([a, b], [Nd.Array([3.0, 4]), Nd.Array([12f])]);
        Assert.Equal(13, sgd.ClipGradNorm(20), 1e-12);
        Expect.Elements(a.Grad, 3, 4);
        Assert.Equal(13, sgd.ClipGradNorm(1), 1e-12);
        Expect.Near(1e-6, a.Grad, 3 / 13.0, 4 / 13.0);
        Expect.Near(1e-6, b.Grad, 12 / 13.0);
        Assert.True(a.FreshGrad && b.FreshGrad);
        Assert.Equal(1, sgd.ClipGradNorm(5), 1e-6);
        Expect.Throws<ArgumentOutOfRangeException>(() => sgd.ClipGradNorm(0));
        Expect.Throws<ArgumentOutOfRangeException>(() => sgd.ClipGradNorm(double.NaN));
    }

    /// <summary>As PyTorch's clip_grad_norm_: the factor is maxNorm/(norm + 10⁻⁶), whatever the norm is.</summary>
    [Fact]
    public void ANormThatIsNotFiniteClipsAsTheFormulaSays()
    {
        NDArray a = Leaf.Doubles(0, 0), b = Leaf.Of(0);
        Sgd sgd = new([a, b], 0.1);
        Gradients(1, double.PositiveInfinity, 2);
        Assert.Equal(double.PositiveInfinity, sgd.ClipGradNorm(1));
        Expect.Elements(a.Grad, 0, double.NaN);
        Expect.Elements(b.Grad, 0);
        Gradients(1, double.NaN, 2);
        Assert.Equal(double.NaN, sgd.ClipGradNorm(1));
        Expect.Elements(a.Grad, double.NaN, double.NaN);
        Expect.Elements(b.Grad, double.NaN);

        void Gradients(double first, double second, float third)
        {
            using (Autograd.Record()) Autograd.Backward([a, b], [Nd.Array([first, second]), Nd.Array([third])]);
        }
    }

    [Fact]
    public void BadArgumentsAreRefused()
    {
        NDArray w = Leaf.Of(1);
        Expect.Throws<ArgumentException>(() => _ = new Sgd([], 0.1), "Sgd", "no parameters");
        Expect.Throws<ArgumentException>(() => _ = new Adam([w, w]), "Adam", "parameter 1", "twice");
        Expect.Throws<ArgumentNullException>(() => _ = new Sgd((IEnumerable<NDArray>)null!, 0.1));
        Expect.Throws<ArgumentNullException>(() => _ = new Sgd((IReadOnlyDictionary<string, NDArray>)null!, 0.1));
        Expect.Throws<ArgumentNullException>(() => _ = new Sgd([w, null!], 0.1));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Sgd([w], -0.1));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Sgd([w], 0.1, momentum: -1));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Sgd([w], 0.1, weightDecay: -1));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Sgd([w], 0.1, nesterov: true), "Nesterov");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Adam([w], beta1: 1), "beta1");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Adam([w], beta2: -0.1), "beta2");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Adam([w], epsilon: -1));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new AdamW([w], weightDecay: -1));
    }

    // The loss Σ cᵢ·sin(pᵢ)·pᵢ gives gradients of both signs; in Float64 the trajectories agree to rounding, in Float32 nearly.
    private static void Compare(Func<IEnumerable<NDArray>, Optimizer> create, Func<double, double[], double, int, double> formula)
    {
        NDArray wide = Leaf.Doubles(s_start), single = Leaf.Of(s_start);
        Optimizer optimizer = create([wide, single]);
        double[] p = [.. s_start];
        double[][] state = Array.ConvertAll(p, static _ => new double[2]);
        for (int t = 1; t <= Steps; t++)
        {
            using (Autograd.Record()) Autograd.Backward([wide.Sin() * wide, single.Sin() * single]);
            for (int i = 0; i < p.Length; i++) p[i] = formula(p[i], state[i], Math.Cos(p[i]) * p[i] + Math.Sin(p[i]), t);
            optimizer.Step();
            Assert.False(wide.FreshGrad || single.FreshGrad);
            Expect.Near(1e-12, wide, p);
            Expect.Near(2e-4, single, p);
        }

        Assert.Equal(Steps, optimizer.StepCount);
    }

    // One step on the loss w, whose gradient is 1.
    private static void Step(Optimizer optimizer, NDArray w)
    {
        using (Autograd.Record()) w.Sum().Backward();
        optimizer.Step();
    }
}
