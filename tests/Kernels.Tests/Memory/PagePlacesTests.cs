using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class PagePlacesTests
{
    [Fact]
    public void BlocksBeginAtPlacesAndLargeOnesAtAllOfThem()
    {
        List<NativeBlock> blocks = [.. Enumerable.Range(0, 4 * PagePlaces.Count).Select(static i => (NativeBlock)MemoryPool.Allocate(3_000_000 + i))];
        Assert.All(blocks, static b => Assert.Equal(0, b.Pointer % PagePlaces.Distance));
        Assert.Equal((1u << PagePlaces.Count) - 1, PagePlaces.Of([.. blocks.Select(static b => b.Pointer)]));
        NativeBlock small = (NativeBlock)MemoryPool.Allocate(20_000);
        Assert.Equal(0, small.Pointer % PagePlaces.Distance);
        Assert.All([.. blocks, small], static b => Assert.True(b.Release()));
    }

    [Fact]
    public void TheNextPlaceIsOneThatNobodyUses()
    {
        nint[] arrays = [0x10000, 0x20000 + 2 * PagePlaces.Distance + 64];
        uint used = PagePlaces.Of(arrays);
        Assert.Equal(0b101u, used);
        foreach (nint from in new nint[] { 0x5000, 0x5040, 0x5FC0 })
        {
            uint now = used;
            HashSet<nint> taken = [];
            for (int i = 0; i < PagePlaces.Count - arrays.Length; i++)
            {
                nint next = (nint)PagePlaces.Next((byte*)from, ref now);
                Assert.InRange(next, from, from + PagePlaces.Room);
                Assert.Equal(0u, used & PagePlaces.Of([next]));
                Assert.True(taken.Add(next % PagePlaces.Page));
            }

            Assert.InRange((nint)PagePlaces.Next((byte*)from, ref now), from, from + PagePlaces.Room);
        }
    }
}
