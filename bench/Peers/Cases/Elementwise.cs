using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>One operator at a time, eager on both sides: every class of operator at five sizes.</summary>
internal static class Elementwise
{
    public const string Area = "eager element-wise and reductions";

    private static readonly int[] s_sizes = [1000, 10_000, 100_000, 1_000_000, 10_000_000];

    /// <summary>An operator; <paramref name="Arrays"/> of the size are read and written.</summary>
    private sealed record Row(string Name, int Arrays, Func<NDArray[], NDArray> Ours, Func<Tensor[], Tensor> Theirs);

    // One of each class: these are timed at all sizes also by --quick.
    private static readonly Row[] s_classes =
    [
        new("add", 3, static x => x[0] + x[1], static t => t[0] + t[1]),
        new("exp", 2, static x => Nd.Exp(x[0]), static t => exp(t[0])),
        new("sum", 1, static x => Nd.Sum(x[0]), static t => t[0].sum()),
    ];

    // Timed at one size by --quick: one of each kind of work.
    private static readonly string[] s_quick = ["divide", "pow", "where", "log", "tanh", "gelu", "max", "sort", "transposed copy", "concatenation"];

    private static readonly Row[] s_operators =
    [
        new("multiply", 3, static x => x[0] * x[1], static t => t[0] * t[1]),
        new("divide", 3, static x => x[0] / x[1], static t => t[0] / t[1]),
        new("maximum", 3, static x => Nd.Maximum(x[0], x[1]), static t => maximum(t[0], t[1])),
        new("pow", 3, static x => Nd.Pow(x[0], x[1]), static t => pow(t[0], t[1])),
        new("where", 3, static x => Nd.Where(x[0] > x[1], x[0], x[1]), static t => where(t[0] > t[1], t[0], t[1])),
        new("sqrt", 2, static x => Nd.Sqrt(x[0]), static t => sqrt(t[0])),
        new("log", 2, static x => Nd.Log(x[0]), static t => log(t[0])),
        new("sin", 2, static x => Nd.Sin(x[0]), static t => sin(t[0])),
        new("tanh", 2, static x => Nd.Tanh(x[0]), static t => tanh(t[0])),
        new("sigmoid", 2, static x => Nd.Sigmoid(x[0]), static t => sigmoid(t[0])),
        new("erf", 2, static x => Nd.Erf(x[0]), static t => special.erf(t[0])),
        new("relu", 2, static x => Nd.Relu(x[0]), static t => nn.functional.relu(t[0])),
        new("gelu", 2, static x => Nd.Gelu(x[0]), static t => nn.functional.gelu(t[0])),
        new("silu", 2, static x => Nd.Silu(x[0]), static t => nn.functional.silu(t[0])),
        new("max", 1, static x => Nd.Max(x[0]), static t => t[0].max()),
        new("argmax", 1, static x => Nd.ArgMax(x[0]), static t => t[0].argmax()),
        new("cumulative sum", 2, static x => Nd.CumSum(x[0], 0), static t => t[0].cumsum(0)),
        new("sort", 2, static x => Nd.Sort(x[0]), static t => sort(t[0]).values),
        new("top 5", 1, static x => Nd.TopK(x[0], 5).Values, static t => topk(t[0], 5).values),
        new("transposed copy", 2, static x => x[0].Reshape(-1, 100).Transpose().Copy(), static t => t[0].view(-1, 100).t().contiguous()),
        new("concatenation", 4, static x => Nd.Concat([x[0], x[1]]), static t => cat([t[0], t[1]])),
        new("rows taken", 2, static x => x[0].Reshape(-1, 100).Take(x[2]), static t => t[0].view(-1, 100).index_select(0, t[2])),
    ];

    public static IEnumerable<PeerCase> All => s_sizes.SelectMany(static size => s_classes.Concat(s_operators).Select(row =>
        new Pair(Area, $"{row.Name}, {size:N0}", () => Inputs(size), row.Ours, row.Theirs)
        {
            IsQuick = s_classes.Contains(row) ? size < 10_000_000 : size == 100_000 && s_quick.Contains(row.Name),
            Work = Work.Floats((double)row.Arrays * size),
        }.Forward() with { Growth = s_classes.Contains(row) ? new Growth($"{row.Name}, elements", size) : null }));

    private static NDArray[] Inputs(int size) => [FusionSide.Positive(size, 1), FusionSide.Positive(size, 2), FusionSide.Indices(size / 100, size / 100, 3)];
}
