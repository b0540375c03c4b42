namespace Fusion.Tests;

/// <summary>Texts as NumPy 2 prints them (<c>print(x)</c>); the last line is Fusion's own.</summary>
public sealed class FormattingTests
{
    public static TheoryData<double[], string> Rows => new()
    {
        { [1, 2, 3], "[1. 2. 3.]" },
        { [1.5, 2, 3.25], "[1.5  2.   3.25]" },
        { [-1, 0, 1], "[-1.  0.  1.]" },
        { [0.1, 0.2, 0.3], "[0.1 0.2 0.3]" },
        { [-0.0, 0.0], "[-0.  0.]" },
        { [10, 200, 3000], "[  10.  200. 3000.]" },
        { [1, 2000], "[1.e+00 2.e+03]" },
        { [1, 1000], "[   1. 1000.]" },
        { [1e-5, 1], "[1.e-05 1.e+00]" },
        { [1e10, 1.5], "[1.0e+10 1.5e+00]" },
        { [1e8], "[1.e+08]" },
        { [99999999], "[99999999.]" },
        { [1e-4], "[0.0001]" },
        { [9.9e-5], "[9.9e-05]" },
        { [1e100, -1e-100], "[ 1.e+100 -1.e-100]" },
        { [double.NaN, 1, double.PositiveInfinity, double.NegativeInfinity], "[ nan   1.  inf -inf]" },
        { [double.NaN, 1.25], "[ nan 1.25]" },
        { [double.NaN, double.NaN], "[nan nan]" },
        { [double.PositiveInfinity, 0.5, -0.5], "[ inf  0.5 -0.5]" },
        { [1.0 / 3, 2.0 / 3], "[0.33333333 0.66666667]" },
        { [Math.PI, Math.E], "[3.14159265 2.71828183]" },
        { [Math.PI * 1e10, 1], "[3.14159265e+10 1.00000000e+00]" },
        { [0.001953125], "[0.00195312]" },
        { [0.005859375], "[0.00585938]" },
        { [7], "[7.]" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void Doubles(double[] values, string expected) =>
        Assert.Equal($"{expected}\n<NDArray ({values.Length},) Float64 @cpu>", Nd.Array(values).ToString());

    [Fact]
    public void FloatsShowTheirOwnShortestDigits()
    {
        Check("[0.1 0.2]", Nd.Array([0.1f, 0.2f]));
        Check("[0.33333334 0.6666667 ]", Nd.Array([1f / 3, 2f / 3]));
        Check("[3.1415927]", Nd.Array([MathF.PI]));
        Check("[0.0001]", Nd.Array([1e-4f]));
        Check("[3.4028235e+38 1.0000000e+00]", Nd.Array([float.MaxValue, 1f]));

        // Those with fewer digits than the longest one show what follows, not zeros.
        Check("[7.0037935e-08 7.0051220e-07 8.1277591e-07]", Nd.Array([7.0037935e-08f, 7.005122e-07f, 8.127759e-07f]));
    }

    /// <summary>NumPy 2 of the same arrays with dtype float16; BFloat16, which NumPy lacks, in the same way.</summary>
    [Fact]
    public void HalfPrecisionShowsItsOwnShortestDigits()
    {
        Check("[0.1    0.2    0.3333]", Halves(0.1, 0.2, 1.0 / 3));
        Check("[-1.   0.5  2. ]", Halves(-1, 0.5, 2));
        Check("[6.55e+04 1.00e+00]", Halves(65504, 1));
        Check("[   1. 1000.]", Halves(1, 1000));
        Check("[ nan  inf -inf   1.]", Halves(double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1));
        Check("[1.e-04 1.e+00]", Halves(1e-4, 1));
        Check("[6.e-08]", Halves(5.96e-8));
        Check("[6.550e+04 3.333e-01 1.788e-07]", Halves(65504, 1.0 / 3, 2e-7));
        Check("[0.1   0.2   0.334]", Halves(0.1, 0.2, 1.0 / 3).AsType(DType.BFloat16));
        Check("[3.39e+38 1.00e+00]", Nd.Array([BFloat16.MaxValue, (BFloat16)1f]));
        Check("0.1", Nd.Scalar(0.1, DType.Float16));
        Check("65500.0", Nd.Scalar(65504, DType.Float16));
        Check("6e-08", Nd.Scalar(6e-8, DType.Float16));
        Check("3.14", Nd.Scalar(Math.PI, DType.BFloat16));
        Check("1e+30", Nd.Scalar(1e30, DType.BFloat16));
        Check("nan", Nd.Scalar(double.NaN, DType.BFloat16));
    }

    [Fact]
    public void IntegersAndBooleansLineUp()
    {
        Check("[  1 -20 300]", Nd.Array([1, -20, 300]));
        Check("[9223372036854775807                   0]", Nd.Array([long.MaxValue, 0]));
        Check("[  0 255]", Nd.Array(new byte[] { 0, 255 }));
        Check("[ True False]", Nd.Array([true, false]));
        Check("[False False]", Nd.Array([false, false]));
    }

    [Theory]
    [InlineData(1.5, "1.5")]
    [InlineData(3, "3.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1.5e16, "1.5e+16")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00001, "1e-05")]
    [InlineData(0.1, "0.1")]
    [InlineData(double.NaN, "nan")]
    [InlineData(double.NegativeInfinity, "-inf")]
    public void ScalarsStandAlone(double value, string expected) =>
        Assert.Equal($"{expected}\n<NDArray () Float64 @cpu>", Nd.Scalar(value, DType.Float64).ToString());

    [Fact]
    public void ScalarsOfOtherTypes()
    {
        Check("0.1", Nd.Scalar(0.1));
        Check("-7", Nd.Scalar(-7, DType.Int32));
        Check("True", Nd.Scalar(1, DType.Bool));
    }

    [Fact]
    public void MatricesAndStacks()
    {
        Check("[[1. 2.]\n [3. 4.]]", Nd.Array(new float[,] { { 1, 2 }, { 3, 4 } }));
        Check("[[1]]", Nd.Array([1]).Reshape(1, 1));
        Check("[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]", Nd.Arange(0, 8, 1, DType.Int32).Reshape(2, 2, 2));
        Check("[[[[0]]\n\n  [[1]]]\n\n\n [[[2]]\n\n  [[3]]]]", Nd.Arange(0, 4, 1, DType.Int32).Reshape(2, 2, 1, 1));
    }

    [Fact]
    public void Views() => Check("[[0 3]\n [1 4]\n [2 5]]", Nd.Arange(0, 6, 1, DType.Int32).Reshape(2, 3).Transpose());

    [Fact]
    public void EmptyArrays()
    {
        Assert.Equal("[]\n<NDArray (0,) Float32 @cpu>", Nd.Zeros(0).ToString());
        Assert.Equal("[]\n<NDArray (0, 3) Int32 @cpu>", Nd.Zeros((0, 3), DType.Int32).ToString());
        Assert.Equal("[]\n<NDArray (3, 0) Float32 @cpu>", Nd.Zeros((3, 0)).ToString());
    }

    [Fact]
    public void LongRowsAreWrappedBelow75Columns() => Check(
        "[ 0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23\n 24 25 26 27 28 29]",
        Nd.Arange(0, 30, 1, DType.Int32));

    [Fact]
    public void LargeArraysAreSummarized()
    {
        Check("[   0    1    2 ... 1998 1999 2000]", Nd.Arange(0, 2001, 1, DType.Int32));
        Check("[0. 0. 0. ... 0. 0. 0.]", Nd.Zeros(100_000_000));
        Check(
            "[[   0    1    2 ...   37   38   39]\n [  40   41   42 ...   77   78   79]\n [  80   81   82 ...  117  118  119]\n ...\n" +
            " [1480 1481 1482 ... 1517 1518 1519]\n [1520 1521 1522 ... 1557 1558 1559]\n [1560 1561 1562 ... 1597 1598 1599]]",
            Nd.Arange(0, 1600, 1, DType.Int32).Reshape(40, 40));
        Check("[[1. 1. 1. ... 1. 1. 1.]\n [1. 1. 1. ... 1. 1. 1.]]", Nd.Ones((2, 501)));
        Assert.DoesNotContain("...", Nd.Zeros(1000).ToString());
    }

    [Fact]
    public void ArraysWithoutAValueSaySo()
    {
        NDArray x = Nd.Zeros((2, 3));
        x.Dispose();
        Assert.Equal("<disposed (2, 3) Float32>", x.ToString());
        Assert.Equal("<traced (2, 3) Float32>", NDArray.Symbolic(new Placeholder(), new TensorType(DType.Float32, (2, 3))).ToString());
    }

    [Fact]
    public void TheDebuggerShowsOneLine()
    {
        Assert.Equal("Float32 (2,) [1.0, 2.5]", Nd.Array([1f, 2.5f]).DebuggerText);
        Assert.Equal("Int32 (3, 4) [0, 1, 2, 3, 4, 5, 6, 7, …]", Nd.Arange(0, 12, 1, DType.Int32).Reshape(3, 4).DebuggerText);
        NDArrayDebugView view = new(Nd.Arange(0, 6, 1, DType.Int32).Reshape(2, 3).Transpose());
        Assert.Equal([0, 3, 1, 4, 2, 5], view.Values.Cast<int>());
        Assert.Equal((3, 2), view.Shape);
    }

    private static NDArray Halves(params double[] values) => Nd.Array(values).AsType(DType.Float16);

    private static void Check(string expected, NDArray array) => Assert.Equal($"{expected}\n<NDArray {array.Shape} {array.DType} @cpu>", array.ToString());

    private sealed class Placeholder : SymbolicValue;
}
