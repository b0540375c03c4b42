using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Operators on rows, and losses: forward, and forward with backward.</summary>
internal static class Rows
{
    private const string Area = "rows: softmax, norms, losses";

    public static IEnumerable<PeerCase> All =>
    [
        Forward("softmax", static x => Nd.Softmax(x), static x => nn.functional.softmax(x, 1)),
        Forward("log-softmax", static x => Nd.LogSoftmax(x), static x => nn.functional.log_softmax(x, 1)),
        Forward("sum of rows", static x => Nd.Sum(x, [1]), static x => x.sum([1L])),
        Forward("sum of columns", static x => Nd.Sum(x, [0]), static x => x.sum([0L])),
        Forward("layer norm", static x => Nd.LayerNorm(x), static x => nn.functional.layer_norm(x, [1024])),
        WithBackward("softmax", static x => Nd.Softmax(x), static x => nn.functional.softmax(x, 1)),
        WithBackward("layer norm", static x => Nd.LayerNorm(x), static x => nn.functional.layer_norm(x, [1024])),
        WithBackward("mean-squared error", static x => Nd.Mean(Nd.Square(x)), static x => x.square().mean()),
        new(Area, "cross-entropy, 1024×1024, forward and backward", () =>
        {
            NDArray x = FusionSide.Variable((1024, 1024), 1);
            NDArray labels = Nd.Random.RandInt(0, 1024, 1024).AsType(DType.Int64);
            (Tensor tx, Tensor tl) = (TorchSide.Of(x, gradient: true), TorchSide.Of(labels));
            return Differentiated(x, v => Nd.Mean(Nd.SoftmaxCrossEntropy(v, labels)), tx, v => nn.functional.cross_entropy(v, tl));
        }),
    ];

    private static PeerCase Forward(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) => new(Area, $"{name}, 1024×1024", () =>
    {
        NDArray x = FusionSide.Normal((1024, 1024), 1);
        Tensor t = TorchSide.Of(x);
        return [FusionSide.Hybridized(() => ours(x)), FusionSide.Eager(() => ours(x)), TorchSide.Contender(() => theirs(t))];
    });

    private static PeerCase WithBackward(string name, Func<NDArray, NDArray> ours, Func<Tensor, Tensor> theirs) => new(Area, $"{name}, 1024×1024, forward and backward", () =>
    {
        NDArray x = FusionSide.Variable((1024, 1024), 1), weight = FusionSide.Normal((1024, 1024), 2);
        (Tensor tx, Tensor tw) = (TorchSide.Of(x, gradient: true), TorchSide.Of(weight));
        return Differentiated(x, v => Nd.Sum(ours(v) * weight), tx, v => (theirs(v) * tw).sum());
    });

    private static Contender[] Differentiated(NDArray x, Func<NDArray, NDArray> ours, Tensor tx, Func<Tensor, Tensor> theirs)
    {
        Func<NDArray> step = () =>
        {
            NDArray y;
            using (Autograd.Record()) y = ours(x);
            y.Backward();
            return y;
        };
        Func<NDArray> compiled = step.Hybridize().Invoke;
        return
        [
            FusionSide.Of(Contender.Hybridized, () => Gradient(compiled)),
            FusionSide.Eager(() => Gradient(step)),
            TorchSide.Contender(() =>
            {
                tx.grad = null!;
                theirs(tx).backward();
                return tx.grad!;
            }),
        ];

        NDArray Gradient(Func<NDArray> run)
        {
            run();
            return x.Grad!;
        }
    }
}
