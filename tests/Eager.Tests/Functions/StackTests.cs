using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class StackTests
{
    private static readonly NDArray s_a = Doubles(1, 2), s_b = Doubles(3, 4), s_m = Shaped((2, 2), 5, 6, 7, 8);

    [Fact]
    public void HStackJoinsSideBySide()
    {
        Close([1, 2, 3, 4], Nd.HStack([s_a, s_b]));
        Close([9, 1, 2], Nd.HStack([Nd.Scalar(9), s_a]));
        Close((2, 4), [5, 6, 5, 6, 7, 8, 7, 8], Nd.HStack([s_m, s_m]));
        Close((2, 3), [1, 5, 6, 2, 7, 8], Nd.HStack([s_a.Reshape(2, 1), s_m]));
        Close((1, 2, 2), [1, 2, 3, 4], Nd.HStack([s_a.Reshape(1, 1, 2), s_b.Reshape(1, 1, 2)]));
    }

    [Fact]
    public void VStackJoinsRows()
    {
        Close((2, 2), [1, 2, 3, 4], Nd.VStack([s_a, s_b]));
        Close((3, 2), [1, 2, 5, 6, 7, 8], Nd.VStack([s_a, s_m]));
        Close((2, 1), [1, 2], Nd.VStack([Nd.Scalar(1), Nd.Scalar(2)]));
        Close((2, 1, 2), [1, 2, 3, 4], Nd.VStack([s_a.Reshape(1, 1, 2), s_b.Reshape(1, 1, 2)]));
    }

    [Fact]
    public void DStackJoinsAlongTheThirdAxis()
    {
        Close((1, 2, 2), [1, 3, 2, 4], Nd.DStack([s_a, s_b]));
        Close((2, 2, 2), [5, 50, 6, 60, 7, 70, 8, 80], Nd.DStack([s_m, s_m * 10]));
        Close((2, 2, 3), [5, 5, 6, 6, 7, 8, 7, 1, 2, 8, 3, 4], Nd.DStack([s_m, Shaped((2, 2, 2), 5, 6, 7, 8, 1, 2, 3, 4)]));
        Close((1, 1, 2), [1, 2], Nd.DStack([Nd.Scalar(1), Nd.Scalar(2)]));
    }

    [Fact]
    public void ColumnStackJoinsColumns()
    {
        Close((2, 2), [1, 3, 2, 4], Nd.ColumnStack([s_a, s_b]));
        Close((2, 3), [1, 5, 6, 2, 7, 8], Nd.ColumnStack([s_a, s_m]));
        Close((1, 2), [1, 2], Nd.ColumnStack([Nd.Scalar(1), Nd.Scalar(2)]));
    }

    [Fact]
    public void TypesArePromotedAndSizesMayBeZero()
    {
        Assert.Equal(DType.Float64, Nd.HStack([Nd.Array([1]), s_a]).DType);
        Assert.Equal(DType.Int32, Nd.VStack([Nd.Array([1]), Nd.Array([2])]).DType);
        Close([1, 2], Nd.HStack([s_a, Nd.Zeros(0, DType.Float64)]));
        Assert.Equal(new Shape(2, 0), Nd.VStack([Nd.Zeros(0), Nd.Zeros(0)]).Shape);
        Assert.Equal(new Shape(1, 0, 2), Nd.DStack([Nd.Zeros(0), Nd.Zeros(0)]).Shape);
        Assert.Equal(new Shape(0, 2), Nd.ColumnStack([Nd.Zeros(0), Nd.Zeros(0)]).Shape);
    }

    [Fact]
    public void GradientsGoToTheirArrays()
    {
        Gradients(x => Nd.HStack([x[0], x[1]]) * Nd.HStack([x[1], x[0]]), s_a, s_b);
        Gradients(x => Nd.VStack([x[0], x[1]]), s_a, s_m);
        Gradients(x => Nd.DStack([x[0], x[1] * x[0]]), s_m / 8, s_m / 4);
        Gradients(x => Nd.ColumnStack([x[0], x[1], x[0]]), s_a, s_m);
        NDArray leaf = Leaf.Doubles(1, 2);
        using (Autograd.Record()) (Nd.ColumnStack([leaf, leaf]) * s_m).Sum().Backward();
        Close([11, 15], leaf.Grad!);
    }

    [Fact]
    public void NumbersOfTheProcessorGoWithArraysOfADevice()
    {
        NDArray joined = Nd.HStack([Nd.Scalar(9), Nd.Array([1f, 2f]).To(Device.Debug)]);
        Assert.Equal(Device.Debug, joined.Device);
        Close([9, 1, 2], joined);
    }

    [Fact]
    public void WhatDoesNotFitIsNamed()
    {
        (string Name, Func<IReadOnlyList<NDArray>, NDArray> Join)[] all = [("HStack", Nd.HStack), ("VStack", Nd.VStack), ("DStack", Nd.DStack), ("ColumnStack", Nd.ColumnStack)];
        foreach ((string name, Func<IReadOnlyList<NDArray>, NDArray> join) in all)
        {
            Expect.Throws<ShapeException>(() => join([]), $"{name}: the list of arrays is empty");
            Expect.Throws<ShapeException>(() => join([s_m, Nd.Ones((2, 2, 2, 2))]), $"{name}: arrays 0 and 1", "number of axes", "Reshape");
            Assert.Throws<ArgumentNullException>("arrays", () => join(null!));
            Assert.Throws<ArgumentNullException>("arrays", () => join([s_m, null!]));
        }

        Expect.Throws<ShapeException>(() => Nd.HStack([s_m, s_m, Nd.Ones((3, 2))]), "HStack: arrays 0 and 2, (2, 2) and (3, 2)", "differ in axis 0", "Slice, Pad or Reshape");
        Expect.Throws<ShapeException>(() => Nd.HStack([s_m, s_a]), "HStack", "number of axes");
        Expect.Throws<ShapeException>(() => Nd.VStack([s_m, Nd.Ones(3)]), "VStack: arrays 0 and 1, (2, 2) and (3,)", "axis 0 as (2, 2) and (1, 3)", "differ in axis 1");
        Expect.Throws<ShapeException>(() => Nd.ColumnStack([s_m, Nd.Ones(3)]), "ColumnStack", "differ in axis 0");
    }

    [Fact]
    public void EyeMayBeRectangularAndShifted()
    {
        Close((2, 3), [1, 0, 0, 0, 1, 0], Nd.Eye(2, 3));
        Close((3, 2), [0, 1, 0, 0, 0, 0], Nd.Eye(3, 2, 1));
        Close((3, 3), [0, 0, 0, 1, 0, 0, 0, 1, 0], Nd.Eye(3, 3, -1, DType.Float64));
        Close(Nd.Eye(4), Nd.Eye(4, 4));
        foreach (int far in (int[])[int.MinValue, -2, 2, int.MaxValue]) Close((2, 2), [0, 0, 0, 0], Nd.Eye(2, 2, far));
        Assert.Equal(new Shape(0, 3), Nd.Eye(0, 3).Shape);
        Assert.Equal(new Shape(2, 0), Nd.Eye(2, 0, 1).Shape);
        Assert.Equal(DType.Bool, Nd.Eye(2, 3, dtype: DType.Bool).DType);
        Assert.Equal(Device.Debug, Nd.Eye(2, 3, device: Device.Debug).Device);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Eye(-1, 2), "Eye: rows is -1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Eye(2, -1, 0), "Eye: columns is -1");
    }
}
