using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Indices that are out of range, of gathers and scatters on one device. To ask after each call would stop the stream, so every call queues a small kernel
/// that looks for the first bad index, and the error, in the words of the processor's, is raised by who next reads from the device: <see cref="ThrowIfAny"/>.
/// Meanwhile nothing outside an array is read or written: gathers give 0 for a bad index, scatters add nothing.
/// </summary>
/// <remarks>There is one report for a group of threads, the first in it: ILGPU's atomics do not compile on every OpenCL platform.</remarks>
internal sealed class DeviceIndexFaults
{
    private const int PerThread = 16;
    private const int MaxGroups = 64;
    private static readonly ConditionalWeakTable<GpuDevice, DeviceIndexFaults> s_faults = [];
    private readonly GpuDevice _device;
    private readonly int _capacity;
    private readonly DeviceBlock _reports;
    private readonly List<Call> _calls = [];
    private int _used;

    /// <summary>Reports of a device, with room for so many groups of threads between two reads.</summary>
    public unsafe DeviceIndexFaults(GpuDevice device, int capacity = 4096)
    {
        _device = device;
        _capacity = capacity;
        _reports = new DeviceBlock(device, capacity * sizeof(DeviceIndexReport));
    }

    public static DeviceIndexFaults Of(GpuDevice device) => s_faults.GetValue(device, static d => new DeviceIndexFaults(d));

    /// <summary>Queues the look at the indices of a call; when there have been very many since the last read, at their results first.</summary>
    /// <param name="op">The operator, for the message.</param>
    /// <param name="indices">The memory of the indices.</param>
    /// <param name="offset">The first one.</param>
    /// <param name="dtype">Int32 or Int64.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="size">The axis has so many positions.</param>
    /// <param name="allowNegative">Negative indices count from its end; else it is classes that are named.</param>
    public void Queue(string op, DeviceBlock indices, long offset, DType dtype, long count, long size, bool allowNegative = true)
    {
        if (count == 0) return;
        var index = new DeviceIndex(DeviceGrid.Index(size), allowNegative);
        int group = DeviceGrid.GroupSize(_device), groups = (int)Math.Min(MaxGroups, DeviceGrid.Divide(count, group * PerThread));
        using (_device.Enter())
        {
            if (_used + groups > _capacity) ThrowIfAny();
            ArrayView<DeviceIndexReport> reports = _reports.View<DeviceIndexReport>(_used, groups);
            if (IsLong(dtype)) Launch<ReadIndex, long>(indices.View<long>(offset, DeviceGrid.Index(count)), reports, index, group);
            else Launch<ReadIndex, int>(indices.View<int>(offset, DeviceGrid.Index(count)), reports, index, group);
            _calls.Add(new Call(op, index.Size, allowNegative, groups));
            _used += groups;
        }

        GC.KeepAlive(indices);
    }

    /// <summary>
    /// Throws for the first call since the last time with an index out of range. Waits for the device if there were calls, and costs nothing else.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There was one.</exception>
    public void ThrowIfAny()
    {
        if (Volatile.Read(ref _used) == 0) return;
        using (_device.Enter())
        {
            DeviceIndexReport[] reports = new DeviceIndexReport[_used];
            _device.Download(_reports, 0, MemoryMarshal.AsBytes(reports.AsSpan()));
            Call[] calls = [.. _calls];
            _calls.Clear();
            _used = 0;
            int first = 0;
            foreach (Call call in calls)
            {
                foreach (DeviceIndexReport report in reports.AsSpan(first, call.Groups).ToArray().OrderBy(static r => r.Position))
                    if (report.Position < DeviceIndexReport.None) throw call.Error(report);
                first += call.Groups;
            }
        }
    }

    /// <summary>Indices are Int32 or Int64.</summary>
    public static bool IsLong(DType dtype) => dtype switch
    {
        DType.Int32 => false,
        DType.Int64 => true,
        _ => throw new DTypeException($"Indices are Int32 or Int64, not {dtype}. Convert them with AsType."),
    };

    private void Launch<TReader, TIndex>(ArrayView<TIndex> indices, ArrayView<DeviceIndexReport> reports, DeviceIndex index, int group)
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        _device.LaunchCount++;
        Kernels<TReader, TIndex>.FindBad(_device)(_device.Stream, DeviceGrid.Groups(reports.Length, group), indices, reports, index, (int)indices.Length);
    }

    private readonly record struct Call(string Op, int Size, bool AllowNegative, int Groups)
    {
        public ArgumentOutOfRangeException Error(DeviceIndexReport report) => new(
            null,
            AllowNegative
                ? $"{Op}: index {report.Value} at position {report.Position} is out of range for an axis of size {Size}: {-Size} to {Size - 1}."
                : $"{Op}: class {report.Value} at position {report.Position} is out of range for {Size} classes, 0 to {Size - 1}.");
    }

    private static class Kernels<TReader, TIndex>
        where TReader : struct, IDeviceIndexReader<TIndex>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        private static readonly object s_findBad = new();

        public static Action<AcceleratorStream, KernelConfig, ArrayView<TIndex>, ArrayView<DeviceIndexReport>, DeviceIndex, int> FindBad(GpuDevice device) =>
            device.Kernel(s_findBad, static accelerator =>
                accelerator.LoadKernel<ArrayView<TIndex>, ArrayView<DeviceIndexReport>, DeviceIndex, int>(DeviceIndexKernels.FindBad<TReader, TIndex>));
    }
}
