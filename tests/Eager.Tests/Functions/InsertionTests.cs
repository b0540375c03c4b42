using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class InsertionTests
{
    private static readonly NDArray s_x = Shaped((2, 3), 1, 2, 3, 4, 5, 6);

    [Fact]
    public void DeleteKeepsTheOthers()
    {
        Close((1, 3), [1, 2, 3], Nd.Delete(s_x, 1));
        Close((2, 2), [1, 3, 4, 6], Nd.Delete(s_x, 1, 1));
        Close((2, 2), [1, 2, 4, 5], Nd.Delete(s_x, -1, -1));
        Close((2, 1), [2, 5], Nd.Delete(s_x, [0, -1, 2, 0], 1));
        Close(s_x, Nd.Delete(s_x, [], 1));
        Assert.Equal(new Shape(0, 3), Nd.Delete(s_x, [0, 1]).Shape);
        Gradients(x => Nd.Delete(x[0], [1], 1) * Nd.Delete(x[0], [0], 1), s_x / 6);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Delete(s_x, 2), "Delete: position 2", "axis 0 of (2, 3)", "size is 2");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Delete(s_x, [0, -4], 1), "Delete: position -4");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Delete(s_x, 0, 2), "Delete: axis 2");
        Assert.Throws<ArgumentNullException>("indices", () => Nd.Delete(s_x, null!));
    }

    [Fact]
    public void InsertComesBeforeAPosition()
    {
        Close([1, 9, 2], Nd.Insert(Doubles(1, 2), 1, Nd.Scalar(9)));
        Close([1, 2, 9], Nd.Insert(Doubles(1, 2), 2, Doubles(9)));
        Close([1, 9, 8, 2], Nd.Insert(Doubles(1, 2), -1, Doubles(9, 8)));
        Close((2, 4), [7, 1, 2, 3, 7, 4, 5, 6], Nd.Insert(s_x, 0, Nd.Scalar(7), 1));
        Close((2, 4), [1, 2, 3, 7, 4, 5, 6, 8], Nd.Insert(s_x, 3, Shaped((2, 1), 7, 8), 1));
        Close((3, 3), [1, 2, 3, 7, 8, 9, 4, 5, 6], Nd.Insert(s_x, 1, Doubles(7, 8, 9)));
        Close((4, 3), [1, 2, 3, 7, 7, 7, 8, 8, 8, 4, 5, 6], Nd.Insert(s_x, 1, Shaped((2, 1), 7, 8)));
        Assert.Equal(DType.Float64, Nd.Insert(Nd.Array([1, 2]), 0, Doubles(0.5)).DType);
        Gradients(x => Nd.Insert(x[0], 1, x[1], 1), s_x / 6, Shaped((2, 2), 0.1, 0.2, 0.3, 0.4));
    }

    [Fact]
    public void SeveralPositionsAreThoseOfTheArrayBefore()
    {
        // np.insert([1, 2, 3], [3, 0, 0, 1], [7, 8, 9, 6]).
        Close([8, 9, 1, 6, 2, 3, 7], Nd.Insert(Doubles(1, 2, 3), [3, 0, 0, 1], Doubles(7, 8, 9, 6)));
        Close((2, 5), [1, 7, 2, 3, 8, 4, 7, 5, 6, 8], Nd.Insert(s_x, [1, 3], Doubles(7, 8), 1));
        Close([5, 1, 2, 5, 3], Nd.Insert(Doubles(1, 2, 3), [0, -1], Nd.Scalar(5)));
        Close(s_x, Nd.Insert(s_x, [], Nd.Zeros((2, 0)), 1));
        Close([4, 4], Nd.Insert(Nd.Zeros(0), [0, 0], Nd.Scalar(4)));
        Gradients(x => Nd.Insert(x[0], [2, 0], x[1], 1), s_x / 6, Shaped((2, 2), 0.1, 0.2, 0.3, 0.4));
        Assert.Equal(Device.Debug, Nd.Insert(Nd.Ones(2).To(Device.Debug), [1], Nd.Scalar(4).To(Device.Debug)).Device);
    }

    [Fact]
    public void WhatDoesNotFitIsNamed()
    {
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Insert(s_x, 3, Nd.Scalar(1)), "Insert: position 3", "axis 0 of (2, 3)", "between -2 and 2");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Insert(s_x, [0, -4], Nd.Scalar(1), 1), "Insert: position -4", "between -3 and 3");
        Expect.Throws<ShapeException>(() => Nd.Insert(s_x, 0, Nd.Ones(2)), "Insert: the values (2,)", "(1, 3)", "Reshape");
        Expect.Throws<ShapeException>(() => Nd.Insert(s_x, [0, 1], Nd.Ones(3), 1), "Insert: the values (3,)", "(2, 2)");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Insert(Nd.Scalar(1), 0, Nd.Scalar(1)), "Insert: axis 0");
        Assert.Throws<ArgumentNullException>("values", () => Nd.Insert(s_x, 0, null!));
    }
}
