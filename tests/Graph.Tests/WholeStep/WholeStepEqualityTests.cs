using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

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
    };

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void FiftyStepsHaveTheEagerBits(string name, Func<IEnumerable<NDArray>, Optimizer> optimizer)
    {
        StepTwins twins = new(StepTwins.Mlp, optimizer, StepTwins.PlainStep);
        for (int i = 0; i < 50; i++)
        {
            (NDArray x, NDArray y) = StepTwins.Batch(i);
            twins.StepBoth(x, y);
        }

        Assert.False(twins.Function.Report.FellBack, $"{name}: {twins.Function.Report.FallbackReason}");
        Assert.Equal(1, twins.Function.Report.VariantCount);
        Assert.Equal(49, twins.Function.Report.CacheHits);
    }
}
