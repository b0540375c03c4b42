using Fusion.Kernels;

namespace Fusion.Tests;

public class RecentCacheTests
{
    [Fact]
    public void WhatIsAskedForStaysAndTheRestIsDropped()
    {
        RecentCache<int, string> cache = new(10);
        int made = 0;
        string Get(int key) => cache.GetOrAdd(key, k =>
        {
            made++;
            return $"value {k}";
        });
        for (int key = 0; key < 1000; key++)
        {
            Assert.Equal($"value {key}", Get(key));
            Assert.Equal("value 0", Get(0)); // asked for again and again: never made anew
        }

        Assert.Equal(1000, made);
        Assert.InRange(Enumerable.Range(0, 1000).Count(key => cache.TryGet(key, out _)), 1, 20);
        Assert.True(cache.TryGet(999, out string? last));
        Assert.Equal("value 999", last);
        Assert.False(cache.TryGet(500, out _));
        Get(500);
        Assert.Equal(1001, made);
    }

    [Fact]
    public void ThreadsGetTheSameValue()
    {
        RecentCache<int, object> cache = new(1 << 20);
        object[][] seen = [.. Enumerable.Range(0, 4).Select(static _ => new object[500])];
        Parallel.For(0, 4, t =>
        {
            for (int key = 0; key < 500; key++) seen[t][key] = cache.GetOrAdd(key, static _ => new object());
        });
        for (int key = 0; key < 500; key++) Assert.All(seen, values => Assert.Same(seen[0][key], values[key]));
    }
}
