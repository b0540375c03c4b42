using Fusion.Peers.Table;
using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>The sweep over the whole table that the oracle compares: every function eagerly, forward, and forward with backward.</summary>
internal static class Operators
{
    /// <summary>Run only with <c>--filter operators</c>: the sweep takes longer than everything else.</summary>
    public const string Area = "operators";

    private const int Seed = 1;

    public static IEnumerable<PeerCase> All =>
        from row in OperatorTable.All
        where row.IsTimed
        from backward in new[] { false, true }
        where !backward || row.IsDifferentiable
        select new PeerCase(Area, $"{row.Name}{(backward ? ", backward" : string.Empty)}", () => backward ? Differentiated(row) : Forward(row));

    private static Contender[] Forward(OperatorRow row)
    {
        NDArray[] x = row.Draw(Seed, timed: true, DType.Float32);
        Tensor[] t = [.. x.Select(static a => TorchArrays.Of(a))];
        return [FusionSide.Eager(() => row.Ours(x)), TorchSide.Contender(() => row.Theirs(t))];
    }

    // Sums of gradients are what both sides make of the same head gradient of ones.
    private static Contender[] Differentiated(OperatorRow row)
    {
        NDArray[] x = row.Draw(Seed, timed: true, DType.Float32);
        int[] variables = [.. Enumerable.Range(0, x.Length).Where(i => row.Operands[i].IsVariable)];
        Tensor[] t = [.. x.Select((a, i) => TorchArrays.Of(a, row.Operands[i].IsVariable))];
        foreach (int i in variables) x[i].AttachGrad();
        return
        [
            FusionSide.Eager(() =>
            {
                NDArray y;
                using (Autograd.Record(trainMode: false)) y = row.Ours(x);
                y.Backward();
                return x[variables[0]].Grad!;
            }),
            TorchSide.Contender(() =>
            {
                foreach (int i in variables) t[i].grad = null!;
                Tensor y = row.Theirs(t);
                y.backward([ones_like(y)]);
                return t[variables[0]].grad!;
            }),
        ];
    }
}
