namespace Fusion.Tests;

// Matrix products.
internal static partial class OpCases
{
    internal static readonly OpCase[] Products =
    [
        Case(OpTable.Cross, "", static x => Nd.Cross(x[0], x[1]), static x => Cross(x[0], x[1]), [[[2, 3], [2, 3]], [[3], [3]], [[0, 3], [0, 3]], [[130, 3], [3]]]) with
        {
            Scale = 4,
            Large = [[2000, 3], [2000, 3]],
            Rejects = [Rejection.Of<ShapeException>("a vector of four components", static () => Nd.Cross(Nd.Ones(4), Nd.Ones(4)), "Cross", "(4,)")],
        },
        Case(OpTable.Cross, "along an inner axis", static x => Nd.Cross(x[0], x[1], 1), static x => Cross(x[0].Transpose(0, 2, 1), x[1].Transpose(0, 2, 1)).Transpose(0, 2, 1),
            [[[2, 3, 5], [2, 3, 5]], [[2, 3, 37], [1, 3, 37]]]) with
        {
            Scale = 4,
            Large = [[30, 3, 90], [30, 3, 90]],
        },
        Case(OpTable.MatMul, "", static x => Nd.MatMul(x[0], x[1]), static x => MatMul(x[0], x[1]),
            [[[2, 3], [3, 4]], [[1, 1], [1, 1]], [[3, 130], [130, 17]], [[2, 0], [0, 3]], [[0, 2], [2, 3]], [[33, 5], [5, 1]]]) with
        {
            Scale = 64,
            Large = [[70, 150], [150, 90]],
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "inner dimensions that differ",
                    static () => Nd.MatMul(Nd.Ones((2, 3)), Nd.Ones((4, 2))),
                    "MatMul",
                    "(2, 3)",
                    "(4, 2)",
                    "3 ≠ 4"),
                Rejection.Of<ShapeException>(
                    "a vector that does not fit",
                    static () => Nd.MatMul(Nd.Ones((2, 3)), Nd.Ones(4)),
                    "MatMul",
                    "(2, 3)",
                    "(4,)",
                    "3 ≠ 4"),
                Rejection.Of<ShapeException>("a scalar", static () => Nd.MatMul(Nd.Ones((2, 3)), Nd.Scalar(1)), "MatMul", "(2, 3)", "()"),
                Rejection.Of<ShapeException>(
                    "batches that do not broadcast",
                    static () => Nd.MatMul(Nd.Ones((2, 2, 3)), Nd.Ones((3, 3, 2))),
                    "MatMul",
                    "(2,)",
                    "(3,)"),
            ],
        },
        Case(OpTable.MatMul, "batched", static x => Nd.MatMul(x[0], x[1]), static x => MatMul(x[0], x[1]),
            [[[2, 2, 3], [2, 3, 2]], [[3, 2, 3], [3, 4]], [[2, 3], [2, 1, 3, 2]], [[2, 1, 2, 3], [3, 3, 1]], [[0, 2, 3], [3, 2]],
             [[1, 0, 2, 2], [1, 2, 1]]]) with
            {
                Scale = 64,
                Large = [[20, 30, 17], [20, 17, 40]],
            },
        Case(
            OpTable.MatMul,
            "vectors",
            static x => Nd.MatMul(x[0], x[1]),
            static x => MatMul(x[0].Reshape(1, x[0].Shape[0]), x[1].Reshape(x[1].Shape[0], 1)).Reshape(),
            [[[5], [5]], [[130], [130]], [[0], [0]]]) with
        {
            Scale = 64,
        },
        Case(
            OpTable.MatMul,
            "both transposed",
            static x => Nd.Dot(x[0], x[1], transposeA: true, transposeB: true),
            static x => MatMul(x[0].Transpose(1, 0), x[1].Transpose(1, 0)),
            [[[3, 2], [4, 3]], [[70, 5], [9, 70]]]) with
        {
            Scale = 64,
            Large = [[150, 70], [90, 150]],
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "inner dimensions that differ",
                    static () => Nd.Dot(Nd.Ones((3, 2)), Nd.Ones((4, 2)), transposeA: true),
                    "Dot",
                    "(3, 2)",
                    "(4, 2)",
                    "3 ≠ 4"),
            ],
        },
        Case(
            OpTable.MatMul,
            "right transposed",
            static x => Nd.Dot(x[0], x[1], transposeB: true),
            static x => MatMul(x[0], x[1].Transpose(1, 0)),
            [[[2, 3], [4, 3]], [[5, 70], [9, 70]]]) with
        {
            Scale = 64,
            Large = [[70, 150], [90, 150]],
        },
        Case(
            OpTable.MatMul,
            "left transposed",
            static x => Nd.BatchDot(x[0], x[1], transposeA: true),
            static x => MatMul(x[0].Transpose(0, 2, 1), x[1]),
            [[[2, 3, 2], [2, 3, 2]], [[3, 20, 4], [3, 20, 5]]]) with
        {
            Scale = 64,
            Rejects =
            [
                Rejection.Of<DTypeException>(
                    "integers",
                    static () => OpTable.MatMul.Apply(Nd.Ones((2, 2), DType.Int32), Nd.Ones((2, 2), DType.Int32), new MatMulAttributes(true, false)),
                    "MatMul",
                    "Int32",
                    "AsType"),
            ],
        },
        Case(OpTable.FullyConnected, "", static x => Nd.FullyConnected(x[0], x[1], x[2]),
            static x => RefArray.Zip([MatMul(x[0], x[1].Transpose(1, 0)), x[2]], static v => v[0] + v[1]),
            [[[2, 3], [4, 3], [4]], [[1, 1], [1, 1], [1]], [[33, 70], [17, 70], [17]], [[0, 3], [2, 3], [2]], [[2, 0], [3, 0], [3]]]) with
        {
            Scale = 64,
            Optional = [2],
            Large = [[70, 150], [90, 150], [90]],
            Rejects =
            [
                Rejection.Of<ShapeException>(
                    "inner dimensions that differ",
                    static () => Nd.FullyConnected(Nd.Ones((2, 3)), Nd.Ones((4, 5)), Nd.Ones(4)),
                    "FullyConnected",
                    "(2, 3)",
                    "(4, 5)",
                    "3 ≠ 5"),
                Rejection.Of<ShapeException>(
                    "a bias that does not fit",
                    static () => Nd.FullyConnected(Nd.Ones((2, 3)), Nd.Ones((4, 3)), Nd.Ones(3)),
                    "FullyConnected",
                    "(4,)",
                    "(3,)"),
                Rejection.Of<ShapeException>(
                    "a weight that is no matrix",
                    static () => Nd.FullyConnected(Nd.Ones((2, 3)), Nd.Ones(3), Nd.Ones(3)),
                    "FullyConnected",
                    "(3,)"),
                Rejection.Of<ShapeException>("a scalar", static () => Nd.FullyConnected(Nd.Scalar(1), Nd.Ones((4, 3)), Nd.Ones(4)), "FullyConnected"),
                Rejection.Of<DTypeException>(
                    "two types",
                    static () => OpTable.FullyConnected.Apply([Nd.Ones((2, 3)), Nd.Ones((4, 3), DType.Float64), Nd.Ones(4)]),
                    "FullyConnected",
                    "Float32",
                    "Float64"),
            ],
        },
    ];

    // Along the last axis; the others broadcast.
    private static RefArray Cross(RefArray a, RefArray b)
    {
        RefArray[] x = [.. Enumerable.Range(0, 3).Select(i => Component(a, i)), .. Enumerable.Range(0, 3).Select(i => Component(b, i))];
        RefArray[] y = [.. Enumerable.Range(0, 3).Select(i => RefArray.Zip(x, v => (v[(i + 1) % 3] * v[3 + ((i + 2) % 3)]) - (v[(i + 2) % 3] * v[3 + ((i + 1) % 3)])))];
        return RefArray.Build([.. y[0].Shape, 3], i => y[i[^1]][i.AsSpan(0, i.Length - 1)]);

        static RefArray Component(RefArray x, int k) => RefArray.Build(x.Shape[..^1], i => x[[.. i, k]]);
    }

    // Over the last two axes; the others broadcast.
    private static RefArray MatMul(RefArray a, RefArray b)
    {
        (int m, int k, int n) = (a.Shape[^2], a.Shape[^1], b.Shape[^1]);
        List<double> values = [];
        RefArray batch = RefArray.Zip([Matrices(a), Matrices(b)], start =>
        {
            for (int i = 0; i < m; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    double sum = 0;
                    for (int p = 0; p < k; p++) sum += a.Values[(int)start[0] + (i * k) + p] * b.Values[(int)start[1] + (p * n) + j];
                    values.Add(sum);
                }
            }

            return 0;
        });
        return new RefArray([.. batch.Shape, m, n], [.. values]);
    }

    // Where each matrix of a stack begins.
    private static RefArray Matrices(RefArray x)
    {
        int count = x.Shape[..^2].Aggregate(1, static (a, b) => a * b);
        return new RefArray(x.Shape[..^2], [.. Enumerable.Range(0, count).Select(i => (double)i * x.Shape[^2] * x.Shape[^1])]);
    }
}
