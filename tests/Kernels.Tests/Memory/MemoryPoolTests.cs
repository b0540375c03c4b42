using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class MemoryPoolTests
{
    private const int MB = 1 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(1000)]
    [InlineData(MemoryPool.SmallLimit)]
    [InlineData(MemoryPool.SmallLimit + 1)]
    [InlineData(1_000_003)]
    [InlineData(16 * MB)]
    public void CapacityAndSlackAreWritable(int bytes)
    {
        object storage = MemoryPool.Allocate(bytes);
        Assert.Equal(bytes <= MemoryPool.SmallLimit, storage is byte[]);
        long capacity = MemoryPool.Capacity(storage);
        Assert.True(capacity >= bytes);
        Assert.True(capacity - bytes <= Math.Max(64, bytes / 8), $"{capacity} for {bytes}");
        MemoryMarshal.CreateSpan(ref MemoryPool.Reference(storage), (int)capacity + MemoryPool.Slack).Fill(7);
        if (storage is NativeBlock block) Assert.Equal(0, block.Pointer % 64);
        GC.KeepAlive(storage);
    }

    [Fact]
    public void EverySizeFitsItsBlockAndWastesAtMostAnEighth()
    {
        for (long bytes = MemoryPool.SmallLimit + 1; bytes < 1L << 45; bytes += 1 + (bytes / 37))
        {
            foreach (long size in new[] { bytes, BlockCache.RoundUp(bytes), BlockCache.RoundUp(bytes) + 1 })
            {
                long capacity = BlockCache.RoundUp(size);
                Assert.InRange(capacity, size, size + (size / 8));
                Assert.Equal(capacity, BlockCache.RoundUp(capacity));
                Assert.Equal(0, capacity % 64);
            }
        }
    }

    [Fact]
    public void ReleasedMemoryIsUsedAgainAtOnce() => Undisturbed(() =>
    {
        var first = (NativeBlock)MemoryPool.Allocate(3 * MB);
        nint address = first.Pointer;
        Assert.True(MemoryPool.Release(first));
        Assert.False(MemoryPool.Release(first));
        Assert.Equal(0, first.Pointer);
        Assert.Equal(0, MemoryPool.Capacity(first));
        var second = (NativeBlock)MemoryPool.Allocate(3 * MB - 5);
        Assert.Equal(address, second.Pointer);
        Assert.True(MemoryPool.Release(second));
        Assert.False(MemoryPool.Release(new byte[100]));
    });

    [Fact]
    public void AFreeBlockOfUpToTwiceTheSizeIsUsed() => Undisturbed(() =>
    {
        BlockCache.Trim(all: true);
        var large = (NativeBlock)MemoryPool.Allocate(8 * MB);
        nint address = large.Pointer;
        large.Release();
        var half = (NativeBlock)MemoryPool.Allocate(4 * MB);
        Assert.Equal((address, 4L * MB), (half.Pointer, half.Capacity)); // what it holds is what it was asked for
        half.Release();
        Assert.Equal(8L * MB, BlockCache.IdleBytes);
        var small = (NativeBlock)MemoryPool.Allocate(4 * MB - MB / 2);
        Assert.NotEqual(address, small.Pointer);
        Assert.Equal(4L * MB - MB / 2, small.Capacity);
        small.Release();
        BlockCache.Trim(all: true);
    });

    [Fact]
    public void SizesThatDifferEveryTimeDoNotGatherBlocks() => Undisturbed(() =>
    {
        BlockCache.Trim(all: true);
        FusionRuntime.ResetPeak();
        for (int i = 1; i <= 300; i++) MemoryPool.Release(MemoryPool.Allocate(i * (long)MB / 2)); // 18 blocks without a larger one
        Assert.InRange(BlockCache.IdleBytes, 1, Math.Max(64L * MB, 2 * FusionRuntime.PeakBytes) + 150 * MB);
        BlockCache.Trim(all: true);
    });

    [Fact]
    public void AReleasedOwnerDoesNotReturnItsMemoryTwice() => Undisturbed(() =>
    {
        nint[] addresses = ReleaseAndDrop(20);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var again = Enumerable.Range(0, 40).Select(_ => (NativeBlock)MemoryPool.Allocate(5 * MB)).ToArray();
        Assert.Equal(40, again.Select(b => b.Pointer).Distinct().Count());
        Assert.Superset(addresses.ToHashSet(), again.Select(b => b.Pointer).ToHashSet());
        foreach (NativeBlock block in again) block.Release();
    });

    [Fact]
    public void CountersFollowAllocationAndRelease() => Undisturbed(() =>
    {
        FusionRuntime.ResetPeak();
        long before = FusionRuntime.LiveBytes;
        object a = MemoryPool.Allocate(8 * MB), b = MemoryPool.Allocate(4 * MB);
        Assert.Equal(before + (12 * MB), FusionRuntime.LiveBytes);
        MemoryPool.Release(a);
        Assert.Equal(before + (4 * MB), FusionRuntime.LiveBytes);
        Assert.Equal(before + (12 * MB), FusionRuntime.PeakBytes);
        FusionRuntime.ResetPeak();
        Assert.Equal(before + (4 * MB), FusionRuntime.PeakBytes);
        MemoryPool.Release(b);
    });

    [Theory]
    [InlineData(0)]   // each dies at once
    [InlineData(1)]   // each lives until the next
    [InlineData(48)]  // promoted, then dropped in the order of birth
    [InlineData(-48)] // a batch is promoted together, then dropped together
    public void TemporariesOfOneMegabyteStaySmall(int pattern)
    {
        Settle();
        BlockCache.Trim(all: true);
        long before = Environment.WorkingSet;
        long most = Churn(Environment.GetEnvironmentVariable("FUSION_SOAK") is null ? 2_000 : 100_000, pattern);
        Assert.True(most < 300 * MB, $"{most / MB} MB held and cached");
        Assert.True(Environment.WorkingSet - before < 300 * MB, $"{(Environment.WorkingSet - before) / MB} MB resident");
    }

    [Fact]
    public void FreshMemoryIsTakenLittleByLittle() => Undisturbed(() =>
    {
        Settle();
        BlockCache.Trim(all: true);
        CollectionTrigger.StartAgain();
        FusionRuntime.ResetPeak();
        long before = FusionRuntime.LiveBytes;
        for (int i = 0; i < 75; i++) MemoryPool.Allocate(40 * 1024); // three megabytes, each dead at once
        Assert.InRange(FusionRuntime.PeakBytes - before, 40 * 1024, 3 * MB / 2);
    });

    [Fact]
    public void SmallArraysAreCollectedByTheMegabyte() => Undisturbed(() =>
    {
        int before = GC.CollectionCount(0);
        for (long bytes = 0; bytes < 3 * NurseryTrigger.Budget; bytes += 4096) MemoryPool.Allocate(4096);
        Assert.True(GC.CollectionCount(0) - before >= 2, $"{GC.CollectionCount(0) - before} collections, a budget of {NurseryTrigger.Budget}");
    });

    [Theory]
    [InlineData(8 * MB, 100, 90, 10 * MB)] // nearly all of the time goes into collections
    [InlineData(8 * MB, 1000, 90, 8 * MB)]
    [InlineData(8 * MB, 2000, 90, 7 * MB)]
    [InlineData(2 * MB, 2000, 90, 2 * MB)]
    [InlineData(1024 * MB, 100, 90, 1024 * MB)]
    public void TheBudgetOfSmallArraysFollowsThePauses(long budget, long since, long pause, long next) =>
        Assert.Equal(next, NurseryTrigger.Adapted(budget, since, pause));

    [Fact]
    public void ReleasingEarlyNeedsNoCollection() => Undisturbed(() =>
    {
        MemoryPool.Release(MemoryPool.Allocate(MB));
        int collections = GC.CollectionCount(0);
        for (int i = 0; i < 10_000; i++) MemoryPool.Release(MemoryPool.Allocate(MB));
        Assert.InRange(GC.CollectionCount(0) - collections, 0, 1);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void MemoryIsBackWhenTheOwnerOfAnyGenerationIsFoundDead(int generation) => Undisturbed(() =>
    {
        long before = FusionRuntime.LiveBytes;
        object?[] held = [.. Enumerable.Range(0, 10).Select(_ => MemoryPool.Allocate(2 * MB))];
        for (int i = 0; i < generation; i++) GC.Collect(generation);
        Assert.Equal(before + (20 * MB), FusionRuntime.LiveBytes);
        Assert.Equal(10, held.Count(static o => o is not null)); // alive until here
        Array.Clear(held, 0, 9);
        GC.Collect(generation);
        Assert.Equal(before + (2 * MB), FusionRuntime.LiveBytes); // finalizers are not waited for
        Assert.True(MemoryPool.Release(held[9]!));
    });

    [Fact]
    public void WhatAFinalizerStillReachesKeepsItsMemory() => Undisturbed(() =>
    {
        Reacher.Seen = 0;
        for (int i = 0; i < 20; i++) DropReacher();
        GC.Collect();
        object[] others = [.. Enumerable.Range(0, 40).Select(_ => MemoryPool.Allocate(MB))];
        foreach (object other in others) MemoryPool.Reference(other) = 9;
        GC.WaitForPendingFinalizers();
        Assert.Equal(20 * 7, Reacher.Seen);
        foreach (object other in others) MemoryPool.Release(other);
    });

    [Fact]
    public void IdleMemoryGoesBackToTheSystem() => Undisturbed(() =>
    {
        object[] blocks = [.. Enumerable.Range(0, 100).Select(_ => MemoryPool.Allocate(2 * MB))];
        foreach (object block in blocks) MemoryPool.Release(block);
        Assert.True(BlockCache.IdleBytes >= 200 * MB);
        BlockCache.Trim(all: false); // begins a period: all of them were needed before it
        MemoryPool.Release(MemoryPool.Allocate(2 * MB));
        BlockCache.Trim(all: false); // one was needed in it
        Assert.InRange(BlockCache.IdleBytes, 2 * MB, 50 * MB);
        BlockCache.Trim(all: true);
        Assert.Equal(0, BlockCache.IdleBytes);
    });

    [Fact]
    public void ManyThreadsNeverShareABlock()
    {
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, thread =>
        {
            var random = new Random(thread);
            var held = new NativeBlock?[16];
            for (int i = 0; i < 5_000; i++)
            {
                ref NativeBlock? slot = ref held[random.Next(held.Length)];
                if (slot is not null)
                {
                    Assert.Equal(thread, *(int*)(slot.Pointer + 64));
                    if (random.Next(2) == 0) Assert.True(slot.Release());
                }
                slot = (NativeBlock)MemoryPool.Allocate(20_000 << random.Next(6));
                *(int*)(slot.Pointer + 64) = thread;
            }
        });
    }

    [Theory]
    [InlineData(1L << 50)]
    [InlineData(long.MaxValue)]
    public void WhatDoesNotFitIsRefusedByName(long bytes)
    {
        var e = Assert.ThrowsAny<OutOfMemoryException>(() => MemoryPool.Allocate(bytes));
        Assert.Contains(bytes.ToString("N0"), e.Message);
    }

    [Fact]
    public void NegativeSizesAreRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => MemoryPool.Allocate(-1));

    /// <summary>
    /// Counters and caches belong to the process: a finalizer of an earlier test or a tick of <see cref="CacheTrimmer"/> may come in between.
    /// Hardly four times in a row.
    /// </summary>
    private static void Undisturbed(Action test)
    {
        for (int attempt = 1; ; attempt++)
        {
            Settle();
            try
            {
                test();
                return;
            }
            catch (Xunit.Sdk.XunitException) when (attempt < 4)
            {
                Thread.Sleep(10);
            }
        }
    }

    private static void Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropReacher() => _ = new Reacher();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint[] ReleaseAndDrop(int count)
    {
        var blocks = Enumerable.Range(0, count).Select(_ => (NativeBlock)MemoryPool.Allocate(5 * MB)).ToArray();
        nint[] addresses = [.. blocks.Select(b => b.Pointer)];
        foreach (NativeBlock block in blocks) block.Release();
        return addresses;
    }

    /// <summary>Allocates in a pattern and returns the most bytes that were held or cached at any time.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Churn(int count, int pattern)
    {
        var window = new object?[Math.Max(1, Math.Abs(pattern))];
        long most = 0;
        for (int i = 0; i < count; i++)
        {
            object storage = MemoryPool.Allocate(MB);
            MemoryPool.Reference(storage) = 1;
            if (pattern != 0) window[i % window.Length] = storage;
            if (pattern < 0 && i % window.Length == window.Length - 1)
            {
                if (i % 5 == 0) GC.Collect(1); // a collection of the program's own, at the worst moment
                Array.Clear(window);
            }
            most = Math.Max(most, FusionRuntime.LiveBytes + BlockCache.IdleBytes);
        }
        return most;
    }

    /// <summary>An object of the program whose finalizer reads what it holds.</summary>
    private sealed class Reacher
    {
        public static int Seen;

        private readonly object _storage = MemoryPool.Allocate(MB);

        public Reacher() => MemoryPool.Reference(_storage) = 7;

        ~Reacher() => Interlocked.Add(ref Seen, MemoryPool.Reference(_storage));
    }
}
