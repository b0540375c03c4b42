using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Training in half precision: the compiled step has the eager bits, and the loss falls.</summary>
[Collection(WholeStepCollection.Name)]
public class HalfStepTests
{
    public static TheoryData<string, Func<IEnumerable<NDArray>, Optimizer>> Optimizers => WholeStepEqualityTests.Optimizers;

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void StepsHaveTheEagerBits(string name, Func<IEnumerable<NDArray>, Optimizer> optimizer)
    {
        StepTwins twins = new(static () => Mlp(DType.BFloat16), optimizer, static (n, o) => Step(n, o, DType.BFloat16));
        for (int i = 0; i < 12; i++) twins.StepBoth(i);
        Assert.False(twins.Function.Report.FellBack, $"{name}: {twins.Function.Report.FallbackReason}");
        Assert.Equal(1, twins.Function.Report.VariantCount);
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void ANetworkLearns(DType half)
    {
        StepTwins twins = new(() => Mlp(half), static p => new Adam(p, 0.01), (n, o) => Step(n, o, half));
        (NDArray x, NDArray y) = StepTwins.Batch(1, 32);
        double first = Loss(twins.Eager, x, y, half);
        for (int i = 0; i < 150; i++)
        {
            twins.EagerStep(x, y);
            twins.Function.Invoke(x, y);
        }

        twins.AssertSameState();
        Assert.All(twins.Eager.Parameters.Values, p => Assert.Equal((half, half), (p.DType, p.Grad!.DType)));
        double last = Loss(twins.Eager, x, y, half);
        Assert.True(last < first / 5, $"the loss was {first} and is {last}");
    }

    [Fact]
    public void ClippingAndNormalizationHaveTheEagerBits()
    {
        StepTwins twins = new(
            static () => new Sequential(new Linear(5, 8, dtype: DType.BFloat16), new BatchNorm(8, dtype: DType.BFloat16), new Relu(), new Linear(8, 3, dtype: DType.BFloat16)),
            static p => new AdamW(p, 0.01),
            static (network, optimizer) => (x, y) =>
            {
                NDArray loss;
                using (Autograd.Record()) loss = NN.Loss.SoftmaxCrossEntropy(network.Forward(x.AsType(DType.BFloat16)), y);
                loss.Backward();
                optimizer.ClipGradNorm(0.1);
                optimizer.Step();
                return loss;
            });
        for (int i = 0; i < 6; i++) twins.StepBoth(i);
        Assert.False(twins.Function.Report.FellBack);
    }

    private static Sequential Mlp(DType dtype) =>
        new Sequential(new Linear(5, 8, dtype: dtype), new Relu(), new Linear(8, 8, dtype: dtype), new Gelu(), new Linear(8, 3, dtype: dtype));

    private static Func<NDArray, NDArray, NDArray> Step(Module network, Optimizer optimizer, DType half)
    {
        Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
        return (x, y) => step(x.AsType(half), y);
    }

    private static double Loss(Module network, NDArray x, NDArray y, DType half) =>
        NN.Loss.SoftmaxCrossEntropy(network.Forward(x.AsType(half)), y).AsType(DType.Float64).Item<double>();
}
