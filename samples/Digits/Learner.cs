using Fusion;
using Fusion.NN;
using Fusion.Optim;

namespace Digits;

/// <summary>A network, its optimizer, and the whole of a training step as one function.</summary>
internal sealed class Learner
{
    private readonly Adam _optimizer;

    public Learner(Func<Sequential> network, ulong seed)
    {
        Nd.Random.Seed(seed);
        Network = network();
        _optimizer = new Adam(Network.Parameters, learningRate: 1e-3);
    }

    public Sequential Network { get; }

    /// <summary>Forward, loss, backward and update.</summary>
    public NDArray Step(NDArray images, NDArray labels)
    {
        NDArray loss;
        using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(Network.Forward(images), labels);
        loss.Backward();
        _optimizer.Step();
        return loss;
    }

    /// <summary>The share of images whose largest output is that of their label.</summary>
    public double Accuracy(DigitsData data)
    {
        (NDArray images, NDArray labels) = data.All();
        return Network.Forward(images).ArgMax(1).Equal(labels).AsType(DType.Float64).Mean().Item<double>();
    }

    /// <summary>All weights, one after the other.</summary>
    public float[] Weights() => [.. Network.Parameters.Values.SelectMany(static weight => weight.ToArray<float>())];
}
