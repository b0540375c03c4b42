using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class StatisticsTests
{
    private static readonly NDArray s_holes = Shaped((3, 3), 1, double.NaN, 3, double.NaN, double.NaN, double.NaN, -2, 0, 5);

    /// <summary>One axis may be a number, as with <c>Sum</c>; it is the same as an array of one.</summary>
    [Fact]
    public void OneAxisIsANumber()
    {
        NDArray x = s_holes, w = Nd.Linspace(1, 2, x.Shape[1]);
        (NDArray One, NDArray Many)[] pairs =
        [
            (x.NanSum(1), x.NanSum([1])), (x.NanProd(-1), x.NanProd([-1])), (x.NanMean(0), x.NanMean([0])), (x.NanMax(1), x.NanMax([1])), (x.NanMin(1, true), x.NanMin([1], true)),
            (x.NanVar(1, correction: 1), x.NanVar([1], correction: 1)), (x.NanStd(0), x.NanStd([0])), (x.Ptp(1), x.Ptp([1])), (x.CountNonZero(0), x.CountNonZero([0])),
            (Nd.Average(x, w, 1), Nd.Average(x, w, [1])),
        ];
        foreach ((NDArray one, NDArray many) in pairs)
        {
            Assert.Equal(many.Shape, one.Shape);
            Assert.Equal(many.AsType(DType.Float64).ToArray<double>(), one.AsType(DType.Float64).ToArray<double>());
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => x.NanSum(2));
    }

    [Fact]
    public void NaNIsLeftOut()
    {
        Close([4, 0, 3], Nd.NanSum(s_holes, [1]));
        Close([3, 1, -0.0], Nd.NanProd(s_holes, [1]));
        Close([2, double.NaN, 1], Nd.NanMean(s_holes, [1]));
        Close([3, double.NaN, 5], Nd.NanMax(s_holes, [1]));
        Close([1, double.NaN, -2], Nd.NanMin(s_holes, [1]));
        Close((1, 1), [7.0 / 5], Nd.NanMean(s_holes, keepDims: true));
        Close([1, 0, 3], Nd.NanToNum(s_holes)[0]);
        Close([7, 8, -9], Nd.NanToNum(Doubles(double.NaN, double.PositiveInfinity, double.NegativeInfinity), 7, 8, -9));
        Close([float.MaxValue], Nd.NanToNum(Nd.Array([float.PositiveInfinity])));
        Assert.Throws<ShapeException>(() => Nd.NanMax(Nd.Zeros((0, 2)), [0]));

        // Of integers none is NaN, and none is rounded.
        NDArray large = Nd.Array([(1L << 60) + 1, 1L << 60]);
        Assert.Equal((1L << 60) + 1, Nd.NanMax(large).Item<long>());
        Assert.Equal(1L << 60, Nd.NanMin(large).Item<long>());
        Assert.Equal(DType.UInt8, Nd.NanMax(Nd.Ones(3, DType.UInt8)).DType);
    }

    [Fact]
    public void OfTooFewElements()
    {
        Close([double.PositiveInfinity], Nd.Var(Doubles(1, 2), [0], keepDims: true, correction: 2));
        Close([double.PositiveInfinity], Nd.Std(Doubles(1, 2), [0], keepDims: true, correction: 5));
        Close([double.NaN], Nd.Var(Doubles(1), [0], keepDims: true, correction: 1));
        Close([double.NegativeInfinity], Nd.LogSumExp(Nd.Zeros(0), [0], keepDims: true));
        Close([double.NegativeInfinity, double.NegativeInfinity], Nd.LogSumExp(Nd.Zeros((2, 0), DType.Int32), 1));
        Assert.Equal((0, 1), Nd.LogSumExp(Nd.Zeros((0, 2)), 1, keepDims: true).Shape);
    }

    [Fact]
    public void GradientsDoNotTouchNaN()
    {
        NDArray x = Doubles(1, double.NaN, 3);
        x.AttachGrad();
        NDArray head;
        using (Autograd.Record()) head = Nd.NanMean(x) * 2 + Nd.NanMax(x);
        head.Backward();
        Close([1, 0, 2], x.Grad!);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(1)]
    public void QuantilesLieBetweenSortedNeighbours(double q)
    {
        foreach (int n in (int[])[1, 2, 5, 8])
        {
            NDArray x = Random((3, n), n);
            double[] expected = [.. Enumerable.Range(0, 3).Select(i => Of([.. x.Values().Skip(i * n).Take(n)]))];
            Close((3, 1), expected, Nd.Quantile(x, q, 1, keepDims: true));
            Close([], [Of(x.Values())], Nd.Quantile(x, q));
            Gradients(i => Nd.Quantile(i[0], q, 1), x);
        }

        double Of(double[] line)
        {
            Array.Sort(line);
            double at = q * (line.Length - 1);
            int low = (int)Math.Floor(at), high = (int)Math.Ceiling(at);
            return line[low] + (at - low) * (line[high] - line[low]);
        }
    }

    [Fact]
    public void SeveralQuantilesLieAlongANewFirstAxis()
    {
        // np.quantile([[3, 1, 2], [4, 8, 6]], [0, 0.25, 1], axis).
        NDArray x = Shaped((2, 3), 3, 1, 2, 4, 8, 6);
        Close((3, 2), [1, 4, 1.5, 5, 3, 8], Nd.Quantile(x, [0, 0.25, 1], 1));
        Close((3, 2, 1), [1, 4, 1.5, 5, 3, 8], Nd.Quantile(x, [0, 0.25, 1], -1, keepDims: true));
        Close((2, 3), [3.5, 4.5, 4, 3, 1, 2], Nd.Quantile(x, [0.5, 0], 0));
        Close([3.5, 8], Nd.Quantile(x, [0.5, 1]));
        Close((2, 1, 1), [3.5, 8], Nd.Quantile(x, [0.5, 1], keepDims: true));
        Close([double.NaN, double.NaN], Nd.Quantile(Doubles(1, double.NaN), [0, 1]));
        Assert.Equal(new Shape(0, 2), Nd.Quantile(x, [], 1).Shape);
        Assert.Equal(new Shape(2, 0), Nd.Quantile(Nd.Ones((0, 3)), [0, 1], 1).Shape);
        Assert.Equal(DType.Float32, Nd.Quantile(Nd.Array([1, 2]), [0.5]).DType);
        foreach (double q in (double[])[0, 0.3, 1]) Close(Nd.Quantile(x, q, 1), Nd.Quantile(x, [0.7, q], 1)[1], 0);
        Gradients(i => Nd.Quantile(i[0], [0.1, 0.5, 0.9], 1), x / 8);

        // Of 1, 2, 3: the median is 2, the quartile half of 1 and half of 2.
        NDArray leaf = Leaf.Doubles(3, 1, 2);
        using (Autograd.Record()) leaf.Quantile([0.25, 0.5]).Sum().Backward();
        Close([0, 0.5, 1.5], leaf.Grad!);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Quantile(x, [0.5, 1.5]), "Quantile: q[1] is 1.5", "between 0 and 1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Quantile(x, [double.NaN]), "q[0]");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Quantile(x, [0.5], 2), "Quantile: axis 2");
        Expect.Throws<ShapeException>(() => Nd.Quantile(Nd.Ones((2, 0)), [0.5], 1), "axis 1", "empty");
        Assert.Throws<ArgumentNullException>("q", () => Nd.Quantile(x, null!));
    }

    [Fact]
    public void MediansOfNaNAreNaN()
    {
        Close([2.5], Nd.Median(Shaped((1, 4), 1, 4, 3, 2), 1));
        Close([double.NaN], Nd.Median(Shaped((1, 3), 1, double.NaN, 3), 1));
        Assert.Equal(2f, Nd.Median(Nd.Array([3, 1, 2])).Item<float>());
        const double Inf = double.PositiveInfinity;
        Close([Inf, Inf, -Inf, double.NaN], Nd.Median(Shaped((4, 2), Inf, Inf, Inf, 3, -Inf, 3, -Inf, Inf), 1));
        Close([Inf, 2], Nd.Median(Shaped((2, 3), Inf, Inf, -Inf, Inf, 2, -Inf), 1));
        Assert.Throws<ShapeException>(() => Nd.Median(Nd.Zeros((2, 0)), 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Quantile(Nd.Ones(3), 1.1));
    }

    [Fact]
    public void AveragesAreWeighted()
    {
        Close([3.0], Nd.Average(Shaped((1, 3), 1, 2, 4), Doubles(0, 1, 1), [1]));
        Gradients(x => Nd.Average(x[0], x[1], [1]), Random((2, 3)), Doubles(1, 2, 3));

        // Weights of rank 1 lie along the axis that is averaged, as in NumPy.
        Close([2.5, 3.5], Nd.Average(Shaped((2, 2), 1, 2, 3, 4), Doubles(1, 3), [0]));
        Close([1.75, 3.75], Nd.Average(Shaped((2, 2), 1, 2, 3, 4), Doubles(1, 3), [-1]));
        Close([2.2, 3.2, 6.2, 7.2], Nd.Average(Shaped((2, 2, 2), 1, 2, 3, 4, 5, 6, 7, 8), Doubles(2, 3), [1]));
        Gradients(x => Nd.Average(x[0], x[1], [0]), Random((2, 3)), Doubles(1, 2));
        Assert.Contains("axis 0", Assert.Throws<ShapeException>(() => Nd.Average(Nd.Ones((2, 3)), Nd.Ones(3), [0])).Message, StringComparison.Ordinal);
        Assert.Equal([1L, 2L], Nd.CountNonZero(Nd.Array([1f, 0f, 3f, -1f], (2, 2)), [1]).ToArray<long>());
    }

    [Fact]
    public void HistogramsCountHalfOpenIntervals()
    {
        (NDArray counts, NDArray edges) = Nd.Histogram(Doubles(-1, 0, 0.5, 1, 1.999, 2, 3, 3.01, double.NaN), 3, 0, 3);
        Assert.Equal([2L, 2L, 2L], counts.ToArray<long>());
        Close([0, 1, 2, 3], edges);
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Histogram(Nd.Ones(2), 3, 1, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Histogram(Nd.Ones(2), 0, 0, 1));
    }

    [Fact]
    public void BinCountCountsOrAddsWeights()
    {
        NDArray x = Nd.Array([1, 3, 1, 0]);
        Assert.Equal([1L, 2L, 0L, 1L], Nd.BinCount(x).ToArray<long>());
        Assert.Equal([1L, 2L, 0L, 1L, 0L, 0L], Nd.BinCount(x, minLength: 6).ToArray<long>());
        Close([4, 4, 0, 2], Nd.BinCount(x, Doubles(1, 2, 3, 4)));
        Gradients(i => Nd.BinCount(x, i[0]), Doubles(1, 2, 3, 4));
        Assert.Equal(0, Nd.BinCount(Nd.Zeros(0, DType.Int32)).Size);
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.BinCount(Nd.Array([-1])));
        Assert.Throws<DTypeException>(() => Nd.BinCount(Nd.Array([1f])));
        Assert.Throws<ShapeException>(() => Nd.BinCount(x, Nd.Ones(3)));
    }

    [Theory]
    [InlineData(QuantileMode.Linear, 3.2, 1, 3, 7)]
    [InlineData(QuantileMode.Lower, 3, 1, 3, 7)]
    [InlineData(QuantileMode.Higher, 5, 1, 3, 7)]
    [InlineData(QuantileMode.Nearest, 3, 1, 3, 7)]
    [InlineData(QuantileMode.Midpoint, 4, 1, 3, 7)]
    public void BetweenTwoElementsThereAreSeveralAnswers(QuantileMode mode, double between, double first, double second, double last)
    {
        NDArray x = Doubles(7, 1, 5, 3);
        double q = 1.1 / 3;
        Close([between], Nd.Quantile(x, q, null, mode), 1e-9);
        Close([first, last], Nd.Quantile(x, [0, 1], 0, mode));
        Close([1, 1], [second], Nd.Quantile(Shaped((1, 4), 7, 1, 5, 3), 1.0 / 3, 1, mode, keepDims: true));
        Close([between, last], Nd.Percentile(x, [100 * q, 100], mode: mode), 1e-9);
        Close([double.NaN], Nd.Quantile(Doubles(1, double.NaN), 0, 0, mode));
        Close([between], Nd.Percentile(x.AsType(DType.Float16), 100 * q, mode: mode), 2e-3);
        Gradients(v => Nd.Quantile(v[0], [q, 0.9], 0, mode), x);
    }

    [Fact]
    public void PercentilesAreQuantiles()
    {
        NDArray x = Random((3, 5));
        Close(Nd.Quantile(x, 0.3, 1, keepDims: true), Nd.Percentile(x, 30, 1, keepDims: true));
        Close(Nd.Quantile(x, [0.3, 0.5]), Nd.Percentile(x, [30, 50]));
        Close([2, 2], Nd.Quantile(Doubles(1, 2, 3, 4), [1.0 / 6, 0.5], 0, QuantileMode.Nearest) + Doubles(1, -1));
        Assert.Equal(new Shape(0, 3), Nd.Percentile(x, [], 1).Shape);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Percentile(x, 101), "Percentile: p lies between 0 and 100");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Percentile(x, [5, -1]), "Percentile: p[1] is -1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Quantile(x, 0.5, 0, (QuantileMode)9), "Quantile: mode is 9", "Midpoint");
        Expect.Throws<ShapeException>(() => Nd.Percentile(Nd.Zeros((2, 0)), 5, 1), "Percentile: axis 1");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Percentile(x, 5, 2), "Percentile: axis 2");
    }
}
