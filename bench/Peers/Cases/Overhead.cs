using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>What a call costs when there is nothing to compute: 64 elements.</summary>
internal static class Overhead
{
    public const string Area = "eager overhead";

    public static IEnumerable<PeerCase> All =>
    [
        .. Row("add", static x => x[0] + x[1], static t => t[0] + t[1]),
        .. Row("tanh", static x => Nd.Tanh(x[0]), static t => tanh(t[0]), variables: [0]),
        .. Row("sum", static x => Nd.Sum(x[0]), static t => t[0].sum(), variables: [0]),
        .. Row("8×8 matrix product", static x => Nd.MatMul(Square(x[0]), Square(x[1])), static t => mm(t[0].view(8, 8), t[1].view(8, 8))),
        Pair("ten operators", static x => Chain(x, 5), static t => Chain(t, 5), [0]).Forward(),
        Pair("ten operators", static x => Chain(x, 5), static t => Chain(t, 5), [0]).WithBackward(),
        Pair("hundred operators", static x => Chain(x, 50), static t => Chain(t, 50), [0]).WithBackward(),
    ];

    private static Pair Pair(string name, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, int[]? variables = null) =>
        new(Area, $"{name}, 64", static () => [FusionSide.Normal(64, 1), FusionSide.Normal(64, 2)], ours, theirs) { Variables = variables };

    private static PeerCase[] Row(string name, Func<NDArray[], NDArray> ours, Func<Tensor[], Tensor> theirs, int[]? variables = null)
    {
        Pair pair = Pair(name, ours, theirs, variables);
        return [pair.Forward(), pair.Recorded(), pair.WithBackward() with { IsQuick = false }];
    }

    private static NDArray Square(NDArray x) => x.Reshape(8, 8);

    private static NDArray Chain(NDArray[] x, int pairs)
    {
        NDArray y = x[0];
        for (int i = 0; i < pairs; i++) y = Nd.Tanh(y * x[1]);
        return y;
    }

    private static Tensor Chain(Tensor[] t, int pairs)
    {
        Tensor y = t[0];
        for (int i = 0; i < pairs; i++) y = tanh(y * t[1]);
        return y;
    }
}
