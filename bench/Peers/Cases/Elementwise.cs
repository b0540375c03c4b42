using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>One operator at a time, eager on both sides.</summary>
internal static class Elementwise
{
    private const string Area = "eager element-wise and reductions";

    private static readonly (string Name, Func<NDArray, NDArray, NDArray> Ours, Func<Tensor, Tensor, Tensor> Theirs)[] s_operators =
    [
        ("add", static (a, b) => a + b, static (a, b) => a + b),
        ("multiply", static (a, b) => a * b, static (a, b) => a * b),
        ("divide", static (a, b) => a / b, static (a, b) => a / b),
        ("maximum", static (a, b) => Nd.Maximum(a, b), static (a, b) => maximum(a, b)),
        ("pow", static (a, b) => Nd.Pow(a, b), static (a, b) => pow(a, b)),
        ("sqrt", static (a, _) => Nd.Sqrt(a), static (a, _) => sqrt(a)),
        ("exp", static (a, _) => Nd.Exp(a), static (a, _) => exp(a)),
        ("log", static (a, _) => Nd.Log(a), static (a, _) => log(a)),
        ("sin", static (a, _) => Nd.Sin(a), static (a, _) => sin(a)),
        ("tanh", static (a, _) => Nd.Tanh(a), static (a, _) => tanh(a)),
        ("sigmoid", static (a, _) => Nd.Sigmoid(a), static (a, _) => sigmoid(a)),
        ("erf", static (a, _) => Nd.Erf(a), static (a, _) => special.erf(a)),
        ("relu", static (a, _) => Nd.Relu(a), static (a, _) => nn.functional.relu(a)),
        ("gelu", static (a, _) => Nd.Gelu(a), static (a, _) => nn.functional.gelu(a)),
        ("silu", static (a, _) => Nd.Silu(a), static (a, _) => nn.functional.silu(a)),
        ("where", static (a, b) => Nd.Where(a > b, a, b), static (a, b) => where(a > b, a, b)),
        ("sum", static (a, _) => Nd.Sum(a), static (a, _) => a.sum()),
        ("max", static (a, _) => Nd.Max(a), static (a, _) => a.max()),
    ];

    public static IEnumerable<PeerCase> All =>
        from size in new[] { 10_000, 100_000, 1_000_000 }
        from op in s_operators
        select new PeerCase(Area, $"{op.Name}, {size:N0}", () =>
        {
            (NDArray a, NDArray b) = (FusionSide.Positive(size, 1), FusionSide.Positive(size, 2));
            (Tensor ta, Tensor tb) = (TorchSide.Of(a), TorchSide.Of(b));
            return [FusionSide.Eager(() => op.Ours(a, b)), TorchSide.Contender(() => op.Theirs(ta, tb))];
        }) { IsQuick = size == 100_000 };
}
