using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(KernelModes.Name)]
public sealed unsafe class RunningTests
{
    // Single lines, the four that run together, strips of columns; enough elements for threads.
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 3, 5, 1 }, { 4, 7, 1 }, { 21, 33, 1 }, { 40, 1000, 1 }, { 1, 3, 2 }, { 2, 4, 3 }, { 2, 70, 17 }, { 1, 9, 1100 }, { 3, 20, 1030 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ProductsAndExtremesAreJoinedInOrder(int outer, int n, int inner)
    {
        float[] x = TestData.Normal<float>(outer * n * inner, 3);
        for (int i = 0; i < x.Length; i += 41) x[i] = i % 3 == 0 ? float.NaN : i % 3 == 1 ? -0.0f : 0;
        Check(RunningKind.Prod, x, DType.Float32, outer, n, inner, static (a, b) => a * b);
        Check(RunningKind.Max, x, DType.Float32, outer, n, inner, static (a, b) => float.IsNaN(a) || b <= a ? a : b);
        Check(RunningKind.Min, x, DType.Float32, outer, n, inner, static (a, b) => float.IsNaN(a) || b >= a ? a : b);
        double[] y = Array.ConvertAll(x, static v => (double)v);
        Check(RunningKind.Prod, y, DType.Float64, outer, n, inner, static (a, b) => a * b);
        Check(RunningKind.Max, y, DType.Float64, outer, n, inner, static (a, b) => double.IsNaN(a) || b <= a ? a : b);
        long[] z = TestData.Normal<long>(x.Length, 4, 5);
        Check(RunningKind.Prod, z, DType.Int64, outer, n, inner, static (a, b) => unchecked(a * b));
        Check(RunningKind.Max, z, DType.Int64, outer, n, inner, Math.Max);
        Check(RunningKind.Min, Array.ConvertAll(z, static v => (int)v), DType.Int32, outer, n, inner, Math.Min);
        Check(RunningKind.Max, Array.ConvertAll(z, static v => (byte)(v + 100)), DType.UInt8, outer, n, inner, Math.Max);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IndicesAreThoseOfTheFirstOfEqualExtremes(int outer, int n, int inner)
    {
        float[] x = Array.ConvertAll(TestData.Normal<float>(outer * n * inner, 5, 2), MathF.Round);
        for (int i = 50; i < x.Length; i += 97) x[i] = float.NaN;
        using GuardedBuffer<float> input = new(x);
        KernelModes.ForEach(() =>
        {
            foreach (bool max in new[] { true, false })
            {
                using GuardedBuffer<long> output = new(x.Length);
                Running.Positions(max, DType.Float32, input.Address, output.Data, outer, n, inner);
                output.AssertIntact();
                EachLine(outer, n, inner, (first, step) =>
                {
                    int best = 0;
                    for (int i = 0; i < n; i++)
                    {
                        float was = x[first + (best * step)], now = x[first + (i * step)];
                        if (!float.IsNaN(was) && (float.IsNaN(now) || (max ? now > was : now < was))) best = i;
                        Assert.Equal(best, output.Span[first + (i * step)]);
                    }
                });
            }
        });
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void RecurrencesAreComputedInOrder(int outer, int n, int inner)
    {
        double[] factors = TestData.Normal<double>(outer * n * inner, 6, 0.7), terms = TestData.Normal<double>(factors.Length, 7);
        using GuardedBuffer<double> f = new(factors), t = new(terms);
        KernelModes.ForEach(() =>
        {
            foreach ((bool reverse, bool previous) in new[] { (false, false), (true, false), (false, true), (true, true) })
            {
                using GuardedBuffer<double> output = new(terms.Length);
                Recurrence.Run(DType.Float64, f.Address, t.Address, output.Address, outer, n, inner, reverse, previous);
                output.AssertIntact();
                EachLine(outer, n, inner, (first, step) =>
                {
                    double s = 0;
                    for (int k = 0; k < n; k++)
                    {
                        int at = first + ((reverse ? n - 1 - k : k) * step), before = reverse ? at + step : at - step;
                        s = k == 0 ? terms[at] : terms[at] + (factors[previous ? before : at] * s);
                        Assert.Equal(s, output.Span[at]);
                    }
                });
            }
        });
    }

    [Fact]
    public void OtherTypesAreRefused()
    {
        Assert.Throws<DTypeException>(() => Running.Run(RunningKind.Prod, DType.Int32, 0, 0, 1, 1, 1));
        Assert.Throws<DTypeException>(() => Recurrence.Run(DType.Int64, 0, 0, 0, 1, 1, 1, false, false));
    }

    private static void Check<T>(RunningKind kind, T[] x, DType dtype, int outer, int n, int inner, Func<T, T, T> join)
        where T : unmanaged
    {
        T[] expected = [.. x];
        EachLine(outer, n, inner, (first, step) =>
        {
            for (int i = 1; i < n; i++) expected[first + (i * step)] = join(expected[first + ((i - 1) * step)], x[first + (i * step)]);
        });
        using GuardedBuffer<T> input = new(x);
        KernelModes.ForEach(() =>
        {
            using GuardedBuffer<T> output = new(x.Length);
            Running.Run(kind, dtype, input.Address, output.Address, outer, n, inner);
            output.AssertIntact();
            TestData.AssertSameBits<T>(expected, output.Span, $"{kind} of {dtype}");
        });
    }

    private static void EachLine(int outer, int n, int inner, Action<int, int> body)
    {
        for (int o = 0; o < outer; o++)
            for (int i = 0; i < inner; i++) body((o * n * inner) + i, inner);
    }
}
