using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class ScanTests
{
    private static readonly (string Name, Func<NDArray, int?, NDArray> Call, Func<double, double, double> Step)[] s_scans =
    [
        ("CumProd", Nd.CumProd, (a, b) => a * b),
        ("CumMax", Nd.CumMax, Math.Max),
        ("CumMin", Nd.CumMin, Math.Min),
        ("LogCumSumExp", Nd.LogCumSumExp, (a, b) => Math.Log(Math.Exp(a) + Math.Exp(b))),
    ];

    public static TheoryData<int> Scans => [0, 1, 2, 3];

    [Theory]
    [MemberData(nameof(Scans))]
    public void RunningResultsAreThoseOfALoop(int index)
    {
        (_, Func<NDArray, int?, NDArray> call, Func<double, double, double> step) = s_scans[index];
        foreach (int n in (int[])[1, 2, 3, 7, 8, 9, 33])
        {
            NDArray x = Random((2, n, 3), n);
            double[] expected = x.Values();
            for (int o = 0; o < 2; o++)
                for (int i = 1; i < n; i++)
                    for (int k = 0; k < 3; k++) expected[(o * n + i) * 3 + k] = step(expected[(o * n + i - 1) * 3 + k], expected[(o * n + i) * 3 + k]);
            Close(x.Shape, expected, call(x, 1));
        }

        Assert.Equal(new Shape(6), call(Random((2, 3)), null).Shape);
        Assert.Equal(new Shape(0, 3), call(Nd.Zeros((0, 3)), 0).Shape);
        Assert.Throws<ArgumentOutOfRangeException>(() => call(Random((2, 3)), 2));
    }

    [Theory]
    [MemberData(nameof(Scans))]
    public void GradientsAreExact(int index)
    {
        Func<NDArray, int?, NDArray> call = s_scans[index].Call;
        Gradients(x => call(x[0], 1), Random((2, 5)));
        Gradients(x => call(x[0], 0), Random((3, 2)));
    }

    [Fact]
    public void ProductsWithZerosHaveGradients() => Gradients(x => Nd.CumProd(x[0], 0), Doubles(2, 0, 3, 0, -1));

    [Fact]
    public void IntegersMultiplyInInt64() => Assert.Equal([100_000L, 10_000_000_000L], Nd.CumProd(Nd.Array([100_000, 100_000])).ToArray<long>());

    [Fact]
    public void RunningMaximaKeepNaN() => Assert.Equal([1, double.NaN, double.NaN], Nd.CumMax(Doubles(1, double.NaN, 3)).Values());

    [Fact]
    public void SumsRunFromEitherEndWithOrWithoutTheElement()
    {
        NDArray x = Shaped((2, 3), 1, 2, 4, 8, 16, 32);
        Close((2, 3), [1, 3, 7, 8, 24, 56], Nd.CumSum(x, 1, exclusive: false));
        Close((2, 3), [7, 6, 4, 56, 48, 32], Nd.CumSum(x, -1, reverse: true));
        Close((2, 3), [0, 1, 3, 0, 8, 24], Nd.CumSum(x, 1, exclusive: true));
        Close((2, 3), [6, 4, 0, 48, 32, 0], Nd.CumSum(x, 1, exclusive: true, reverse: true));
        Close((2, 3), [0, 0, 0, 1, 2, 4], Nd.CumSum(x, 0, exclusive: true));
        Close([0, 1, 3, 7, 15, 31], Nd.CumSum(x, null, exclusive: true));
        Close([63, 62, 60, 56, 48, 32], Nd.CumSum(x, null, reverse: true));
        Close([0], Nd.CumSum(Doubles(5), 0, exclusive: true));
        Close([0], Nd.CumSum(Nd.Scalar(5), null, exclusive: true));
        Close([0, double.PositiveInfinity], Nd.CumSum(Doubles(double.PositiveInfinity, 1), 0, exclusive: true));
        Assert.Equal([0L, int.MaxValue, 2L * int.MaxValue], Nd.CumSum(Nd.Full(3, int.MaxValue, DType.Int32), 0, exclusive: true).ToArray<long>());
        Assert.Equal(new Shape(2, 0), Nd.CumSum(Nd.Zeros((2, 0)), 1, exclusive: true).Shape);
        Assert.Equal(new Shape(0, 2), Nd.CumSum(Nd.Zeros((0, 2)), 1, exclusive: true, reverse: true).Shape);
        Gradients(i => Nd.CumSum(i[0], 1, exclusive: true) * i[0], x / 32);
        Gradients(i => Nd.CumSum(i[0], 0, exclusive: true, reverse: true) * i[0], x / 32);
        Gradients(i => Nd.CumSum(i[0], 1, reverse: true) * i[0], x / 32);

        // Each element is part of the sums behind it: 2, 1 and 0 of them.
        NDArray leaf = Leaf.Doubles(1, 2, 3);
        using (Autograd.Record()) leaf.CumSum(0, exclusive: true).Sum().Backward();
        Close([2, 1, 0], leaf.Grad!);
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.CumSum(x, 2, reverse: true), "CumSum: axis 2", "(2, 3)");
    }

    [Fact]
    public void DifferencesAreThoseOfNeighbours()
    {
        NDArray x = Shaped((2, 4), 1, 4, 9, 16, 0, 1, 8, 27);
        Close((2, 3), [3, 5, 7, 1, 7, 19], Nd.Diff(x));
        Close((2, 2), [2, 2, 6, 12], Nd.Diff(x, order: 2));
        Close((1, 4), [-1, -3, -1, 11], Nd.Diff(x, axis: 0));
        Assert.Equal(new Shape(2, 0), Nd.Diff(x, order: 5).Shape);
        Close(x, Nd.Diff(x, order: 0));
        Gradients(i => Nd.Diff(i[0], 2), x);
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Diff(x, -1));
    }
}
