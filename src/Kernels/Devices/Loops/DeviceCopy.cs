using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Moves elements of one device between layouts, as <see cref="Copy"/> does on the processor. What lies in one piece on both sides is a copy of the driver
/// or, up to 64 MB on CUDA, whose driver takes 30 µs to queue one, a kernel; a transpose goes through shared memory, so that both sides are moved in rows;
/// everything else takes a thread for four units.
/// </summary>
internal static class DeviceCopy
{
    private const long MostByKernel = 64 << 20;

    private static readonly object s_quads = new();

    /// <summary>
    /// Between any two layouts that do not overlap; strides count elements, may be negative, and 0 in the source. No strides: contiguous.
    /// </summary>
    /// <param name="device">Where both blocks are.</param>
    /// <param name="source">The memory to read.</param>
    /// <param name="sourceOffset">Its first element.</param>
    /// <param name="sourceStrides">Its strides, outermost axis first.</param>
    /// <param name="target">The memory to write.</param>
    /// <param name="targetOffset">Its first element.</param>
    /// <param name="targetStrides">Its strides; no two elements may coincide.</param>
    /// <param name="shape">The sizes of the axes.</param>
    /// <param name="elementSize">1, 2, 4 or 8.</param>
    public static void Run(
        GpuDevice device,
        DeviceBlock source, long sourceOffset, ReadOnlySpan<long> sourceStrides,
        DeviceBlock target, long targetOffset, ReadOnlySpan<long> targetStrides,
        ReadOnlySpan<int> shape, int elementSize)
    {
        if (shape.Contains(0)) return;
        Span<long> scratch = stackalloc long[3 * shape.Length];
        var plan = new DeviceCopyPlan(sourceOffset, sourceStrides, targetOffset, targetStrides, shape, elementSize, scratch);
        using (device.Enter()) Run(device, source, target, plan);
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>A run of elements.</summary>
    public static void Run(GpuDevice device, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset, long count, int elementSize)
    {
        if (count == 0) return;
        using (device.Enter())
        {
            long from = sourceOffset * elementSize, to = targetOffset * elementSize, bytes = count * elementSize;
            if (device.Backend == GpuBackend.Cuda && bytes <= MostByKernel && ((from | to | bytes) & (sizeof(long) * 2 - 1)) == 0) Quads(device, source, from, target, to, bytes);
            else source.View<byte>(from, bytes).CopyTo(device.Stream, target.View<byte>(to, bytes));
        }

        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    /// <summary>Queues a kernel that copies a run of bytes; all three numbers are multiples of 16.</summary>
    public static void Quads(GpuDevice device, DeviceBlock source, long from, DeviceBlock target, long to, long bytes)
    {
        int count = (int)(bytes / 16);
        var kernel = device.Kernel(s_quads, static accelerator => accelerator.LoadKernel<ArrayView<DeviceQuad>, ArrayView<DeviceQuad>>(DeviceCopyKernels.Run));
        kernel(device.Stream, DeviceGrid.For(device, count, DeviceGrid.PerThread), source.View<DeviceQuad>(from / 16, count), target.View<DeviceQuad>(to / 16, count));
        device.LaunchCount++;
    }

    private static void Run(GpuDevice device, DeviceBlock source, DeviceBlock target, in DeviceCopyPlan plan)
    {
        if (plan.IsDense)
        {
            Run(device, source, plan.FromStart, target, plan.ToStart, plan.Count, plan.UnitBytes);
            return;
        }

        if (plan.Rank > DeviceWalk.MaxRank)
        {
            for (long i = 0; i < plan.Sizes[^1]; i++) Run(device, source, target, plan.Inner(i));
            return;
        }

        if (plan.UnitBytes == 1) Launch<byte>(device, source, target, plan);
        else if (plan.UnitBytes == 2) Launch<ushort>(device, source, target, plan);
        else if (plan.UnitBytes == 4) Launch<uint>(device, source, target, plan);
        else if (plan.UnitBytes == 8) Launch<ulong>(device, source, target, plan);
        else Launch<DeviceQuad>(device, source, target, plan);
    }

    private static void Launch<T>(GpuDevice device, DeviceBlock source, DeviceBlock target, in DeviceCopyPlan plan)
        where T : unmanaged
    {
        (long fromExtent, long toExtent) = plan.Extents;
        ArrayView<T> from = source.View<T>(plan.FromLowest, DeviceGrid.Index(fromExtent)), to = target.View<T>(plan.ToStart, DeviceGrid.Index(toExtent));
        int side = DeviceTranspose.SideFor(device);
        int axis = plan.TransposedAxis(side / 2);
        device.LaunchCount++;
        if (axis < 0)
        {
            DeviceWalk walk = plan.Walk();
            Kernels<T>.Strided(device)(device.Stream, DeviceGrid.For(device, walk.Count, DeviceGrid.PerThread), from, to, walk);
            return;
        }

        var transpose = new DeviceTranspose(plan, axis, side);
        Kernels<T>.Transposed(device)(device.Stream, DeviceGrid.Groups(transpose.Tiles, side * side / DeviceGrid.PerThread), from, to, transpose);
    }

    private static class Kernels<T>
        where T : unmanaged
    {
        private static readonly object s_strided = new();
        private static readonly object s_transposed = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<T>, DeviceWalk> Strided(GpuDevice device) =>
            device.Kernel(s_strided, static accelerator => accelerator.LoadKernel<ArrayView<T>, ArrayView<T>, DeviceWalk>(DeviceCopyKernels.Strided));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<T>, DeviceTranspose> Transposed(GpuDevice device) =>
            device.Kernel(s_transposed, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, ArrayView<T>, DeviceTranspose>(DeviceCopyKernels.Transposed));
    }
}
