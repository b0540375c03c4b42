using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class ArgSortTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    // Lines, their length, how many indices: around the limits of insertion, selection and registers.
    public static TheoryData<int, int, int> Forms() => new()
    {
        { 1, 1, 1 }, { 3, 7, 7 }, { 3, 7, 2 }, { 2, 32, 32 }, { 2, 33, 33 }, { 2, 33, 32 }, { 4, 65, 5 }, { 1, 1000, 1000 }, { 3, 1000, 1 }, { 2, 1000, 32 },
        { 2, 1000, 33 }, { 1, 20_000, 20_000 }, { 40, 300, 9 }, { 5, 4, 0 },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public void OrdersAreStableAndTotal(int lines, int n, int k)
    {
        var random = new Random(n + k);
        double[] x = [.. Enumerable.Range(0, lines * n).Select(_ => Math.Round((random.NextDouble() - 0.5) * Math.Max(4, n)))];

        // Integers of few values, so that there are ties; of floating-point numbers the special ones, too.
        Check(Array.ConvertAll(x, static v => (int)v), DType.Int32, lines, n, k, static v => v);
        Check(Array.ConvertAll(x, static v => (long)v << 40), DType.Int64, lines, n, k, static v => v);
        Check(Array.ConvertAll(x, static v => (byte)(v / 2)), DType.UInt8, lines, n, k, static v => v);
        double[] special = [double.NaN, -double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, 1e-310, 1e-44, -1e-44, 1e300];
        for (int i = 0; i < x.Length; i += 3) x[i] = special[random.Next(special.Length)];
        Check(x, DType.Float64, lines, n, k, static v => v);
        Check(Array.ConvertAll(x, static v => (float)v), DType.Float32, lines, n, k, static v => v);
    }

    [Fact]
    public void EveryByteOfARankCounts()
    {
        long[] x = [.. Enumerable.Range(0, 64).Select(static i => 1L << i), .. Enumerable.Range(0, 64).Select(static i => -(1L << i)), 0, long.MaxValue];
        Check(x, DType.Int64, 1, x.Length, x.Length, static v => v);
        int[] y = [.. Enumerable.Range(0, 32).Select(static i => 1 << i), .. Enumerable.Range(0, 32).Select(static i => -(1 << i)), 0, int.MaxValue];
        Check(y, DType.Int32, 1, y.Length, y.Length, static v => v);
    }

    private static void Check<T>(T[] x, DType dtype, int lines, int n, int k, Func<T, decimal> exact)
        where T : unmanaged
        => Check(x, dtype, lines, n, k, Comparer<T>.Create((a, b) => exact(a).CompareTo(exact(b))));

    private static void Check(double[] x, DType dtype, int lines, int n, int k, Func<double, double> value) =>
        Check(x, dtype, lines, n, k, Comparer<double>.Create((a, b) => Order(value(a), value(b))));

    private static void Check(float[] x, DType dtype, int lines, int n, int k, Func<float, double> value) =>
        Check(x, dtype, lines, n, k, Comparer<float>.Create((a, b) => Order(value(a), value(b))));

    private static int Order(double a, double b) => double.IsNaN(a) || double.IsNaN(b) ? double.IsNaN(a).CompareTo(double.IsNaN(b)) : a < b ? -1 : a > b ? 1 : 0;

    private static void Check<T>(T[] x, DType dtype, int lines, int n, int k, IComparer<T> comparer)
        where T : unmanaged
    {
        foreach (bool descending in new[] { false, true })
        {
            long[] expected =
            [
                .. Enumerable.Range(0, lines).SelectMany(line => (descending
                    ? Enumerable.Range(0, n).OrderByDescending(i => x[(line * n) + i], comparer)
                    : Enumerable.Range(0, n).OrderBy(i => x[(line * n) + i], comparer)).Take(k).Select(static i => (long)i)),
            ];
            foreach (int threads in new[] { 1, 3 })
            {
                WorkerPool.Threads = threads;
                long[] order = new long[(lines * k) + 1];
                order[^1] = -7;
                fixed (T* source = TestData.WithSlack(x))
                fixed (long* target = order) ArgSort.Run(dtype, (nint)source, target, lines, n, k, descending);
                Assert.Equal([.. expected, -7], order);
            }
        }
    }
}
