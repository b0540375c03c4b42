using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.ApiContract;

/// <summary>Uses modules, losses and optimizers with their promised names and argument names.</summary>
public sealed class TrainingContract
{
    [Fact]
    public void Modules()
    {
        Sequential network = new(new Linear(inFeatures: 4, outFeatures: 3, bias: true), new Relu(), new Gelu(), new Dropout(0.5), new Flatten(), new Linear(3, 2));
        Module module = network;
        NDArray y = module.Forward(x: Nd.Ones((5, 4)));
        IReadOnlyDictionary<string, NDArray> parameters = module.Parameters;
        Assert.Equal(new Shape(5, 2), y.Shape);
        Assert.Equal(["0.weight", "0.bias", "5.weight", "5.bias"], parameters.Keys);
    }

    [Fact]
    public void Losses()
    {
        NDArray x = Nd.Ones((2, 3)), t = Nd.Full((2, 3), 0.5);
        NDArray[] means =
        [
            Loss.SoftmaxCrossEntropy(prediction: x, target: Nd.Array([0, 1])), Loss.MeanSquaredError(prediction: x, target: t, reduction: Reduction.Mean),
            Loss.L1(x, t),
            Loss.Huber(x, t), Loss.BinaryCrossEntropyWithLogits(x, t), Loss.KLDivergence(x, t), Loss.Hinge(x, t),
        ];
        Assert.All(means, static m => Assert.Equal(new Shape(), m.Shape));
        Assert.Equal(new Shape(2, 3), Loss.L1(x, t, reduction: Reduction.None).Shape);
        Assert.Equal(3, Loss.L1(x, t, Reduction.Sum).Item<float>());
    }

    [Fact]
    public void Optimizers()
    {
        NDArray w = Leaf.Of(1);
        Linear layer = new(2, 2);
        Optimizer[] all =
        [
            new Sgd(parameters: [w], learningRate: 0.1, momentum: 0, weightDecay: 0, nesterov: false),
            new Sgd(layer.Parameters, 0.1, momentum: 0.9, nesterov: true),
            new Sgd(layer.Parameters.Values, learningRate: 0.1),
            new Adam(parameters: [w], learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0),
            new Adam(layer.Parameters), new AdamW([w], learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01),
            new AdamW(layer.Parameters, weightDecay: 0.1),
        ];
        foreach (Optimizer optimizer in all)
        {
            optimizer.IgnoreStaleGradients = true;
            optimizer.LearningRate = 2 * optimizer.LearningRate;
            optimizer.ClipGradNorm(1);
            optimizer.ZeroGrad();
            optimizer.Step();
        }

        Expect.Elements(w, 1);
    }
}
