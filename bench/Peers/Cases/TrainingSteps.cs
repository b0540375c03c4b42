using Fusion.NN;
using Fusion.Optim;
using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Whole steps: forward, loss, backward, update. Both sides start from the same weights; what is compared is the loss after some steps.</summary>
internal static class TrainingSteps
{
    private const string Area = "training steps";

    public static IEnumerable<PeerCase> All =>
    [
        Classifier("logistic regression 784-10, batch 128", 128, [784, 10], adam: false),
        Classifier("MLP 784-256-128-10, batch 8", 8, [784, 256, 128, 10], adam: false),
        Classifier("MLP 784-256-128-10, batch 32", 32, [784, 256, 128, 10], adam: false),
        Classifier("MLP 784-256-128-10, batch 128", 128, [784, 256, 128, 10], adam: false),
        Classifier("MLP 784-256-128-10, batch 128, Adam", 128, [784, 256, 128, 10], adam: true),
        Classifier("twenty layers of 64, batch 16", 16, [.. Enumerable.Repeat(64, 20), 10], adam: false),
    ];

    private static PeerCase Classifier(string name, int batch, int[] widths, bool adam) => new(Area, name, () =>
    {
        NDArray x = FusionSide.Normal((batch, widths[0]), 1), labels = Nd.Random.RandInt(0, widths[^1], batch).AsType(DType.Int64);
        return [Ours(Contender.Hybridized, widths, x, labels, adam), Ours(Contender.Eager, widths, x, labels, adam), Theirs(widths, x, labels, adam)];
    });

    private static Contender Ours(string name, int[] widths, NDArray x, NDArray labels, bool adam)
    {
        Sequential network = Network(widths);
        Optimizer optimizer = adam ? new Adam(network.Parameters, learningRate: 1e-3) : new Sgd(network.Parameters, learningRate: 0.01);
        Func<NDArray> step = () =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), labels);
            loss.Backward();
            optimizer.Step();
            return loss;
        };
        return FusionSide.Of(name, name == Contender.Hybridized ? step.Hybridize().Invoke : step);
    }

    private static Sequential Network(int[] widths)
    {
        Nd.Random.Seed(7);
        List<Module> layers = [];
        for (int i = 1; i < widths.Length; i++)
        {
            layers.Add(new Linear(widths[i - 1], widths[i]));
            if (i + 1 < widths.Length) layers.Add(new Relu());
        }

        return new Sequential([.. layers]);
    }

    private static Contender Theirs(int[] widths, NDArray x, NDArray labels, bool adam)
    {
        Sequential same = Network(widths);
        NDArray[] weights = [.. same.Parameters.Values];
        List<torch.nn.Module<Tensor, Tensor>> layers = [];
        for (int i = 1; i < widths.Length; i++)
        {
            torch.nn.Module<Tensor, Tensor> linear = nn.Linear(widths[i - 1], widths[i]);
            using (no_grad())
            {
                TorchSharp.Modules.Linear l = (TorchSharp.Modules.Linear)linear;
                l.weight.copy_(TorchSide.Of(weights[2 * (i - 1)]));
                l.bias!.copy_(TorchSide.Of(weights[2 * (i - 1) + 1]));
            }

            layers.Add(linear);
            if (i + 1 < widths.Length) layers.Add(nn.ReLU());
        }

        TorchSharp.Modules.Sequential network = nn.Sequential([.. layers]);
        optim.Optimizer optimizer = adam ? optim.Adam(network.parameters(), 1e-3) : optim.SGD(network.parameters(), 0.01);
        (Tensor tx, Tensor tl) = (TorchSide.Of(x), TorchSide.Of(labels));
        return TorchSide.Contender(() =>
        {
            optimizer.zero_grad();
            Tensor loss = nn.functional.cross_entropy(network.forward(tx), tl);
            loss.backward();
            optimizer.step();
            return loss;
        });
    }
}
