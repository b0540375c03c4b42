using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Selection by index arrays on a device, with the layouts of <see cref="Gather"/>. Indices are looked at by the kernels that use them: see
/// <see cref="DeviceIndexFaults"/> for when an index out of range becomes an error.
/// </summary>
internal static class DeviceGather
{
    /// <summary>Whole rows: target[o, i, :] = source[o, index[i], :], the target (outer, count, inner). Elements of 1, 2, 4 or 8 bytes.</summary>
    public static void Take(
        GpuDevice device, string op, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset,
        long outer, long axis, long inner, int elementSize, DeviceBlock indices, long indexOffset, DType indexType, long count)
    {
        // Rows of whole units of up to 16 bytes are moved by such.
        int unit = 16;
        while (unit > elementSize && ((inner | sourceOffset | targetOffset) * elementSize) % unit != 0) unit /= 2;
        int elements = unit / elementSize;
        var job = new Job(device, op, indices, indexOffset, indexType, outer, axis, inner / elements, count, count)
        {
            Source = source,
            SourceOffset = sourceOffset / elements,
            Target = target,
            TargetOffset = targetOffset / elements,
        };
        if (unit == 1) Take<byte>(job);
        else if (unit == 2) Take<ushort>(job);
        else if (unit == 4) Take<uint>(job);
        else if (unit == 8) Take<ulong>(job);
        else Take<DeviceQuad>(job);
    }

    /// <summary>
    /// One element of each line along the axis: target[o, k, n] = source[o, index[o, k, n], n], the index and the target (outer, count, inner).
    /// </summary>
    public static void Pick(
        GpuDevice device, string op, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset,
        long outer, long axis, long inner, int elementSize, DeviceBlock indices, long indexOffset, DType indexType, long count = 1, bool allowNegative = true)
    {
        var job = new Job(device, op, indices, indexOffset, indexType, outer, axis, inner, count, outer * count * inner)
        {
            Source = source,
            SourceOffset = sourceOffset,
            Target = target,
            TargetOffset = targetOffset,
            AllowNegative = allowNegative,
        };
        if (elementSize == 1) Pick<byte>(job);
        else if (elementSize == 2) Pick<ushort>(job);
        else if (elementSize == 4) Pick<uint>(job);
        else Pick<ulong>(job);
    }

    /// <summary>target[i, :] = 1 at index[i], 0 elsewhere; (count, depth). A negative index is out of range here.</summary>
    public static unsafe void OneHot(
        GpuDevice device, string op, DeviceBlock target, long targetOffset, long depth, DType dtype,
        DeviceBlock indices, long indexOffset, DType indexType, long count)
    {
        ulong one = 0;
        Copy.Fill((nint)(&one), 1, dtype, 1);
        var job = new Job(device, op, indices, indexOffset, indexType, 1, depth, depth, count, count)
        {
            Source = target,
            Target = target,
            TargetOffset = targetOffset,
            AllowNegative = false,
        };
        if (dtype.Size == 1) OneHot(job, (byte)one);
        else if (dtype.Size == 2) OneHot(job, (ushort)one);
        else if (dtype.Size == 4) OneHot(job, (uint)one);
        else OneHot(job, one);
    }

    private static void Take<T>(in Job job)
        where T : unmanaged
    {
        if (DeviceIndexFaults.IsLong(job.IndexType)) Take<ReadIndex, long, T>(job);
        else Take<ReadIndex, int, T>(job);
    }

    private static void Take<TReader, TIndex, T>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        using (job.Device.Enter())
        {
            if (!job.Begin(out DeviceGatherJob call)) return;
            KernelConfig config = DeviceGrid.For(job.Device, call.Size, DeviceGrid.PerThread);
            Kernels<TReader, TIndex, T>.Take(job.Device)(job.Device.Stream, config, job.From<T>(), job.IndexView<TIndex>(), job.To<T>(call.Size), call);
        }

        job.KeepAlive();
    }

    private static void Pick<T>(in Job job)
        where T : unmanaged
    {
        if (DeviceIndexFaults.IsLong(job.IndexType)) Pick<ReadIndex, long, T>(job);
        else Pick<ReadIndex, int, T>(job);
    }

    private static void Pick<TReader, TIndex, T>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        using (job.Device.Enter())
        {
            if (!job.Begin(out DeviceGatherJob call)) return;
            KernelConfig config = DeviceGrid.For(job.Device, call.Size, DeviceGrid.PerThread);
            Kernels<TReader, TIndex, T>.Pick(job.Device)(job.Device.Stream, config, job.From<T>(), job.IndexView<TIndex>(), job.To<T>(call.Size), call);
        }

        job.KeepAlive();
    }

    private static void OneHot<T>(in Job job, T one)
        where T : unmanaged
    {
        if (DeviceIndexFaults.IsLong(job.IndexType)) OneHot<ReadIndex, long, T>(job, one);
        else OneHot<ReadIndex, int, T>(job, one);
    }

    private static void OneHot<TReader, TIndex, T>(in Job job, T one)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        using (job.Device.Enter())
        {
            if (!job.Begin(out DeviceGatherJob call)) return;
            KernelConfig config = DeviceGrid.For(job.Device, call.Size, DeviceGrid.PerThread);
            Kernels<TReader, TIndex, T>.OneHot(job.Device)(job.Device.Stream, config, job.IndexView<TIndex>(), job.To<T>(call.Size), one, call);
        }

        job.KeepAlive();
    }

    /// <summary>The operands of a call; <c>Indexed</c> is the number of indices.</summary>
    private readonly record struct Job(
        GpuDevice Device, string Op, DeviceBlock Indices, long IndexOffset, DType IndexType, long Outer, long Axis, long Inner, long Count, long Indexed)
    {
        public required DeviceBlock Source { get; init; }

        public long SourceOffset { get; init; }

        public required DeviceBlock Target { get; init; }

        public long TargetOffset { get; init; }

        public bool AllowNegative { get; init; } = true;

        public ArrayView<T> From<T>() where T : unmanaged => Source.View<T>(SourceOffset, DeviceGrid.Index(Outer * Axis * Inner));

        public ArrayView<T> To<T>(int size) where T : unmanaged => Target.View<T>(TargetOffset, size);

        public ArrayView<T> IndexView<T>() where T : unmanaged => Indices.View<T>(IndexOffset, DeviceGrid.Index(Indexed));

        /// <summary>Has the indices looked at; false: there is nothing to move.</summary>
        public bool Begin(out DeviceGatherJob call)
        {
            DeviceIndexFaults.Of(Device).Queue(Op, Indices, IndexOffset, IndexType, Indexed, Axis, AllowNegative);
            call = default;
            if (Outer == 0 || Axis == 0 || Inner == 0 || Count == 0) return false;
            Device.LaunchCount++;
            call = new DeviceGatherJob
            {
                Inner = new DeviceDivisor(DeviceGrid.Index(Inner)),
                Count = new DeviceDivisor(DeviceGrid.Index(Count)),
                Index = new DeviceIndex(DeviceGrid.Index(Axis), AllowNegative),
                Size = DeviceGrid.Index(Outer * Count * Inner),
            };
            return true;
        }

        public void KeepAlive()
        {
            GC.KeepAlive(Source);
            GC.KeepAlive(Target);
            GC.KeepAlive(Indices);
        }
    }

    private static class Kernels<TReader, TIndex, T>
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        private static readonly object s_take = new();
        private static readonly object s_pick = new();
        private static readonly object s_oneHot = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, DeviceGatherJob> Take(
            GpuDevice device) => device.Kernel(s_take, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, DeviceGatherJob>(
                DeviceGatherKernels.Take<TReader, TIndex, T>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, DeviceGatherJob> Pick(
            GpuDevice device) => device.Kernel(s_pick, static accelerator =>
                accelerator.LoadKernel<ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, DeviceGatherJob>(
                DeviceGatherKernels.Pick<TReader, TIndex, T>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIndex>, ArrayView<T>, T, DeviceGatherJob> OneHot(GpuDevice device) =>
            device.Kernel(s_oneHot, static accelerator => accelerator.LoadKernel<ArrayView<TIndex>, ArrayView<T>, T, DeviceGatherJob>(
                DeviceGatherKernels.OneHot<TReader, TIndex, T>));
    }
}
