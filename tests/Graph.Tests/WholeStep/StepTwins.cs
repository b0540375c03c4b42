using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Two training set-ups of the same initial values: one is trained eagerly, the other by a compiled step.</summary>
internal sealed class StepTwins
{
    public StepTwins(Func<Module> network, Func<IEnumerable<NDArray>, Optimizer> optimizer, Func<Module, Optimizer, Func<NDArray, NDArray, NDArray>> step, HybridOptions? options = null)
    {
        Nd.Random.Seed(7);
        Eager = network();
        Nd.Random.Seed(7);
        Compiled = network();
        EagerOptimizer = optimizer(Eager.Parameters.Values);
        CompiledOptimizer = optimizer(Compiled.Parameters.Values);
        EagerStep = step(Eager, EagerOptimizer);
        Function = step(Compiled, CompiledOptimizer).Hybridize(options);
    }

    public Module Eager { get; }

    public Module Compiled { get; }

    public Optimizer EagerOptimizer { get; }

    public Optimizer CompiledOptimizer { get; }

    public Func<NDArray, NDArray, NDArray> EagerStep { get; }

    public HybridFunction<Func<NDArray, NDArray, NDArray>> Function { get; }

    public static Module Mlp() => new Sequential(new Linear(5, 8), new Relu(), new Linear(8, 8), new Gelu(), new Linear(8, 3));

    /// <summary>Forward, loss, backward, update.</summary>
    public static Func<NDArray, NDArray, NDArray> PlainStep(Module network, Optimizer optimizer) => (x, y) =>
    {
        NDArray loss;
        using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), y);
        loss.Backward();
        optimizer.Step();
        return loss;
    };

    /// <summary>The plain step with gradients clipped to norm 0.1, which always bites.</summary>
    public static Func<NDArray, NDArray, NDArray> ClippedStep(Module network, Optimizer optimizer) => (x, y) =>
    {
        NDArray loss;
        using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), y);
        loss.Backward();
        optimizer.ClipGradNorm(0.1);
        optimizer.Step();
        return loss;
    };

    public static (NDArray X, NDArray Y) Batch(int seed, int size = 6)
    {
        Random random = new(seed);
        float[] x = new float[size * 5];
        int[] y = new int[size];
        for (int i = 0; i < x.Length; i++) x[i] = (float)(random.NextDouble() * 4 - 2);
        for (int i = 0; i < y.Length; i++) y[i] = random.Next(3);
        return (Nd.Array(x, (size, 5)), Nd.Array(y));
    }

    /// <summary>One step of both, from the same random state; losses and all state must have the same bits.</summary>
    public void StepBoth(int seed, int size = 6)
    {
        (NDArray x, NDArray y) = Batch(seed, size);
        RandomState before = Nd.Random.Place;
        NDArray expected = EagerStep(x, y);
        RandomState after = Nd.Random.Place;
        Nd.Random.Place = before;
        NDArray actual = Function.Invoke(x, y);
        Assert.Equal(after, Nd.Random.Place);
        Assert.Equal(Bytes(expected), Bytes(actual));
        AssertSameState();
    }

    public void AssertSameState()
    {
        Assert.Equal(EagerOptimizer.StepCount, CompiledOptimizer.StepCount);
        foreach ((string name, NDArray eager) in Eager.Parameters)
        {
            NDArray compiled = Compiled.Parameters[name];
            Assert.Equal(Bytes(eager), Bytes(compiled));
            Assert.Equal(Bytes(eager.Grad!), Bytes(compiled.Grad!));
            Assert.Equal(eager.FreshGrad, compiled.FreshGrad);
            Assert.Equal(eager.Version, compiled.Version);
        }

        foreach ((string name, NDArray eager) in Eager.Buffers) Assert.Equal(Bytes(eager), Bytes(Compiled.Buffers[name]));
    }

    public static byte[] Bytes(NDArray array) => array.Contiguous().Bytes.ToArray();
}
