using ILGPU;
using ILGPU.Util;

namespace Fusion.Kernels;

/// <summary>Elements as unsigned integers in the order of <see cref="ArgSort"/>.</summary>
internal interface IDeviceKeys<T, TKey>
{
    static abstract TKey Key(T element);
}

/// <summary>What sorting does with keys.</summary>
internal interface IDeviceKey<TKey>
{
    static abstract TKey Flipped(TKey key, bool flip);

    static abstract bool Less(TKey a, TKey b);

    /// <summary>Four bits.</summary>
    static abstract int Digit(TKey key, int shift);
}

internal readonly struct DeviceKey : IDeviceKey<uint>, IDeviceKey<ulong>
{
    static uint IDeviceKey<uint>.Flipped(uint key, bool flip) => flip ? ~key : key;

    static bool IDeviceKey<uint>.Less(uint a, uint b) => a < b;

    static int IDeviceKey<uint>.Digit(uint key, int shift) => (int)(key >> shift) & 15;

    static ulong IDeviceKey<ulong>.Flipped(ulong key, bool flip) => flip ? ~key : key;

    static bool IDeviceKey<ulong>.Less(ulong a, ulong b) => a < b;

    static int IDeviceKey<ulong>.Digit(ulong key, int shift) => (int)(key >> shift) & 15;
}

/// <summary>Bits of floating-point numbers: the magnitude with its sign, so that both zeros are one; every NaN is the largest.</summary>
internal readonly struct DeviceFloatKeys : IDeviceKeys<int, uint>, IDeviceKeys<long, ulong>
{
    static uint IDeviceKeys<int, uint>.Key(int element)
    {
        int magnitude = element & int.MaxValue;
        int key = magnitude > 0x7F800000 ? int.MaxValue : element < 0 ? -magnitude : magnitude;
        return (uint)key ^ 0x80000000;
    }

    static ulong IDeviceKeys<long, ulong>.Key(long element)
    {
        long magnitude = element & long.MaxValue;
        long key = magnitude > 0x7FF0000000000000 ? long.MaxValue : element < 0 ? -magnitude : magnitude;
        return (ulong)key ^ 0x8000000000000000;
    }
}

internal readonly struct DeviceIntegerKeys : IDeviceKeys<int, uint>, IDeviceKeys<long, ulong>, IDeviceKeys<byte, uint>
{
    static uint IDeviceKeys<int, uint>.Key(int element) => (uint)element ^ 0x80000000;

    static ulong IDeviceKeys<long, ulong>.Key(long element) => (ulong)element ^ 0x8000000000000000;

    static uint IDeviceKeys<byte, uint>.Key(byte element) => element;
}

/// <summary>The device code around the sorting itself.</summary>
internal static class DeviceSortKernels
{
    /// <summary>Keys of elements; flipped, the order is descending and equal ones stay in place.</summary>
    public static void Keys<TKeys, TOps, T, TKey>(ArrayView<T> x, ArrayView<TKey> keys, int flip, int count)
        where TKeys : struct, IDeviceKeys<T, TKey>
        where TOps : struct, IDeviceKey<TKey>
        where T : unmanaged
        where TKey : unmanaged
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i < count) keys[i] = TOps.Flipped(TKeys.Key(x[i]), flip != 0);
    }

    /// <summary>Sorts lines by counting for each element those that precede it.</summary>
    public static void Rank<TOps, TKey>(ArrayView<TKey> keys, ArrayView<int> order, DeviceDivisor length, int count)
        where TOps : struct, IDeviceKey<TKey>
        where TKey : unmanaged
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= count) return;
        int first = DeviceDivisor.Divide(i, length) * length.Value, rank = 0;
        TKey own = keys[i];
        for (int j = first; j < i; j++) rank += Utilities.Select(TOps.Less(own, keys[j]), 0, 1);
        for (int j = i + 1; j < first + length.Value; j++) rank += Utilities.Select(TOps.Less(keys[j], own), 1, 0);
        order[first + rank] = i - first;
    }

    /// <summary>The first places of each line's order.</summary>
    public static void First(ArrayView<int> order, ArrayView<long> first, int length, DeviceDivisor wanted, int count)
    {
        int i = (Grid.IdxX * Group.DimX) + Group.IdxX;
        if (i >= count) return;
        int line = DeviceDivisor.Divide(i, wanted);
        first[i] = order[(line * length) + i - (line * wanted.Value)];
    }
}
