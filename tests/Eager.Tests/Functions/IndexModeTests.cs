using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class IndexModeTests
{
    private static readonly NDArray s_x = Shaped((2, 3), 1, 2, 3, 4, 5, 6);

    [Theory]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    public void TakeClipsOrWrapsWhatLiesOutside(DType dtype)
    {
        // np.take(x, [-4, -1, 0, 2, 3, 8], axis=1, mode).
        NDArray indices = Nd.Array([-4, -1, 0, 2, 3, 8]).AsType(dtype);
        Close((2, 6), [1, 1, 1, 3, 3, 3, 4, 4, 4, 6, 6, 6], Nd.Take(s_x, indices, 1, IndexMode.Clip));
        Close((2, 6), [3, 3, 1, 3, 1, 3, 6, 6, 4, 6, 4, 6], Nd.Take(s_x, indices, -1, IndexMode.Wrap));
        Close((1, 2, 3), [4, 5, 6, 1, 2, 3], Nd.Take(s_x, Nd.Array(new[,] { { 5, -4 } }).AsType(dtype), 0, IndexMode.Wrap));
        Close((2, 2), [3, 1, 6, 4], Nd.Take(s_x, Nd.Array([-1, 0]).AsType(dtype), 1, IndexMode.Error));

        // −2³¹ and −2⁶³ are 1 modulo 3, and so are 2³¹ − 1 and 2⁶³ − 1.
        NDArray ends = dtype == DType.Int32 ? Nd.Array([int.MinValue, int.MaxValue]) : Nd.Array([long.MinValue, long.MaxValue]);
        Close((2, 2), [1, 3, 4, 6], Nd.Take(s_x, ends, 1, IndexMode.Clip));
        Close((2, 2), [2, 2, 5, 5], Nd.Take(s_x, ends, 1, IndexMode.Wrap));
    }

    [Theory]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    public void PickClipsOrWrapsWhatLiesOutside(DType dtype)
    {
        NDArray indices = Nd.Array([-1, 7]).AsType(dtype);
        Close([1, 6], Nd.Pick(s_x, indices, 1, IndexMode.Clip));
        Close([3, 5], Nd.Pick(s_x, indices, -1, IndexMode.Wrap));
        Close((2, 1), [3, 5], Nd.Pick(s_x, indices, 1, IndexMode.Wrap, keepDims: true));
        Close((1, 3), [1, 5, 3], Nd.Pick(s_x, Nd.Array([-9, 9, 0]).AsType(dtype), 0, IndexMode.Clip, keepDims: true));
        Close([3, 5], Nd.Pick(s_x, Nd.Array([-1, 1]).AsType(dtype), 1, IndexMode.Error));
    }

    [Fact]
    public void GradientsGoWhereTheElementsCameFrom()
    {
        NDArray indices = Nd.Array([-4, 1, 8]);
        NDArray x = Leaf.Doubles(1, 2, 3);
        using (Autograd.Record()) (x.Take(indices, 0, IndexMode.Clip) * Doubles(1, 10, 100)).Sum().Backward();
        Close([1, 10, 100], x.Grad!);
        using (Autograd.Record()) (x.Take(indices, 0, IndexMode.Wrap) * Doubles(1, 10, 100)).Sum().Backward();
        Close([0, 10, 101], x.Grad!);
        Gradients(i => Nd.Take(i[0], indices, 1, IndexMode.Wrap), s_x / 6);
        Gradients(i => Nd.Pick(i[0], indices, 0, IndexMode.Clip, keepDims: true) * i[0], s_x / 6);
    }

    [Fact]
    public void OfNoIndicesAndOfEmptyAxes()
    {
        NDArray none = Nd.Zeros(0, DType.Int32), empty = Nd.Ones((2, 0));
        foreach (IndexMode mode in Enum.GetValues<IndexMode>())
        {
            Assert.Equal(new Shape(2, 0), Nd.Take(s_x, none, 1, mode).Shape);
            Assert.Equal(new Shape(2, 0), Nd.Take(empty, none, 1, mode).Shape);
            Assert.Equal(new Shape(3, 0), Nd.Take(empty, Nd.Array([0, 1, 1]), 0, mode).Shape);
            Assert.Equal(new Shape(0), Nd.Pick(empty, none, 0, mode).Shape);
        }

        Expect.Throws<ShapeException>(() => Nd.Take(empty, Nd.Array([0]), 1, IndexMode.Clip), "Take: axis 1 of (2, 0) is empty", "Clip", "Give an axis");
        Expect.Throws<ShapeException>(() => Nd.Pick(empty, Nd.Array([0, 0]), -1, IndexMode.Wrap), "Pick: axis 1 of (2, 0) is empty", "Wrap");
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Take(empty, Nd.Array([0]), 1, IndexMode.Error));
    }

    [Fact]
    public void ErrorsNameTheArgument()
    {
        NDArray indices = Nd.Array([3, 0]);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Take(s_x, indices, 1, IndexMode.Error), "Take: index 3", "size 3");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Pick(s_x, indices, 1, IndexMode.Error), "Pick: index 3", "size 3");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Take(s_x, indices, 2, IndexMode.Clip), "Take: axis 2", "(2, 3)");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Pick(s_x, indices, 1, (IndexMode)3), "Pick: mode is 3", "Error, Clip, Wrap");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Take(s_x, indices, 1, (IndexMode)(-1)), "Take: mode is -1");
        Expect.Throws<DTypeException>(() => Nd.Take(s_x, Nd.Array([1f]), 1, IndexMode.Clip), "Take", "Int32 or Int64", "AsType");
        Expect.Throws<DTypeException>(() => Nd.Pick(s_x, Nd.Array([1f, 2f]), 1, IndexMode.Wrap), "Pick", "Int32 or Int64");
        Expect.Throws<ShapeException>(() => Nd.Pick(s_x, Nd.Array([1, 2, 0]), 1, IndexMode.Clip), "Pick", "one index per line, (2,)");
        Assert.Throws<ArgumentNullException>("indices", () => Nd.Take(s_x, null!, 1, IndexMode.Clip));
    }
}
