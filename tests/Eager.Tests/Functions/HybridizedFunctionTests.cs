using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Functions that are made of operators give the same bits, and the same gradients, when they are compiled.</summary>
public sealed class HybridizedFunctionTests
{
    private static readonly NDArray s_matrix = Random((3, 3)) + Nd.Eye(3, DType.Float64) * 2;
    private static readonly NDArray s_image = Random((1, 2, 4, 4));
    private static readonly NDArray s_index = Nd.Array([2, 0, 2]);
    private static readonly NDArray s_outside = Nd.Array([-5, 4, 1]);

    private static readonly (string Name, Func<NDArray, NDArray> F, NDArray X)[] s_functions =
    [
        ("CumProd", x => Nd.CumProd(x, 1), Random((2, 5))),
        ("LogCumSumExp", x => Nd.LogCumSumExp(x, 0), Random((5, 2))),
        ("Diff", x => Nd.Diff(x), Random((2, 5))),
        ("Quantile", x => Nd.Quantile(x, 0.3, 1), Random((2, 5))),
        ("NanMean", x => Nd.NanMean(x), Random((2, 5))),
        ("Interp", x => Nd.Interp(x, Doubles(-1, 0, 1), Doubles(1, 3, -2)), Random(6)),
        ("TensorDot", x => Nd.TensorDot(x, x, [1], [1]), Random((2, 3))),
        ("Kron", x => Nd.Kron(x, x), Random((2, 2))),
        ("Cross", x => Nd.Cross(x, x * x), Random((2, 3))),
        ("Rot90", x => Nd.Rot90(x) * 2, Random((2, 3))),
        ("Pad", x => Nd.Pad(x, [(1, 1), (1, 0)], PadMode.Reflect), Random((2, 3))),
        ("Pad: more than once", x => Nd.Pad(x, [(5, 1), (0, 7)], PadMode.Symmetric), Random((2, 3))),
        ("SpaceToDepth", x => Nd.SpaceToDepth(x, 2) * 3, s_image),
        ("Resize", x => Nd.Resize(x, 5, 3), s_image),
        ("Unfold", x => Nd.Unfold(x, (2, 2), padding: 1), s_image),
        ("Fold", x => Nd.Fold(x, 3, 3, (2, 2)), Random((1, 8, 4))),
        ("RoiAlign", x => Nd.RoiAlign(x, Shaped((1, 5), 0, 0, 0, 3, 3), 2, 2), s_image),
        ("SequenceReverse", x => Nd.SequenceReverse(x, Nd.Array([2, 3])), Random((3, 2))),
        ("SequenceLast", x => Nd.SequenceLast(x, Nd.Array([2, 3])), Random((3, 2))),
        ("CtcLoss", x => Nd.CtcLoss(x, Nd.Array([1, 2], (1, 2))), Random((4, 1, 3))),
        ("IndexAdd", x => Nd.IndexAdd(x, s_index, Nd.Square(x)), Random((3, 2))),
        ("IndexUpdate", x => Nd.IndexUpdate(x, s_index, Nd.Square(x)), Random((3, 2))),
        ("IndexReduce", x => Nd.IndexReduce(x, s_index, Nd.Square(x), ScatterReduction.Max), Random((3, 2))),
        ("MaskedAssign", x => Nd.MaskedAssign(x, x > 0, Nd.Square(Nd.Reshape(x, -1))), Random((3, 2))),
        ("Cholesky", x => Nd.Cholesky(Nd.MatMul(x, x.Transpose()) + Nd.Eye(3, DType.Float64)), s_matrix),
        ("TriangularSolve", x => Nd.TriangularSolve(x, x, lower: false, transpose: true), s_matrix),
        ("Inverse", x => Nd.Inverse(x), s_matrix),
        ("Det", x => Nd.Det(x), s_matrix),
        ("SlogDet", x => Nd.SlogDet(x).LogAbsDet, s_matrix),
        ("Qr", x => Nd.Qr(x).Q, s_matrix),
        ("Eigh", x => Nd.Eigh(x + x.Transpose()).Values, s_matrix),
        ("Svd", x => Nd.Svd(x).S, s_matrix),
        ("EighVals", x => Nd.EighVals(x + x.Transpose()), s_matrix),
        ("SvdVals", x => Nd.SvdVals(x), s_matrix),
        ("Pinv", x => Nd.Pinv(x), Random((4, 2))),
        ("MatrixNorm", x => Nd.MatrixNorm(x, MatrixNormKind.Nuclear), s_matrix),
        ("Take: clip", x => Nd.Take(x, Nd.Array([-1, 1, 7]), 0, IndexMode.Clip), Random((3, 2))),
        ("Take: wrap", x => Nd.Take(x, s_outside, 1, IndexMode.Wrap) * 2, Random((3, 2))),
        ("Pick: clip", x => Nd.Pick(x, s_outside, 1, IndexMode.Clip, keepDims: true) * x, Random((3, 2))),
        ("Pick: wrap", x => Nd.Pick(x, s_outside, 0, IndexMode.Wrap), Random((2, 3))),
        ("Eye", x => Nd.MatMul(x, Nd.Eye(3, 4, 1, DType.Float64)), Random((2, 3))),
        ("HStack", x => Nd.HStack([x, x * x]), Random((2, 3))),
        ("VStack", x => Nd.VStack([x, x * x]), Random(3)),
        ("DStack", x => Nd.DStack([x, x * x]) * 2, Random((2, 3))),
        ("ColumnStack", x => Nd.ColumnStack([x, Nd.Square(x)]), Random(3)),
        ("Roll of several axes", x => Nd.Roll(x, [1, 2], [0, 1]) * x, Random((2, 3))),
        ("Roll of all", x => Nd.Roll(x, 4) * x, Random((2, 3))),
        ("Relu6", x => Nd.Relu6(x * 8), Random((2, 5))),
        ("HardSwish", x => Nd.HardSwish(x * 5), Random((2, 5))),
        ("Celu", x => Nd.Celu(x, 0.3), Random((2, 5))),
        ("Glu", x => Nd.Glu(x), Random((2, 6))),
        ("PRelu", x => Nd.PRelu(x, x[0]), Random((2, 5))),
        ("Quantile: several", x => Nd.Quantile(x, [0.3, 0.5, 1], 1), Random((2, 5))),
        ("CumSum: exclusive", x => Nd.CumSum(x, 1, exclusive: true), Random((2, 5))),
        ("CumSum: exclusive from the end", x => Nd.CumSum(x * 2, 0, exclusive: true, reverse: true), Random((2, 5))),
        ("Quantile: midpoint", x => Nd.Quantile(x, [0.3, 0.6], 1, QuantileMode.Midpoint), Random((2, 5))),
        ("Percentile", x => Nd.Percentile(x, 35, 0, keepDims: true, QuantileMode.Nearest) * x, Random((4, 5))),
        ("Pad: the largest", x => Nd.Pad(x, [(1, 2), (2, 0)], PadMode.Maximum), Random((2, 3))),
        ("Cross of a plane", x => Nd.Cross(x, x * x), Random((3, 2))),
        ("Cross of a plane and space", x => Nd.Cross(x, Nd.Concat([x, x[.., ..1]], 1)), Random((3, 2))),
        ("PolyVal", x => Nd.PolyVal(x[0], x), Random((2, 4))),
        ("Vander", x => Nd.Vander(x, 4), Random(3)),
        ("Trapezoid", x => Nd.Trapezoid(x, x[1]) + Nd.Trapezoid(x, 0.3), Random((2, 4))),
        ("Insert", x => Nd.Insert(x, 1, x[0]) * 2, Random((2, 3))),
        ("Insert: several", x => Nd.Insert(x, [3, 0], x[.., ..2], 1) * 2, Random((2, 3))),
        ("Delete", x => Nd.Delete(x, [0, 2], 1) * x, Random((2, 3))),
        ("Ptp", x => Nd.Ptp(x, [1]), Random((2, 5))),
        ("NanStd", x => Nd.NanStd(Nd.Where(x > 0.5, double.NaN, x), [1], correction: 1), Random((2, 5))),
        ("Cov", x => Nd.Cov(x), Random((3, 5))),
        ("CorrCoef", x => Nd.CorrCoef(x), Random((3, 5))),
        ("Logit", x => Nd.Logit(Nd.Abs(x), 0.3), Random((2, 5))),
        ("XLogY", x => Nd.XLogY(x, Nd.Abs(x)), Random((2, 5))),
        ("Windows", x => x * Nd.Hanning(4, DType.Float64) + Nd.LogSpace(0, 1, 4, dtype: DType.Float64), Random((2, 4))),
        ("TriuIndices", x => x.Reshape(-1).Take(Nd.TriuIndices(3).Rows * 3 + Nd.TriuIndices(3).Columns), s_matrix),
        ("ForEach", x => Nd.ForEach((slice, s) => (slice * s, s + slice), x, Nd.Ones(2, DType.Float64)).Outputs, Random((3, 2))),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void CompiledBitsAreThoseOfEagerExecution(string name)
    {
        (_, Func<NDArray, NDArray> f, NDArray x) = s_functions.Single(c => c.Name == name);
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize();
        (double[] value, double[] gradient) = Both(f, x);
        for (int call = 0; call < 2; call++)
        {
            (double[] compiledValue, double[] compiledGradient) = Both(compiled.Invoke, x);
            Assert.Equal(value, compiledValue);
            Assert.Equal(gradient, compiledGradient);
        }

        Assert.False(compiled.Report.FellBack, compiled.Report.FallbackReason);
    }

    private static (double[] Value, double[] Gradient) Both(Func<NDArray, NDArray> f, NDArray x)
    {
        NDArray variable = x.Copy();
        variable.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = f(variable);
        y.Backward(Random(y.Shape, 7));
        return (y.Values(), variable.Grad!.Values());
    }
}
