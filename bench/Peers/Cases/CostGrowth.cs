using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>The same thing in several sizes: the cost should grow in proportion.</summary>
internal static class CostGrowth
{
    public const string Area = "cost growth";

    private static readonly int[] s_lengths = [10, 100, 1000, 10_000];

    public static IEnumerable<PeerCase> All =>
    [
        .. s_lengths.Select(static n => Tape(n)),
        .. s_lengths[..3].Select(static n => Compilation(n)),
    ];

    // Differentiated eagerly: one node of the tape an operator.
    private static PeerCase Tape(int length) => new Pair(Area, $"tape of {length:N0} operators on 64 numbers", static () => [FusionSide.Normal(64, 1), FusionSide.Normal(64, 2)],
        x => Enumerable.Range(0, length).Aggregate(x[0], (y, _) => y * 0.5 + x[1]), t => Enumerable.Range(0, length).Aggregate(t[0], (y, _) => y * 0.5f + t[1]))
    {
        IsQuick = length < 10_000,
    }.WithBackward() with { Growth = new Growth("operators of a tape", length) };

    // Nodes that the simplifier cannot merge; the constants differ, the kernels do not.
    private static PeerCase Compilation(int nodes) => new(Area, $"graph of {nodes:N0} operators traced, fused and planned", () =>
    {
        NDArray x = FusionSide.Normal(64, 1);
        Func<NDArray> f = () => Enumerable.Range(0, nodes / 2).Aggregate(x, static (y, i) => Nd.Tanh(y) + (0.01 * i));
        HybridFunction<Func<NDArray>> compiled = f.Hybridize();
        return
        [
            new Contender(Contender.Hybridized, () =>
            {
                compiled.Clear();
                compiled.Invoke();
            }, null),
        ];
    }) { Growth = new Growth("operators of a graph that is compiled again", nodes) };
}
