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
        Func<NDArray> step = Ours(count, size, out _);
        Func<NDArray> second = Ours(count, size, out _);
        return [FusionSide.Of(Contender.Hybridized, step.Hybridize().Invoke), FusionSide.Eager(second), Theirs(count, size)];
    });

    private static Func<NDArray> Ours(int count, int size, out NDArray[] parameters)
    {
        NDArray[] all = parameters = [.. Enumerable.Range(0, count).Select(i => FusionSide.Variable(size, (ulong)i))];
        for (int i = 0; i < count; i++) all[i].Grad!.Assign(FusionSide.Normal(size, (ulong)(1000 + i)));
        Adam optimizer = new(all, learningRate: 1e-3);
        return () =>
        {
            foreach (NDArray parameter in all) parameter.FreshGrad = true;
            optimizer.Step();
            return all[0];
        };
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
