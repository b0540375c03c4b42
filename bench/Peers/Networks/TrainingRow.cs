using Fusion.NN;
using Fusion.Optim;
using static TorchSharp.torch;
using TorchModule = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace Fusion.Peers.Networks;

/// <summary>A training step: forward, loss, backward, update. Both sides start from the same weights.</summary>
internal sealed record TrainingRow(string Name, Network Network)
{
    /// <summary>Adam instead of gradient descent.</summary>
    public bool IsAdam { get; init; }

    /// <summary>The loss is penalised by the input's gradient, so that gradients of second order are needed.</summary>
    public bool HasPenalty { get; init; }

    public bool IsQuick { get; init; } = true;

    /// <summary>More where the sides draw random numbers of their own.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <summary>All rows: every network with gradient descent, one with Adam, one of second order.</summary>
    public static IEnumerable<TrainingRow> All =>
    [
        .. NetworkTable.All.Select(static n => new TrainingRow(n.Name, n) { IsQuick = n.IsQuick }),
        new("MLP 784-256-128-10, batch 128, Adam", NetworkTable.All[3]) { IsAdam = true },
        new("MLP 784-256-128-10, batch 128, dropout", NetworkTable.Perceptron("MLP", 128, [784, 256, 128, 10], dropout: 0.2)) { Tolerance = 0.1 },
        new("gradient penalty, MLP 64-256-256-10, batch 64", NetworkTable.Perceptron("MLP", 64, [64, 256, 256, 10])) { HasPenalty = true },
    ];

    /// <summary>The least work: with a penalty the gradient of the input is computed too, and all is differentiated once more.</summary>
    public Work Work => HasPenalty ? 2 * Network.TrainingWork : Network.TrainingWork;

    public Func<NDArray> Ours()
    {
        Module network = Network.Seeded();
        (NDArray x, NDArray labels) = (Network.Batch(), Network.Labels());
        if (HasPenalty) x.AttachGrad();
        Optimizer optimizer = IsAdam ? new Adam(network.Parameters, learningRate: 1e-3) : new Sgd(network.Parameters, learningRate: 0.01);
        return () =>
        {
            NDArray loss;
            using (Autograd.Record())
            {
                NDArray y = network.Forward(x);
                loss = Loss.SoftmaxCrossEntropy(y, labels);
                if (HasPenalty) loss += 0.1 * Nd.Mean(Nd.Square(Nd.Norm(Autograd.Grad(y.Sum(), x, createGraph: true), 1) - 1));
            }

            loss.Backward();
            optimizer.Step();
            return loss;
        };
    }

    /// <summary>The step of LibTorch, with our weights and inputs.</summary>
    public Func<Tensor> Theirs(ScalarType dtype = ScalarType.Float32) =>
        Theirs(Network.Copied(dtype), TorchSide.Of(Network.Batch()).to_type(dtype), TorchSide.Of(Network.Labels()));

    /// <summary>The same on a network of its own weights: nothing of Fusion is in memory.</summary>
    public Func<Tensor> TheirsAlone() => Theirs(
        Network.Theirs(), randn([.. Network.Input.Dimensions.ToArray().Select(static d => (long)d)]), randint(Network.Classes, [Network.Input[0]], dtype: ScalarType.Int64));

    private Func<Tensor> Theirs(TorchModule network, Tensor x, Tensor labels)
    {
        if (HasPenalty) x.requires_grad_();
        optim.Optimizer optimizer = IsAdam ? optim.Adam(network.parameters(), 1e-3) : optim.SGD(network.parameters(), 0.01);
        return () =>
        {
            optimizer.zero_grad();
            Tensor y = network.call(x), loss = nn.functional.cross_entropy(y, labels);
            if (HasPenalty)
            {
                Tensor gradient = autograd.grad([y.sum()], [x], retain_graph: true, create_graph: true)[0];
                loss += 0.1f * (linalg.vector_norm(gradient, 2, [1]) - 1).square().mean();
                x.grad = null!;
            }

            loss.backward();
            optimizer.step();
            return loss;
        };
    }
}
