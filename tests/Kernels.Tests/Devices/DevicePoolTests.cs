using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>The memory of a device: who holds it, when it comes back, and how it is filled and read.</summary>
[Collection(nameof(OneDevice))]
public sealed class DevicePoolTests
{
    private const long MB = 1 << 20;

    /// <summary>Fresh memory costs milliseconds: a program whose results are dropped must find those of before, all of them, at every collection.</summary>
    [Fact]
    public void Memory_does_not_grow_with_the_results_that_are_dropped()
    {
        GpuDevice device = GpuDevices.OpenDebug("pool");
        long budget = 128 * MB * 8;
        long first = Drop(device, 400, 8 * MB), later = Drop(device, 1200, 8 * MB);
        Assert.InRange(first, 8 * MB, budget + (16 * MB));
        Assert.InRange(later, 8 * MB, budget + (16 * MB));
        device.Pool.Trim();
        Assert.InRange(device.Pool.LiveBytes + device.Pool.IdleBytes, 0, budget);
    }

    [Fact]
    public void What_is_released_comes_back_once()
    {
        GpuDevice device = GpuDevices.OpenDebug("release");
        DeviceBlock block = new(device, 1000);
        Assert.Equal(block.Capacity, device.Pool.LiveBytes);
        Assert.True(block.Release());
        Assert.False(block.Release());
        Assert.Equal(0, device.Pool.LiveBytes);
        Assert.Equal(BlockCache.RoundUp(1000), device.Pool.IdleBytes);
        Assert.Throws<ObjectDisposedException>(() => { _ = block.View<byte>(0, 1).Length; });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    [InlineData(1024)]
    public void Transfers_in_pieces_carry_every_byte(int length)
    {
        GpuDevice device = GpuDevices.Debug;
        HostTransfers transfers = new(device, 64);
        DeviceBlock block = new(device, length + 3);
        byte[] sent = new byte[length], received = new byte[length];
        new Random(length).NextBytes(sent);
        for (int turn = 0; turn < 2; turn++)
        {
            using (device.Enter())
            {
                transfers.Upload(sent, block.View<byte>(3, length));
                transfers.Download(block.View<byte>(3, length), received);
            }

            Assert.Equal(sent, received);
            sent[^1]++;
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(5000)]
    public void Runs_are_copied_by_a_kernel(int quads)
    {
        foreach (GpuDevice device in GpuDevices.Count > 0 ? [GpuDevices.Debug, GpuDevices.Open(0)] : (GpuDevice[])[GpuDevices.Debug])
        {
            long[] data = [.. Enumerable.Range(0, 2 * quads).Select(static i => ((long)i << 33) + 7)], copy = new long[2 * (quads + 2)];
            DeviceBlock source = new(device, 16 * (quads + 1)), target = new(device, 16 * (quads + 2));
            device.Upload(MemoryMarshal.AsBytes<long>(data), source, 16);
            device.Upload(MemoryMarshal.AsBytes<long>(copy), target, 0);
            using (device.Enter()) DeviceCopy.Quads(device, source, 16, target, 16, 16 * quads);
            device.Download(target, 0, MemoryMarshal.AsBytes(copy.AsSpan()));
            Assert.Equal([0, 0, .. data, 0, 0], copy);
        }
    }

    /// <summary>Allocates, forgets, and returns the most bytes that were held or idle.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Drop(GpuDevice device, int count, long bytes)
    {
        long most = 0;
        for (int i = 0; i < count; i++)
        {
            _ = new DeviceBlock(device, bytes);
            most = Math.Max(most, device.Pool.LiveBytes + device.Pool.IdleBytes);
        }

        return most;
    }
}
