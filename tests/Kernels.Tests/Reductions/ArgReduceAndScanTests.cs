using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(KernelModes.Name)]
public sealed unsafe class ArgReduceAndScanTests
{
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 3, 5, 1 }, { 7, 10, 1 }, { 2, 16, 1 }, { 2, 33, 1 }, { 3, 1000, 1 }, { 1, 40_000, 1 }, { 2, 4, 3 }, { 2, 70, 17 }, { 1, 9, 200 }, { 200, 300, 1 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_first_of_equal_extremes_wins(int outer, int n, int inner)
    {
        // Few different values: every line has ties.
        var x = Array.ConvertAll(TestData.Normal<float>(outer * n * inner, 5, 2), v => MathF.Round(v));
        Check(x, DType.Float32, outer, n, inner, (a, b) => a > b, float.IsNaN);
        Check(Array.ConvertAll(x, v => (double)v), DType.Float64, outer, n, inner, (a, b) => a > b, double.IsNaN);
        Check(Array.ConvertAll(x, v => (int)v), DType.Int32, outer, n, inner, (a, b) => a > b, _ => false);
        Check(Array.ConvertAll(x, v => (long)v), DType.Int64, outer, n, inner, (a, b) => a > b, _ => false);
        Check(Array.ConvertAll(x, v => (byte)(v + 9)), DType.UInt8, outer, n, inner, (a, b) => a > b, _ => false);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_first_nan_wins_over_everything(int outer, int n, int inner)
    {
        var x = TestData.Normal<float>(outer * n * inner, 6);
        var random = new Random(1);
        for (var i = 0; i < 1 + x.Length / 20; i++) x[random.Next(x.Length)] = float.NaN;
        Check(x, DType.Float32, outer, n, inner, (a, b) => a > b, float.IsNaN);
    }

    [Fact]
    public void Infinities_and_signed_zeros_are_ordinary_values()
    {
        Check([float.NegativeInfinity, float.NegativeInfinity], DType.Float32, 1, 2, 1, (a, b) => a > b, float.IsNaN);
        Check([0f, -0f, 0f], DType.Float32, 1, 3, 1, (a, b) => a > b, float.IsNaN);
        Check([-0f, 0f, float.PositiveInfinity, float.PositiveInfinity], DType.Float32, 1, 4, 1, (a, b) => a > b, float.IsNaN);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Running_sums_add_in_order(int outer, int n, int inner)
    {
        var x = TestData.Normal<float>(outer * n * inner, 7);
        var bytes = Array.ConvertAll(x, v => (byte)(v * 40 + 128));
        foreach (var (exclusive, reverse) in new[] { (false, false), (true, false), (false, true), (true, true) })
        {
            using var input = new GuardedBuffer<float>(x);
            using var output = new GuardedBuffer<float>(x.Length);
            using var byteInput = new GuardedBuffer<byte>(bytes);
            using var sums = new GuardedBuffer<long>(x.Length);
            Scan.CumSum(DType.Float32, DType.Float32, input.Address, output.Address, outer, n, inner, exclusive, reverse);
            Scan.CumSum(DType.UInt8, DType.Int64, byteInput.Address, sums.Address, outer, n, inner, exclusive, reverse);
            output.AssertIntact();
            sums.AssertIntact();
            for (var o = 0; o < outer; o++)
            {
                for (var i = 0; i < inner; i++)
                {
                    double sum = 0;
                    long integerSum = 0;
                    for (var step = 0; step < n; step++)
                    {
                        var at = (o * n + (reverse ? n - 1 - step : step)) * inner + i;
                        var (next, nextInteger) = (sum + x[at], integerSum + bytes[at]);
                        Assert.Equal((float)(exclusive ? sum : next), output.Span[at]);
                        Assert.Equal(exclusive ? integerSum : nextInteger, sums.Span[at]);
                        (sum, integerSum) = (next, nextInteger);
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public void Long_running_sums_of_Float32_are_off_by_one_rounding(int inner)
    {
        const int n = 200_000;
        using var input = new GuardedBuffer<float>([.. Enumerable.Repeat(0.1f, n * inner)]);
        using var output = new GuardedBuffer<float>(n * inner);
        Scan.CumSum(DType.Float32, DType.Float32, input.Address, output.Address, 1, n, inner);
        for (var i = 0; i < inner; i++) Assert.Equal((float)(n * (double)0.1f), output.Span[(n - 1) * inner + i], 1e-7 * n);
    }

    private static void Check<T>(T[] x, DType dtype, int outer, int n, int inner, Func<T, T, bool> greater, Func<T, bool> isNaN)
        where T : unmanaged
    {
        using var input = new GuardedBuffer<T>(x);
        KernelModes.ForEach(() =>
        {
            using var max = new GuardedBuffer<long>(outer * inner);
            using var min = new GuardedBuffer<long>(outer * inner);
            ArgReduce.Run(true, dtype, input.Address, max.Data, outer, n, inner);
            ArgReduce.Run(false, dtype, input.Address, min.Data, outer, n, inner);
            max.AssertIntact();
            for (var o = 0; o < outer; o++)
            {
                for (var i = 0; i < inner; i++)
                {
                    var line = TestData.Line(x, outer, n, inner, o, i);
                    Assert.Equal(First(line, greater, isNaN), max.Span[o * inner + i]);
                    Assert.Equal(First(line, (a, b) => greater(b, a), isNaN), min.Span[o * inner + i]);
                }
            }
        });
    }

    private static long First<T>(T[] line, Func<T, T, bool> better, Func<T, bool> isNaN)
    {
        var nan = Array.FindIndex(line, v => isNaN(v));
        if (nan >= 0) return nan;
        var best = 0;
        for (var i = 1; i < line.Length; i++)
        {
            if (better(line[i], line[best])) best = i;
        }

        return best;
    }
}
