using ILGPU;

namespace Fusion.Kernels;

/// <summary>One pass of the radix sort: keys of (lines, n) by four bits.</summary>
internal readonly struct DeviceRadixJob(int length, int tiles, int shift, bool hasOrder)
{
    public const int Digits = 16;
    public const int PerThread = 8;

    /// <summary>A counter for each digit and thread, with one in 17 left free: threads sixteen apart touch different banks.</summary>
    public const int Counters = Digits * DeviceGrid.MaxGroup * 17 / 16;

    public readonly int Length = length;

    /// <summary>Tiles of a line; a group sorts one.</summary>
    public readonly DeviceDivisor Tiles = new(tiles);

    public readonly int Shift = shift;

    /// <summary>0: the first pass, where elements stand in their own places.</summary>
    public readonly int HasOrder = hasOrder ? 1 : 0;
}

/// <summary>
/// The device code of the radix sort, stable and without atomics: a thread counts its eight consecutive keys by digit, the counters of a group are scanned with
/// the digit outermost, and so is what the groups have counted (N. Satish, M. Harris, M. Garland, "Designing efficient sorting algorithms for manycore GPUs",
/// IPDPS 2009).
/// </summary>
internal static class DeviceRadixKernels
{
    /// <summary>How many keys of each digit a tile has: (lines, digits, tiles).</summary>
    public static void Count<TOps, TKey>(ArrayView<TKey> keys, ArrayView<int> counts, DeviceRadixJob job)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        ArrayView<int> counters = SharedMemory.Allocate<int>(DeviceRadixJob.Counters);
        ArrayView<int> sums = SharedMemory.Allocate<int>(DeviceGrid.MaxGroup);
        int line = DeviceDivisor.Divide(Grid.IdxX, job.Tiles), tile = Grid.IdxX - (line * job.Tiles.Value);
        int start = tile * DeviceRadixJob.PerThread * Group.DimX;
        int length = Math.Min(job.Length - start, DeviceRadixJob.PerThread * Group.DimX);
        CountDigits<TOps, TKey>(keys, counters, (line * job.Length) + start, length, job.Shift);
        ScanCounters(counters, sums);
        int digit = Group.IdxX;
        if (digit >= DeviceRadixJob.Digits) return;
        int end = length;
        if (digit < DeviceRadixJob.Digits - 1) end = counters[Place(digit + 1, 0)];
        counts[(((line * DeviceRadixJob.Digits) + digit) * job.Tiles.Value) + tile] = end - counters[Place(digit, 0)];
    }

    /// <summary>Moves keys and their origins to where the scanned counts say.</summary>
    public static void Move<TOps, TKey>(
        ArrayView<TKey> keys, ArrayView<int> order, ArrayView<int> offsets, ArrayView<TKey> sortedKeys, ArrayView<int> sortedOrder, DeviceRadixJob job)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        ArrayView<int> counters = SharedMemory.Allocate<int>(DeviceRadixJob.Counters);
        ArrayView<int> sums = SharedMemory.Allocate<int>(DeviceGrid.MaxGroup);
        ArrayView<int> starts = SharedMemory.Allocate<int>(DeviceRadixJob.Digits);
        int me = Group.IdxX;
        int line = DeviceDivisor.Divide(Grid.IdxX, job.Tiles), tile = Grid.IdxX - (line * job.Tiles.Value);
        int start = tile * DeviceRadixJob.PerThread * Group.DimX, first = line * job.Length;
        int length = Math.Min(job.Length - start, DeviceRadixJob.PerThread * Group.DimX);
        CountDigits<TOps, TKey>(keys, counters, first + start, length, job.Shift);
        ScanCounters(counters, sums);

        // A key's place is that of its digit's first key, and how many keys of the digit precede it in the tile.
        if (me < DeviceRadixJob.Digits)
            starts[me] = first + offsets[(((line * DeviceRadixJob.Digits) + me) * job.Tiles.Value) + tile] - counters[Place(me, 0)];
        Group.Barrier();
        int end = Math.Min(length, (me + 1) * DeviceRadixJob.PerThread);
        for (int i = me * DeviceRadixJob.PerThread; i < end; i++)
        {
            TKey key = keys[first + start + i];
            int digit = TOps.Digit(key, job.Shift), counter = Place(digit, me);
            int target = starts[digit] + counters[counter];
            counters[counter] = counters[counter] + 1;
            sortedKeys[target] = key;
            int origin = start + i;
            if (job.HasOrder != 0) origin = order[first + origin];
            sortedOrder[target] = origin;
        }
    }

    private static void CountDigits<TOps, TKey>(ArrayView<TKey> keys, ArrayView<int> counters, int first, int length, int shift)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        int me = Group.IdxX;
        for (int digit = 0; digit < DeviceRadixJob.Digits; digit++) counters[Place(digit, me)] = 0;
        int end = Math.Min(length, (me + 1) * DeviceRadixJob.PerThread);
        for (int i = me * DeviceRadixJob.PerThread; i < end; i++)
        {
            int counter = Place(TOps.Digit(keys[first + i], shift), me);
            counters[counter] = counters[counter] + 1;
        }
    }

    // Each counter becomes the sum of those before it. What is stored is always made of what was loaded before: ILGPU's placement of code (Movement, which
    // does not look at the last memory operation of a block) may move a load past one store that does not need it.
    private static void ScanCounters(ArrayView<int> counters, ArrayView<int> sums)
    {
        Group.Barrier();
        int me = Group.IdxX, own = me * (DeviceRadixJob.Digits + 1), sum = 0;
        for (int i = own; i < own + DeviceRadixJob.Digits; i++)
        {
            sum += counters[i];
            counters[i] = sum;
        }

        sums[me] = sum;
        for (int distance = 1; distance < Group.DimX; distance <<= 1)
        {
            Group.Barrier();
            if (me >= distance) sum += sums[me - distance];
            Group.Barrier();
            sums[me] = sum;
        }

        Group.Barrier();
        int before = 0;
        if (me > 0) before = sums[me - 1];
        for (int i = own + DeviceRadixJob.Digits - 1; i > own; i--) counters[i] = counters[i - 1] + before;
        counters[own] = before;
        Group.Barrier();
    }

    private static int Place(int digit, int thread)
    {
        int counter = (digit * Group.DimX) + thread;
        return counter + (counter >> 4);
    }
}
