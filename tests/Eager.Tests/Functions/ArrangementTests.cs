using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class ArrangementTests
{
    [Fact]
    public void MeshgridHasOneAxisPerArgument()
    {
        NDArray[] xy = Nd.Meshgrid([Doubles(1, 2, 3), Doubles(4, 5)]), ij = Nd.Meshgrid([Doubles(1, 2, 3), Doubles(4, 5)], matrixIndexing: true);
        Close((2, 3), [1, 2, 3, 1, 2, 3], xy[0]);
        Close((2, 3), [4, 4, 4, 5, 5, 5], xy[1]);
        Close((3, 2), [1, 1, 2, 2, 3, 3], ij[0]);
        Close((3, 2), [4, 5, 4, 5, 4, 5], ij[1]);
        Assert.Equal(new Shape(3, 2, 4), Nd.Meshgrid([Nd.Ones(2), Nd.Ones(3), Nd.Ones(4)])[2].Shape);
        Close([1, 2], Nd.Meshgrid([Doubles(1, 2)])[0]);
        Gradients(x => Nd.Meshgrid([x[0], x[1]])[0] * Nd.Meshgrid([x[0], x[1]])[1], Doubles(1, 2), Doubles(3, 4, 5));
        Assert.Throws<ShapeException>(() => Nd.Meshgrid([Nd.Ones((2, 2))]));
    }

    [Theory]
    [InlineData(7, 3, new[] { 3, 2, 2 })]
    [InlineData(2, 3, new[] { 1, 1, 0 })]
    [InlineData(6, 2, new[] { 3, 3 })]
    public void ArraySplitPartsDifferByAtMostOne(int n, int sections, int[] sizes)
    {
        NDArray[] parts = Nd.ArraySplit(Nd.Arange(0, n), sections);
        Assert.Equal(sizes, parts.Select(p => p.Shape[0]));
        Close(Nd.Arange(0, n), Nd.Concat(parts));
    }

    [Fact]
    public void ArraySplitCutsAtPositions()
    {
        Assert.Equal([1, 2, 0, 1], Nd.ArraySplit(Nd.Ones((2, 4)), [1, 3, 3], axis: 1).Select(p => p.Shape[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.ArraySplit(Nd.Ones(3), 0));
    }

    [Fact]
    public void QuarterTurnsAreThoseOfNumPy()
    {
        NDArray x = Shaped((2, 3), 1, 2, 3, 4, 5, 6);
        Close((3, 2), [3, 6, 2, 5, 1, 4], Nd.Rot90(x));
        Close((2, 3), [6, 5, 4, 3, 2, 1], Nd.Rot90(x, 2));
        Close((3, 2), [4, 1, 5, 2, 6, 3], Nd.Rot90(x, 3));
        Close(Nd.Rot90(x, 3), Nd.Rot90(x, -1));
        Close(Nd.Rot90(x, 3), Nd.Rot90(x, 1, 1, 0));
        Close(x, Nd.Rot90(x, 4));
        Gradients(i => Nd.Rot90(i[0]) * Nd.Rot90(i[0]), x);
        Assert.Throws<ShapeException>(() => Nd.Rot90(x, 1, 0, -2));
    }

    [Fact]
    public void MoveAxisKeepsTheOrderOfTheOthers()
    {
        Assert.Equal(new Shape(3, 4, 2), Nd.MoveAxis(Nd.Ones((2, 3, 4)), 0, -1).Shape);
        Assert.Equal(new Shape(4, 2, 3), Nd.MoveAxis(Nd.Ones((2, 3, 4)), 2, 0).Shape);
    }

    [Fact]
    public void RollsAlongSeveralAxesOrOfTheFlattenedArray()
    {
        NDArray x = Shaped((2, 3), 1, 2, 3, 4, 5, 6);
        Close((2, 3), [6, 4, 5, 3, 1, 2], Nd.Roll(x, [1, 1], [0, 1]));
        Close((2, 3), [3, 1, 2, 6, 4, 5], Nd.Roll(x, [3, -2, 0], [-1, 1, 0]));
        Close(x, Nd.Roll(x, [], []));
        Close((2, 3), [5, 6, 1, 2, 3, 4], Nd.Roll(x, 2));
        Close((2, 3), [2, 3, 4, 5, 6, 1], Nd.Roll(x, -7));
        Close([], [3], Nd.Roll(Nd.Scalar(3), 5));
        Assert.Equal(new Shape(2, 0), Nd.Roll(Nd.Ones((2, 0)), 1).Shape);
        Assert.Equal(new Shape(2, 0), Nd.Roll(Nd.Ones((2, 0)), [1, 1], [0, 1]).Shape);
        Gradients(i => Nd.Roll(i[0], [1, 2], [0, 1]) * i[0], x);
        Gradients(i => Nd.Roll(i[0], 2) * i[0], x);
        Expect.Throws<ShapeException>(() => Nd.Roll(x, [1], [0, 1]), "Roll", "1 shifts for 2 axes of (2, 3)", "one shift per axis");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Roll(x, [1, 1], [0, 2]), "Roll: axis 2", "(2, 3)");
        Assert.Throws<ArgumentNullException>("shifts", () => Nd.Roll(x, null!, [0]));
        Assert.Throws<ArgumentNullException>("axes", () => Nd.Roll(x, [0], null!));
    }

    [Theory]
    [InlineData(PadMode.Constant, new double[] { 0, 0, 1, 2, 3, 0 })]
    [InlineData(PadMode.Edge, new double[] { 1, 1, 1, 2, 3, 3 })]
    [InlineData(PadMode.Reflect, new double[] { 3, 2, 1, 2, 3, 2 })]
    [InlineData(PadMode.Symmetric, new double[] { 2, 1, 1, 2, 3, 3 })]
    [InlineData(PadMode.Wrap, new double[] { 2, 3, 1, 2, 3, 1 })]
    public void PaddingFollowsItsMode(PadMode mode, double[] expected)
    {
        NDArray x = Doubles(1, 2, 3);
        Close(expected, Nd.Pad(x, [(2, 1)], mode));
        Close(Nd.Pad(x, [(2, 1)], mode), Nd.Pad(x.Reshape(1, 3, 1), [(0, 0), (2, 1), (0, 0)], mode).Reshape(6));
        Gradients(i => Nd.Pad(i[0], [(1, 1), (2, 1)], mode), Random((2, 3)));
        Assert.Throws<ShapeException>(() => Nd.Pad(x, [(1, 1), (1, 1)], mode));
        Assert.Throws<ShapeException>(() => Nd.Pad(x, [(-1, 1)], mode));
        if (mode != PadMode.Constant) Assert.Contains("axis 1 of (2, 0)", Assert.Throws<ShapeException>(() => Nd.Pad(Nd.Ones((2, 0)), [(1, 0), (1, 0)], mode)).Message);
    }

    [Theory]
    [InlineData(PadMode.Reflect, new double[] { 2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3 }, new double[] { 7, 7, 7, 7, 7, 7 })]
    [InlineData(PadMode.Symmetric, new double[] { 2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1 }, new double[] { 7, 7, 7, 7, 7, 7 })]
    [InlineData(PadMode.Wrap, new double[] { 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1 }, new double[] { 7, 7, 7, 7, 7, 7 })]
    public void PaddingRepeatsAndMirrorsAsOftenAsItMust(PadMode mode, double[] expected, double[] ofOne)
    {
        // np.pad([1, 2, 3], (5, 4), mode), and of one element.
        Close(expected, Nd.Pad(Doubles(1, 2, 3), [(5, 4)], mode));
        Close(ofOne, Nd.Pad(Doubles(7), [(3, 2)], mode));
        Gradients(i => Nd.Square(Nd.Pad(i[0], [(3, 1), (0, 5)], mode)), Random((2, 3)));
    }

    [Fact]
    public void BlocksBecomeChannelsAndBack()
    {
        NDArray x = Nd.Arange(0, 48, 1, DType.Float64).Reshape(1, 2, 4, 6), y = Nd.SpaceToDepth(x, 2);
        Assert.Equal(new Shape(1, 8, 2, 3), y.Shape);
        for (int by = 0; by < 2; by++)
            for (int bx = 0; bx < 2; bx++)
                for (int c = 0; c < 2; c++)
                    Assert.Equal(x[0, c, 2 + by, 4 + bx].Item<double>(), y[0, (by * 2 + bx) * 2 + c, 1, 2].Item<double>());
        Close(x, Nd.DepthToSpace(y, 2));
        Gradients(i => Nd.DepthToSpace(Nd.Square(i[0]), 2), Random((1, 4, 1, 2)));
        Assert.Throws<ShapeException>(() => Nd.SpaceToDepth(x, 4));
        Assert.Throws<ShapeException>(() => Nd.DepthToSpace(x, 2));
        Assert.Throws<ShapeException>(() => Nd.SpaceToDepth(Nd.Ones((4, 4)), 2));
    }

    [Fact]
    public void EdgesMayBeTheLargestOrSmallestOfTheAxis()
    {
        // np.pad([[1, 5, 2], [3, 0, 4]], ((1, 0), (1, 2)), mode='maximum'), and 'minimum'.
        NDArray x = Shaped((2, 3), 1, 5, 2, 3, 0, 4);
        Close((3, 6), [5, 3, 5, 4, 5, 5, 5, 1, 5, 2, 5, 5, 4, 3, 0, 4, 4, 4], Nd.Pad(x, [(1, 0), (1, 2)], PadMode.Maximum));
        Close((3, 6), [0, 1, 0, 2, 0, 0, 1, 1, 5, 2, 1, 1, 0, 3, 0, 4, 0, 0], Nd.Pad(x, [(1, 0), (1, 2)], PadMode.Minimum));
        Assert.Equal(DType.Int32, Nd.Pad(Nd.Array([1, 2]), [(1, 1)], PadMode.Maximum).DType);
        Assert.Equal([true, false, true], Nd.Pad(Nd.Array([false, true]), [(1, 0)], PadMode.Maximum).ToArray<bool>());
        Close([double.NaN, 1, double.NaN], Nd.Pad(Doubles(1, double.NaN), [(1, 0)], PadMode.Maximum));
        Gradients(v => Nd.Pad(v[0], [(2, 1), (0, 3)], PadMode.Maximum) * Nd.Pad(v[0], [(2, 1), (0, 3)], PadMode.Minimum), x);
        Expect.Throws<ShapeException>(() => Nd.Pad(Nd.Zeros((2, 0)), [(0, 0), (1, 0)], PadMode.Minimum), "Pad: axis 1 of (2, 0)", "Minimum");
    }
}
