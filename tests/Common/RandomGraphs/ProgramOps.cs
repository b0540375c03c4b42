namespace Fusion.Tests.RandomGraphs;

/// <summary>What instructions can do. A row that does not fit its operands' shapes returns null, and the instruction becomes a tanh.</summary>
internal static class ProgramOps
{
    private const long MaxSize = 200_000;

    private static readonly double[] s_constants = [1, 0, -0.0, 2, -1, 0.5, 3, 1e-3];

    public static readonly (string Name, Func<NDArray, NDArray, int, NDArray?> Apply)[] Rows =
    [
        ("Add", (x, y, _) => Broadcasts(x, y) ? x + y : null),
        ("Multiply", (x, y, _) => Broadcasts(x, y) ? x * y : null),
        ("Subtract", (x, y, _) => Broadcasts(x, y) ? x - y : null),
        ("AddConstant", (x, _, d) => x + Constant(d)),
        ("MultiplyConstant", (x, _, d) => x * Constant(d)),
        ("SubtractConstant", (x, _, d) => d % 2 == 0 ? x - Constant(d) : Constant(d) - x),
        ("Negate", (x, _, _) => -x),
        ("Relu", (x, _, _) => x.Relu()),
        ("Sigmoid", (x, _, _) => x.Sigmoid()),
        ("Sum", (x, _, d) => x.Rank == 0 ? null : x.Sum(d % x.Rank)),
        ("SumKeep", (x, _, d) => x.Rank == 0 ? null : x.Sum(d % x.Rank, keepDims: true)),
        ("Transpose", (x, _, _) => x.Transpose()),
        ("Flatten", (x, _, _) => x.Reshape(-1)),
        ("Slice", (x, _, d) => x.Rank == 0 ? null : x.Slice(d % x.Rank, d % 3 == 0 ? null : 1, d % 5 == 0 ? -1 : null)),
        ("ExpandDims", (x, _, d) => x.Rank > 2 ? null : x.ExpandDims(d % (x.Rank + 1))),
        ("BroadcastTo", (x, y, _) => Broadcasts(x, y) && Broadcasting.Infer("", x.Shape, y.Shape) == y.Shape ? x.BroadcastTo(y.Shape) : null),
        ("Where", (x, y, _) => Broadcasts(x, y) ? Nd.Where(x > y, x, y * 2) : null),
        ("MatMul", (x, y, _) => Multiplies(x, y) ? x.MatMul(y) : null),
        ("DotTransposed", (x, y, _) => x.Rank == 2 && y.Rank == 2 && x.Shape[1] == y.Shape[1] && IsSmall(x.Shape[0], y.Shape[0]) ? x.Dot(y, transposeB: true) : null),
        ("Divide", (x, y, _) => Broadcasts(x, y) ? x / (y.Square() + 1) : null),
        ("Maximum", (x, y, _) => Broadcasts(x, y) ? x.Maximum(y) : null),
        ("Minimum", (x, y, _) => Broadcasts(x, y) ? x.Minimum(y) : null),
        ("Exp", (x, _, _) => (-x.Abs()).Exp()),
        ("Sqrt", (x, _, _) => (x.Abs() + 0.25).Sqrt()),
        ("Log", (x, _, _) => (x.Square() + 1).Log()),
        ("Sin", (x, _, _) => x.Sin()),
        ("Gelu", (x, _, d) => x.Gelu(d % 2 == 0)),
        ("Silu", (x, _, _) => x.Silu()),
        ("Softplus", (x, _, _) => x.Softplus()),
        ("Clip", (x, _, d) => x.Clip(-1, Constant(d) + 2)),
        ("Floor", (x, _, _) => x.Floor()),
        ("Mean", (x, _, d) => x.Rank == 0 || x.Shape[d % x.Rank] == 0 ? null : x.Mean(d % x.Rank, keepDims: d % 2 == 0)),
        ("Max", (x, _, d) => x.Rank == 0 || x.Shape[d % x.Rank] == 0 ? null : x.Max(d % x.Rank, keepDims: d % 2 == 0)),
        ("Softmax", (x, _, d) => x.Rank == 0 ? null : x.Softmax(d % x.Rank)),
        ("LogSoftmax", (x, _, d) => x.Rank == 0 ? null : x.LogSoftmax(d % x.Rank)),
        ("LayerNorm", (x, _, _) => x.Rank == 0 || x.Size == 0 ? null : x.LayerNorm(Line(x).Tanh(), Line(x).Sigmoid())),
        ("RmsNorm", (x, y, d) => x.Rank == 0 || x.Size == 0 ? null : x.RmsNorm(y.Shape == new Shape(x.Shape[-1]) ? y : d % 2 == 0 ? Line(x).Tanh() : null)),
        ("Var", (x, _, d) => x.Rank == 0 || x.Shape[d % x.Rank] == 0 ? null : x.Var(d % x.Rank, keepDims: true)),
        ("CumSum", (x, _, d) => x.Rank == 0 ? null : x.CumSum(d % x.Rank)),
        ("Concat", (x, y, d) => Concats(x, y, d) ? Nd.Concat([x, y], d % x.Rank) : null),
        ("Stack", (x, y, d) => x.Shape == y.Shape && x.Rank < 3 && IsSmall(x.Size, 2) ? Nd.Stack([x, y], d % (x.Rank + 1)) : null),
        ("Flip", (x, _, d) => x.Rank == 0 ? null : x.Flip(d % x.Rank)),
        ("Roll", (x, _, d) => x.Rank == 0 ? null : x.Roll(d, d % x.Rank)),
        ("Diagonal", (x, _, d) => x.Rank < 2 ? null : x.Diagonal(d % 2)),
        ("Stride", (x, _, d) => x.Rank == 0 ? null : x.Slice(d % x.Rank, null, null, 2)),
        ("Pad", (x, _, d) => x.Rank == 0 || !IsSmall(x.Size, 4) ? null : Pad(x, d % x.Rank, Constant(d))),
        ("Take", (x, _, d) => x.Rank == 0 || x.Shape[0] == 0 || !IsSmall(x.Size, 3) ? null : x.Take(Nd.Array([0, (d + 1) % x.Shape[0], 0]).To(x.Device), 0)),
        ("ThroughFloat64", (x, _, _) => (x.AsType(DType.Float64) * 3).AsType(DType.Float32)),
        ("ThroughInt32", (x, _, _) => x.Clip(-8, 8).AsType(DType.Int32).AsType(DType.Float32)),
        ("Masks", (x, y, _) => Broadcasts(x, y) ? Nd.Where(Nd.LogicalAnd(x > 0, y < 1), x, 0.5) : null),
        ("CountMask", (x, _, _) => x.Rank == 0 ? null : (x > 0).AsType(DType.Float32).Sum(0)),
        ("StopGradient", (x, y, _) => Broadcasts(x, y) ? x * y.StopGradient() : null),
        ("Dropout", (x, _, _) => x.Dropout(0.25)),
        ("Noise", (x, _, d) => x + Nd.Random.Uniform(0, 1, x.Shape, device: x.Device) * Constant(d)),
        ("Pow", (x, _, d) => (x.Abs() + 0.5).Pow(Constant(d))),
    ];

    public static string NameOf(Instruction instruction) => Rows[instruction.Op % Rows.Length].Name;

    /// <summary>The row, or null where it does not fit the shapes.</summary>
    public static (string Name, NDArray? Value) Apply(Instruction instruction, NDArray x, NDArray y)
    {
        (string name, Func<NDArray, NDArray, int, NDArray?> apply) = Rows[instruction.Op % Rows.Length];
        return (name, apply(x, y, instruction.Detail));
    }

    private static NDArray Pad(NDArray x, int axis, double value) => x.Pad([.. Enumerable.Range(0, x.Rank).Select(i => i == axis ? (1, 2) : (0, 0))], value);

    // As many numbers as the last axis has.
    private static NDArray Line(NDArray x) => x.Reshape(-1, x.Shape[-1]).Sum(0);

    private static double Constant(int detail) => s_constants[detail % s_constants.Length];

    /// <summary>Whether a result of so many numbers is small: results that grow from row to row would soon fill the memory.</summary>
    public static bool IsSmall(long size, long times) => size <= MaxSize / Math.Max(times, 1);

    /// <summary>Their shapes fit, and the result is small.</summary>
    public static bool Broadcasts(NDArray x, NDArray y)
    {
        int rank = Math.Max(x.Rank, y.Rank);
        long size = 1;
        for (int i = 1; i <= rank; i++)
        {
            int a = i <= x.Rank ? x.Shape[-i] : 1;
            int b = i <= y.Rank ? y.Shape[-i] : 1;
            if (a != b && a != 1 && b != 1) return false;
            size *= a == 1 ? b : a;
        }

        return rank <= 3 && size <= MaxSize;
    }

    private static bool Multiplies(NDArray x, NDArray y) => x.Rank == 2 && y.Rank == 2 && x.Shape[1] == y.Shape[0] && IsSmall(x.Shape[0], y.Shape[1]);

    private static bool Concats(NDArray x, NDArray y, int detail)
    {
        if (x.Rank == 0 || x.Rank != y.Rank || x.Size + y.Size > MaxSize) return false;
        for (int i = 0; i < x.Rank; i++)
            if (i != detail % x.Rank && x.Shape[i] != y.Shape[i]) return false;
        return true;
    }
}
