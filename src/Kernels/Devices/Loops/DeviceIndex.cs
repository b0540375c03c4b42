using ILGPU;

namespace Fusion.Kernels;

/// <summary>Indices into an axis of a size, as kernels take them.</summary>
internal readonly struct DeviceIndex(int size, bool allowNegative)
{
    public readonly int Size = size;

    /// <summary>Negative indices from here on count from the end.</summary>
    public readonly int Least = allowNegative ? -size : 0;
}

/// <summary>The first bad index that a group of threads saw.</summary>
internal readonly struct DeviceIndexReport(long position, long value)
{
    /// <summary>The position where there is none.</summary>
    public const long None = int.MaxValue;

    public readonly long Position = position;
    public readonly long Value = value;
}

/// <summary>Reads an index.</summary>
internal interface IDeviceIndexReader<T>
{
    /// <summary>Its place on the axis, or −1 for an index that is out of range.</summary>
    static abstract int Place(T raw, DeviceIndex index);

    static abstract long Value(T raw);
}

internal readonly struct ReadIndex : IDeviceIndexReader<int>, IDeviceIndexReader<long>
{
    static int IDeviceIndexReader<int>.Place(int raw, DeviceIndex index)
    {
        if (raw < index.Least || raw >= index.Size) return -1;
        return raw < 0 ? raw + index.Size : raw;
    }

    static int IDeviceIndexReader<long>.Place(long raw, DeviceIndex index)
    {
        if (raw < index.Least || raw >= index.Size) return -1;
        return raw < 0 ? (int)raw + index.Size : (int)raw;
    }

    static long IDeviceIndexReader<int>.Value(int raw) => raw;

    static long IDeviceIndexReader<long>.Value(long raw) => raw;
}

/// <summary>The device code of <see cref="DeviceIndexFaults"/>.</summary>
internal static class DeviceIndexKernels
{
    /// <summary>The least position of a bad index among those of a group, which lie the size of the grid apart.</summary>
    public static void FindBad<TReader, TIndex>(ArrayView<TIndex> indices, ArrayView<DeviceIndexReport> reports, DeviceIndex index, int count)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
    {
        ArrayView<int> least = SharedMemory.Allocate<int>(DeviceGrid.MaxGroup);
        int me = Group.IdxX, step = Grid.DimX * Group.DimX, first = (int)DeviceIndexReport.None;

        // What is left is counted, since the index itself could pass 2³¹.
        for (int left = count - ((Grid.IdxX * Group.DimX) + me); left > 0; left -= step)
        {
            int i = count - left;
            if (TReader.Place(indices[i], index) < 0) first = Math.Min(first, i);
        }

        least[me] = first;
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            Group.Barrier();
            if (me < half) least[me] = Math.Min(least[me], least[me + half]);
        }

        if (me > 0) return;
        first = least[0];
        long value = 0;
        if (first < count) value = TReader.Value(indices[first]);
        reports[Grid.IdxX] = new DeviceIndexReport(first, value);
    }
}
