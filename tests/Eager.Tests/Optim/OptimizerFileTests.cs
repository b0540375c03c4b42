using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>A run that is continued from files goes on to the same bits.</summary>
[Collection(nameof(RandomStream))]
public sealed class OptimizerFileTests : IDisposable
{
    private static readonly Dictionary<string, Func<IReadOnlyDictionary<string, NDArray>, Optimizer>> s_optimizers = new()
    {
        ["Sgd"] = static p => new Sgd(p, 0.1),
        ["Sgd with momentum"] = static p => new Sgd(p, 0.1, momentum: 0.9, nesterov: true),
        ["RmsProp"] = static p => new RmsProp(p, momentum: 0.9, centered: true),
        ["AdaGrad"] = static p => new AdaGrad(p, learningRateDecay: 0.1, initialAccumulator: 0.5),
        ["AdaDelta"] = static p => new AdaDelta(p),
        ["Adam"] = static p => new Adam(p),
        ["AMSGrad"] = static p => new Adam(p, amsGrad: true),
        ["AdamW"] = static p => new AdamW(p.Values),
        ["Lamb"] = static p => new Lamb(p),
        ["Adamax"] = static p => new Adamax(p),
        ["NAdam"] = static p => new NAdam(p),
        ["RAdam"] = static p => new RAdam(p),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string, DType> Runs
    {
        get
        {
            TheoryData<string, string, DType> data = [];
            foreach (string name in s_optimizers.Keys) data.Add(name, name.Length % 2 == 0 ? "optimizer.npz" : "optimizer.safetensors", DType.Float32);
            data.Add("Adam", "optimizer.safetensors", DType.Float64);
            data.Add("AdamW", "optimizer.safetensors", DType.BFloat16);
            return data;
        }
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Runs))]
    public void ARunGoesOnToTheSameBits(string name, string file, DType dtype)
    {
        foreach (bool hybridized in new[] { false, true })
        {
            (Module network, Optimizer optimizer, Func<NDArray> step) = Make(name, dtype, hybridized);
            Train(step, 3);
            optimizer.LearningRate *= 0.5;
            Train(step, 1);
            network.Save(_folder["network.safetensors"]);
            optimizer.Save(_folder[file]);
            NDArray[] expected = [.. Train(step, 4), .. network.Parameters.Values.Select(static p => p.Copy())];

            (Module other, Optimizer next, Func<NDArray> fresh) = Make(name, dtype, hybridized);
            other.Load(_folder["network.safetensors"]);
            next.Load(_folder[file]);
            Assert.Equal(4, next.StepCount);
            Assert.Null(Bits.Difference(expected, [.. Train(fresh, 4), .. other.Parameters.Values]));

            // Back to the same place in the run that has gone on.
            network.Load(_folder["network.safetensors"]);
            optimizer.Load(_folder[file]);
            Assert.Null(Bits.Difference(expected, [.. Train(step, 4), .. network.Parameters.Values]));
        }
    }

    [Fact]
    public void BeforeTheFirstStepThereIsNothingButTheStart()
    {
        (Module network, Optimizer optimizer, Func<NDArray> step) = Make("AdaGrad", DType.Float32, hybridized: true);
        network.Save(_folder["network"]);
        optimizer.Save(_folder["optimizer"]);
        NDArray[] expected = Train(step, 3);
        network.Load(_folder["network"]);
        optimizer.Load(_folder["optimizer"]);
        Assert.Equal(0, optimizer.StepCount);
        Assert.Null(Bits.Difference(expected, Train(step, 3)));
    }

    [Fact]
    public void WhatDoesNotFitIsRefusedAndChangesNothing()
    {
        (_, Optimizer adam, Func<NDArray> step) = Make("Adam", DType.Float32, hybridized: false);
        Train(step, 2);
        adam.Save(_folder["adam"]);
        NDArray w = Nd.Ones((2, 3));
        w.AttachGrad();
        using (Autograd.Record()) w.Sum().Backward();
        Adam small = new([w]);
        small.Step();
        small.Save(_folder["small"]);
        Assert.Contains("updates", Assert.Throws<InvalidDataException>(() => adam.Load(_folder["small"])).Message, StringComparison.Ordinal);
        (_, Optimizer sgd, _) = Make("Sgd with momentum", DType.Float32, hybridized: false);
        Assert.Contains("0.weight.1", Assert.Throws<InvalidDataException>(() => sgd.Load(_folder["adam"])).Message, StringComparison.Ordinal);
        (_, Optimizer lamb, _) = Make("Lamb", DType.Float32, hybridized: false);
        Assert.Contains("0.weight.2", Assert.Throws<InvalidDataException>(() => lamb.Load(_folder["adam"])).Message, StringComparison.Ordinal);
        Assert.Equal(0, lamb.StepCount);
        NDArray turned = Nd.Ones((3, 2));
        turned.AttachGrad();
        Assert.Contains("(2, 3)", Assert.Throws<InvalidDataException>(() => new Adam([turned]).Load(_folder["small"])).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidDataException>(() => adam.Load(WriteText("damaged", "no arrays")));
        Assert.Equal(2, adam.StepCount);
    }

    private string WriteText(string name, string text)
    {
        File.WriteAllText(_folder[name], text);
        return _folder[name];
    }

    private static (Module Network, Optimizer Optimizer, Func<NDArray> Step) Make(string name, DType dtype, bool hybridized)
    {
        Nd.Random.Seed(1);
        Sequential network = new(new Linear(6, 8, dtype: dtype), new Tanh(), new Linear(8, 2, dtype: dtype));
        Optimizer optimizer = s_optimizers[name](network.Parameters);
        Func<NDArray, NDArray> step = x =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = network.Forward(x).Square().Mean();
            loss.Backward();
            optimizer.Step();
            return loss;
        };
        NDArray input = Nd.Random.Normal(0, 1, (5, 6), dtype);
        Func<NDArray, NDArray> run = hybridized ? step.Hybridize(new HybridOptions { FallbackToEager = false }).Invoke : step;
        return (network, optimizer, () => run(input));
    }

    private static NDArray[] Train(Func<NDArray> step, int count) => [.. Enumerable.Range(0, count).Select(_ => step())];
}
