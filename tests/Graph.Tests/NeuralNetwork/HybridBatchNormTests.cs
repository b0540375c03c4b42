using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Batch normalization in a compiled training step: the running moments are state that the step writes.</summary>
public sealed class HybridBatchNormTests
{
    [Fact]
    public void ACompiledTrainingForwardUpdatesTheRunningMoments()
    {
        Sequential eager = Make(), compiled = Make();
        foreach ((string key, NDArray parameter) in compiled.Parameters) parameter.Assign(eager.Parameters[key]);
        compiled.Hybridize(new HybridOptions { FallbackToEager = false });
        NDArray labels = Nd.Array([0, 1, 2, 0]);
        for (int step = 0; step < 3; step++)
        {
            NDArray x = Nd.Random.Normal(0, 1, (4, 2, 6, 5));
            NDArray[] expected = Train(eager, x, labels), actual = Train(compiled, x, labels);
            for (int i = 0; i < expected.Length; i++) Assert.Null(Bits.Difference(expected[i], actual[i]));
        }

        NDArray test = Nd.Random.Normal(0, 1, (5, 2, 6, 5));
        Assert.Null(Bits.Difference(eager.Forward(test), compiled.Forward(test)));
    }

    private static Sequential Make() =>
        new(new Conv2d(2, 4, 3, padding: 1, bias: false), new BatchNorm(4), new Relu(), new GlobalAvgPool(), new Flatten(), new Linear(4, 3));

    private static NDArray[] Train(Sequential net, NDArray x, NDArray labels)
    {
        NDArray loss;
        using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(net.Forward(x), labels);
        loss.Backward();
        new Optim.Sgd(net.Parameters.Values, 0.1).Step();
        return [loss, .. net.Parameters.Values.Select(p => p.Copy()), .. net.Buffers.Values.Select(b => b.Copy())];
    }

    /// <summary>A checkpoint calls the compiled network once more for its gradient.</summary>
    [Fact]
    public void ACheckpointOfACompiledNetworkUpdatesThemOnce()
    {
        Sequential eager = new(new BatchNorm(3)), compiled = new Sequential(new BatchNorm(3)).Hybridize();
        NDArray x = TestArrays.Uniform((8, 3));
        for (int call = 0; call < 2; call++)
        {
            foreach (Sequential network in (Sequential[])[eager, compiled])
            {
                using RecordScope scope = Autograd.Record();
                Autograd.Checkpoint(network.Forward, x).Square().Sum().Backward();
            }

            foreach ((string name, NDArray value) in eager.Buffers) Check.Same(value, compiled.Buffers[name], name);
            foreach ((string name, NDArray value) in eager.Parameters) Check.Same(value.Grad, compiled.Parameters[name].Grad, name);
        }
    }
}
