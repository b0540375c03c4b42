namespace Fusion.Tests;

// Reductions and scans. Products, means, variances, norms are compositions of these rows.
internal static partial class OpCases
{
    private static readonly Shape[][] s_reduceShapes = [[[2, 3, 4]], [[1, 1, 1]], [[2, 3, 0]], [[3, 2, 130]], [[2, 33, 5]]];

    internal static readonly OpCase[] Reductions =
    [
        Reduction(OpTable.Sum, "", static x => Nd.Sum(x), static line => line.Sum()) with
        {
            Result = ResultTypes.Sum,
            Rejects = AxisMistakes("Sum", static (x, axes) => Nd.Sum(x, axes)),
        },
        Reduction(OpTable.Sum, "axis 0", static x => Nd.Sum(x, 0), static line => line.Sum(), [0]) with { Result = ResultTypes.Sum },
        Reduction(OpTable.Sum, "axis 1 kept", static x => Nd.Sum(x, 1, keepDims: true), static line => line.Sum(), [1], true) with { Result = ResultTypes.Sum },
        Reduction(OpTable.Sum, "axes 0 and -1", static x => Nd.Sum(x, [0, -1]), static line => line.Sum(), [0, -1]) with { Result = ResultTypes.Sum },
        Case(OpTable.Sum, "three separate axes", static x => Nd.Sum(x[0], [0, 2, 4]), static x => x[0].Reduce(static line => line.Sum(), [0, 2, 4]),
            [[[2, 3, 4, 2, 3]], [[3, 1, 2, 5, 4]], [[2, 2, 0, 2, 1]]]) with { Result = ResultTypes.Sum, DTypes = ResultTypes.All, Scale = 64 },
        Reduction(OpTable.Sum, "no axis", static x => Nd.Sum(x, []), static line => line.Sum(), []) with { Result = ResultTypes.Sum },
        Reduction(OpTable.SumOfSquares, "", static x => Sum(OpTable.SumOfSquares, [x], null), static line => line.Sum(static v => v * v)).Squared(),
        Reduction(OpTable.SumOfSquares, "axis 0", static x => Sum(OpTable.SumOfSquares, [x], [0]), static line => line.Sum(static v => v * v), [0]).Squared(),
        Reduction(OpTable.SumOfSquares, "axes 0 and -1", static x => Sum(OpTable.SumOfSquares, [x], [0, -1]), static line => line.Sum(static v => v * v),
            [0, -1]).Squared(),
        Reduction(OpTable.SumOfSquaredDeviations, "", static x => Sum(OpTable.SumOfSquaredDeviations, [x], null), Deviations).Squared(),
        Reduction(OpTable.SumOfSquaredDeviations, "axis -1", static x => Sum(OpTable.SumOfSquaredDeviations, [x], [-1]), Deviations, [-1]).Squared(),
        Reduction(OpTable.SumOfSquaredDeviations, "axis 0", static x => Sum(OpTable.SumOfSquaredDeviations, [x], [0]), Deviations, [0]).Squared(),
        ProductSums("", null), ProductSums("axis -1", [-1]), ProductSums("axis 1", [1]),
        DifferenceSums("", null), DifferenceSums("axis -1", [-1]), DifferenceSums("axis 1", [1]),
        SizeSums("", null), SizeSums("axis -1", [-1]), SizeSums("axis 1", [1]),
        HuberSums("parabolas", null, 2), HuberSums("lines, axis -1", [-1], 0.125), HuberSums("axis 1", [1], 2),
        Extremum(OpTable.Max, "", static x => Nd.Max(x), static line => line.Max()) with
        {
            Rejects = [.. AxisMistakes("Max", static (x, axes) => Nd.Max(x, axes)), Empty("Max", static x => Nd.Max(x, 1))],
        },
        Extremum(OpTable.Max, "axis 1", static x => Nd.Max(x, 1), static line => line.Max(), [1]),
        Extremum(OpTable.Max, "axes 0 and 2 kept", static x => Nd.Max(x, [0, 2], keepDims: true), static line => line.Max(), [0, 2], true),
        Extremum(OpTable.Min, "", static x => Nd.Min(x), static line => line.Min()) with
        {
            Rejects = [.. AxisMistakes("Min", static (x, axes) => Nd.Min(x, axes)), Empty("Min", static x => Nd.Min(x, 1))],
        },
        Extremum(OpTable.Min, "axis 0", static x => Nd.Min(x, 0), static line => line.Min(), [0]),
        Extremum(OpTable.Max, "with ties", static x => Nd.Max(x, -1), static line => line.Max(), [-1], false) with
        {
            Domains = [Domain.Fixed(null, 1, 3, 3, 2, 3, 1, 3)],
            Order = 0,
        },
        Reduction(OpTable.Any, "", static x => Nd.Any(x), static line => Bit(line.Any(static v => v != 0))).AsMask() with { Domains = [Real(0, 1)] },
        Reduction(OpTable.Any, "axis 1", static x => Nd.Any(x, 1), static line => Bit(line.Any(static v => v != 0)), [1]).AsMask() with
        {
            Domains = [Domain.Truth],
        },
        Reduction(OpTable.All, "", static x => Nd.All(x), static line => Bit(line.All(static v => v != 0))).AsMask() with { Domains = [Real(0, 1)] },
        Reduction(OpTable.All, "last kept", static x => Nd.All(x, -1, true), static line => Bit(line.All(static v => v != 0)), [-1], true).AsMask() with
        {
            Domains = [Domain.Truth],
        },
        Arg(OpTable.ArgMax, "", static x => Nd.ArgMax(x), static line => Array.IndexOf(line, line.Max())),
        Arg(OpTable.ArgMax, "axis 1", static x => Nd.ArgMax(x, 1), static line => Array.IndexOf(line, line.Max()), [1]) with
        {
            Rejects = [AxisOutside("ArgMax", static (x, axis) => Nd.ArgMax(x, axis)), Empty("ArgMax", static x => Nd.ArgMax(x, 1))],
        },
        Arg(OpTable.ArgMin, "", static x => Nd.ArgMin(x), static line => Array.IndexOf(line, line.Min())),
        Arg(OpTable.ArgMin, "axis 0 kept", static x => Nd.ArgMin(x, 0, keepDims: true), static line => Array.IndexOf(line, line.Min()), [0], true) with
        {
            Rejects = [AxisOutside("ArgMin", static (x, axis) => Nd.ArgMin(x, axis)), Empty("ArgMin", static x => Nd.ArgMin(x, 1))],
        },
        CumSum("axis 0", 0),
        CumSum("axis -1", -1) with { Rejects = [AxisOutside("CumSum", static (x, axis) => Nd.CumSum(x, axis))] },
        Case(OpTable.CumSum, "flat", static x => Nd.CumSum(x[0]), static x => x[0].Reshape(x[0].Values.Length).Lines(Running), s_reduceShapes) with
        {
            DTypes = ResultTypes.All,
            Result = ResultTypes.Sum,
            Scale = 64,
        },
    ];

    private static Domain DomainWithNaN => Domain.Fixed(null, 1, NaN, 3, 2, Inf, -Inf, NaN, -0.0, 0, 4, 4);

    internal static readonly OpCase[] NotANumber =
    [
        Extremum(OpTable.Max, "with NaN", static x => Nd.Max(x, -1), static line => line.Any(double.IsNaN) ? NaN : line.Max(), [-1]).WithNaN(),
        Extremum(OpTable.Min, "with NaN", static x => Nd.Min(x, 0), static line => line.Any(double.IsNaN) ? NaN : line.Min(), [0]).WithNaN(),
        Arg(OpTable.ArgMax, "with NaN", static x => Nd.ArgMax(x, -1), static line => First(line, line.Max()), [-1]).WithNaN(),
        Arg(OpTable.ArgMin, "with NaN", static x => Nd.ArgMin(x, 1), static line => First(line, line.Min()), [1]).WithNaN(),
        Reduction(OpTable.Sum, "with NaN", static x => Nd.Sum(x, 1), static line => line.Sum(), [1]).WithNaN(),
        Reduction(OpTable.Any, "with NaN", static x => Nd.Any(x, -1), static line => Bit(line.Any(static v => v != 0)), [-1]).AsMask().WithNaN(),
    ];

    private static OpCase WithNaN(this OpCase test) => test with { Domains = [DomainWithNaN], DTypes = ResultTypes.Floats, Order = 0 };

    // The first NaN wins.
    private static int First(double[] line, double otherwise)
    {
        int at = Array.FindIndex(line, double.IsNaN);
        return at >= 0 ? at : Array.IndexOf(line, otherwise);
    }

    private static OpCase Reduction(Op row, string detail, Func<NDArray, NDArray> call, Func<double[], double> f, int[]? axes = null, bool keepDims = false) =>
        Case(row, detail, x => call(x[0]), x => x[0].Reduce(f, axes, keepDims), s_reduceShapes) with
        {
            DTypes = ResultTypes.All,
            Scale = 64,
            Large = [[40, 30, 50]],
        };

    private static OpCase ProductSums(string detail, int[]? axes) => PairSums(OpTable.SumOfProducts, detail, static v => v[0] * v[1], axes);

    private static OpCase DifferenceSums(string detail, int[]? axes) =>
        PairSums(OpTable.SumOfSquaredDifferences, detail, static v => (v[0] - v[1]) * (v[0] - v[1]), axes);

    private static OpCase SizeSums(string detail, int[]? axes) =>
        PairSums(OpTable.SumOfAbsoluteDifferences, detail, static v => Math.Abs(v[0] - v[1]), axes) with { Domains = [Real(1, 2), Real(-2, 0.5)], Scale = 640 };

    private static OpCase HuberSums(string detail, int[]? axes, double delta) => PairSums(
        OpTable.SumOfHuber,
        detail,
        v => Math.Abs(v[0] - v[1]) <= delta ? (v[0] - v[1]) * (v[0] - v[1]) / 2 : delta * (Math.Abs(v[0] - v[1]) - (delta / 2)),
        axes) with
    {
        Call = x =>
        {
            ReduceAttributes attributes = Fusion.Reductions.Attributes("Sum", x[0], axes, false);
            return OpTable.SumOfHuber.Apply([x[0], x[1], Nd.Scalar(delta, x[0].DType)], attributes);
        },
        Domains = [Real(0, 0.4), Real(-0.6, -0.1)],
    };

    private static OpCase PairSums(Op row, string detail, Func<double[], double> term, int[]? axes) => Case(row, detail,
        x => Sum(row, [x[0], x[1]], axes),
        x => RefArray.Zip([x[0], x[1]], term).Reduce(static line => line.Sum(), axes, false),
        [.. s_reduceShapes.Select(static s => (Shape[])[s[0], s[0]])]).Squared() with
    {
        Large = [[8, 30, 50], [8, 30, 50]],
    };

    private static OpCase Squared(this OpCase test) => test with { DTypes = ResultTypes.Floats, Scale = 6400, Large = [[8, 30, 50]] };

    private static NDArray Sum(Op op, NDArray[] x, int[]? axes) => op.Apply(x, Fusion.Reductions.Attributes("Sum", x[0], axes, false));

    private static double Deviations(double[] line)
    {
        double mean = line.DefaultIfEmpty().Average();
        return line.Sum(v => (v - mean) * (v - mean));
    }

    private static OpCase Extremum(Op row, string detail, Func<NDArray, NDArray> call, Func<double[], double> f, int[]? axes = null, bool keepDims = false) =>
        Reduction(row, detail, call, f, axes, keepDims) with
        {
            Shapes = [.. s_reduceShapes.Where(static s => s[0].Size > 0)],
            DTypes = ResultTypes.Numbers,
            Domains = [Domain.Distinct(-3, 3)],
        };

    private static OpCase Arg(Op row, string detail, Func<NDArray, NDArray> call, Func<double[], double> f, int[]? axes = null, bool keepDims = false) =>
        Extremum(row, detail, call, f, axes, keepDims) with { Result = ResultTypes.Position, Order = 0, Domains = [Real(0, 3)] };

    private static OpCase CumSum(string detail, int axis) =>
        Case(OpTable.CumSum, detail, x => Nd.CumSum(x[0], axis), x => x[0].Along(axis, Running), s_reduceShapes) with
        {
            DTypes = ResultTypes.All,
            Result = ResultTypes.Sum,
            Scale = 64,
            Large = [[40, 30, 50]],
        };

    private static double[] Running(double[] line)
    {
        double sum = 0;
        return Array.ConvertAll(line, v => sum += v);
    }

    private static Rejection AxisOutside(string op, Func<NDArray, int, NDArray> call) =>
        Rejection.Of<ArgumentOutOfRangeException>("an axis that does not exist", () => call(Nd.Ones((2, 3)), -3), op, "axis -3", "(2, 3)");

    private static Rejection[] AxisMistakes(string op, Func<NDArray, int[], NDArray> call) =>
    [
        AxisOutside(op, (x, axis) => call(x, [axis])),
        Rejection.Of<ShapeException>("an axis twice", () => call(Nd.Ones((2, 3)), [1, -1]), op, "axis 1", "twice", "(2, 3)"),
    ];

    private static Rejection Empty(string op, Func<NDArray, NDArray> call) =>
        Rejection.Of<ShapeException>("an empty axis", () => call(Nd.Ones((2, 0))), op, "axis 1", "(2, 0)", "empty");
}
