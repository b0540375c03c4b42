using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>What a call, or a trace, leaves behind when it fails.</summary>
[Collection(WholeStepCollection.Name)]
public class WholeStepSafetyTests
{
    private static StepTwins Twins() => new(StepTwins.Mlp, static p => new Adam(p, 0.01), WholeStepBodies.All["dropout"]);

    [Fact]
    public void AThrowingCallChangesNothing()
    {
        StepTwins twins = Twins();
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
        (NDArray x, _) = StepTwins.Batch(9);
        NDArray bad = Nd.Array([0, 1, 2, 99, 1, 0]);
        RandomState random = Nd.Random.Place;
        for (int i = 0; i < 2; i++) Assert.Throws<ArgumentOutOfRangeException>(() => twins.Function.Invoke(x, bad));
        Assert.Equal(random, Nd.Random.Place);
        Assert.False(Autograd.IsRecording);
        Assert.False(Autograd.IsTraining);
        twins.AssertSameState();
        for (int i = 3; i < 6; i++) twins.StepBoth(i);
    }

    [Fact]
    public void ACallThatThrowsAfterTheUpdateChangesNothing()
    {
        NDArray table = Nd.Ones((4, 2));
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Adam(p, 0.01),
            (network, optimizer) =>
            {
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) => step(x, y) + Nd.Sum(Nd.Take(table, Nd.Sum(y).AsType(DType.Int32)));
            });
        (NDArray x, NDArray good) = (StepTwins.Batch(1).X, Nd.Array([0, 1, 0, 0, 1, 1]));
        NDArray bad = Nd.Array([2, 2, 2, 2, 2, 2]);
        NDArray expected = twins.EagerStep(x, good);
        Assert.Equal(StepTwins.Bytes(expected), StepTwins.Bytes(twins.Function.Invoke(x, good)));
        for (int i = 0; i < 2; i++) Assert.Throws<ArgumentOutOfRangeException>(() => twins.Function.Invoke(x, bad));
        twins.AssertSameState();
        Assert.Equal(StepTwins.Bytes(twins.EagerStep(x, good)), StepTwins.Bytes(twins.Function.Invoke(x, good)));
        twins.AssertSameState();
        Assert.Null(twins.Function.Report.FallbackReason);
    }

    [Fact]
    public void AScheduleThatThrowsInsideTheStepChangesNothing()
    {
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Adam(p, 0.01),
            static (network, optimizer) =>
            {
                LambdaSchedule schedule = new(optimizer, static t => t <= 3 ? 1.0 / (t + 1) : throw new InvalidDataException("no rate"));
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) =>
                {
                    NDArray loss = step(x, y);
                    schedule.Step();
                    return loss;
                };
            });
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
        (NDArray x, NDArray y) = StepTwins.Batch(9);
        double rate = twins.CompiledOptimizer.LearningRate;
        for (int i = 0; i < 2; i++) Assert.Throws<InvalidDataException>(() => twins.Function.Invoke(x, y));
        Assert.Equal(rate, twins.CompiledOptimizer.LearningRate);
        twins.AssertSameState();
        Assert.Null(twins.Function.Report.FallbackReason);
    }

    [Fact]
    public void StepsRunEagerlyWhileTheyAreCompiledInTheBackground()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Adam(p, 0.01), StepTwins.ClippedStep, new HybridOptions { CompileInBackground = true });
        for (int i = 0; i < 200 && twins.Function.Report.KernelCount == 0; i++)
        {
            twins.StepBoth(i);
            Thread.Sleep(5);
        }

        Assert.True(twins.Function.Report.KernelCount > 0);
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
    }

    [Fact]
    public void AFirstCallThatThrowsChangesNothing()
    {
        StepTwins twins = Twins();
        (NDArray x, _) = StepTwins.Batch(9);
        RandomState random = Nd.Random.Place;
        Assert.Throws<ArgumentOutOfRangeException>(() => twins.Function.Invoke(x, Nd.Array([0, 1, 2, 99, 1, 0])));
        Assert.Equal(random, Nd.Random.Place);
        twins.AssertSameState();
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
        Assert.Null(twins.Function.Report.FallbackReason);
    }

    [Fact]
    public void ATraceThatThrowsChangesNothing()
    {
        StepTwins twins = Twins();
        Assert.Throws<ShapeException>(() => twins.Function.Invoke(Nd.Ones((6, 4)), Nd.Array([0, 1, 2, 0, 1, 0])));
        twins.AssertSameState();
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
    }

    [Fact]
    public void ATraceThatFailsAfterTheUpdateFallsBackFromTheSameState()
    {
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Adam(p, 0.01),
            static (network, optimizer) =>
            {
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) => step(x, y).Item<float>() > 100 ? x : y;
            });
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
        Assert.True(twins.Function.Report.FellBack);
        Assert.Contains("Item", twins.Function.Report.FallbackReason, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutFallbackAFailedTraceThrowsAndChangesNothing()
    {
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Adam(p, 0.01),
            static (network, optimizer) => (x, y) =>
            {
                NDArray loss = StepTwins.PlainStep(network, optimizer)(x, y);
                optimizer.LearningRate *= 0.5;
                return loss;
            },
            new HybridOptions { FallbackToEager = false });
        (NDArray x, NDArray y) = StepTwins.Batch(0);
        HybridizeException error = Assert.Throws<HybridizeException>(() => twins.Function.Invoke(x, y));
        Assert.Contains("LearningRate", error.Message, StringComparison.Ordinal);
        twins.AssertSameState();
    }

    [Fact]
    public void TheNormOfTheGradientsIsAnArrayInsideAndANumberOutside()
    {
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Sgd(p, 0.1),
            static (network, optimizer) => (x, y) =>
            {
                NDArray loss;
                using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), y);
                loss.Backward();
                NDArray norm = optimizer.ClipGradNorm(0.1).Array;
                optimizer.Step();
                return norm;
            });
        for (int i = 0; i < 3; i++) twins.StepBoth(i);
        Assert.Null(twins.Function.Report.FallbackReason);

        double outside = twins.CompiledOptimizer.ClipGradNorm(1);
        Assert.Equal(0.1, outside, 1e-5);
        HybridFunction<Func<NDArray, NDArray>> read = new Func<NDArray, NDArray>(x => x * twins.CompiledOptimizer.ClipGradNorm(1)).Hybridize();
        read.Invoke(Nd.Ones(2));
        Assert.Contains("reads a value", read.Report.FallbackReason, StringComparison.Ordinal);
    }

    [Fact]
    public void AStaleGradientIsRefusedWhileTracing()
    {
        NDArray used = Nd.Ones(3), unused = Nd.Ones(2);
        used.AttachGrad();
        unused.AttachGrad();
        Sgd optimizer = new([used, unused], 0.1);
        HybridFunction<Func<NDArray>> step = new Func<NDArray>(() =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Nd.Sum(Nd.Square(used));
            loss.Backward();
            optimizer.Step();
            return loss;
        }).Hybridize();
        for (int i = 0; i < 2; i++) Assert.Contains("parameter 1", Assert.Throws<AutogradException>(() => step.Invoke()).Message, StringComparison.Ordinal);
        Assert.Equal(0, optimizer.StepCount);
        Assert.False(used.FreshGrad);
        Assert.Equal([0f, 0, 0], used.Grad!.ToArray<float>());

        optimizer.IgnoreStaleGradients = true;
        step.Invoke();
        step.Invoke();
        Assert.Null(step.Report.FallbackReason);
        Assert.Equal(1, step.Report.VariantCount);
        Assert.Equal([1f, 1], unused.ToArray<float>());
        Assert.Equal([0.64f, 0.64f, 0.64f], used.ToArray<float>(), (a, b) => Math.Abs(a - b) < 1e-6f);

        // What the trace relied on no longer holds: the call is refused again.
        optimizer.IgnoreStaleGradients = false;
        Assert.Throws<AutogradException>(() => step.Invoke());
        Assert.Equal(2, optimizer.StepCount);
    }

    [Fact]
    public void AStepWithoutBackwardAsksForFreshGradientsAtEveryCall()
    {
        NDArray p = Nd.Ones(3);
        p.AttachGrad();
        Sgd optimizer = new([p], 0.1);
        HybridFunction<Func<NDArray>> update = new Func<NDArray>(() =>
        {
            optimizer.Step();
            return p;
        }).Hybridize();
        for (int i = 0; i < 3; i++)
        {
            using (Autograd.Record()) Nd.Sum(p).Backward();
            Assert.True(p.FreshGrad);
            update.Invoke();
            Assert.False(p.FreshGrad);
            Assert.Throws<AutogradException>(() => update.Invoke());
        }

        Assert.Equal(3, optimizer.StepCount);
        Assert.Null(update.Report.FallbackReason);
    }

    [Fact]
    public void CallsFromSeveralThreadsFollowOneAnother()
    {
        NDArray counter = Nd.Zeros(1000);
        HybridFunction<Func<NDArray, NDArray>> add = new Func<NDArray, NDArray>(x =>
        {
            counter.Assign(counter + x);
            return Nd.Sum(counter);
        }).Hybridize();
        NDArray one = Nd.Ones(1000);
        Parallel.For(0, 8, _ =>
        {
            for (int i = 0; i < 25; i++) add.Invoke(one);
        });
        Assert.Null(add.Report.FallbackReason);
        Assert.All(counter.ToArray<float>(), static v => Assert.Equal(200f, v));
    }

    [Fact]
    public void OverwritingWhatBackwardNeedsIsTheEagerError()
    {
        NDArray w = Nd.Full(3, 2);
        w.AttachGrad();
        Func<NDArray, NDArray> f = x =>
        {
            NDArray y;
            using (Autograd.Record()) y = Nd.Sum(w * w * x);
            w.Fill(1);
            y.Backward();
            return y;
        };
        NDArray input = Nd.Ones(3);
        AutogradException expected = Assert.Throws<AutogradException>(() => f(input));
        w.Fill(2);
        int version = w.Version;
        AutogradException actual = Assert.Throws<AutogradException>(() => f.Hybridize().Invoke(input));
        Assert.StartsWith(expected.Message[..60], actual.Message, StringComparison.Ordinal);
        Assert.Equal(version, w.Version);
        Assert.Equal([2f, 2, 2], w.ToArray<float>());
    }

    [Fact]
    public void ACompiledWriteInvalidatesSavedArraysAsAnEagerOneDoes()
    {
        NDArray w = Nd.Full(3, 2);
        w.AttachGrad();
        HybridFunction<Func<NDArray, NDArray>> write = new Func<NDArray, NDArray>(x =>
        {
            w.Assign(x);
            return x + 1;
        }).Hybridize();
        NDArray y;
        using (Autograd.Record()) y = Nd.Sum(w * w);
        write.Invoke(Nd.Ones(3));
        Assert.Contains("compiled function", Assert.Throws<AutogradException>(() => y.Backward()).Message, StringComparison.Ordinal);
    }
}
