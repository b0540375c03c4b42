using Fusion.NN;
using Fusion.Peers.Networks;
using static TorchSharp.torch;
using TorchModule = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace Fusion.Peers.Cases;

/// <summary>What is not steady: a shape that was never seen, and tracing and planning again with the kernels known.</summary>
internal static class Latency
{
    public const string Area = "latency";

    // More than a function keeps variants of, so that every call misses.
    private const int Shapes = 200;

    public static IEnumerable<PeerCase> All =>
    [
        NewShape("MLP 784-256-128-10, inference, a batch size never seen (1 to 200)", NetworkTable.All[3], static batch => (batch, 784)),
        NewShape("transformer block, inference, a number of tokens never seen (1 to 200)", NetworkTable.All[^1], static tokens => (1, tokens, 128)) with { IsQuick = false },
        .. from index in new Index[] { 3, 5, ^1 } select Retrace(NetworkTable.All[index]),
        FirstSight(100),
        FirstSight(1000) with { IsQuick = false },
    ];

    // Every side takes the next batch at each call.
    private static PeerCase NewShape(string name, Network network, Func<int, Shape> shape) => new(Area, name, () =>
    {
        Module ours = network.Seeded();
        TorchModule theirs = network.Copied(ScalarType.Float32);
        theirs.eval();
        NDArray[] batches = [.. Enumerable.Range(1, Shapes).Select(i => FusionSide.Normal(shape(i), 1))];
        Tensor[] tensors = [.. batches.Select(static x => TorchSide.Of(x))];
        Func<NDArray, NDArray> forward = ours.Forward;
        HybridFunction<Func<NDArray, NDArray>> compiled = forward.Hybridize();
        (int a, int b, int c) = (0, 0, 0);
        return
        [
            FusionSide.Of(Contender.Hybridized, () => compiled.Invoke(batches[a++ % Shapes])),
            FusionSide.Eager(() => forward(batches[b++ % Shapes])),
            TorchSide.Contender(() =>
            {
                using IDisposable scope = no_grad();
                return theirs.call(tensors[c++ % Shapes]);
            }),
        ];
    });

    // LibTorch has no compiler here: the eager step is what one compares with.
    private static PeerCase Retrace(Network network) => new(Area, $"{network.Name}, training step traced and planned again", () =>
    {
        Func<NDArray> step = new TrainingRow(network.Name, network).Ours();
        HybridFunction<Func<NDArray>> compiled = step.Hybridize();
        return
        [
            new Contender(Contender.Hybridized, () =>
            {
                compiled.Clear();
                compiled.Invoke();
            }, null),
            new Contender(Contender.Eager, () => step(), null),
        ];
    });

    // Everything is new to the compiler at every call: the order of the operators is drawn, so that no kernel is shared with an earlier one.
    private static PeerCase FirstSight(int operators) => new(Area, $"{operators:N0} operators in an order never seen, compiled, forward and backward", () =>
    {
        Func<NDArray, NDArray>[] links = [static x => x * 0.5, static x => x + 0.25, Nd.Tanh, Nd.Sigmoid, Nd.Square, Nd.Sin, static x => x.Softplus(), static x => 1 - x];
        NDArray x = FusionSide.Normal((32, 64), 1);
        x.AttachGrad();
        Random order = new(1);
        return [new Contender(Contender.Hybridized, () => Step(Chain().Hybridize().Invoke), null), new Contender(Contender.Eager, () => Step(Chain()), null)];

        Func<NDArray, NDArray> Chain()
        {
            Func<NDArray, NDArray>[] chain = [.. Enumerable.Range(0, operators).Select(_ => links[order.Next(links.Length)])];
            return x => Nd.Mean(chain.Aggregate(x, static (y, link) => link(y)));
        }

        void Step(Func<NDArray, NDArray> f)
        {
            NDArray loss;
            using (Autograd.Record()) loss = f(x);
            loss.Backward();
        }
    });
}
