using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>Sets contiguous elements of a device to one value.</summary>
internal static class DeviceFill
{
    /// <summary>Sets <paramref name="count"/> elements to <paramref name="value"/>, converted as <see cref="Cast"/> converts a Float64.</summary>
    public static unsafe void Run(GpuDevice device, DeviceBlock target, long offset, long count, DType dtype, double value)
    {
        ulong element = 0;
        Cast.Run(DType.Float64, dtype, (nint)(&value), (nint)(&element), 1);
        Run(device, target, offset, count, dtype.Size, element);
    }

    /// <summary>Sets elements of 1, 2, 4 or 8 bytes to the low bytes of <paramref name="element"/>.</summary>
    public static void Run(GpuDevice device, DeviceBlock target, long offset, long count, int elementSize, ulong element)
    {
        if (count == 0) return;
        using (device.Enter())
        {
            // Zero is the same byte throughout, which the driver fills with.
            if (element == 0 || elementSize == 1) target.View<byte>(offset * elementSize, count * elementSize).MemSet(device.Stream, (byte)element);
            else if (elementSize == 2) Launch(device, target.View<ushort>(offset, count), (ushort)element);
            else if (elementSize == 4) Launch(device, target.View<uint>(offset, count), (uint)element);
            else Launch(device, target.View<ulong>(offset, count), element);
        }

        GC.KeepAlive(target);
    }

    private static void Launch<T>(GpuDevice device, ArrayView<T> target, T value)
        where T : unmanaged
    {
        int count = DeviceGrid.Index(target.Length);
        device.LaunchCount++;
        Kernels<T>.Fill(device)(device.Stream, DeviceGrid.For(device, count, DeviceGrid.PerThread), target, value, count);
    }

    /// <summary>The device code: a thread writes elements that lie a group apart.</summary>
    public static void Fill<T>(ArrayView<T> target, T value, int count)
        where T : unmanaged
    {
        int step = Group.DimX;
        int i = (Grid.IdxX * DeviceGrid.PerThread * step) + Group.IdxX;
        if (i < count) target[i] = value;
        if (i < count - step) target[i + step] = value;
        if (i < count - (2 * step)) target[i + (2 * step)] = value;
        if (i < count - (3 * step)) target[i + (3 * step)] = value;
    }

    private static class Kernels<T>
        where T : unmanaged
    {
        private static readonly object s_fill = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, T, int> Fill(GpuDevice device) =>
            device.Kernel(s_fill, static accelerator => accelerator.LoadKernel<ArrayView<T>, T, int>(DeviceFill.Fill));
    }
}
