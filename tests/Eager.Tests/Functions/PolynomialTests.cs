using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class PolynomialTests
{
    [Fact]
    public void TheHighestPowerComesFirst()
    {
        Close([3 * 4 + 2 * 2 - 1, -1, 0], Nd.PolyVal(Doubles(3, 2, -1), Doubles(2, 0, -1)));
        Close((1, 2), [7, 7], Nd.PolyVal(Doubles(7), Shaped((1, 2), 1, double.NaN)));
        Close([0, 0], Nd.PolyVal(Nd.Zeros(0), Doubles(1, 2)));
        Close([], [11], Nd.PolyVal(Doubles(1, 2, 3), Nd.Scalar(2)));
        Assert.Equal((DType.Int32, 17), (Nd.PolyVal(Nd.Array([1, 2, 2]), Nd.Array([3])).DType, Nd.PolyVal(Nd.Array([1, 2, 2]), Nd.Array([3])).Item<int>()));
        Assert.Equal(new Shape(0, 3), Nd.PolyVal(Doubles(1, 2), Nd.Zeros((0, 3))).Shape);
        Gradients(x => Nd.PolyVal(x[0], x[1]), Doubles(0.5, -1, 2, 1), Random((2, 3)));
        Expect.Throws<ShapeException>(() => Nd.PolyVal(Nd.Ones((2, 2)), Nd.Ones(2)), "PolyVal: the coefficients (2, 2)", "Reshape");
    }

    [Fact]
    public void PowersAreColumns()
    {
        Close((3, 3), [1, 1, 1, 4, 2, 1, 9, 3, 1], Nd.Vander(Doubles(1, 2, 3)));
        Close((2, 4), [1, 2, 4, 8, 1, -3, 9, -27], Nd.Vander(Doubles(2, -3), 4, increasing: true));
        Close((2, 1), [1, 1], Nd.Vander(Doubles(0, double.NaN), 1));
        Close((2, 2), [0, 1, 5, 1], Nd.Vander(Nd.Array([0, 5]), 2));
        Assert.Equal(DType.Int32, Nd.Vander(Nd.Array([0, 5])).DType);
        Assert.Equal(new Shape(2, 0), Nd.Vander(Doubles(1, 2), 0).Shape);
        Assert.Equal(new Shape(0, 0), Nd.Vander(Nd.Zeros(0)).Shape);
        Assert.Equal(new Shape(0, 3), Nd.Vander(Nd.Zeros(0), 3).Shape);
        Gradients(x => Nd.Vander(x[0], 4), Doubles(0, 0.5, -1.5));
        Expect.Throws<ShapeException>(() => Nd.Vander(Nd.Ones((2, 2))), "Vander: (2, 2) must have rank 1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Vander(Nd.Ones(2), -1), "Vander: n is -1");
    }

    [Fact]
    public void TrapezoidsAreSummedAlongAnAxis()
    {
        NDArray y = Shaped((2, 3), 1, 2, 4, 0, -2, 6);
        Close([4.5, 1], Nd.Trapezoid(y));
        Close([2.25, 0.5], Nd.Trapezoid(y, dx: 0.5, axis: 1));
        Close([0.5, 0, 5], Nd.Trapezoid(y, axis: 0));
        Close([1.5 + 9, -1 + 6], Nd.Trapezoid(y, Doubles(0, 1, 4)));
        Close([0.5 * 3, 0, 5 * 3], Nd.Trapezoid(y, Doubles(2, 5), axis: 0));
        Close([1.5 + 9, -2 + -2], Nd.Trapezoid(y, Shaped((2, 3), 0, 1, 4, 0, 2, 1), axis: -1));
        Close([0, 0], Nd.Trapezoid(y[.., ..1]));
        Close([0, 0], Nd.Trapezoid(Nd.Zeros((2, 0))));
        Close([], [2.5], Nd.Trapezoid(Nd.Array([1, 1, 2])));
        Assert.Equal(DType.Float32, Nd.Trapezoid(Nd.Array([1, 1, 2]), Nd.Array([1, 2, 3])).DType);
        Gradients(x => Nd.Trapezoid(x[0], x[1], 1), Random((2, 3, 2)), Random(3, 2));
        Gradients(x => Nd.Trapezoid(x[0], x[1]) * Nd.Trapezoid(x[0], 0.3), Random((2, 4)), Random((2, 4), 2));
        Expect.Throws<ShapeException>(() => Nd.Trapezoid(y, Nd.Ones(2)), "Trapezoid: the places (2,)", "(2, 3)", "(3,)");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Trapezoid(y, 1, 2), "Trapezoid: axis 2");
    }
}
