using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Optimizers of parameters of half precision: a step in Float32, with state of Float32, and the parameter rounded at its end.</summary>
public sealed class HalfOptimizerTests
{
    private static readonly Dictionary<string, Func<NDArray[], Optimizer>> s_optimizers = new()
    {
        ["Sgd"] = static p => new Sgd(p, 0.05),
        ["Sgd with momentum"] = static p => new Sgd(p, 0.05, momentum: 0.9, weightDecay: 0.01, nesterov: true),
        ["Adam"] = static p => new Adam(p, 0.01),
        ["AdamW"] = static p => new AdamW(p, 0.01, weightDecay: 0.1),
        ["RmsProp"] = static p => new RmsProp(p, 0.01, momentum: 0.5, centered: true),
        ["AdaGrad"] = static p => new AdaGrad(p, 0.1, initialAccumulator: 0.1),
        ["AdaDelta"] = static p => new AdaDelta(p, 0.5),
        ["Lamb"] = static p => new Lamb(p, 0.1),
        ["Adamax"] = static p => new Adamax(p, 0.01),
        ["NAdam"] = static p => new NAdam(p, 0.01),
        ["RAdam"] = static p => new RAdam(p, 0.01),
    };

    public static TheoryData<string> Optimizers => [.. s_optimizers.Keys];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void AStepIsThatOfFloat32Rounded(string name)
    {
        foreach (DType half in new[] { DType.Float16, DType.BFloat16 })
        {
            NDArray p = Leaf.Attached(FunctionChecks.Random(40).AsType(half)), twin = Leaf.Attached(p.AsType(DType.Float32));
            Optimizer optimizer = s_optimizers[name]([p]), wide = s_optimizers[name]([twin]);
            for (int step = 0; step < 8; step++)
            {
                NDArray gradient = (FunctionChecks.Random(40, 10 + step) * 0.3).AsType(half);
                twin.Assign(p);
                Give(p, gradient);
                Give(twin, gradient);
                optimizer.Step();
                wide.Step();
                Assert.Equal(half, p.DType);
                string? difference = Bits.Difference(twin.AsType(half), p);
                Assert.True(difference is null, $"{half}, step {step}: {difference}");
                Assert.False(p.FreshGrad);
            }
        }
    }

    /// <summary>The squares of small gradients add up, which 8 bits of a BFloat16 would not let them.</summary>
    [Fact]
    public void MomentsAreFloat32()
    {
        NDArray p = Leaf.Attached(Nd.Ones(1, DType.BFloat16)), twin = Leaf.Attached(Nd.Ones(1));
        Adam adam = new([p], 1e-9), wide = new([twin], 1e-9);
        for (int step = 0; step < 400; step++)
        {
            Give(p, Nd.Full(1, 0.01, DType.BFloat16));
            Give(twin, p.Grad!);
            adam.Step();
            wide.Step();
        }

        // From here a large step: its size is that of the moments.
        (adam.LearningRate, wide.LearningRate) = (0.5, 0.5);
        Give(p, Nd.Zeros(1, DType.BFloat16));
        Give(twin, p.Grad!);
        adam.Step();
        wide.Step();
        Assert.Equal((BFloat16)twin.Item<float>(), p.Item<BFloat16>());
    }

    [Fact]
    public void TheNormOfGradientsIsComputedInFloat32()
    {
        NDArray p = Leaf.Attached(Nd.Zeros(1000, DType.Float16));
        Give(p, Nd.Full(1000, 300, DType.Float16));
        double norm = new Sgd([p], 0.1).ClipGradNorm(1);
        Assert.Equal(300 * Math.Sqrt(1000), norm, 1e-6 * norm);
        Assert.All(p.Grad!.ToArray<Half>(), static g => Assert.Equal((Half)(1 / Math.Sqrt(1000)), g));
    }

    private static void Give(NDArray parameter, NDArray gradient)
    {
        parameter.Grad!.Assign(gradient);
        parameter.FreshGrad = true;
    }
}
