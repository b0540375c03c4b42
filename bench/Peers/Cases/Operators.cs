using Fusion.Peers.Table;

namespace Fusion.Peers.Cases;

/// <summary>The sweep over the whole table that the oracle compares: every function eagerly, forward, and forward with backward.</summary>
internal static class Operators
{
    /// <summary>Run only with <c>--filter operators</c>: the sweep takes longer than everything else.</summary>
    public const string Area = "operators";

    private const int Seed = 1;

    public static IEnumerable<PeerCase> All => OperatorTable.All.Where(static row => row.IsTimed).SelectMany(static row =>
    {
        Pair pair = new(Area, row.Name, () => row.Draw(Seed, timed: true, DType.Float32), row.Ours, row.Theirs)
        {
            Variables = [.. Enumerable.Range(0, row.Operands.Length).Where(i => row.Operands[i].IsVariable)],
            IsTraining = false,
        };
        return row.IsDifferentiable ? (PeerCase[])[pair.Forward(), pair.WithBackward()] : [pair.Forward()];
    });
}
