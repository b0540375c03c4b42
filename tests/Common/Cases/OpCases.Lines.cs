namespace Fusion.Tests;

// Operators on the lines of the last axis, and the rows of their gradients.
internal static partial class OpCases
{
    private static readonly Shape[][] s_lineShapes = [[[3, 5]], [[7]], [[2, 0]], [[0, 4]], [[4, 1]], [[2, 2, 130]], [[3, 33]]];

    private static readonly Shape[][] s_linePairs = [.. s_lineShapes.Select(static s => (Shape[])[s[0], s[0]])];

    private static readonly Shape[][] s_labelled =
        [.. s_lineShapes.Where(static s => s[0].Rank > 1 && s[0][-1] > 0).Select(static s => (Shape[])[s[0], s[0].Dimensions[..^1].ToArray()])];

    internal static readonly OpCase[] Lines =
    [
        Case(OpTable.Softmax, "", static x => Nd.Softmax(x[0]), static x => x[0].Lines(Softmax), s_lineShapes) with
        {
            Large = [[300, 70]],
            Rejects = LineMistakes("Softmax", static (x, axis) => Nd.Softmax(x, axis)),
        },
        Case(OpTable.Softmax, "axis 0", static x => Nd.Softmax(x[0], 0), static x => x[0].Along(0, Softmax), [[[3, 5]], [[1, 4]], [[130, 3]]]),
        Case(OpTable.Softmax, "far apart", static x => Nd.Softmax(x[0]), static x => x[0].Lines(Softmax), s_lineShapes) with
        {
            Domains = [Real(-800, 800)],
            Ulps = 3000,
            Ulps64 = 3000,
            Order = 0,
        },
        Case(OpTable.LogSoftmax, "", static x => Nd.LogSoftmax(x[0]), static x => x[0].Lines(LogSoftmax), s_lineShapes) with
        {
            Scale = 4,
            Large = [[300, 70]],
            Rejects = LineMistakes("LogSoftmax", static (x, axis) => Nd.LogSoftmax(x, axis)),
        },
        Case(OpTable.LogSoftmax, "axis 0", static x => Nd.LogSoftmax(x[0], 0), static x => x[0].Along(0, LogSoftmax), [[[3, 5]], [[1, 4]], [[130, 3]]]) with
        {
            Scale = 4,
        },
        Case(OpTable.LogSoftmax, "far apart", static x => Nd.LogSoftmax(x[0]), static x => x[0].Lines(LogSoftmax), s_lineShapes) with
        {
            Domains = [Real(-800, 800)],
            Scale = 800,
            Order = 0,
        },
        Case(
            OpTable.SoftmaxGradient,
            "",
            static x => OpTable.SoftmaxGradient.Apply(x[0], x[1]),
            static x => Lines2(x, static (y, g) => [.. y.Zip(g, (a, b) => a * (b - y.Zip(g, static (p, q) => p * q).Sum()))]),
            s_linePairs) with
        {
            Scale = 260,
            Large = [[300, 70], [300, 70]],
            Rejects = PairMistakes(OpTable.SoftmaxGradient),
        },
        Case(
            OpTable.LogSoftmaxGradient,
            "",
            static x => OpTable.LogSoftmaxGradient.Apply(x[0], x[1]),
            static x => Lines2(x, static (y, g) => [.. y.Zip(g, (a, b) => b - (Math.Exp(a) * g.Sum()))]),
            s_linePairs) with
        {
            Scale = 1000,
            Large = [[300, 70], [300, 70]],
            Rejects = PairMistakes(OpTable.LogSoftmaxGradient),
        },
        Case(OpTable.CrossEntropy, "", static x => Nd.SoftmaxCrossEntropy(x[0], x[1]), static x => CrossEntropy(x[0], x[1]), s_labelled) with
        {
            Domains = [Real(-2, 2), Domain.Index(0, 0)],
            Scale = 4,
            Large = [[300, 70], [300]],
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "labels of another shape",
                    static () => Nd.SoftmaxCrossEntropy(Nd.Ones((2, 3)), Nd.Zeros(3, DType.Int32)),
                    "SoftmaxCrossEntropy",
                    "(2, 3)",
                    "(3,)"),
                Rejection.Of<DTypeException>(
                    "labels of another type",
                    static () => Nd.SoftmaxCrossEntropy(Nd.Ones((2, 3)), Nd.Zeros(2, DType.UInt8)),
                    "SoftmaxCrossEntropy",
                    "UInt8",
                    "AsType"),
                Rejection.Of<ArgumentOutOfRangeException>(
                    "a label outside",
                    static () => Nd.SoftmaxCrossEntropy(Nd.Ones((2, 3)), Nd.Full(2, 3, DType.Int64)),
                    "SoftmaxCrossEntropy",
                    "label 3",
                    "3 classes"),
                Rejection.Of<ArgumentOutOfRangeException>(
                    "no class",
                    static () => Nd.SoftmaxCrossEntropy(Nd.Ones((2, 0)), Nd.Zeros(2, DType.Int64)),
                    "SoftmaxCrossEntropy",
                    "0 classes"),
                Rejection.Of<ShapeException>(
                    "a scalar",
                    static () => Nd.SoftmaxCrossEntropy(Nd.Scalar(1), Nd.Zeros(default, DType.Int32)),
                    "SoftmaxCrossEntropy"),
            ],
        },
        Case(
            OpTable.CrossEntropy,
            "Int32 labels",
            static x => Nd.SoftmaxCrossEntropy(x[0], x[1]),
            static x => CrossEntropy(x[0], x[1]),
            [[[4, 5], [4]], [[2, 3, 40], [2, 3]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(0, 4, DType.Int32)],
            Scale = 4,
        },
        Case(
            OpTable.CrossEntropyGradient,
            "",
            static x => OpTable.CrossEntropyGradient.Apply([x[0], x[1], x[2]]),
            static x => CrossEntropyGradient(x[0], x[1], x[2]),
            [[[3, 5], [3], [3]], [[2, 2, 130], [2, 2], [2, 2]], [[0, 5], [0], [0]]]) with
        {
            Domains = [Real(-2, 2), Domain.Index(0, 4), Real(-2, 2)],
            Scale = 2,
        },
    ];

    private static double[] Softmax(double[] line)
    {
        double max = line.DefaultIfEmpty().Max();
        double sum = line.Sum(v => Math.Exp(v - max));
        return Array.ConvertAll(line, v => Math.Exp(v - max) / sum);
    }

    private static double[] LogSoftmax(double[] line)
    {
        double max = line.DefaultIfEmpty().Max();
        double log = Math.Log(line.Sum(v => Math.Exp(v - max)));
        return Array.ConvertAll(line, v => v - max - log);
    }

    private static RefArray CrossEntropy(RefArray x, RefArray labels)
    {
        RefArray logs = x.Lines(LogSoftmax);
        return RefArray.Build(labels.Shape, i => -logs[[.. i, (int)labels[i]]]);
    }

    private static RefArray CrossEntropyGradient(RefArray x, RefArray labels, RefArray g)
    {
        RefArray softmax = x.Lines(Softmax);
        return RefArray.Build(x.Shape, i => g[i[..^1]] * (softmax[i] - Bit(labels[i[..^1]] == i[^1])));
    }

    // Two arrays of one shape, line by line.
    private static RefArray Lines2(RefArray[] x, Func<double[], double[], double[]> f)
    {
        int n = x[0].Shape[^1];
        RefArray joined = Concat(x, -1);
        return joined.Lines(line => f(line[..n], line[n..]));
    }

    private static Rejection[] LineMistakes(string op, Func<NDArray, int, NDArray> call) =>
    [
        AxisOutside(op, call),
        Rejection.Of<ShapeException>("a scalar", () => call(Nd.Scalar(1), -1), op, "scalar"),
    ];

    private static Rejection[] PairMistakes(Op op) =>
    [
        Rejection.Of<ShapeException>("two shapes", () => op.Apply(Nd.Ones((2, 3)), Nd.Ones((2, 4))), op.Name, "(2, 3)", "(2, 4)"),
        Rejection.Of<DTypeException>("two types", () => op.Apply(Nd.Ones((2, 3)), Nd.Ones((2, 3), DType.Float64)), op.Name, "Float32", "Float64"),
        Rejection.Of<DTypeException>("integers", () => op.Apply(Nd.Ones((2, 3), DType.Int32), Nd.Ones((2, 3), DType.Int32)), op.Name, "Int32", "AsType"),
    ];
}
