using System.Runtime.InteropServices;
using Fusion.Kernels;
using Fusion.Tests.Devices;

namespace Fusion.Tests;

/// <summary>Arrays of a test on a device; they live until it is disposed of.</summary>
internal sealed class DeviceArrays(GpuDevice device) : IDisposable
{
    private readonly List<DeviceBlock> _blocks = [];

    /// <summary>The debug device: 16 threads a group, for small arrays.</summary>
    public static GpuDevice Debug => GpuDevices.Debug;

    /// <summary>The first accelerator of the machine; only in tests marked <see cref="AcceleratorTheoryAttribute"/> and its sibling.</summary>
    public static GpuDevice Accelerator => GpuDevices.Open(0);

    /// <summary>A block with the values from an element on.</summary>
    public DeviceBlock Upload<T>(ReadOnlySpan<T> values, int offset = 0)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        offset *= Marshal.SizeOf<T>();
        var block = new DeviceBlock(device, Math.Max(1, offset + bytes.Length));
        _blocks.Add(block);
        device.Upload(bytes, block, offset);
        return block;
    }

    /// <summary>Room for so many elements and a few more, filled with a pattern, to see what is written.</summary>
    public DeviceBlock Marked<T>(int count)
        where T : unmanaged
    {
        byte[] bytes = new byte[(count * Marshal.SizeOf<T>()) + 64];
        bytes.AsSpan().Fill(0xAB);
        return Upload<byte>(bytes);
    }

    /// <summary>The elements of a block that <see cref="Marked{T}"/> made; what lies past them has not been touched.</summary>
    public static T[] Results<T>(DeviceBlock block, int count)
        where T : unmanaged
    {
        Assert.Equal(-1, Download<byte>(block, count * Marshal.SizeOf<T>(), 64).AsSpan().IndexOfAnyExcept((byte)0xAB));
        return Download<T>(block, 0, count);
    }

    public static T[] Download<T>(DeviceBlock block, long offset, int count)
        where T : unmanaged
    {
        T[] values = new T[count];
        block.Device.Download(block, offset, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    /// <summary>Compares bytes, so that NaN equals itself and −0 is not 0.</summary>
    public static void AssertSame<T>(ReadOnlySpan<T> expected, ReadOnlySpan<T> actual, string what)
        where T : unmanaged
    {
        ReadOnlySpan<byte> a = MemoryMarshal.AsBytes(expected), b = MemoryMarshal.AsBytes(actual);
        if (a.SequenceEqual(b)) return;
        int at = a.CommonPrefixLength(b) / Marshal.SizeOf<T>();
        Assert.Fail(at < expected.Length && at < actual.Length
            ? $"{what}: element {at} of {expected.Length} is {actual[at]}, not {expected[at]}."
            : $"{what}: {actual.Length} elements, not {expected.Length}.");
    }

    public void Dispose()
    {
        foreach (DeviceBlock block in _blocks) block.Release();
    }
}
