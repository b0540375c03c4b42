namespace Fusion.Tests;

// Positions, writes by indices, bits, and distributions by rejection.
internal static partial class OpCases
{
    internal static readonly OpCase[] Positions =
    [
        Case(
            OpTable.SearchSorted,
            "",
            static x => Nd.SearchSorted(Beside(x[0]), x[0]),
            static x => RefArray.Zip(x, static v => SortedValues.Count(s => s < v[0])),
            [[[2, 5]], [[]], [[0]], [[130]]]) with
        {
            DTypes = ResultTypes.Numbers,
            Result = ResultTypes.Position,
            Order = 0,
            Rejects = [Rejection.Of<ShapeException>("a sorted matrix", static () => Nd.SearchSorted(Nd.Ones((2, 2)), Nd.Ones(1)), "SearchSorted", "(2, 2)")],
        },
        Case(
            OpTable.SearchSorted,
            "behind equal elements",
            static x => Nd.SearchSorted(Beside(x[0]), x[0], right: true),
            static x => RefArray.Zip(x, static v => SortedValues.Count(s => s <= v[0])),
            [[[2, 5]], [[130]]]) with
        {
            DTypes = ResultTypes.Numbers,
            Result = ResultTypes.Position,
            Order = 0,
        },
        Case(
            OpTable.IsLastWriter,
            "",
            static x => OpTable.IsLastWriter.Apply(x[0], new DepthAttributes(4)),
            static x => new RefArray(
                x[0].Shape, [.. x[0].Values.Select((v, i) => Array.FindLastIndex(x[0].Values, w => Wrap(w, 4) == Wrap(v, 4)) == i ? 1.0 : 0)]),
            [[[5]], [[2]], [[0]], [[70]]]) with
        {
            Domains = [Domain.Index(-4, 3)],
            Result = static _ => DType.Bool,
            Order = 0,
        },
        Case(
            OpTable.ClassWeights,
            "",
            static x => OpTable.ClassWeights.Apply(x[0]),
            static x => x[0],
            [[[2, 5]], [[3]], [[0, 3]], [[4, 130]]]) with
        {
            Domains = [Real(0.25, 4)],
            DTypes = [DType.Float32, DType.Float64],
            Order = 0,
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("a negative weight", static () => Nd.Random.Multinomial(Nd.Array([1f, -1])), "Multinomial", "class 1"),
                Rejection.Of<ArgumentOutOfRangeException>("no number", static () => Nd.Random.Multinomial(Nd.Array([double.NaN, 1])), "Multinomial", "class 0"),
                Rejection.Of<ArgumentOutOfRangeException>("infinity", static () => Nd.Random.Multinomial(Nd.Array([1, float.PositiveInfinity])), "Multinomial", "class 1"),
                Rejection.Of<ArgumentOutOfRangeException>("no class", static () => Nd.Random.Multinomial(Nd.Zeros((2, 3))), "Multinomial", "line 0"),
            ],
        },
        Case(
            OpTable.Histogram,
            "",
            static x => Nd.Histogram(x[0], 5, -1.5, 1).Counts,
            static x => Counted(x[0], 5, -1.5, 1),
            [[[2, 5]], [[]], [[0]], [[130]]]) with
        {
            Domains = [Domain.Fixed(null, -1.5, 1, 0.3, -1.6, -1, -0.5, 0, 0.5, 1.1, NaN, 0.99, -0.7)],
            Result = ResultTypes.Position,
            Order = 0,
            Large = [[300, 250]],
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("no bin", static () => Nd.Histogram(Nd.Ones(2), 0, 0, 1).Counts),
                Rejection.Of<ArgumentOutOfRangeException>("an empty interval", static () => Nd.Histogram(Nd.Ones(2), 3, 1, 1).Counts, "Histogram", "[1, 1]"),
                Rejection.Of<ShapeException>("one edge", static () => OpTable.Histogram.Apply(Nd.Ones(2), Nd.Ones(1)), "Histogram", "(1,)"),
                Rejection.Of<DTypeException>("integers", static () => OpTable.Histogram.Apply(Nd.Ones(2, DType.Int32), Nd.Ones(2, DType.Int32)), "Histogram",
                    "Int32", "AsType"),
            ],
        },
        Case(
            OpTable.CountIndices,
            "",
            static x => OpTable.CountIndices.Apply(x[0], new DepthAttributes(7)),
            static x => new RefArray([7], [.. Enumerable.Range(0, 7).Select(i => (double)x[0].Values.Count(v => v == i))]),
            [[[2, 5]], [[0]], [[130]]]) with
        {
            Domains = [Domain.Index(0, 6)],
            Result = ResultTypes.Position,
            Order = 0,
            Large = [[300, 250]],
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("a number outside",
                    static () => OpTable.CountIndices.Apply(Nd.Array([1, 2]), new DepthAttributes(2)), "BinCount", "number 2", "position 1"),
                Rejection.Of<DTypeException>("floating point", static () => Nd.BinCount(Nd.Ones(2)), "BinCount", "Float32"),
            ],
        },
        Case(
            OpTable.IndexAdd,
            "",
            static x => Nd.IndexAdd(x[0], x[1], x[2]),
            static x => Written(x, static (was, value) => was + value),
            [[[4, 3], [5], [5, 3]], [[4], [2], [2]], [[4, 2], [0], [0, 2]], [[4, 33], [70], [70, 33]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3), Real(-2, 2)],
            DTypes = [DType.Float32, DType.Float64, DType.Int32, DType.Int64],
            Scale = 70,
            Large = [[4, 900], [200], [200, 900]],
            Rejects = Writes("IndexAdd", static (x, i, v) => Nd.IndexAdd(x, i, v)),
        },
        Case(
            OpTable.IndexUpdate,
            "",
            static x => Nd.IndexUpdate(x[0], x[1], x[2]),
            static x => Written(x, static (_, value) => value),
            [[[4, 3], [5], [5, 3]], [[4], [2], [2]], [[4, 2], [0], [0, 2]], [[4, 33], [70], [70, 33]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(-4, 3), Real(-2, 2)],
            Rejects = Writes("IndexUpdate", static (x, i, v) => Nd.IndexUpdate(x, i, v)),
        },
        Case(
            OpTable.IndexExtremum,
            "",
            static x => Nd.IndexReduce(x[0], x[1], x[2], ScatterReduction.Max),
            static x => Written(x, Math.Max),
            [[[4, 3], [5], [5, 3]], [[4], [2], [2]], [[4, 2], [0], [0, 2]], [[4, 33], [70], [70, 33]]]) with
        {
            Domains = [Domain.Distinct(-2, 2), Domain.Index(-4, 3), Domain.Distinct(-2.1, 2.2)],
            Rejects = Writes("IndexReduce", static (x, i, v) => Nd.IndexReduce(x, i, v, ScatterReduction.Max)),
        },
        Case(
            OpTable.IndexExtremum,
            "smallest",
            static x => Nd.IndexReduce(x[0], x[1], x[2], ScatterReduction.Min),
            static x => Written(x, Math.Min),
            [[[4, 3], [5], [5, 3]]]) with
        {
            Domains = [Domain.Distinct(-2, 2), Domain.Index(-4, 3), Domain.Distinct(-2.1, 2.2)],
        },
        Bits(OpTable.BitwiseAnd, Nd.BitwiseAnd, static (a, b) => a & b),
        Bits(OpTable.BitwiseOr, Nd.BitwiseOr, static (a, b) => a | b),
        Bits(OpTable.BitwiseXor, Nd.BitwiseXor, static (a, b) => a ^ b),
        Bits(OpTable.ShiftLeft, Nd.ShiftLeft, static (a, b) => b is >= 0 and < 64 ? a << (int)b : 0),
        Bits(OpTable.ShiftRight, Nd.ShiftRight, static (a, b) => b is >= 0 and < 64 ? a >> (int)b : a < 0 ? -1 : 0),
        Draw(OpTable.RandomGamma, "", static () => Nd.Random.Gamma(2.5, 3, (7, 19)), DType.Float32, static v => v > 0) with
        {
            Rejects =
            [
                Rejection.Of<ArgumentOutOfRangeException>("a shape of 0", static () => Nd.Random.Gamma(0, 1, 3), "Gamma", "0"),
                Rejection.Of<DTypeException>("integers", static () => Nd.Random.Gamma(1, 1, 3, DType.Int32), "Gamma", "Int32"),
            ],
        },
        Draw(OpTable.RandomGamma, "Float64", static () => Nd.Random.Gamma(0.3, 1, 1001, DType.Float64), DType.Float64, static v => v >= 0),
        Draw(OpTable.RandomPoisson, "", static () => Nd.Random.Poisson(3, (7, 19), DType.Float64), DType.Float64, static v => v >= 0 && v == Math.Floor(v)) with
        {
            Rejects = [Rejection.Of<ArgumentOutOfRangeException>("a negative mean", static () => Nd.Random.Poisson(-1, 3), "Poisson")],
        },
        Draw(OpTable.RandomPoisson, "of many", static () => Nd.Random.Poisson(50, 1001, DType.Int32), DType.Int32, static v => v >= 0),
    ];

    private static double[] SortedValues => [-1.5, -1, 0, 0, 0, 1, 2, 7];

    private static OpCase Bits(Op row, Func<NDArray, NDArray, NDArray> call, Func<long, long, long> reference) =>
        Case(row, "", x => call(x[0], x[1]), x => RefArray.Zip(x, v => reference((long)v[0], (long)v[1])), BinaryShapes) with
        {
            DTypes = [DType.Int32, DType.Int64, DType.UInt8],
            Domains = [Real(-20, 20)],
            Order = 0,
            Rejects =
        [
            Rejection.Of<DTypeException>("floating point", () => call(Nd.Ones(2), Nd.Ones(2)), row.Name, "Float32", "AsType"),
            Unfit(() => call(Nd.Ones((2, 3), DType.Int32), Nd.Ones((2, 4), DType.Int32)), row.Name, "(2, 3)", "(2, 4)"),
        ],
        };

    private static Rejection[] Writes(string op, Func<NDArray, NDArray, NDArray, NDArray> call) =>
    [
        Rejection.Of<ShapeException>("values of another shape", () => call(Nd.Ones((3, 2)), Nd.Zeros(2, DType.Int64), Nd.Ones((1, 2))), op, "(3, 2)", "(1, 2)"),
        Rejection.Of<DTypeException>("indices of another type", () => call(Nd.Ones(3), Nd.Ones(2), Nd.Ones(2)), op, "Float32", "AsType"),
        Outside(op, index => call(Nd.Ones(3), index, Nd.Ones(1))),
    ];

    // Bins of equal width; the last one has both edges.
    private static RefArray Counted(RefArray x, int bins, double low, double high)
    {
        double[] counts = new double[bins];
        foreach (double value in x.Values)
            if (value >= low && value <= high) counts[Math.Min(bins - 1, (int)((value - low) * bins / (high - low)))]++;
        return new RefArray([bins], counts);
    }

    // x with values joined, one after the other, to the rows that the indices name.
    private static RefArray Written(RefArray[] x, Func<double, double, double> join)
    {
        double[] result = [.. x[0].Values];
        int inner = x[0].Shape[1..].Aggregate(1, static (a, b) => a * b);
        for (int i = 0; i < x[1].Values.Length; i++)
        {
            int row = Wrap(x[1].Values[i], x[0].Shape[0]);
            for (int k = 0; k < inner; k++) result[(row * inner) + k] = join(result[(row * inner) + k], x[2].Values[(i * inner) + k]);
        }

        return new RefArray(x[0].Shape, result);
    }

    private static NDArray Beside(NDArray? x) => Nd.Array(SortedValues).To(x?.Device ?? Device.Cpu);
}
