using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Selection by index arrays on a device, with the layouts of <see cref="Gather"/>. Indices are looked at by the kernels that use them: see
/// <see cref="DeviceIndexFaults"/> for when an index out of range becomes an error.
/// </summary>
internal static class DeviceGather
{
    /// <summary>Whole rows: target[o, i, :] = source[o, index[i], :], the target (outer, count, inner). Elements of 1, 4 or 8 bytes.</summary>
    public static void Take(
        GpuDevice device, string op, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset,
        long outer, long axis, long inner, int elementSize, DeviceBlock indices, long indexOffset, DType indexType, long count)
    {
        // Rows of whole units of up to 16 bytes are moved by such.
        int unit = 16;
        while (unit > elementSize && (unit == 2 || ((inner | sourceOffset | targetOffset) * elementSize) % unit != 0)) unit /= 2;
        int elements = unit / elementSize;
        var job = new Job(device, op, indices, indexOffset, outer, axis, inner / elements, count, count)
        {
            Source = source, SourceOffset = sourceOffset / elements, Target = target, TargetOffset = targetOffset / elements,
        };
        if (unit == 1) Take<byte>(job, indexType);
        else if (unit == 4) Take<uint>(job, indexType);
        else if (unit == 8) Take<ulong>(job, indexType);
        else Take<DeviceQuad>(job, indexType);
    }

    /// <summary>
    /// One element of each line along the axis: target[o, k, n] = source[o, index[o, k, n], n], the index and the target (outer, count, inner).
    /// </summary>
    public static void Pick(
        GpuDevice device, string op, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset,
        long outer, long axis, long inner, int elementSize, DeviceBlock indices, long indexOffset, DType indexType, long count = 1)
    {
        var job = new Job(device, op, indices, indexOffset, outer, axis, inner, count, outer * count * inner)
        {
            Source = source, SourceOffset = sourceOffset, Target = target, TargetOffset = targetOffset,
        };
        if (elementSize == 1) Pick<byte>(job, indexType);
        else if (elementSize == 4) Pick<uint>(job, indexType);
        else Pick<ulong>(job, indexType);
    }

    /// <summary>target[i, :] = 1 at index[i], 0 elsewhere; (count, depth). A negative index is out of range here.</summary>
    public static unsafe void OneHot(
        GpuDevice device, string op, DeviceBlock target, long targetOffset, long depth, DType dtype,
        DeviceBlock indices, long indexOffset, DType indexType, long count)
    {
        ulong one = 0;
        Copy.Fill((nint)(&one), 1, dtype, 1);
        var job = new Job(device, op, indices, indexOffset, 1, depth, depth, count, count)
        {
            Source = target, Target = target, TargetOffset = targetOffset, AllowNegative = false,
        };
        if (dtype.Size == 1) OneHot(job, indexType, (byte)one);
        else if (dtype.Size == 4) OneHot(job, indexType, (uint)one);
        else OneHot(job, indexType, one);
    }

    private static void Take<T>(in Job job, DType indexType)
        where T : unmanaged
    {
        if (IsLong(indexType)) Take<ReadIndex, long, T>(job);
        else Take<ReadIndex, int, T>(job);
    }

    private static void Take<TReader, TIndex, T>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        using (job.Device.Enter())
        {
            if (CheckOnly<TReader, TIndex>(job)) return;
            DeviceGatherJob call = job.Begin();
            KernelConfig config = DeviceGrid.For(job.Device, call.Size, DeviceGrid.PerThread);
            Kernels<TReader, TIndex, T>.Take(job.Device)(job.Device.Stream, config, job.From<T>(), job.IndexView<TIndex>(), job.To<T>(call.Size), job.Faults, call);
        }

        job.KeepAlive();
    }

    private static void Pick<T>(in Job job, DType indexType)
        where T : unmanaged
    {
        if (IsLong(indexType)) Pick<ReadIndex, long, T>(job);
        else Pick<ReadIndex, int, T>(job);
    }

    private static void Pick<TReader, TIndex, T>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        using (job.Device.Enter())
        {
            if (CheckOnly<TReader, TIndex>(job)) return;
            DeviceGatherJob call = job.Begin();
            KernelConfig config = DeviceGrid.For(job.Device, call.Size, DeviceGrid.PerThread);
            Kernels<TReader, TIndex, T>.Pick(job.Device)(job.Device.Stream, config, job.From<T>(), job.IndexView<TIndex>(), job.To<T>(call.Size), job.Faults, call);
        }

        job.KeepAlive();
    }

    private static void OneHot<T>(in Job job, DType indexType, T one)
        where T : unmanaged
    {
        if (IsLong(indexType)) OneHot<ReadIndex, long, T>(job, one);
        else OneHot<ReadIndex, int, T>(job, one);
    }

    private static void OneHot<TReader, TIndex, T>(in Job job, T one)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged
    {
        using (job.Device.Enter())
        {
            if (CheckOnly<TReader, TIndex>(job)) return;
            DeviceGatherJob call = job.Begin();
            KernelConfig config = DeviceGrid.For(job.Device, call.Size, DeviceGrid.PerThread);
            Kernels<TReader, TIndex, T>.OneHot(job.Device)(job.Device.Stream, config, job.IndexView<TIndex>(), job.To<T>(call.Size), one, job.Faults, call);
        }

        job.KeepAlive();
    }

    private static bool IsLong(DType dtype) => dtype switch
    {
        DType.Int32 => false,
        DType.Int64 => true,
        _ => throw new DTypeException($"Indices are Int32 or Int64, not {dtype}. Convert them with AsType."),
    };

    // Nothing to move: the indices are looked at all the same, as on the processor.
    private static bool CheckOnly<TReader, TIndex>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
    {
        if (job.Indexed == 0) return true;
        if (job.Outer != 0 && job.Axis != 0 && job.Inner != 0) return false;
        DeviceGatherJob call = job.Begin();
        int count = DeviceGrid.Index(job.Indexed);
        Kernels<TReader, TIndex, byte>.Check(job.Device)(job.Device.Stream, DeviceGrid.For(job.Device, count), job.IndexView<TIndex>(), job.Faults, call.Index, count);
        return true;
    }

    /// <summary>The operands of a call; <c>Indexed</c> is the number of indices.</summary>
    private readonly record struct Job(
        GpuDevice Device, string Op, DeviceBlock Indices, long IndexOffset, long Outer, long Axis, long Inner, long Count, long Indexed)
    {
        public required DeviceBlock Source { get; init; }

        public long SourceOffset { get; init; }

        public required DeviceBlock Target { get; init; }

        public long TargetOffset { get; init; }

        public bool AllowNegative { get; init; } = true;

        public ArrayView<int> Faults => DeviceIndexFaults.Of(Device).Positions;

        public ArrayView<T> From<T>() where T : unmanaged => Source.View<T>(SourceOffset, DeviceGrid.Index(Outer * Axis * Inner));

        public ArrayView<T> To<T>(int size) where T : unmanaged => Target.View<T>(TargetOffset, size);

        public ArrayView<T> IndexView<T>() where T : unmanaged => Indices.View<T>(IndexOffset, DeviceGrid.Index(Indexed));

        public DeviceGatherJob Begin()
        {
            int slot = DeviceIndexFaults.Of(Device).Begin(Op, (int)Axis, AllowNegative);
            Device.LaunchCount++;
            return new DeviceGatherJob
            {
                Inner = new DeviceDivisor(DeviceGrid.Index(Math.Max(1, Inner))),
                Count = new DeviceDivisor(DeviceGrid.Index(Math.Max(1, Count))),
                Index = new DeviceIndex(DeviceGrid.Index(Axis), AllowNegative, slot),
                Size = DeviceGrid.Index(Outer * Count * Inner),
            };
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
        private static readonly object s_check = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, ArrayView<int>, DeviceGatherJob> Take(
            GpuDevice device) => device.Kernel(s_take, static accelerator => accelerator.LoadKernel<ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, ArrayView<int>, DeviceGatherJob>(
                DeviceGatherKernels.Take<TReader, TIndex, T>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, ArrayView<int>, DeviceGatherJob> Pick(
            GpuDevice device) => device.Kernel(s_pick, static accelerator => accelerator.LoadKernel<ArrayView<T>, ArrayView<TIndex>, ArrayView<T>, ArrayView<int>, DeviceGatherJob>(
                DeviceGatherKernels.Pick<TReader, TIndex, T>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIndex>, ArrayView<T>, T, ArrayView<int>, DeviceGatherJob> OneHot(GpuDevice device) =>
            device.Kernel(s_oneHot, static accelerator => accelerator.LoadKernel<ArrayView<TIndex>, ArrayView<T>, T, ArrayView<int>, DeviceGatherJob>(
                DeviceGatherKernels.OneHot<TReader, TIndex, T>));

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIndex>, ArrayView<int>, DeviceIndex, int> Check(GpuDevice device) =>
            device.Kernel(s_check, static accelerator =>
                accelerator.LoadKernel<ArrayView<TIndex>, ArrayView<int>, DeviceIndex, int>(DeviceGatherKernels.Check<TReader, TIndex>));
    }
}
