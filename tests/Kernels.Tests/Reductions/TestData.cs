using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Values and comparisons for the tests of reductions and row kernels.</summary>
internal static class TestData
{
    public static T[] Normal<T>(long count, int seed, double scale = 1)
        where T : INumberBase<T>
    {
        var random = new Random(seed);
        var values = new T[count];
        for (var i = 0; i < values.Length; i++) values[i] = T.CreateTruncating(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    /// <summary>The same, and 64 bytes that kernels may read behind them, as they may behind the blocks of the library: a large array of the collector can end where its memory ends.</summary>
    public static unsafe T[] WithSlack<T>(T[] x)
        where T : unmanaged
        => [.. x, .. new T[64 / sizeof(T)]];

    /// <summary>The elements of one line along the middle axis of (outer, n, inner).</summary>
    public static T[] Line<T>(T[] x, int outer, int n, int inner, int o, int i)
    {
        Assert.InRange(o, 0, outer - 1);
        var line = new T[n];
        for (var r = 0; r < n; r++) line[r] = x[(o * n + r) * inner + i];
        return line;
    }

    public static void AssertSameBits<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual, string what)
        where T : unmanaged
        => Assert.True(
            MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)), $"{what}: width {SimdWidth.Current}, {WorkerPool.Threads} threads");
}
