using Fusion.NN;
using Fusion.Peers.Onnx;
using static TorchSharp.torch;

namespace Fusion.Peers.Networks;

/// <summary>The networks that are trained and run.</summary>
internal static class NetworkTable
{
    private const int Mlp = 784, Channels = 64, Features = 64, Hidden = 128, Model = 128, Heads = 4, Tokens = 64;

    public static readonly Network[] All =
    [
        Perceptron("logistic regression 784-10", 128, [Mlp, 10]),
        Perceptron("MLP 784-256-128-10", 8, [Mlp, 256, 128, 10]) with { IsQuick = false },
        Perceptron("MLP 784-256-128-10", 32, [Mlp, 256, 128, 10]),
        Perceptron("MLP 784-256-128-10", 128, [Mlp, 256, 128, 10]),
        Perceptron("twenty layers of 64", 16, [.. Enumerable.Repeat(64, 20), 10]),
        new("LeNet, batch 32", (32, 1, 28, 28), 2.0 * 32 * ((24 * 24 * 20 * 25) + (8 * 8 * 50 * 20 * 25) + (800 * 500) + (500 * 10)),
            static () => new Sequential(
                new Conv2d(1, 20, 5), new Relu(), new MaxPool2d(2), new Conv2d(20, 50, 5), new Relu(), new MaxPool2d(2),
                new Flatten(), new Linear(800, 500), new Relu(), new Linear(500, 10)),
            static () => nn.Sequential(
                nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
                nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)))
        {
            FirstFlops = 2.0 * 32 * 24 * 24 * 20 * 25, Onnx = OnnxNetworks.LeNet,
        },
        new("ResNet-18 block 64, 28², batch 8", (8, Channels, 28, 28), 2.0 * 2 * 8 * 28 * 28 * Channels * Channels * 9,
            static () => new ResidualClassifier(Channels), static () => new TorchResidual(Channels)) { FirstFlops = 2.0 * 8 * 28 * 28 * Channels * Channels * 9 },
        Recurrent(32, 32),
        Recurrent(20, 16),
        new("transformer block 128, 64 tokens, batch 8", (8, Tokens, Model), (2.0 * 8 * Tokens * 12 * Model * Model) + (4.0 * 8 * Tokens * Tokens * Model),
            static () => new AttentionClassifier(Model, Heads), static () => new TorchAttention(Model, Heads))
        {
            FirstFlops = 2.0 * 8 * Tokens * 3 * Model * Model, Onnx = static (m, shape) => OnnxNetworks.Transformer(m, shape, Heads),
        },
    ];

    /// <summary>Linear layers with relu, and perhaps dropout, between them.</summary>
    public static Network Perceptron(string name, int batch, int[] widths, double dropout = 0) => new($"{name}, batch {batch}", (batch, widths[0]),
        2.0 * batch * widths.Zip(widths.Skip(1)).Sum(static w => (double)w.First * w.Second),
        () => new Sequential([.. Layers<Module>(widths, static (i, o) => new Linear(i, o), () => dropout > 0 ? new Sequential(new Relu(), new Dropout(dropout)) : new Relu())]),
        () => nn.Sequential([.. Layers<nn.Module<Tensor, Tensor>>(widths, static (i, o) => nn.Linear(i, o), () => dropout > 0 ? nn.Sequential(nn.ReLU(), nn.Dropout(dropout)) : nn.ReLU())]))
    {
        FirstFlops = 2.0 * batch * widths[0] * widths[1], Onnx = OnnxNetworks.Perceptron,
    };

    private static Network Recurrent(int time, int batch) => new($"LSTM {Features}-{Hidden}, {time} steps, batch {batch}", (batch, time, Features),
        2.0 * batch * time * 4 * Hidden * (Features + Hidden),
        static () => new RecurrentClassifier(Features, Hidden), static () => new TorchRecurrent(Features, Hidden))
    {
        FirstFlops = 2.0 * batch * time * 4 * Hidden * Features,
    };

    private static IEnumerable<TLayer> Layers<TLayer>(int[] widths, Func<int, int, TLayer> linear, Func<TLayer> relu)
    {
        for (int i = 1; i < widths.Length; i++)
        {
            if (i > 1) yield return relu();
            yield return linear(widths[i - 1], widths[i]);
        }
    }
}
