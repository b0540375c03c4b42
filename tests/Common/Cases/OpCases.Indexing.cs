namespace Fusion.Tests;

// Selection by index arrays, and sorting.
internal static partial class OpCases
{
    internal static readonly OpCase[] Indexing =
    [
        Case(
            OpTable.Take,
            "",
            static x => Nd.Take(x[0], x[1]),
            static x => Take(x[0], x[1], 0),
            [[[4, 3], [2, 2]], [[4], []], [[4, 0], [3]], [[4, 2], [0]], [[6, 70], [33]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
            DTypes = ResultTypes.All,
            Large = [[500, 40], [700]],
            Rejects =
            [
                Rejection.Of<DTypeException>("indices of another type", static () => Nd.Take(Nd.Ones(3), Nd.Ones(2)), "Take", "Float32", "AsType"),
                AxisOutside("Take", static (x, axis) => Nd.Take(x, Nd.Zeros(2, DType.Int64), axis)),
                Outside("Take", static index => Nd.Take(Nd.Ones(3), index)),
                Outside("Take", static index => Nd.Take(Nd.Ones((0, 3)), index), 0),
            ],
        },
        Case(OpTable.Take, "last axis", static x => Nd.Take(x[0], x[1], -1), static x => Take(x[0], x[1], 1), [[[3, 4], [5]], [[2, 4], [2, 3]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3, DType.Int32)],
        },
        Case(
            OpTable.TakeGradient,
            "",
            static x => Nd.Scatter(x[0], x[1], (4, 3)),
            static x => Scatter(x[0], x[1], 4, 3),
            [[[5, 3], [1, 5]], [[0, 3], [1, 0]], [[40, 3], [1, 40]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
            DTypes = [DType.Float32, DType.Float64, DType.Int32, DType.Int64],
            Scale = 40,
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>(
                    "an index outside",
                    static () => Nd.Scatter(Nd.Ones((1, 3)), Nd.Full((1, 1), 4, DType.Int64), (4, 3)),
                    "index 4",
                    "(4, 3)"),
                Rejection.Of<ShapeException>(
                    "values of another shape",
                    static () => Nd.Scatter(Nd.Ones((2, 3)), Nd.Zeros((1, 3), DType.Int64), (4, 3)),
                    "Scatter",
                    "(1, 3)",
                    "(4, 3)",
                    "(2, 3)"),
            ],
        },
        Case(
            OpTable.Pick,
            "",
            static x => Nd.Pick(x[0], x[1]),
            static x => RefArray.Build(x[1].Shape, i => x[0][[.. i, Wrap(x[1][i], x[0].Shape[^1])]]),
            [[[3, 4], [3]], [[4], []], [[0, 4], [0]], [[2, 70, 4], [2, 70]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "indices of another shape",
                    static () => Nd.Pick(Nd.Ones((2, 3)), Nd.Zeros(3, DType.Int64)),
                    "Pick",
                    "(2, 3)",
                    "(3,)"),
                Rejection.Of<DTypeException>("indices of another type", static () => Nd.Pick(Nd.Ones((2, 3)), Nd.Zeros(2)), "Pick", "Float32", "AsType"),
                Outside("Pick", static index => Nd.Pick(Nd.Ones((1, 3)), index)),
                AxisOutside("Pick", static (x, axis) => Nd.Pick(x, Nd.Zeros(2, DType.Int64), axis)),
            ],
        },
        Case(
            OpTable.Pick,
            "axis 0",
            static x => Nd.Pick(x[0], x[1], 0),
            static x => RefArray.Build(x[1].Shape, i => x[0][Wrap(x[1][i], 3), i[0]]),
            [[[3, 4], [4]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-3, 2, DType.Int32)],
        },
        Case(
            OpTable.PickGradient,
            "",
            static x => OpTable.PickGradient.Apply(x[0], x[1], new DepthAttributes(4)),
            static x => RefArray.Build([.. x[0].Shape, 4], i => Wrap(x[1][i[..^1]], 4) == i[^1] ? x[0][i[..^1]] : 0),
            [[[5], [5]], [[2, 33], [2, 33]], [[0], [0]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
        },
        Case(
            OpTable.OneHot,
            "",
            static x => Nd.OneHot(x[0], 4),
            static x => RefArray.Build([.. x[0].Shape, 4], i => Bit(x[0][i[..^1]] == i[^1])),
            [[[2, 3]], [[]], [[0]], [[130]]]) with
        {
            Domains = [Real(0, 3)],
            DTypes = [DType.Int32, DType.Int64],
            Result = static _ => DType.Float32,
            Order = 0,
            Rejects =
            [
                Rejection.Of<DTypeException>("indices of another type", static () => Nd.OneHot(Nd.Ones(2), 3), "OneHot", "Float32", "AsType"),
                Rejection.Of<ArgumentOutOfRangeException>(
                    "a class outside",
                    static () => Nd.OneHot(Nd.Full(2, 3, DType.Int32), 3),
                    "OneHot",
                    "class 3",
                    "3 classes"),
                Rejection.Of<ArgumentOutOfRangeException>("a negative depth", static () => Nd.OneHot(Nd.Ones(2, DType.Int32), -1), "depth"),
            ],
        },
        Case(
            OpTable.RavelIndex,
            "",
            static x => OpTable.RavelIndex.Apply(x[0], new RavelAttributes((4, 4, 5))),
            static x => RefArray.Build(x[0].Shape[1..], i => (4 * Wrap(x[0][[0, .. i]], 4)) + Wrap(x[0][[1, .. i]], 4)),
            [[[2, 3]], [[2]], [[2, 0]], [[2, 3, 40]]]) with
        {
            Domains = [Real(-4, 3)],
            DTypes = [DType.Int32, DType.Int64],
            Result = ResultTypes.Position,
            Order = 0,
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>(
                    "an index outside",
                    static () => Nd.Gather(Nd.Ones((2, 3)), Nd.Full((2, 1), 2, DType.Int64)),
                    "Gather",
                    "index 2",
                    "axis 0",
                    "(2, 3)"),
                Rejection.Of<ShapeException>(
                    "too many axes",
                    static () => Nd.Gather(Nd.Ones((2, 3)), Nd.Zeros((3, 2), DType.Int64)),
                    "Gather",
                    "(2, 3)",
                    "(3, 2)"),
                Rejection.Of<DTypeException>(
                    "indices of another type",
                    static () => Nd.Gather(Nd.Ones((2, 3)), Nd.Zeros((2, 2))),
                    "Gather",
                    "Float32",
                    "AsType"),
            ],
        },
        Case(
            OpTable.InRange,
            "",
            static x => OpTable.InRange.Apply(x[0], new RangeAttributes("SequenceLast", "lengths", "length", 1, 4)),
            static x => x[0],
            [[[3]], [[1]], [[0]], [[130]]]) with
        {
            Domains = [Domain.Index(1, 4)],
            DTypes = [DType.Int64],
            Result = ResultTypes.Position,
            Order = 0,
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>(
                    "a length outside",
                    static () => Nd.SequenceLast(Nd.Ones((2, 3)), Nd.Array([1, 3, 2])),
                    "SequenceLast",
                    "length 3",
                    "1 to 2"),
            ],
        },
        Case(
            OpTable.TakeAlongAxis,
            "",
            static x => Nd.TakeAlongAxis(x[0], x[1]),
            static x => RefArray.Build(x[1].Shape, i => x[0][[.. i[..^1], Wrap(x[1][i], 4)]]),
            [[[3, 4], [3, 2]], [[4], [7]], [[2, 4], [2, 0]], [[2, 33, 4], [2, 33, 5]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
            DTypes = ResultTypes.All,
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "another rank",
                    static () => Nd.TakeAlongAxis(Nd.Ones((2, 3)), Nd.Zeros(2, DType.Int64)),
                    "TakeAlongAxis",
                    "(2, 3)",
                    "(2,)"),
                Rejection.Of<ShapeException>(
                    "another size",
                    static () => Nd.TakeAlongAxis(Nd.Ones((2, 3)), Nd.Zeros((3, 3), DType.Int64)),
                    "TakeAlongAxis",
                    "(2, 3)",
                    "(3, 3)"),
                Outside("TakeAlongAxis", static index => Nd.TakeAlongAxis(Nd.Ones(3), index)),
                AxisOutside("TakeAlongAxis", static (x, axis) => Nd.TakeAlongAxis(x, Nd.Zeros((2, 3), DType.Int64), axis)),
            ],
        },
        Case(
            OpTable.TakeAlongAxis,
            "broadcast",
            static x => Nd.TakeAlongAxis(x[0], x[1], 1),
            static x => RefArray.Build([2, 5, 3], i => x[0][i[0], Wrap(x[1][0, i[1], i[2]], 4), 0]),
            [[[2, 4, 1], [1, 5, 3]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
        },
        Case(
            OpTable.TakeAlongAxisGradient,
            "",
            static x => OpTable.TakeAlongAxisGradient.Apply(x[0], x[1], new DepthAttributes(4)),
            static x => Lines2(x, static (g, at) => Spread(g, at, 4)),
            [[[3, 5], [3, 5]], [[2, 2, 70], [2, 2, 70]], [[2, 0], [2, 0]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3)],
            Scale = 70,
        },
        Case(
            OpTable.ArgSort,
            "",
            static x => Nd.ArgSort(x[0]),
            static x => x[0].Lines(static line => Order(line, false)),
            [[[3, 5]], [[7]], [[2, 0]], [[0, 3]], [[2, 2, 130]], [[4, 1]]]) with
        {
            Domains = [Real(0, 5)],
            DTypes = ResultTypes.Numbers,
            Result = ResultTypes.Position,
            Order = 0,
            Rejects = [AxisOutside("ArgSort", static (x, axis) => Nd.ArgSort(x, axis))],
        },
        Case(
            OpTable.ArgSort,
            "axis 0 descending",
            static x => Nd.ArgSort(x[0], 0, descending: true),
            static x => x[0].Along(0, static line => Order(line, true)),
            [[[5, 3]], [[130, 2]]]) with
        {
            Domains = [Real(0, 5)],
            DTypes = ResultTypes.Numbers,
            Result = ResultTypes.Position,
            Order = 0,
        },
        Case(OpTable.ArgSort, "with NaN", static x => Nd.ArgSort(x[0]), static x => x[0].Lines(static line => Order(line, false)), [[[3, 5]], [[2, 130]]])
            .WithNaN() with { Result = ResultTypes.Position },
        Case(
            OpTable.ArgSort,
            "with NaN descending",
            static x => Nd.ArgSort(x[0], descending: true),
            static x => x[0].Lines(static line => Order(line, true)),
            [[[3, 5]], [[2, 130]]]).WithNaN() with { Result = ResultTypes.Position },
        Case(
            OpTable.ArgSort,
            "and selection",
            static x => Nd.Sort(x[0]),
            static x => x[0].Lines(static line => [.. line.Order()]),
            [[[3, 5]], [[7]], [[2, 0]], [[2, 2, 130]]]) with
        {
            Domains = [Domain.Distinct(-3, 3)],
            DTypes = ResultTypes.Numbers,
            Rejects = [AxisOutside("Sort", static (x, axis) => Nd.Sort(x, axis))],
        },
        Case(
            OpTable.SortBytes,
            "",
            static x => Nd.Sort(x[0]),
            static x => x[0].Lines(static line => [.. line.Order()]),
            [[[3, 5]], [[63]], [[64]], [[2, 0]], [[0, 3]], [[2, 2, 130]], [[4, 1]]]) with
        {
            Domains = [Real(0, 255)],
            DTypes = [DType.UInt8],
            Large = [[500, 300]],
            Order = 0,
        },
        Case(
            OpTable.SortBytes,
            "axis 0 descending",
            static x => Nd.Sort(x[0], 0, descending: true),
            static x => x[0].Along(0, static line => [.. line.OrderDescending()]),
            [[[5, 3]], [[130, 2]]]) with
        {
            Domains = [Real(0, 255)],
            DTypes = [DType.UInt8],
            Order = 0,
        },
        Case(
            OpTable.ArgSort,
            "of which the first",
            static x => Nd.TopK(x[0], 2).Values,
            static x => x[0].Lines(static line => [.. line.OrderDescending().Take(2)]),
            [[[3, 5]], [[2]], [[2, 2, 130]]]) with
        {
            Domains = [Domain.Distinct(-3, 3)],
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("too many", static () => Nd.TopK(Nd.Ones((2, 3)), 4).Values, "TopK", "3", "(2, 3)"),
                Rejection.Of<ArgumentOutOfRangeException>("a negative number", static () => Nd.TopK(Nd.Ones((2, 3)), -1).Values, "TopK"),
            ],
        },
    ];

    private static Rejection Outside(string op, Func<NDArray, NDArray> call, int size = 3) =>
        Rejection.Of<ArgumentOutOfRangeException>(
            $"an index outside {size}",
            () => call(Nd.Full(1, -1 - size, DType.Int64)),
            op,
            $"index {-1 - size}",
            $"size {size}");

    private static int Wrap(double index, int n) => (int)index < 0 ? (int)index + n : (int)index;

    private static RefArray Take(RefArray x, RefArray indices, int axis) =>
        RefArray.Build([.. x.Shape[..axis], .. indices.Shape, .. x.Shape[(axis + 1)..]], i =>
        {
            int at = Wrap(indices[i[axis..(axis + indices.Rank)]], x.Shape[axis]);
            return x[[.. i[..axis], at, .. i[(axis + indices.Rank)..]]];
        });

    private static RefArray Scatter(RefArray values, RefArray indices, int rows, int columns)
    {
        double[] result = new double[rows * columns];
        for (int i = 0; i < values.Shape[0]; i++)
            for (int k = 0; k < columns; k++) result[(Wrap(indices[0, i], rows) * columns) + k] += values[i, k];
        return new RefArray([rows, columns], result);
    }

    private static double[] Spread(double[] g, double[] at, int depth)
    {
        double[] line = new double[depth];
        for (int i = 0; i < g.Length; i++) line[Wrap(at[i], depth)] += g[i];
        return line;
    }

    // Stable in both directions; NaN is the largest number.
    private static double[] Order(double[] line, bool descending)
    {
        IEnumerable<int> positions = Enumerable.Range(0, line.Length);
        positions = descending ? positions.OrderByDescending(IsNaN).ThenByDescending(Value) : positions.OrderBy(IsNaN).ThenBy(Value);
        return [.. positions.Select(static i => (double)i)];

        bool IsNaN(int i) => double.IsNaN(line[i]);

        double Value(int i) => line[i];
    }
}
