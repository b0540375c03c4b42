using Fusion.Kernels;

namespace Fusion.Tests;

public sealed unsafe class SortedRunsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(1000)]
    public void RunsAreCountedAndFound(int n)
    {
        var random = new Random(n);
        int[] x = [.. Enumerable.Range(0, n).Select(_ => random.Next(n / 3 + 1)).Order()];
        Check(x, DType.Int32);
        Check(Array.ConvertAll(x, static v => (long)v << 33), DType.Int64);
        Check(Array.ConvertAll(x, static v => (byte)Math.Min(v, 255)), DType.UInt8);
        Check(Array.ConvertAll(x, static v => v * 0.5f), DType.Float32);
        Check(Array.ConvertAll(x, static v => v * 0.5), DType.Float64);
    }

    [Fact]
    public void ZerosAreOneNumberAndSoAreNaNs() => Check([-1, -0.0f, 0, -0.0f, float.PositiveInfinity, float.NaN, -float.NaN, BitConverter.Int32BitsToSingle(0x7FC00001)],
        DType.Float32);

    private static void Check<T>(T[] x, DType dtype)
        where T : unmanaged
    {
        List<(long Start, long Length)> expected = [];
        long[] order = [.. Enumerable.Range(0, x.Length).Select(static i => (long)i).Reverse()], inverse = new long[x.Length], wanted = new long[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            // Equals of two NaN is true, and −0 equals 0.
            if (i == 0 || !x[i].Equals(x[i - 1])) expected.Add((i, 0));
            expected[^1] = (expected[^1].Start, expected[^1].Length + 1);
            wanted[order[i]] = expected.Count - 1;
        }

        fixed (T* sorted = x)
        fixed (long* places = order, to = inverse)
        {
            Assert.Equal(expected.Count, SortedRuns.Count(dtype, (nint)sorted, x.Length));
            long[] starts = new long[expected.Count], lengths = new long[expected.Count];
            fixed (long* start = starts, length = lengths) SortedRuns.Write(dtype, (nint)sorted, x.Length, start, length, places, to);
            Assert.Equal([.. expected.Select(static r => r.Start)], starts);
            Assert.Equal([.. expected.Select(static r => r.Length)], lengths);
            Assert.Equal(wanted, inverse);
        }
    }
}
