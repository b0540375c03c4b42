using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class SearchingTests
{
    public static TheoryData<DType> Numbers => [DType.Float32, DType.Float64, DType.Int32, DType.Int64, DType.UInt8];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void InsertionPointsAreThoseOfALinearSearch(DType dtype)
    {
        NDArray sorted = Nd.Array([0, 2, 2, 2, 5, 9]).AsType(dtype), values = Nd.Arange(0, 12, 1, dtype).Reshape(3, 4);
        double[] line = sorted.Values();
        Close(values.Shape, [.. values.Values().Select(v => (double)line.Count(s => s < v))], Nd.SearchSorted(sorted, values));
        Close(values.Shape, [.. values.Values().Select(v => (double)line.Count(s => s <= v))], Nd.SearchSorted(sorted, values, right: true));
        Assert.Equal(DType.Int64, Nd.SearchSorted(sorted, values).DType);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(2, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 2)]
    [InlineData(0, 3)]
    public void MasksSelectFromAsManyAxesAsTheyHave(int axis, int axes)
    {
        NDArray x = Random((3, 4, 5)), mask = Random(x.Shape.ToArray()[axis..(axis + axes)]) > 0;
        double[] values = x.Values();
        bool[] chosen = mask.ToArray<bool>();
        int inner = Enumerable.Range(axis + axes, 3 - axis - axes).Aggregate(1, (n, i) => n * x.Shape[i]);
        double[] expected = [.. values.Where((_, i) => chosen[i / inner % chosen.Length])];
        NDArray result = x.BooleanMask(mask, axis);
        Assert.Equal(4 - axes, result.Rank);
        Close(result.Shape, expected, result);
        Gradients(i => i[0].BooleanMask(mask, axis), x);
        Assert.Equal(0, x.BooleanMask(Nd.ZerosLike(mask), axis).Size);
    }

    [Fact]
    public void NaNIsTheLargestNumber()
    {
        NDArray sorted = Doubles(double.NegativeInfinity, 0, double.PositiveInfinity, double.NaN);
        Close([3, 3], Nd.SearchSorted(sorted, Doubles(double.NaN, double.NaN)));
        Close([4, 3, 1], Nd.SearchSorted(sorted, Doubles(double.NaN, double.PositiveInfinity, -5), right: true));
        Assert.Throws<ShapeException>(() => Nd.SearchSorted(Nd.Zeros((2, 2)), Nd.Ones(1)));
    }

    [Fact]
    public void ManyValuesAreFoundInLinesOfEveryLength()
    {
        double[] values = [.. Enumerable.Range(0, 5003).Select(static i => i % 97 == 0 ? double.NaN : ((i * 37 % 211) - 3) * 0.5)];
        for (int n = 0; n < 70; n++)
        {
            double[] line = [.. Enumerable.Range(0, n).Select(i => i >= n - (n % 4) ? double.NaN : (double)(i / 2))];
            NDArray sorted = Nd.Array(line), x = Nd.Array(values);
            Close([.. values.Select(v => (double)line.Count(s => s < v || (double.IsNaN(v) && !double.IsNaN(s))))], Nd.SearchSorted(sorted, x));
            Close([.. values.Select(v => (double)line.Count(s => s <= v || double.IsNaN(v)))], Nd.SearchSorted(sorted, x, right: true));
        }
    }

    [Fact]
    public void InterpolationIsPiecewiseLinearAndConstantOutside()
    {
        NDArray positions = Doubles(1, 2, 4), heights = Doubles(10, 20, -20);
        Close([10, 10, 15, 20, 0, -20, -20], Nd.Interp(Doubles(0, 1, 1.5, 2, 3, 4, 7), positions, heights));
        Gradients(x => Nd.Interp(x[0], x[1], x[2]), Doubles(1.2, 1.7, 2.5, 3.9), positions, heights);
        Close([7, 7], Nd.Interp(Doubles(0, 5), Doubles(1), Doubles(7)));
        Close([7, 7, double.NaN], Nd.Interp(Doubles(double.PositiveInfinity, double.NegativeInfinity, double.NaN), Doubles(1), Doubles(7)));
        Close([20, -20, double.NaN], Nd.Interp(Doubles(double.PositiveInfinity, double.NegativeInfinity, double.NaN), Doubles(1, 2), Doubles(-20, 20)));
        Assert.Equal(new Shape(), Nd.Interp(Nd.Scalar(3), Doubles(1), Doubles(7)).Shape);
        Assert.Equal(new Shape(), Nd.Interp(Nd.Scalar(3), Doubles(1, 2), Doubles(7, 8)).Shape);
        Assert.Throws<ShapeException>(() => Nd.Interp(positions, positions, Doubles(1, 2)));
    }

    /// <summary>At equal positions NumPy takes the last height; and the ends are the heights themselves, however far apart two of them are.</summary>
    [Fact]
    public void InterpolationHasStepsAndExactEnds()
    {
        Close([10, 15, 30, 30], Nd.Interp(Doubles(0, 0.5, 1, 5), Doubles(0, 1, 1), Doubles(10, 20, 30)));
        Close([20, 20, 25, 30], Nd.Interp(Doubles(-1, 0, 0.5, 1), Doubles(0, 0, 1), Doubles(20, 20, 30)));
        Close([15, 30, 40, 40], Nd.Interp(Doubles(0.5, 1, 2, 3), Doubles(0, 1, 1, 2), Doubles(10, 20, 30, 40)));
        Close([double.NaN, 30], Nd.Interp(Doubles(double.NaN, 1), Doubles(0, 1, 1), Doubles(10, 20, 30)));
        NDArray far = Nd.Interp(Nd.Array([0f, 1, 2]), Nd.Array([0f, 1]), Nd.Array([1e8f, 0.1f]));
        Assert.Equal([1e8f, 0.1f, 0.1f], far.ToArray<float>());
    }

    [Fact]
    public void UniqueSortsAndCounts()
    {
        (NDArray values, NDArray inverse, NDArray counts) = Nd.UniqueWithCounts(Shaped((2, 3), 3, 1, double.NaN, 3, double.NaN, -0.0));
        Close([0, 1, 3, double.NaN], values + 0);
        Assert.Equal([2L, 1L, 3L, 2L, 3L, 0L], inverse.ToArray<long>());
        Assert.Equal(new Shape(2, 3), inverse.Shape);
        Assert.Equal([1L, 1L, 2L, 2L], counts.ToArray<long>());
        Assert.Equal([1, 2], Nd.Unique(Nd.Array([2, 1, 2])).ToArray<int>());
        Assert.Equal([false, true], Nd.Unique(Nd.Array([true, false, true])).ToArray<bool>());
        Assert.Equal(0, Nd.Unique(Nd.Zeros(0)).Size);
    }

    [Fact]
    public void ClosenessFollowsNumPy()
    {
        double nan = double.NaN, inf = double.PositiveInfinity;
        NDArray x = Doubles(1, 1, nan, inf, inf, 0, 1e-9), y = Doubles(1 + 1e-6, 1.1, nan, inf, -inf, inf, 0);
        Assert.Equal([true, false, false, true, false, false, true], Nd.IsClose(x, y).ToArray<bool>());
        Assert.True(Nd.IsClose(x, y, equalNaN: true).ToArray<bool>()[2]);
        Assert.False(Nd.AllClose(x, y));
        Assert.True(Nd.AllClose(Nd.Ones(3), 1 + Nd.Full(3, 1e-7)));
        Assert.True(Nd.ArrayEqual(Nd.Array([1, 2]), Nd.Array([1.0, 2.0])));
        Assert.False(Nd.ArrayEqual(Nd.Array([1, 2]), Nd.Array([1, 2], (1, 2))));
        Assert.False(Nd.AllClose(Nd.Array([1 << 30]), Nd.Array([(1 << 30) + 1]), 0, 0));
        Assert.True(Nd.AllClose(Nd.Array([1 << 30]), Nd.Array([(1 << 30) + 1]), 0, 1));
    }
}
