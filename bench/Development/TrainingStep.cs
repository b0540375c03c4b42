using BenchmarkDotNet.Attributes;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Benchmarks;

/// <summary>A step of a perceptron, forward, loss, backward and update: time and bytes, eagerly and compiled.</summary>
[MemoryDiagnoser]
public class TrainingStep
{
    private Func<NDArray> _eager = null!, _compiled = null!;

    [Params(8, 128)]
    public int Batch { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        FusionRuntime.NumThreads = 1;
        _eager = Step();
        _compiled = Step().Hybridize().Invoke;
    }

    [Benchmark(Baseline = true)]
    public NDArray Eager() => _eager();

    [Benchmark]
    public NDArray Hybridized() => _compiled();

    private Func<NDArray> Step()
    {
        Nd.Random.Seed(1);
        Sequential network = new(new Linear(784, 256), new Relu(), new Linear(256, 128), new Relu(), new Linear(128, 10));
        Sgd optimizer = new(network.Parameters, 0.01);
        NDArray x = Nd.Random.Normal(0, 1, (Batch, 784)), labels = Nd.Random.RandInt(0, 10, Batch).AsType(DType.Int64);
        return () =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), labels);
            loss.Backward();
            optimizer.Step();
            return loss;
        };
    }
}
