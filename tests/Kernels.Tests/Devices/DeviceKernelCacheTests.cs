using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>However many kernels a program makes, a device keeps those that it asked for last, and lets go of the others.</summary>
[Collection(nameof(OneDevice))]
public sealed class DeviceKernelCacheTests
{
    private const int Many = 5 * GpuDevice.MaxKernels;

    [Fact]
    public void OfStructures()
    {
        DeviceKernelCache<int, object> cache = new(static (_, _) => new object());
        GpuDevice device = GpuDevices.Debug;
        object first = cache.Get(device, 0);
        WeakReference[] made = Fill(key => cache.Get(device, key), () => Assert.Same(first, cache.Get(device, 0)));
        Assert.Equal(Many + 1, cache.CompileCount);
        Assert.InRange(Alive(made), GpuDevice.MaxKernels / 2, 2 * GpuDevice.MaxKernels);
        Assert.Same(cache.Get(device, Many), cache.Get(device, Many));
        Assert.Equal(Many + 1, cache.CompileCount);
        Assert.NotSame(first, cache.Get(DeviceRunner.Warps, 0));
    }

    [Fact]
    public void OfADevice()
    {
        GpuDevice device = GpuDevices.OpenDebug("a device of many kernels");
        object kept = new(), first = device.Kernel(kept, static _ => new object());
        WeakReference[] made = Fill(key => device.Kernel(key, static _ => new object()), () => Assert.Same(first, device.Kernel(kept, static _ => new object())));
        Assert.InRange(Alive(made), GpuDevice.MaxKernels / 2, 2 * GpuDevice.MaxKernels);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Fill(Func<int, object> get, Action ask)
    {
        WeakReference[] made = new WeakReference[Many];
        for (int key = 1; key <= Many; key++)
        {
            made[key - 1] = new WeakReference(get(key));
            ask();
        }

        return made;
    }

    private static int Alive(WeakReference[] made)
    {
        GC.Collect();
        return made.Count(static m => m.IsAlive);
    }
}
