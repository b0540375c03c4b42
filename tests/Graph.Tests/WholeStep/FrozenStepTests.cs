using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Compiled steps whose parameters are frozen and thawed between calls, and norms of gradients that are not finite.</summary>
[Collection(WholeStepCollection.Name)]
public class FrozenStepTests
{
    [Fact]
    public void FreezingAndThawingBetweenCallsIsSeenByTheCompiledStep()
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new AdamW(p, 0.01), StepTwins.ClippedStep);
        for (int i = 0; i < 12; i++)
        {
            if (i % 3 == 2)
                foreach (Module network in new[] { twins.Eager, twins.Compiled }) Change(network, freeze: i % 6 == 2);
            (NDArray x, NDArray y) = StepTwins.Batch(i);
            byte[][] before = [.. twins.Compiled.Parameters.Values.Select(StepTwins.Bytes)];
            Assert.Equal(StepTwins.Bytes(twins.EagerStep(x, y)), StepTwins.Bytes(twins.Function.Invoke(x, y)));
            foreach (((string name, NDArray eager), byte[] old) in twins.Eager.Parameters.Zip(before))
            {
                NDArray compiled = twins.Compiled.Parameters[name];
                Assert.Equal(StepTwins.Bytes(eager), StepTwins.Bytes(compiled));
                Assert.Equal(eager.Grad is null, compiled.Grad is null);
                Assert.Equal(compiled.Grad is null, StepTwins.Bytes(compiled).SequenceEqual(old));
            }
        }

        Assert.Equal(twins.EagerOptimizer.StepCount, twins.CompiledOptimizer.StepCount);
        Assert.False(twins.Function.Report.FellBack, twins.Function.Report.FallbackReason);

        static void Change(Module network, bool freeze)
        {
            foreach ((string name, NDArray parameter) in network.Parameters)
            {
                if (!name.StartsWith('0') && !name.StartsWith("2.b", StringComparison.Ordinal)) continue;
                if (freeze) parameter.DropGrad();
                else parameter.AttachGrad();
            }
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void ANormThatIsNotFiniteClipsAsEagerly(float bad)
    {
        StepTwins twins = new(StepTwins.Mlp, static p => new Sgd(p, 0.01), StepTwins.ClippedStep);
        twins.StepBoth(0);
        (NDArray x, NDArray y) = StepTwins.Batch(1);
        x[0, 0] = Nd.Scalar(bad);
        twins.EagerStep(x, y);
        twins.Function.Invoke(x, y);
        foreach ((string name, NDArray eager) in twins.Eager.Parameters)
        {
            Assert.All(eager.ToArray<float>(), static w => Assert.True(float.IsNaN(w)));
            Assert.All(twins.Compiled.Parameters[name].ToArray<float>(), static w => Assert.True(float.IsNaN(w)));
        }
    }
}
