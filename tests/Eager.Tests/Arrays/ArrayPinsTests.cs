using Fusion.Kernels;

namespace Fusion.Tests;

public sealed unsafe class ArrayPinsTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(4, 0)]
    [InlineData(3, 2)]
    [InlineData(7, 4)]
    [InlineData(20, 20)]
    public void PointersHoldThroughACollection(int inputs, int outputs)
    {
        NDArray[] arrays = new NDArray[inputs + outputs];
        for (int i = 0; i < arrays.Length; i++)
        {
            _ = new byte[5000]; // a gap, so that a compaction would move what follows
            arrays[i] = Nd.Full(i % 3 == 2 ? 25_000 : 50, i + 1);
            if (i % 2 == 1) arrays[i] = arrays[i][1..]; // its first element lies behind the storage's first
        }

        var action = new Increment();
        ArrayPins.Run(arrays.AsSpan(0, inputs), arrays.AsSpan(inputs), ref action);
        Assert.Equal(arrays.Length, action.Count);
        for (int i = 0; i < arrays.Length; i++) Assert.Equal((i + 2, i + 1), (arrays[i].ToArray<float>()[0], arrays[i].ToArray<float>()[1]));
    }

    [Fact]
    public void NothingIsFinalizedMeanwhile()
    {
        var action = new Reallocate();
        ArrayPins.Run([Nd.Zeros(1 << 18)], [], ref action);
        Assert.False(action.SawItsOwnMemory);
    }

    private struct Increment : IArrayAction
    {
        public int Count;

        public void Invoke(ReadOnlySpan<nint> pointers)
        {
            GC.Collect(2, GCCollectionMode.Forced, blocking: true, compacting: true);
            foreach (nint pointer in pointers) (*(float*)pointer)++;
            Count = pointers.Length;
        }
    }

    private struct Reallocate : IArrayAction
    {
        public bool SawItsOwnMemory;

        public void Invoke(ReadOnlySpan<nint> pointers)
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
