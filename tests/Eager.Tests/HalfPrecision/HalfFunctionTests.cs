using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Functions that are composed of several operators: in Float32 from beginning to end, rounded once.</summary>
[Collection(nameof(RandomStream))]
public sealed class HalfFunctionTests
{
    private static readonly Dictionary<string, Func<NDArray[], NDArray>> s_functions = new()
    {
        ["Mean"] = static x => Nd.Mean(x[0]),
        ["Mean of an axis"] = static x => Nd.Mean(x[0], 1),
        ["Prod"] = static x => Nd.Prod(x[0]),
        ["Var"] = static x => Nd.Var(x[0], [0], correction: 1),
        ["Std"] = static x => Nd.Std(x[0], 1, keepDims: true),
        ["Norm"] = static x => Nd.Norm(x[0]),
        ["LogSumExp"] = static x => Nd.LogSumExp(x[0], 1),
        ["CumProd"] = static x => Nd.CumProd(x[0], 0),
        ["CumMax"] = static x => Nd.CumMax(x[0], 0),
        ["LogCumSumExp"] = static x => Nd.LogCumSumExp(x[0], 1),
        ["Diff"] = static x => Nd.Diff(x[0], 2),
        ["Interp"] = static x => Nd.Interp(x[0], Nd.Sort(x[1].Reshape(-1)), x[0].Reshape(-1)),
        ["IsClose"] = static x => Nd.IsClose(x[0], x[1], 0.5),
        ["CtcLoss"] = static x => Nd.CtcLoss(x[0].Reshape(4, 2, 3), Nd.Array(new[,] { { 1, 2 }, { 2, 2 } })),
        ["NanSum"] = static x => Nd.NanSum(Nd.Where(x[0] > 1, double.NaN, x[0]), [0]),
        ["NanProd"] = static x => Nd.NanProd(Nd.Where(x[0] > 1, double.NaN, x[0])),
        ["NanMean"] = static x => Nd.NanMean(Nd.Where(x[0] > 1, double.NaN, x[0]), [1]),
        ["NanMax"] = static x => Nd.NanMax(Nd.Where(x[0] > 1, double.NaN, x[0]), [1]),
        ["Quantile"] = static x => Nd.Quantile(x[0], 0.3, 1),
        ["Quantiles"] = static x => Nd.Quantile(x[0], [0.3, 0.5], 1),
        ["HardSwish"] = static x => Nd.HardSwish(x[0]),
        ["Celu"] = static x => Nd.Celu(x[0], 0.7),
        ["Glu"] = static x => Nd.Glu(x[0]),
        ["PRelu"] = static x => Nd.PRelu(x[0], x[1]),
        ["CumSum of the elements before"] = static x => Nd.CumSum(x[0], 1, exclusive: true),
        ["Quantile between two"] = static x => Nd.Quantile(x[0], [0.3, 0.5], 1, QuantileMode.Midpoint),
        ["Percentile"] = static x => Nd.Percentile(x[0], 30, 1),
        ["NanVar"] = static x => Nd.NanVar(Nd.Where(x[0] > 0.5, double.NaN, x[0]), [1]),
        ["NanStd"] = static x => Nd.NanStd(x[0], [1]),
        ["Cov"] = static x => Nd.Cov(x[0]),
        ["CorrCoef"] = static x => Nd.CorrCoef(x[0]),
        ["Logit"] = static x => Nd.Logit(Nd.Abs(x[0])),
        ["XLogY"] = static x => Nd.XLogY(x[0], Nd.Abs(x[1])),
        ["PolyVal"] = static x => Nd.PolyVal(x[0][0], x[1]),
        ["Vander"] = static x => Nd.Vander(x[0][0], 5),
        ["Trapezoid"] = static x => Nd.Trapezoid(x[0], 0.3),
        ["Trapezoid of places"] = static x => Nd.Trapezoid(x[0], x[1]),
        ["Cross of a plane"] = static x => Nd.Cross(x[0][.., ..2], x[1][.., ..2]),
        ["Binary cross entropy with weights"] = static x => Loss.BinaryCrossEntropyWithLogits(x[0], Nd.Abs(x[1]), Nd.Full(6, 3, x[0].DType)),
        ["Median"] = static x => Nd.Median(x[0]),
        ["Average"] = static x => Nd.Average(x[0], Nd.Abs(x[1]), [0]),
        ["Lerp"] = static x => Nd.Lerp(x[0], x[1], x[1]),
        ["Lerp by a number"] = static x => Nd.Lerp(x[0], x[1], 0.3),
        ["SoftmaxCrossEntropy"] = static x => Nd.SoftmaxCrossEntropy(x[0], Nd.Array([0, 5, 2, 1])),
        ["SoftmaxCrossEntropy of probabilities"] = static x => Nd.SoftmaxCrossEntropy(x[0], x[1]),
        ["SmoothL1"] = static x => Nd.SmoothL1(x[0], 0.7),
        ["Dropout"] = static x => Dropped(x[0]),
        ["LayerNorm"] = static x => Nd.LayerNorm(x[0], x[1][0], x[1][1]),
        ["LayerNorm without beta"] = static x => Nd.LayerNorm(x[0], x[1][0]),
        ["RmsNorm"] = static x => Nd.RmsNorm(x[0], x[1][0]),
        ["GroupNorm"] = static x => Nd.GroupNorm(x[0], 2, x[1][0], x[1][1]),
        ["InstanceNorm"] = static x => Nd.InstanceNorm(x[0].Reshape(2, 2, 6), x[1][0, 0..2], x[1][1, 0..2]),
        ["BatchNorm in evaluation"] = static x => Nd.BatchNorm(x[0], x[1][0], x[1][1], x[1][2], Nd.Abs(x[1][3])),
        ["BatchNorm in training"] = static x => InTraining(() => Nd.BatchNorm(x[0], x[1][0], x[1][1], x[1][2].Copy(), Nd.Abs(x[1][3]))),
        ["AvgPool2D"] = static x => Nd.AvgPool2D(x[0].Reshape(1, 1, 4, 6), 3, 1, 1, countIncludePad: false),
        ["AdaptiveAvgPool"] = static x => Nd.AdaptiveAvgPool(x[0].Reshape(1, 1, 4, 6), (3, 4)),
        ["GlobalAvgPool"] = static x => Nd.GlobalAvgPool(x[0].Reshape(1, 2, 3, 4)),
        ["Cross"] = static x => Nd.Cross(x[0].Reshape(8, 3), x[1].Reshape(8, 3)),
        ["VDot"] = static x => Nd.VDot(x[0], x[1]),
        ["Kron"] = static x => Nd.Kron(x[0], x[1][0..2, 0..2]),
        ["TensorDot"] = static x => Nd.TensorDot(x[0], x[1], [1], [1]),
        ["Einsum"] = static x => Nd.Einsum("ij,kj,kl->il", x[0], x[1], x[0]),
        ["MatMul"] = static x => Nd.MatMul(x[0], x[1].Transpose()),
        ["FullyConnected"] = static x => Nd.FullyConnected(x[0], x[1], x[1][.., 0]),
        ["ConvTranspose2D"] = static x => Nd.ConvTranspose2D(x[0].Reshape(1, 2, 3, 4), x[1].Reshape(2, 3, 2, 2), x[1][0, 0..3]),
        ["ConvTranspose1D with much padding"] = static x => Nd.ConvTranspose1D(x[0].Reshape(1, 2, 12), x[1].Reshape(2, 3, 4), x[1][0, 0..3], stride: 2, dilation: 4, outputPadding: 3),
        ["Attention"] = static x => Nd.ScaledDotProductAttention(x[0], x[1], x[0], causal: true),
        ["Qr of a wide matrix"] = static x => Nd.Qr(x[0]).R,
        ["Lstsq"] = static x => Nd.Lstsq(x[0], x[1]),
        ["Pinv"] = static x => Nd.Pinv(x[0]),
        ["Svd"] = static x => Nd.Svd(x[0]).S,
        ["SvdVals"] = static x => Nd.SvdVals(x[0]),
        ["Cholesky"] = static x => Nd.Cholesky(Nd.Where(Nd.Eye(4, DType.Bool), 2, x[0][.., 0..4] * 0.0625)),
        ["Solve"] = static x => Nd.Solve(x[0][.., 0..4], x[1]),
        ["TriangularSolve"] = static x => Nd.TriangularSolve(x[0][.., 0..4], x[1]),
        ["Inverse"] = static x => Nd.Inverse(x[0][.., 0..4]),
        ["Det"] = static x => Nd.Det(x[0][.., 0..4]),
        ["SlogDet"] = static x => Nd.SlogDet(x[0][.., 0..4]).LogAbsDet,
        ["EighVals"] = static x => Nd.EighVals(x[0][.., 0..4]),
        ["Eigh"] = static x => Nd.Eigh(x[0][.., 0..4]).Values,
        ["MatrixPower"] = static x => Nd.MatrixPower(x[0][.., 0..4], 5),
        ["VectorNorm"] = static x => Nd.VectorNorm(x[0], 3, [1]),
        ["MatrixNorm"] = static x => Nd.MatrixNorm(x[0], MatrixNormKind.Nuclear),
        ["Trace"] = static x => Nd.Trace(x[0]),
        ["Resize"] = static x => Nd.Resize(x[0].Reshape(1, 1, 4, 6), 7, 5),
        ["Fold"] = static x => Nd.Fold(x[0].Reshape(1, 4, 6), 3, 4, (2, 2)),
        ["IndexAdd"] = static x => Nd.IndexAdd(x[0], Nd.Array([1, 1, 0, 1]), x[1]),
        ["IndexUpdate"] = static x => Nd.IndexUpdate(x[0], Nd.Array([1, 1, 0, 1]), x[1]),
        ["IndexReduce mean"] = static x => Nd.IndexReduce(x[0], Nd.Array([1, 1, 0, 1]), x[1], ScatterReduction.Mean),
        ["IndexReduce max"] = static x => Nd.IndexReduce(x[0], Nd.Array([1, 1, 0, 1]), x[1], ScatterReduction.Max),
        ["ScatterAdd"] = static x => Nd.ScatterAdd(x[0], Nd.Array(new[,] { { 0, 3, 0, 0 } }), x[1]),
        ["HardSigmoid"] = static x => Nd.HardSigmoid(x[0]),
        ["DegreesToRadians"] = static x => Nd.DegreesToRadians(x[0]),
        ["Sum"] = static x => Nd.Sum(x[0]),
        ["CumSum"] = static x => Nd.CumSum(x[0], 1),
        ["Histogram"] = static x => Nd.Histogram(x[0], 7, -1.1, 1.3).Counts,
        ["SearchSorted"] = static x => Nd.SearchSorted(Nd.Sort(x[0].Reshape(-1)), x[1]),
        ["Unique"] = static x => Nd.Unique(x[0]),
        ["TopK"] = static x => Nd.TopK(x[0], 2).Values,
        ["MeanSquaredError"] = static x => Loss.MeanSquaredError(x[0], x[1]),
        ["L1"] = static x => Loss.L1(x[0], x[1], Reduction.Sum),
        ["Huber"] = static x => Loss.Huber(x[0], x[1], delta: 0.6),
        ["SmoothL1 loss"] = static x => Loss.SmoothL1(x[0], x[1], beta: 0.3),
        ["BinaryCrossEntropyWithLogits"] = static x => Loss.BinaryCrossEntropyWithLogits(x[0], Nd.Abs(x[1]), Reduction.None),
        ["KLDivergence"] = static x => Loss.KLDivergence(x[0], Nd.Abs(x[1])),
        ["Hinge"] = static x => Loss.Hinge(x[0], Nd.Sign(x[1])),
        ["NegativeLogLikelihood"] = static x => Loss.NegativeLogLikelihood(x[0], Nd.Array([0, 5, 2, 1])),
        ["PoissonNegativeLogLikelihood"] = static x => Loss.PoissonNegativeLogLikelihood(x[0], x[1]),
        ["CosineDistance"] = static x => Loss.CosineDistance(x[0], x[1]),
        ["BinaryCrossEntropy"] = static x => Loss.BinaryCrossEntropy(Nd.Abs(x[0]), Nd.Abs(x[1]), Reduction.None),
        ["SquaredHinge"] = static x => Loss.SquaredHinge(x[0], Nd.Sign(x[1])),
        ["SoftMargin"] = static x => Loss.SoftMargin(x[0], Nd.Sign(x[1])),
        ["MarginRanking"] = static x => Loss.MarginRanking(x[0], x[1], Nd.Sign(x[1]), margin: 0.3),
        ["CosineEmbedding"] = static x => Loss.CosineEmbedding(x[0], x[1], Nd.Sign(x[1][.., 0])),
        ["TripletMargin"] = static x => Loss.TripletMargin(x[0], x[1], x[0] * x[1]),
        ["GaussianNegativeLogLikelihood"] = static x => Loss.GaussianNegativeLogLikelihood(x[0], x[1], Nd.Abs(x[1])),
        ["SoftmaxCrossEntropy loss"] = static x => Loss.SoftmaxCrossEntropy(x[0], Nd.Array([0, 5, 2, 1])),
    };

    public static TheoryData<string> Functions => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Functions))]
    public void RoundOnce(string name)
    {
        Func<NDArray[], NDArray> f = s_functions[name];
        foreach (DType half in new[] { DType.Float16, DType.BFloat16 })
        {
            NDArray[] x = [FunctionChecks.Random((4, 6), 1).AsType(half), FunctionChecks.Random((4, 6), 2).AsType(half)];
            NDArray result = f(x), expected = f([x[0].AsType(DType.Float32), x[1].AsType(DType.Float32)]);
            Assert.Equal(expected.DType == DType.Float32 ? half : expected.DType, result.DType);
            Assert.Null(Bits.Difference(expected.DType == DType.Float32 ? expected.AsType(half) : expected, result));
        }
    }

    /// <summary>Intermediate values that no Float16 holds.</summary>
    [Fact]
    public void LargeIntermediatesDoNotOverflow()
    {
        NDArray x = Nd.Full((400, 400), 300, DType.Float16);
        Assert.Equal((Half)300, Nd.Mean(x).Item<Half>());
        Assert.Equal((Half)0, Nd.Var(x).Item<Half>());
        Assert.Equal((Half)3000, Nd.Norm(Nd.Full(100, 300, DType.Float16)).Item<Half>());
        Assert.Equal(Half.PositiveInfinity, Nd.Sum(x).Item<Half>());
        Assert.Equal((Half)40_000, Loss.MeanSquaredError(Nd.Full(4000, 200, DType.Float16), Nd.Zeros(4000, DType.Float16)).Item<Half>());
        // One after the other, a BFloat16 would stop at 256.
        Assert.Equal((BFloat16)10_000f, Nd.Sum(Nd.Ones(10_000, DType.BFloat16)).Item<BFloat16>());
    }

    private static NDArray Dropped(NDArray x) => InTraining(() =>
    {
        Nd.Random.Seed(4);
        return Nd.Dropout(x, 0.3);
    });

    private static NDArray InTraining(Func<NDArray> f)
    {
        using RecordScope scope = Autograd.TrainMode();
        return f();
    }
}
