using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

[Collection(WholeStepCollection.Name)]
public class WholeStepEqualityTests
{
    public static TheoryData<string, Func<IEnumerable<NDArray>, Optimizer>> Optimizers => new()
    {
        { "Sgd", p => new Sgd(p, 0.1) },
        { "Sgd with decay", p => new Sgd(p, 0.1, weightDecay: 0.01) },
        { "momentum", p => new Sgd(p, 0.05, momentum: 0.9) },
        { "Nesterov", p => new Sgd(p, 0.05, momentum: 0.9, weightDecay: 0.01, nesterov: true) },
        { "Adam", p => new Adam(p, 0.01) },
        { "Adam with decay", p => new Adam(p, 0.01, weightDecay: 0.1) },
        { "AdamW", p => new AdamW(p, 0.01) },
        { "RmsProp", p => new RmsProp(p, 0.01, momentum: 0.5, centered: true) },
        { "AdaGrad", p => new AdaGrad(p, 0.01, learningRateDecay: 0.1, initialAccumulator: 0.2) },
        { "AdaDelta", p => new AdaDelta(p, weightDecay: 0.01) },
        { "Lamb", p => new Lamb(p, 0.01) },
        { "Adamax", p => new Adamax(p, 0.01, weightDecay: 0.01) },
        { "NAdam", p => new NAdam(p, 0.01) },
        { "RAdam", p => new RAdam(p, 0.01) },
    };

    public static TheoryData<string> Bodies => [.. WholeStepBodies.All.Keys];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void FiftyStepsHaveTheEagerBits(string name, Func<IEnumerable<NDArray>, Optimizer> optimizer)
    {
        StepTwins twins = new(StepTwins.Mlp, optimizer, StepTwins.PlainStep);
        for (int i = 0; i < 50; i++) twins.StepBoth(i);
        Assert.False(twins.Function.Report.FellBack, $"{name}: {twins.Function.Report.FallbackReason}");
        Assert.Equal(1, twins.Function.Report.VariantCount);
        Assert.Equal(49, twins.Function.Report.CacheHits);
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public void EveryBodyHasTheEagerBits(string name)
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Adam(p, 0.01), WholeStepBodies.All[name]);
        for (int i = 0; i < 4; i++) twins.StepBoth(i);
        Assert.Null(twins.Function.Report.FallbackReason);
        Assert.Equal(1, twins.Function.Report.VariantCount);
    }

    [Fact]
    public void RecordingOutsideChangesNothing()
    {
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Sgd(p, 0.1, momentum: 0.9),
            static (network, optimizer) => (x, y) =>
            {
                NDArray loss = Loss.SoftmaxCrossEntropy(network.Forward(x), y);
                loss.Backward();
                optimizer.Step();
                return loss;
            });
        for (int i = 0; i < 4; i++)
        {
            using RecordScope scope = Autograd.Record();
            twins.StepBoth(i);
        }

        Assert.Null(twins.Function.Report.FallbackReason);
        (NDArray x, NDArray y) = StepTwins.Batch(0);
        using RecordScope recording = Autograd.Record();
        AutogradException expected = Assert.Throws<AutogradException>(() => twins.EagerStep(x, y).Backward());
        AutogradException actual = Assert.Throws<AutogradException>(() => twins.Function.Invoke(x, y).Backward());
        Assert.Contains("already released", expected.Message, StringComparison.Ordinal);
        Assert.Contains("already released", actual.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EagerAndCompiledStepsMix()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Adam(p, 0.01), StepTwins.PlainStep);
        Func<NDArray, NDArray, NDArray> eagerly = StepTwins.PlainStep(twins.Compiled, twins.CompiledOptimizer);
        for (int i = 0; i < 9; i++)
        {
            (NDArray x, NDArray y) = StepTwins.Batch(i);
            NDArray expected = twins.EagerStep(x, y);
            NDArray actual = i % 3 == 1 ? eagerly(x, y) : twins.Function.Invoke(x, y);
            Assert.Equal(StepTwins.Bytes(expected), StepTwins.Bytes(actual));
            twins.AssertSameState();
        }
    }

    [Fact]
    public void AnotherBatchSizeIsAnotherVariantOfTheSameKernels()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new AdamW(p, 0.01), WholeStepBodies.All["summed loss"]);
        twins.StepBoth(0, 6);
        int compiled = twins.Function.Report.CompileCount;
        twins.StepBoth(1, 4);
        twins.StepBoth(2, 6);
        twins.StepBoth(3, 4);
        Assert.Equal(2, twins.Function.Report.VariantCount);
        Assert.Equal(2, twins.Function.Report.CacheHits);
        Assert.Equal(compiled, twins.Function.Report.CompileCount);
    }

    [Fact]
    public void ALearningRateScheduleIsSeenWithoutTracingAgain()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Adam(p, 0.01), StepTwins.PlainStep);
        for (int i = 0; i < 10; i++)
        {
            twins.EagerOptimizer.LearningRate = twins.CompiledOptimizer.LearningRate = 0.1 / (i + 1);
            twins.StepBoth(i);
        }

        Assert.Equal(1, twins.Function.Report.VariantCount);
    }

    [Fact]
    public void AScheduleStepsInsideTheCompiledStep()
    {
        StepTwins twins = new(
            StepTwins.Mlp,
            static p => new Adam(p, 0.05),
            static (network, optimizer) =>
            {
                StepSchedule schedule = new(optimizer, size: 2, gamma: 0.5);
                Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
                return (x, y) =>
                {
                    NDArray loss = step(x, y);
                    schedule.Step();
                    return loss;
                };
            });
        for (int i = 0; i < 8; i++)
        {
            twins.StepBoth(i);
            Assert.Equal(twins.EagerOptimizer.LearningRate, twins.CompiledOptimizer.LearningRate);
        }

        Assert.Null(twins.Function.Report.FallbackReason);
        Assert.Equal(1, twins.Function.Report.VariantCount);
        Assert.Equal(0.05 / 16, twins.CompiledOptimizer.LearningRate, 1e-12);
    }

    [Fact]
    public void AnOptimizerOfOnesOwnIsTracedForItsLearningRate()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new SignDescent(p, 0.1), StepTwins.PlainStep);
        for (int i = 0; i < 6; i++)
        {
            twins.EagerOptimizer.LearningRate = twins.CompiledOptimizer.LearningRate = i < 3 ? 0.1 : 0.01;
            twins.StepBoth(i);
        }

        Assert.Null(twins.Function.Report.FallbackReason);
        Assert.Equal(2, twins.Function.Report.VariantCount);
    }

    [Fact]
    public void AHybridizedModuleInsideIsPartOfThePlan()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Sgd(p, 0.1), StepTwins.PlainStep);
        twins.Compiled.Hybridize();
        for (int i = 0; i < 4; i++) twins.StepBoth(i);
        Assert.Null(twins.Function.Report.FallbackReason);
        Assert.Equal(0, twins.Compiled.Hybridized().Report.VariantCount);
    }

    [Fact]
    public void VerificationComparesStateTooAndLeavesIt()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Adam(p, 0.01), WholeStepBodies.All["dropout"], new HybridOptions { Verify = HybridVerify.Always });
        for (int i = 0; i < 4; i++) twins.StepBoth(i);
        Assert.Null(twins.Function.Report.FallbackReason);
    }

    private sealed class SignDescent(IEnumerable<NDArray> parameters, double learningRate) : Optimizer(parameters, learningRate)
    {
        protected override void Update(int index, NDArray parameter, NDArray gradient) => parameter.Assign(parameter - LearningRate * Nd.Sign(gradient));
    }
}
