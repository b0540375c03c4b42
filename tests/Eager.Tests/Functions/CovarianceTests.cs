using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class CovarianceTests
{
    private static readonly NDArray s_x = Shaped((2, 4), 1, 2, 4, 5, 3, -1, 0, 2);

    [Fact]
    public void CovariancesMeetTheirFormula()
    {
        // Deviations (−2, −1, 1, 2) and (2, −2, −1, 1).
        Close((2, 2), [10.0 / 3, -1.0 / 3, -1.0 / 3, 10.0 / 3], Nd.Cov(s_x));
        Close((2, 2), [2.5, -0.25, -0.25, 2.5], Nd.Cov(s_x, correction: 0));
        Close([], [10.0 / 3], Nd.Cov(s_x[0]));
        Close((2, 2), [1, -0.1, -0.1, 1], Nd.CorrCoef(s_x));
        Close([], [1], Nd.CorrCoef(s_x[0]));
        Close((2, 2), [double.NaN, double.NaN, double.NaN, double.NaN], Nd.Cov(s_x[.., ..1]));
        Assert.Equal(DType.Float32, Nd.Cov(Nd.Array(new[,] { { 1, 2 }, { 3, 5 } })).DType);
        Assert.Equal(new Shape(0, 0), Nd.Cov(Nd.Zeros((0, 3))).Shape);
        Gradients(x => Nd.Cov(x[0]), Random((2, 4)));
        Gradients(x => Nd.Cov(x[0], 0), Random(4));
        Gradients(x => Nd.CorrCoef(x[0])[0, 1], Random((2, 4)));
        Expect.Throws<ShapeException>(() => Nd.Cov(Nd.Ones((2, 2, 2))), "Cov: (2, 2, 2)", "(variables, observations)");
        Expect.Throws<ShapeException>(() => Nd.CorrCoef(Nd.Scalar(1)), "CorrCoef: ()");
    }

    [Fact]
    public void VariancesLeaveNaNOut()
    {
        const double none = double.NaN;
        NDArray x = Shaped((3, 3), 1, none, 3, none, 5, none, none, none, none);
        Close([1, 0, none], Nd.NanVar(x, [1]));
        Close([2, none, none], Nd.NanVar(x, [1], correction: 1));
        Close((3, 1), [1, 0, none], Nd.NanStd(x, [1], keepDims: true));
        Close([], [8.0 / 3], Nd.NanVar(x));
        Close(Nd.Var(s_x, [0], true, 1), Nd.NanVar(s_x, [0], true, 1));
        Close(Nd.Std(s_x), Nd.NanStd(s_x));
        NDArray leaf = Leaf.Doubles(1, none, 3);
        using (Autograd.Record()) leaf.NanVar().Backward();
        Close([-1, 0, 1], leaf.Grad!);
        Gradients(v => Nd.NanVar(v[0], [1], correction: 1) * Nd.NanStd(v[0], [1]), Random((2, 4)));
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.NanStd(s_x, [2]), "NanStd: axis 2");
    }

    [Fact]
    public void RangesAreFromTheSmallestToTheLargest()
    {
        Close([], [6], Nd.Ptp(s_x));
        Close((2, 1), [4, 4], Nd.Ptp(s_x, [1], keepDims: true));
        Close([double.NaN], Nd.Ptp(Doubles(1, double.NaN)));
        Assert.Equal(DType.Int32, Nd.Ptp(Nd.Array([3, 8])).DType);
        Gradients(v => Nd.Ptp(v[0], [0]), Random((3, 4)));
        Expect.Throws<ShapeException>(() => Nd.Ptp(Nd.Zeros((2, 0)), [1]), "Ptp: axis 1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Ptp(s_x, [2]), "Ptp: axis 2");
    }

    [Fact]
    public void LogitsAndProductsWithLogarithms()
    {
        const double infinity = double.PositiveInfinity;
        Close([0, Math.Log(3), -infinity, infinity, double.NaN], Nd.Logit(Doubles(0.5, 0.75, 0, 1, 2)));
        Close([Math.Log(1.0 / 9), Math.Log(9)], Nd.Logit(Doubles(-1, 1), 0.1));
        Close(Random(5), Nd.Logit(Nd.Sigmoid(Random(5))));
        Close([0, 0, 0, double.NaN, 2 * Math.Log(3), -infinity, double.NaN], Nd.XLogY(Doubles(0, 0, 0, 0, 2, 1, 1), Doubles(0, -1, infinity, double.NaN, 3, 0, -1)));
        Gradients(x => Nd.Logit(x[0]), Nd.Sigmoid(Random(5)));
        Gradients(x => Nd.XLogY(x[0], x[1]), Random((2, 3)), Nd.Abs(Random(3)) + 0.2);
        NDArray leaf = Leaf.Doubles(0, 0, 2), y = Leaf.Doubles(3, 0, 3);
        using (Autograd.Record()) leaf.XLogY(y).Sum().Backward();
        Close([Math.Log(3), 0, Math.Log(3)], leaf.Grad!);
        Close([0, 0, 2.0 / 3], y.Grad!);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Logit(leaf, -0.1), "Logit: epsilon is -0.1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Logit(leaf, 0.7), "Logit: epsilon is 0.7; it must be between 0 and 0.5");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Logit(leaf, double.NaN), "Logit: epsilon is NaN");
        Close([0, 0], Nd.Logit(Doubles(0.1, 0.9), 0.5));
        Expect.Throws<ShapeException>(() => Nd.XLogY(Nd.Ones(2), Nd.Ones(3)), "XLogY: the shapes");
    }
}
