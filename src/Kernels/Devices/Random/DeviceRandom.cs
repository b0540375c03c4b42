using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Fills contiguous elements of a device with random numbers: those that <see cref="RandomFill"/> gives for the same origin, which uses up as many blocks of
/// the stream (<see cref="RandomFill.BlocksFor"/>).
/// </summary>
internal static class DeviceRandom
{
    /// <summary>Uniform on [low, high); Float32 or Float64.</summary>
    public static void Uniform(GpuDevice device, RandomOrigin origin, DType dtype, double low, double high, DeviceBlock target, long offset, long count)
    {
        if (dtype == DType.Float32) Narrow<DeviceUniformSingle, float>(device, new((float)low, (float)high), origin, target, offset, count);
        else if (dtype == DType.Float64) Wide<DeviceUniformDouble, double>(device, new(low, high), origin, target, offset, count);
        else throw Unsupported("Uniform numbers are Float32 or Float64", dtype);
    }

    /// <summary>Normal with a mean and a standard deviation; Float32 or Float64.</summary>
    public static void Normal(GpuDevice device, RandomOrigin origin, DType dtype, double mean, double deviation, DeviceBlock target, long offset, long count)
    {
        if (dtype == DType.Float32) Narrow<DeviceNormalSingle, float>(device, new((float)mean, (float)deviation), origin, target, offset, count);
        else if (dtype == DType.Float64) Wide<DeviceNormalDouble, double>(device, new(mean, deviation), origin, target, offset, count);
        else throw Unsupported("Normal numbers are Float32 or Float64", dtype);
    }

    /// <summary>1 with probability p, else 0; every type.</summary>
    public static unsafe void Bernoulli(GpuDevice device, RandomOrigin origin, DType dtype, double p, DeviceBlock target, long offset, long count)
    {
        ulong one = 0;
        Copy.Fill((nint)(&one), 1, dtype, 1);
        if (dtype.Size == 1) Narrow<DeviceBernoulli<byte>, byte>(device, new(p, (byte)one), origin, target, offset, count);
        else if (dtype.Size == 2) Narrow<DeviceBernoulli<ushort>, ushort>(device, new(p, (ushort)one), origin, target, offset, count);
        else if (dtype.Size == 4) Narrow<DeviceBernoulli<uint>, uint>(device, new(p, (uint)one), origin, target, offset, count);
        else Narrow<DeviceBernoulli<ulong>, ulong>(device, new(p, one), origin, target, offset, count);
    }

    /// <summary>low, low + 1, … of which there are <paramref name="range"/> (0: 2⁶⁴); Int32, Int64 or UInt8.</summary>
    public static void Integers(GpuDevice device, RandomOrigin origin, DType dtype, long low, ulong range, DeviceBlock target, long offset, long count)
    {
        if (dtype == DType.Int32) Wide<DeviceIntegers<CastLong, int>, int>(device, new(low, range), origin, target, offset, count);
        else if (dtype == DType.Int64) Wide<DeviceIntegers<CastNothing<long>, long>, long>(device, new(low, range), origin, target, offset, count);
        else if (dtype == DType.UInt8) Wide<DeviceIntegers<CastLong, byte>, byte>(device, new(low, range), origin, target, offset, count);
        else throw Unsupported("Random integers are Int32, Int64 or UInt8", dtype);
    }

    private static DTypeException Unsupported(string what, DType dtype) => new($"{what}, not {dtype}. Convert with AsType.");

    private static void Narrow<TDistribution, T>(GpuDevice device, TDistribution distribution, RandomOrigin origin, DeviceBlock target, long offset, long count)
        where TDistribution : unmanaged, IDeviceDistribution<TDistribution, uint, T>
        where T : unmanaged
    {
        if (count == 0) return;
        int size = DeviceGrid.Index(count);
        long threads = DeviceGrid.Divide(count, Philox.GroupWords) * Philox.GroupBlocks;
        using (device.Enter())
        {
            device.LaunchCount++;
            NarrowKernels<TDistribution, T>.Fill(device)(
                device.Stream, DeviceGrid.For(device, threads), target.View<T>(offset, count), distribution, origin.Key, origin.Block, size);
        }

        GC.KeepAlive(target);
    }

    private static void Wide<TDistribution, T>(GpuDevice device, TDistribution distribution, RandomOrigin origin, DeviceBlock target, long offset, long count)
        where TDistribution : unmanaged, IDeviceDistribution<TDistribution, ulong, T>
        where T : unmanaged
    {
        if (count == 0) return;
        int size = DeviceGrid.Index(count);
        long threads = DeviceGrid.Divide(count, Philox.GroupWords / 2) * (Philox.GroupBlocks / 2);
        using (device.Enter())
        {
            device.LaunchCount++;
            WideKernels<TDistribution, T>.Fill(device)(
                device.Stream, DeviceGrid.For(device, threads), target.View<T>(offset, count), distribution, origin.Key, origin.Block, size);
        }

        GC.KeepAlive(target);
    }

    private static class NarrowKernels<TDistribution, T>
        where TDistribution : unmanaged, IDeviceDistribution<TDistribution, uint, T>
        where T : unmanaged
    {
        private static readonly object s_fill = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, TDistribution, ulong, ulong, int> Fill(GpuDevice device) =>
            device.Kernel(s_fill, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, TDistribution, ulong, ulong, int>(DeviceRandomKernels.Narrow<TDistribution, T>));
    }

    private static class WideKernels<TDistribution, T>
        where TDistribution : unmanaged, IDeviceDistribution<TDistribution, ulong, T>
        where T : unmanaged
    {
        private static readonly object s_fill = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, TDistribution, ulong, ulong, int> Fill(GpuDevice device) =>
            device.Kernel(s_fill, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, TDistribution, ulong, ulong, int>(DeviceRandomKernels.Wide<TDistribution, T>));
    }
}
