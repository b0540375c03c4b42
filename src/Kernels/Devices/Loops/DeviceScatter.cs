using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// The gradients of <see cref="DeviceGather"/>: values are added to the places that indices name, as <see cref="GatherAdd"/> does on the processor, without
/// atomics and with the same result whatever the timing.
/// </summary>
/// <remarks>
/// The indices are sorted (up to 8 192 of them by counting, which is one kernel; more by digits, five kernels for four bits of the axis' length), then every
/// place with values is owned by a thread for each column. Up to 64 values of a place are added in the order of the indices, with the processor's bits; more
/// are added in pieces of 64, and these in order. Besides the sorting the cost is one read of the values and of the places that are named.
/// </remarks>
internal static class DeviceScatter
{
    // Below this many values for a line, or with so many lines, the values of a line are added by one thread.
    private const long FewValues = DeviceScatterJob.Piece;
    private const long ManyLines = 16 * 1024;

    /// <summary>
    /// target[o, index[i], :] += source[o, i, :], the target (outer, axis, inner), the source (outer, count, inner); Float32, Float64, Int32 or Int64.
    /// </summary>
    public static void ScatterAdd(
        GpuDevice device, string op, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset,
        long outer, long axis, long inner, DType dtype, DeviceBlock indices, long indexOffset, DType indexType, long count) =>
        Run(op, new Job(device, source, sourceOffset, target, targetOffset, outer, axis, inner, indices, indexOffset, indexType, count, Picks: false), dtype);

    /// <summary>target[o, index[o, k, n], n] += source[o, k, n], the source and the indices (outer, count, inner).</summary>
    public static void PickGradient(
        GpuDevice device, string op, DeviceBlock source, long sourceOffset, DeviceBlock target, long targetOffset,
        long outer, long axis, long inner, DType dtype, DeviceBlock indices, long indexOffset, DType indexType, long count = 1) =>
        Run(op, new Job(device, source, sourceOffset, target, targetOffset, outer, axis, inner, indices, indexOffset, indexType, count, Picks: true), dtype);

    private static void Run(string op, in Job job, DType dtype)
    {
        using (job.Device.Enter())
        {
            DeviceIndexFaults.Of(job.Device).Queue(op, job.Indices, job.IndexOffset, job.IndexType, job.Indexed, job.Axis);
            if (job.Outer == 0 || job.Axis == 0 || job.Inner == 0 || job.Count == 0) return;
            if (DeviceIndexFaults.IsLong(job.IndexType)) ByType<ReadIndex, long>(job, dtype);
            else ByType<ReadIndex, int>(job, dtype);
        }

        GC.KeepAlive(job.Source);
        GC.KeepAlive(job.Target);
        GC.KeepAlive(job.Indices);
    }

    private static void ByType<TReader, TIndex>(in Job job, DType dtype)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
    {
        if (dtype == DType.Float32) Add<TReader, TIndex, float>(job);
        else if (dtype == DType.Float64) Add<TReader, TIndex, double>(job);
        else if (dtype == DType.Int32) Add<TReader, TIndex, int>(job);
        else if (dtype == DType.Int64) Add<TReader, TIndex, long>(job);
        else throw new DTypeException($"Scatter adds Float32, Float64, Int32 or Int64, not {dtype}. Convert with AsType.");
    }

    private static void Add<TReader, TIndex, T>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged, INumberBase<T>
    {
        int lines = DeviceGrid.Index(job.Outer * job.Inner);
        if (job.Picks && (job.Count <= FewValues || lines >= ManyLines)) AddLines<TReader, TIndex, T>(job, lines);
        else AddSorted<TReader, TIndex, T>(job);
    }

    private static void AddLines<TReader, TIndex, T>(in Job job, int lines)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged, INumberBase<T>
    {
        GpuDevice device = job.Device;
        device.LaunchCount++;
        DeviceScatterLaunchers<TReader, TIndex, T>.AddLines(device)(
            device.Stream, DeviceGrid.For(device, lines), job.Values<T>(), job.IndexView<TIndex>(), job.To<T>(),
            job.Index, new DeviceDivisor((int)job.Inner), (int)job.Count, lines);
    }

    private static unsafe void AddSorted<TReader, TIndex, T>(in Job job)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged
        where T : unmanaged, INumberBase<T>
    {
        // What Pick selects from is one long axis here, with a place for every element.
        GpuDevice device = job.Device;
        int count = DeviceGrid.Index(job.Indexed), end = DeviceGrid.Index(job.Picks ? job.Outer * job.Axis * job.Inner : job.Axis);
        KernelConfig perIndex = DeviceGrid.For(device, count);
        var scatter = new DeviceScatterJob
        {
            Inner = new DeviceDivisor(job.Picks ? 1 : (int)job.Inner),
            Count = new DeviceDivisor(count),
            Places = end,
            Size = DeviceGrid.Index(job.Outer * job.Count * job.Inner),
            Sums = 2 * (int)DeviceGrid.Divide(count, DeviceScatterJob.Piece),
        };
        bool hasSums = count > DeviceScatterJob.Piece;
        long sumCount = hasSums ? (long)(scatter.Size / count) * scatter.Sums : 1;
        DeviceBlock places = new(device, (long)count * sizeof(uint)), codes = new(device, (long)count * sizeof(int)), sums = new(device, sumCount * sizeof(T));
        ArrayView<uint> placeView = places.View<uint>(0, count);
        ArrayView<int> codeView = codes.View<int>(0, count);
        ArrayView<T> sumView = sums.View<T>(0, DeviceGrid.Index(sumCount));

        device.LaunchCount += hasSums ? 4 : 3;
        DeviceScatterLaunchers<TReader, TIndex, T>.Places(device)(
            device.Stream, perIndex, job.IndexView<TIndex>(), placeView, job.Index,
            new DeviceDivisor(job.Picks ? (int)job.Inner : 1), new DeviceDivisor((int)job.Count), count, end);
        DeviceBlock order = DeviceSort.Order<DeviceKey, uint>(device, placeView, count, BitOperations.Log2((uint)end) + 1);
        ArrayView<int> orderView = order.View<int>(0, count);
        DeviceScatterLaunchers<TReader, TIndex, T>.Pieces(device)(device.Stream, perIndex, placeView, orderView, codeView, count, end);
        KernelConfig perValue = DeviceGrid.For(device, scatter.Size);
        DeviceScatterLaunchers<TReader, TIndex, T>.AddPieces(device)(
            device.Stream, perValue, job.Values<T>(), placeView, orderView, codeView, sumView, job.To<T>(), scatter);
        if (hasSums)
        {
            DeviceScatterLaunchers<TReader, TIndex, T>.AddSums(device)(
                device.Stream, perValue, placeView, orderView, codeView, sumView, job.To<T>(), scatter);
        }

        order.Release();
        sums.Release();
        codes.Release();
        places.Release();
    }

    private readonly record struct Job(
        GpuDevice Device, DeviceBlock Source, long SourceOffset, DeviceBlock Target, long TargetOffset,
        long Outer, long Axis, long Inner, DeviceBlock Indices, long IndexOffset, DType IndexType, long Count, bool Picks)
    {
        public long Indexed => Picks ? Outer * Count * Inner : Count;

        public DeviceIndex Index => new(DeviceGrid.Index(Axis), true);

        public ArrayView<T> Values<T>() where T : unmanaged => Source.View<T>(SourceOffset, DeviceGrid.Index(Outer * Count * Inner));

        public ArrayView<T> To<T>() where T : unmanaged => Target.View<T>(TargetOffset, DeviceGrid.Index(Outer * Axis * Inner));

        public ArrayView<T> IndexView<T>() where T : unmanaged => Indices.View<T>(IndexOffset, DeviceGrid.Index(Indexed));
    }
}
