using Fusion.Kernels;

namespace Fusion.Tests;

public sealed unsafe class PinningTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(11)]
    [InlineData(40)]
    public void PointersHoldThroughACollection(int count)
    {
        object[] storages = new object[count];
        for (int i = 0; i < count; i++)
        {
            _ = new byte[5000]; // a gap, so that a compaction would move what follows
            storages[i] = MemoryPool.Allocate(i % 3 == 2 ? 100_000 : 200);
            MemoryPool.Reference(storages[i]) = (byte)(i + 1);
        }
        var pointers = new nint[count + 1];
        var action = new Increment(pointers, count);
        Pinning.Run(storages, pointers, ref action);
        Assert.Equal(1, action.Calls);
        Assert.Equal(0, pointers[count]);
        for (int i = 0; i < count; i++) Assert.Equal(i + 2, MemoryPool.Reference(storages[i]));
    }

    [Fact]
    public void NothingIsFinalizedMeanwhile()
    {
        nint[] pointers = new nint[1];
        var action = new Reallocate(pointers);
        Pinning.Run([MemoryPool.Allocate(1 << 20)], pointers, ref action);
        Assert.False(action.SawItsOwnMemory);
    }

    private ref struct Increment(Span<nint> pointers, int count) : IPinnedAction
    {
        private readonly Span<nint> _pointers = pointers;
        public int Calls;

        public void Invoke()
        {
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            for (int i = 0; i < count; i++) (*(byte*)_pointers[i])++;
            Calls++;
        }
    }

    private struct Reallocate(nint[] pointers) : IPinnedAction
    {
        public bool SawItsOwnMemory;

        public void Invoke()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            for (int i = 0; i < 200; i++)
            {
                var block = (NativeBlock)MemoryPool.Allocate(1 << 20);
                SawItsOwnMemory |= block.Pointer == pointers[0];
                GC.KeepAlive(block);
            }
        }
    }
}
