namespace Fusion.Tests.RandomGraphs;

/// <summary>What instructions of programs of several types can do: <see cref="ProgramOps"/> and more: conversions, what gives integers and masks, branches and loops.</summary>
internal static class MixedOps
{
    private static readonly DType[] s_types = [DType.Float16, DType.BFloat16, DType.Float64, DType.UInt8, DType.Bool, DType.Int32, DType.Int64, DType.Float32];

    private static readonly (string Name, Func<NDArray, NDArray, int, NDArray?> Apply)[] s_more =
    [
        ("Cast", (x, _, d) => x.AsType(s_types[d])),
        ("CastToHalf", (x, _, d) => x.AsType(s_types[d % 2])),
        ("CastAs", (x, y, _) => x.AsType(y.DType)),
        ("Compare", (x, y, d) => !ProgramOps.Broadcasts(x, y) ? null : (d % 4) switch { 0 => x < y, 1 => x >= y, 2 => x.Equal(y), _ => x > 0.5 }),
        ("ByMask", (x, y, _) => ProgramOps.Broadcasts(x, y) ? Nd.Where(x.AsType(DType.Bool), y, x) : null),
        ("MaskTimes", (x, y, _) => ProgramOps.Broadcasts(x, y) ? (x > 0) * y : null),
        ("Logical", (x, y, d) => !ProgramOps.Broadcasts(x, y) ? null : d % 2 == 0 ? x.LogicalAnd(y) : x.LogicalOr(y)),
        ("Bitwise", (x, y, d) => !ProgramOps.Broadcasts(x, y) || x.DType.IsFloat || y.DType.IsFloat ? null : (d % 3) switch { 0 => x.BitwiseAnd(y), 1 => x.BitwiseOr(y), _ => x.BitwiseXor(y) }),
        ("Mod", (x, y, d) => !ProgramOps.Broadcasts(x, y) ? null : d % 2 == 0 ? x % (y.Abs() + 3) : x.FloorDivide(y.Clip(1, 9))),
        ("IntegerDivide", (x, y, _) => ProgramOps.Broadcasts(x, y) ? x / y : null),
        ("Arg", (x, _, d) => x.Rank == 0 || x.Shape[d % x.Rank] == 0 ? null : d < 4 ? x.ArgMax(d % x.Rank) : x.ArgMin(d % x.Rank)),
        ("AnyAll", (x, _, d) => x.Rank == 0 ? null : d < 4 ? x.Any(d % x.Rank, keepDims: true) : x.All(d % x.Rank)),
        ("Prod", (x, _, d) => x.Rank == 0 ? null : x.Prod(d % x.Rank)),
        ("Extreme", (x, _, d) => x.Rank == 0 || x.Shape[d % x.Rank] == 0 ? null : x.Min(d % x.Rank)),
        ("TakeAt", (x, y, _) => x.Rank == 0 || x.Shape[0] == 0 || !ProgramOps.IsSmall(y.Size, x.Size / x.Shape[0]) ? null : x.Take(y.Clip(0, 100).AsType(DType.Int64) % x.Shape[0], 0)),
        ("Weak", (x, _, d) => d % 2 == 0 ? 2.5 - x : x * 2 + 1),
        ("SumAll", (x, _, d) => d % 2 == 0 ? x.Sum() : x.Size == 0 ? null : x.Mean()),
        ("Cond", (x, y, d) => Nd.Cond(d % 2 == 0 ? (x > y.Sum()).Any() : x.Sum() > y.Sum(), () => x * 2, () => x - 1)),
        ("Twice", (x, _, d) => Nd.WhileLoop(s => s.Abs().Sum() < d * 10, s => s * 2 + 1, x.AsType(DType.Float32), 1 + d % 3)),
        ("ForEach", (x, y, _) => x.Rank == 0 || x.Shape[0] is 0 or > 4 || !ProgramOps.Broadcasts(x, y) ? null : Nd.ForEach(static (slice, s) => (slice * s, s + 1), x, y.Sum().AsType(DType.Float32)).Outputs),
        ("Checkpoint", (x, y, _) => x.DType.IsFloat && ProgramOps.Broadcasts(x, y) ? Autograd.Checkpoint(v => (v * y).Tanh() * v, x) : null),
    ];

    private static readonly (string Name, Func<NDArray, NDArray, int, NDArray?> Apply)[] s_rows = [.. ProgramOps.Rows, .. s_more, .. s_more];

    public static string NameOf(Instruction instruction) => s_rows[instruction.Op % s_rows.Length].Name;

    /// <summary>The row, or null where it does not fit shapes or types.</summary>
    public static (string Name, NDArray? Value) Apply(Instruction instruction, NDArray x, NDArray y)
    {
        (string name, Func<NDArray, NDArray, int, NDArray?> apply) = s_rows[instruction.Op % s_rows.Length];
        try
        {
            return (name, apply(x, y, instruction.Detail));
        }
        catch (DTypeException)
        {
            return (name, null);
        }
    }
}
