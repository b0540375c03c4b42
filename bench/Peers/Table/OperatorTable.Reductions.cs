using static TorchSharp.torch;

namespace Fusion.Peers.Table;

// Reductions and scans.
internal static partial class OperatorTable
{
    private static readonly OperatorRow[] Reductions =
    [
        Matrix("Sum", static x => Nd.Sum(x), static x => x.sum()), Matrix("Sum: rows", static x => Nd.Sum(x, 1), static x => x.sum([1L])),
        Matrix("Sum: columns", static x => Nd.Sum(x, 0), static x => x.sum([0L])),
        Cube("Sum: two axes", static x => Nd.Sum(x, [0, 2], true), static x => x.sum([0, 2], true)),
        Matrix("Mean", static x => Nd.Mean(x), static x => x.mean()), Cube("Mean: axis", static x => Nd.Mean(x, 1), static x => x.mean([1])),
        Matrix("Prod", static x => Nd.Prod(Nd.Cos(x), -1), static x => cos(x).prod(-1)),
        Matrix("Prod: with zeros", static x => Nd.Prod(Nd.Relu(x + 1.9)), static x => nn.functional.relu(x + 1.9).prod()) with { IsTimed = false },
        Matrix("Max", static x => Nd.Max(x), static x => x.max()), Matrix("Max: rows", static x => Nd.Max(x, 1), static x => x.amax([1L])),
        Matrix("Max: columns", static x => Nd.Max(x, 0), static x => x.amax([0L])), Matrix("Min", static x => Nd.Min(x), static x => x.min()),
        Matrix("Min: rows", static x => Nd.Min(x, 1), static x => x.amin([1L])),
        Matrix("Max: ties", static x => Nd.Max(Nd.Clip(x, -1, 1), 1), static x => clamp(x, -1, 1).amax([1L])) with { IsTimed = false },
        Matrix("Var", static x => Nd.Var(x, correction: 1), static x => x.var()), Matrix("Var: rows", static x => Nd.Var(x, 1), static x => x.var(1, false)),
        Matrix("Std", static x => Nd.Std(x), static x => x.std(false)), Matrix("Std: rows", static x => Nd.Std(x, 1, correction: 1), static x => x.std(1)),
        Matrix("Norm", static x => Nd.Norm(x), static x => linalg.vector_norm(x)),
        Matrix("Norm: rows", static x => Nd.Norm(x, 1), static x => linalg.vector_norm(x, 2, [1])),
        Matrix("LogSumExp", static x => Nd.LogSumExp(x, 1), static x => logsumexp(x, 1)),
        Matrix("ArgMax", static x => Nd.ArgMax(x, 1), static x => argmax(x, 1)).Plain(),
        Matrix("ArgMin", static x => Nd.ArgMin(x, 0), static x => argmin(x, 0)).Plain(),
        Matrix("ArgMax: all", static x => Nd.ArgMax(x), static x => argmax(x)).Plain(),
        Matrix("Any", static x => Nd.Any(x > 1.9, 1), static x => x.gt(1.9).any(1)).Plain(),
        Matrix("All", static x => Nd.All(x > -1.9, 1), static x => x.gt(-1.9).all(1)).Plain(),
        Matrix("CountNonZero", static x => Nd.CountNonZero(Nd.Relu(x), [1]), static x => count_nonzero(nn.functional.relu(x), [1])).Plain(),
        Matrix("NanSum", static x => Nd.NanSum(Nd.Sqrt(x)), static x => nansum(sqrt(x))).Plain(),
        Matrix("NanMean", static x => Nd.NanMean(Nd.Sqrt(x)), static x => nansum(sqrt(x)) / sqrt(x).isfinite().sum()).Plain(),
        Matrix("NanMax", static x => Nd.NanMax(Nd.Sqrt(x), [1]), static x => nan_to_num(sqrt(x), double.NegativeInfinity).amax([1L])).Plain(),
        Matrix("NanMin", static x => Nd.NanMin(Nd.Sqrt(x), [1]), static x => nan_to_num(sqrt(x), double.PositiveInfinity).amin([1L])).Plain(),
        Matrix("NanProd", static x => Nd.NanProd(Nd.Sqrt(x), [1]), static x => nan_to_num(sqrt(x), 1).prod(1)).Plain(),
        Matrix("Quantile", static x => Nd.Quantile(x, 0.3, 1), static x => quantile(x, tensor(0.3, x.dtype), 1)),
        Matrix("Median", static x => Nd.Median(x, 1), static x => quantile(x, tensor(0.5, x.dtype), 1)),
        Matrix("Average", static x => Nd.Average(x, Nd.Square(x), [1]), static x => (x * x.square()).sum(1) / x.square().sum(1)),
        Matrix("Histogram", static x => Nd.Histogram(x, 8, -2, 2).Counts, static x => histc(x, 8, -2, 2)).Plain(),
        new OperatorRow("BinCount", static x => Nd.BinCount(x[0]), static x => bincount(x[0]), Operand.Index(200, 1_000_000, 50)),
        Matrix("VectorNorm: order 1", static x => Nd.VectorNorm(x, 1), static x => linalg.vector_norm(x, 1)),
        Matrix("VectorNorm: order 3", static x => Nd.VectorNorm(x, 3, [1]), static x => linalg.vector_norm(x, 3, [1])),
        Matrix("VectorNorm: infinity", static x => Nd.VectorNorm(x, double.PositiveInfinity), static x => linalg.vector_norm(x, double.PositiveInfinity)),
        Matrix("MatrixNorm", static x => Nd.MatrixNorm(x), static x => linalg.matrix_norm(x)),
        Matrix("MatrixNorm: one", static x => Nd.MatrixNorm(x, MatrixNormKind.One), static x => linalg.matrix_norm(x, 1.0)),
        Matrix("MatrixNorm: infinity", static x => Nd.MatrixNorm(x, MatrixNormKind.Infinity), static x => linalg.matrix_norm(x, double.PositiveInfinity)),
        Matrix("MatrixNorm: nuclear", static x => Nd.MatrixNorm(x, MatrixNormKind.Nuclear), static x => linalg.matrix_norm(x, "nuc")) with { IsTimed = false,
            Slack = 10 },
        Matrix("MatrixNorm: spectral", static x => Nd.MatrixNorm(x, MatrixNormKind.Spectral), static x => linalg.matrix_norm(x, 2.0)) with { IsTimed = false,
            Slack = 10 },
    ];

    private static readonly OperatorRow[] Scans =
    [
        Matrix("CumSum", static x => Nd.CumSum(x, 1), static x => cumsum(x, 1)),
        Matrix("CumSum: columns", static x => Nd.CumSum(x, 0), static x => cumsum(x, 0)),
        Matrix("CumProd", static x => Nd.CumProd(x * 0.1 + 1, 1), static x => (x * 0.1 + 1).cumprod(1)) with { Slack = 10 },
        Matrix("CumMax", static x => Nd.CumMax(x, 1), static x => cummax(x, 1).values),
        Matrix("CumMin", static x => Nd.CumMin(x, 1), static x => x.cummin(1).values),
        Matrix("LogCumSumExp", static x => Nd.LogCumSumExp(x, 1), static x => logcumsumexp(x, 1)) with { Slack = 4 },
        Matrix("Diff", static x => Nd.Diff(x, 2), static x => diff(diff(x))),
    ];
}
