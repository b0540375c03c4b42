using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>Kernels that are compiled for a structure, a device each: those that were asked for last are kept (<see cref="RecentCache{TKey, TValue}"/>). Looking one up allocates nothing.</summary>
/// <param name="compile">Makes one.</param>
internal sealed class DeviceKernelCache<TKey, TKernel>(Func<Accelerator, TKey, TKernel> compile)
    where TKey : notnull
{
    private readonly RecentCache<(GpuDevice Device, TKey Key), TKernel> _kernels = new(GpuDevice.MaxKernels);
    private int _compileCount;

    /// <summary>Kernels compiled so far in this process.</summary>
    public int CompileCount => Volatile.Read(ref _compileCount);

    /// <summary>The kernel, from the cache or compiled now, under the device's lock: once.</summary>
    public TKernel Get(GpuDevice device, TKey key)
    {
        if (_kernels.TryGet((device, key), out TKernel? known)) return known;
        return Compile(device, key);
    }

    // Apart from the above, which would pay for the closure.
    private TKernel Compile(GpuDevice device, TKey key)
    {
        using (device.Enter())
        {
            return _kernels.GetOrAdd((device, key), of =>
            {
                Interlocked.Increment(ref _compileCount);
                return DeviceCompilation.Run(() => compile(of.Device.Accelerator, of.Key));
            });
        }
    }
}
