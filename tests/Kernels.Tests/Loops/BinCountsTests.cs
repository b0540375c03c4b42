using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class BinCountsTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    // Elements and bins: tables of their own and none, pieces for threads.
    public static TheoryData<int, int> Sizes => new() { { 0, 1 }, { 1, 1 }, { 7, 3 }, { 1001, 2048 }, { 1001, 2049 }, { 200_003, 50 }, { 70_000, 5000 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void IndicesAreCounted(int count, int bins)
    {
        Random random = new(count);
        int[] x = [.. Enumerable.Range(0, count).Select(_ => Math.Min(random.Next(bins), random.Next(bins)))];
        long[] wide = Array.ConvertAll(x, static v => (long)v), expected = new long[bins];
        foreach (int v in x) expected[v]++;
        foreach (int threads in new[] { 1, 3 })
        {
            WorkerPool.Threads = threads;
            long[] counts = new long[bins + 1], wideCounts = new long[bins + 1];
            (counts[bins], wideCounts[bins]) = (-7, -7);
            fixed (int* i32 = x)
            fixed (long* i64 = wide, to = counts, wideTo = wideCounts)
            {
                Assert.Equal(-1, BinCounts.OfIndices((nint)i32, DType.Int32, count, to, bins));
                Assert.Equal(-1, BinCounts.OfIndices((nint)i64, DType.Int64, count, wideTo, bins));
            }

            Assert.Equal([.. expected, -7], counts);
            Assert.Equal([.. expected, -7], wideCounts);
        }
    }

    [Fact]
    public void TheFirstIndexOutsideIsNamed()
    {
        int[] x = [3, 0, -1, 4];
        long[] counts = new long[4];
        fixed (int* from = x)
        fixed (long* to = counts)
        {
            Assert.Equal(2, BinCounts.OfIndices((nint)from, DType.Int32, 4, to, 4));
            Assert.Equal(0, BinCounts.OfIndices((nint)(from + 3), DType.Int32, 1, to, 4));
            Assert.Equal(-1, BinCounts.OfIndices((nint)from, DType.Int32, 2, to, 4));
            Assert.Equal([1, 0, 0, 1], counts);
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void IntervalsAreHalfOpenAndTheLastOneClosed(int count, int bins)
    {
        Random random = new(bins);
        double[] edges = [.. Enumerable.Range(0, bins + 1).Select(i => i == bins ? 1.7 : -0.3 + (i * (2.0 / bins)))];

        // Edges themselves, their neighbours, what lies outside, and NaN.
        double[] x = new double[count];
        for (int i = 0; i < count; i++)
        {
            double edge = edges[random.Next(edges.Length)];
            x[i] = (i % 6) switch { 0 => edge, 1 => Math.BitIncrement(edge), 2 => Math.BitDecrement(edge), 3 => double.NaN, _ => random.NextDouble() * 3 - 1 };
        }

        Check(x, edges, DType.Float64);
        Check(Array.ConvertAll(x, static v => (float)v), Array.ConvertAll(edges, static v => (float)v), DType.Float32);
    }

    [Fact]
    public void EdgesThatCoincideOrAreUnevenAreRight()
    {
        Check([0.5f, 1, 1.5f, 2, 9, 10, 10.1f, -0.1f], [0f, 1, 1, 2, 10], DType.Float32);
        Check([1f, 1], [1f, 1, 1], DType.Float32);
    }

    private static void Check<T>(T[] x, T[] edges, DType dtype)
        where T : unmanaged, IComparable<T>
    {
        long[] expected = new long[edges.Length - 1];
        foreach (T value in x)
        {
            // NaN comes before every number.
            if (value.CompareTo(edges[0]) < 0 || value.CompareTo(edges[^1]) > 0) continue;
            expected[Math.Min(expected.Length - 1, edges.Count(e => e.CompareTo(value) <= 0) - 1)]++;
        }

        foreach (int threads in new[] { 1, 3 })
        {
            WorkerPool.Threads = threads;
            long[] counts = new long[expected.Length];
            fixed (T* from = x, edge = edges)
            fixed (long* to = counts) BinCounts.BetweenEdges(dtype, (nint)from, x.Length, (nint)edge, to, counts.Length);
            Assert.Equal(expected, counts);
        }
    }
}
