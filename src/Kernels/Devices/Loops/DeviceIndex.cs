using ILGPU;

namespace Fusion.Kernels;

/// <summary>Indices into an axis, as kernels take them.</summary>
internal readonly struct DeviceIndex(int size, bool allowNegative, int slot)
{
    public readonly int Size = size;

    /// <summary>Negative indices from here on count from the end.</summary>
    public readonly int Least = allowNegative ? -size : 0;

    /// <summary>Where bad ones are reported.</summary>
    public readonly int Slot = slot;
}

/// <summary>Reads an index.</summary>
internal interface IDeviceIndexReader<T>
{
    /// <summary>Its place on the axis, or −1 for an index that is out of range.</summary>
    static abstract int Place(T raw, DeviceIndex index);
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
}

/// <summary>Reports of kernels.</summary>
internal static class DeviceReports
{
    /// <summary>Notes a bad index at a position: the least one is kept, in whatever order they come.</summary>
    public static void Note(ArrayView<int> faults, DeviceIndex index, int position) => Atomic.Min(ref faults[index.Slot], position);
}
