using Fusion.Optim;
using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Updates alone, of many small parameters and of one large one.</summary>
internal static class Optimizers
{
    private const string Area = "optimizers";

    public static IEnumerable<PeerCase> All =>
    [
        Adam("Adam, 100 tensors of 1 000", 100, 1000),
        Adam("Adam, 1 tensor of 1 000 000", 1, 1_000_000),
    ];

    private static PeerCase Adam(string name, int count, int size) => new(Area, name, () =>
    {
        return [Ours(Contender.Hybridized, count, size), Ours(Contender.Eager, count, size), Theirs(count, size)];
    });

    // The update alone: gradients are marked as fresh instead of being computed.
    private static Contender Ours(string name, int count, int size)
    {
        NDArray[] all = [.. Enumerable.Range(0, count).Select(i => FusionSide.Variable(size, (ulong)i))];
        for (int i = 0; i < count; i++) all[i].Grad!.Assign(FusionSide.Normal(size, (ulong)(1000 + i)));
        Adam optimizer = new(all, learningRate: 1e-3);
        Func<IReadOnlyList<NDArray>> step = () =>
        {
            foreach (NDArray parameter in all) parameter.FreshGrad = true;
            optimizer.Step();
            return [];
        };
        Func<IReadOnlyList<NDArray>> run = name == Contender.Hybridized ? step.Hybridize().Invoke : step;
        return new Contender(name, () => run(), () =>
        {
            run();
            return FusionSide.Elements(all[0]);
        });
    }

    private static Contender Theirs(int count, int size)
    {
        TorchSharp.Modules.Parameter[] parameters = [.. Enumerable.Range(0, count).Select(i => new TorchSharp.Modules.Parameter(TorchSide.Of(FusionSide.Normal(size, (ulong)i))))];
        for (int i = 0; i < count; i++) parameters[i].grad = TorchSide.Of(FusionSide.Normal(size, (ulong)(1000 + i)));
        optim.Optimizer optimizer = optim.Adam(parameters, 1e-3);
        return TorchSide.Contender(() =>
        {
            optimizer.step();
            return parameters[0];
        });
    }
}
