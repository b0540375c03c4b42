using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Chains of element-wise operators: one kernel against one call an operator.</summary>
internal static class Chains
{
    private const string Area = "hybridized chains";

    private static readonly (string Name, Func<NDArray[], NDArray> Ours, Func<Tensor[], Tensor> Theirs)[] s_chains =
    [
        ("a·b + c", static x => x[0] * x[1] + x[2], static x => x[0] * x[1] + x[2]),
        ("tanh(a·b + c)·sigmoid(d) + a/2 − relu(c)",
            static x => Nd.Tanh(x[0] * x[1] + x[2]) * Nd.Sigmoid(x[3]) + 0.5 * x[0] - Nd.Relu(x[2]),
            static x => tanh(x[0] * x[1] + x[2]) * sigmoid(x[3]) + 0.5f * x[0] - nn.functional.relu(x[2])),
        ("tanh-GELU by hand",
            static x => 0.5 * x[0] * (1 + Nd.Tanh(0.7978845608028654 * (x[0] + 0.044715 * x[0] * x[0] * x[0]))),
            static x => 0.5f * x[0] * (1 + tanh(0.7978845608028654f * (x[0] + 0.044715f * x[0] * x[0] * x[0])))),
        ("ten cheap operators",
            static x => Nd.Maximum((x[0] - x[1]) * x[2] + (x[1] * x[3] - x[2]) * (x[0] + x[3]), x[1]) * 0.5 + x[0],
            static x => maximum((x[0] - x[1]) * x[2] + (x[1] * x[3] - x[2]) * (x[0] + x[3]), x[1]) * 0.5f + x[0]),
    ];

    public static IEnumerable<PeerCase> All =>
        from size in new[] { 10_000, 100_000, 1_000_000 }
        from chain in s_chains
        select new PeerCase(Area, $"{chain.Name}, {size:N0}", () =>
        {
            NDArray[] x = [.. Enumerable.Range(1, 4).Select(i => FusionSide.Normal(size, (ulong)i))];
            Tensor[] t = [.. x.Select(a => TorchSide.Of(a))];
            return [FusionSide.Hybridized(() => chain.Ours(x)), FusionSide.Eager(() => chain.Ours(x)), TorchSide.Contender(() => chain.Theirs(t))];
        }) { IsQuick = size == 100_000 };
}
