using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class ActivationTests
{
    private const double Inf = double.PositiveInfinity;

    [Fact]
    public void Relu6IsLimitedAtBothEnds()
    {
        NDArray x = Leaf.Doubles(-1, 0, 2, 6, 7);
        Close([0, 0, 2, 6, 6], Nd.Relu6(x));
        Close([0, 1, 1, 1, 0], Slopes(x, Nd.Relu6));
        Close([0, 6, double.NaN], Nd.Relu6(Doubles(-Inf, Inf, double.NaN)));
        Assert.Equal([0, 3, 6], Nd.Relu6(Nd.Array([-5, 3, 9])).ToArray<int>());
    }

    [Fact]
    public void HardSwishIsTheProductWithARamp()
    {
        NDArray x = Leaf.Doubles(-4, -3, -1, 0, 1, 3, 5);
        Close([0, 0, -1.0 / 3, 0, 2.0 / 3, 3, 5], Nd.HardSwish(x));
        Close([0, -0.5, 1.0 / 6, 0.5, 5.0 / 6, 1.5, 1], Slopes(x, Nd.HardSwish));
        Gradients(i => Nd.HardSwish(i[0]), Doubles(-4, -2, 0.5, 2, 4));
        Assert.Equal([float.MaxValue], Nd.HardSwish(Nd.Array([float.MaxValue])).ToArray<float>());
        Assert.Equal(DType.Float32, Nd.HardSwish(Nd.Array([1, 2])).DType);
    }

    [Fact]
    public void CeluHasAContinuousSlope()
    {
        NDArray x = Leaf.Doubles(-2, 0, 3);
        Close([Math.Exp(-2) - 1, 0, 3], Nd.Celu(x));
        Close([0.5 * (Math.Exp(-4) - 1), 0, 3], Nd.Celu(x, 0.5));
        Close([Math.Exp(-4), 1, 1], Slopes(x, i => Nd.Celu(i, 0.5)));
        Gradients(i => Nd.Celu(i[0], 2), Doubles(-2, -0.5, 0.5, 3));

        // Where the exponential would be infinite, the slope is 1 all the same.
        NDArray ends = Leaf.Doubles(-Inf, -1e4, 1e4, Inf);
        Close([-1, -1, 1e4, Inf], Nd.Celu(ends));
        Close([0, 0, 1, 1], Slopes(ends, i => Nd.Celu(i)));
        foreach (double alpha in (double[])[0, -1, double.NaN]) Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Celu(x, alpha), "Celu: alpha is", "positive");
    }

    [Fact]
    public void GluGatesOneHalfWithTheOther()
    {
        double open = 1 / (1 + Math.Exp(-1));
        Close((2, 1), [1 * 0.5, 3 * open], Nd.Glu(Shaped((2, 2), 1, 0, 3, 1)));
        Close((1, 2), [1 / (1 + Math.Exp(-3)), 0], Nd.Glu(Shaped((2, 2), 1, 0, 3, 1), 0));
        NDArray x = Leaf.Doubles(4, 0);
        Close([0.5, 1], Slopes(x, i => Nd.Glu(i)));
        Gradients(i => Nd.Glu(i[0], 1), Random((2, 4, 3)));
        Assert.Equal(new Shape(2, 0), Nd.Glu(Nd.Ones((2, 0))).Shape);
        Assert.Equal(new Shape(0, 2), Nd.Glu(Nd.Ones((0, 4))).Shape);
        Expect.Throws<ShapeException>(() => Nd.Glu(Nd.Ones((2, 3))), "Glu: axis -1 of (2, 3)", "size 3", "Slice or Pad");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Glu(Nd.Ones((2, 3)), 2), "Glu: axis 2");
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Glu(Nd.Scalar(1)));
    }

    [Fact]
    public void PReluLearnsItsSlopes()
    {
        NDArray x = Leaf.Attached(Shaped((2, 3), -1, 0, 2, -4, 5, -6)), slope = Leaf.Doubles(0.5, 0.25, 0.1);
        Close((2, 3), [-0.5, 0, 2, -2, 5, -0.6], Nd.PRelu(x, slope));
        using (Autograd.Record()) Nd.PRelu(x, slope).Sum().Backward();
        Close((2, 3), [0.5, 0.25, 1, 0.5, 1, 0.1], x.Grad!);
        Close([-5, 0, -6], slope.Grad!);
        Close(Nd.LeakyRelu(x, 0.3), Nd.PRelu(x, Nd.Scalar(0.3, DType.Float64)));
        Close(Slopes(x, i => Nd.LeakyRelu(i, 0.3)), Slopes(x, i => Nd.PRelu(i, Nd.Scalar(0.3, DType.Float64))));
        Gradients(i => Nd.PRelu(i[0], i[1]), Shaped((2, 2), -1, 2, 3, -4), Shaped((2, 1), 0.5, -0.25));

        // What is not read is not part of the gradient: no 0·∞.
        NDArray ends = Leaf.Doubles(Inf, -2), one = Leaf.Doubles(0.5);
        using (Autograd.Record()) Nd.PRelu(ends, one).Sum().Backward();
        Close([1, 0.5], ends.Grad!);
        Close([-2], one.Grad!);
        Assert.Equal(new Shape(2, 0), Nd.PRelu(Nd.Ones((2, 0)), Nd.Scalar(1)).Shape);
        Assert.Equal(DType.Float32, Nd.PRelu(Nd.Array([1, -2]), Nd.Array([2])).DType);
        Expect.Throws<ShapeException>(() => Nd.PRelu(x, Nd.Ones(2)), "PRelu", "(2, 3)", "(2,)");
    }

    private static NDArray Slopes(NDArray x, Func<NDArray, NDArray> f)
    {
        using (Autograd.Record()) f(x).Sum().Backward();
        return x.Grad!.Copy();
    }
}
