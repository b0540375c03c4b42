using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Operators with index arrays on an accelerator. An index out of range is found there, and reported by the next call that reads from the device.
/// </summary>
internal static class DeviceIndexing
{
    public static void Take(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Operands o = new(inputs[0], inputs[1], outputs[0]);
        Indexing.Split(inputs[0].Shape, ((TakeAttributes)attributes!).Axis, out long outer, out int n, out long inner);
        DeviceGather.Take(o.Device, "Take", o.From, o.FromOffset, o.To, o.ToOffset, outer, n, inner, o.Size, o.Index, o.IndexOffset, o.IndexType, o.Count);
    }

    public static void Pick(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Operands o = new(inputs[0], inputs[1], outputs[0]);
        DeviceGather.Pick(o.Device, "Pick", o.From, o.FromOffset, o.To, o.ToOffset, o.Count, inputs[0].Shape[-1], 1, o.Size, o.Index, o.IndexOffset, o.IndexType);
    }

    public static void TakeAlongAxis(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Operands o = new(inputs[0], inputs[1], outputs[0]);
        int count = inputs[1].Shape[-1];
        if (o.Count == 0) return;
        DeviceGather.Pick(
            o.Device, "TakeAlongAxis", o.From, o.FromOffset, o.To, o.ToOffset, o.Count / count, inputs[0].Shape[-1], 1, o.Size, o.Index, o.IndexOffset, o.IndexType, count);
    }

    public static void OneHot(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Operands o = new(outputs[0], inputs[0], outputs[0]);
        DeviceGather.OneHot(o.Device, "OneHot", o.To, o.ToOffset, ((DepthAttributes)attributes!).Depth, outputs[0].DType, o.Index, o.IndexOffset, o.IndexType, o.Count);
    }

    /// <summary>Contiguous operands; they hold the blocks until the kernel is queued.</summary>
    private readonly struct Operands
    {
        public Operands(NDArray source, NDArray indices, NDArray target)
        {
            source = source.Contiguous();
            indices = indices.Contiguous();
            Device = target.Accelerator!;
            (From, FromOffset, Size) = ((DeviceBlock)source.Storage, source.Offset, source.DType.Size);
            (To, ToOffset) = ((DeviceBlock)target.Storage, target.Offset);
            (Index, IndexOffset, IndexType, Count) = ((DeviceBlock)indices.Storage, indices.Offset, indices.DType, indices.Size);
        }

        public GpuDevice Device { get; }

        public DeviceBlock From { get; }

        public long FromOffset { get; }

        public DeviceBlock To { get; }

        public long ToOffset { get; }

        public DeviceBlock Index { get; }

        public long IndexOffset { get; }

        public DType IndexType { get; }

        /// <summary>Bytes of an element.</summary>
        public int Size { get; }

        /// <summary>How many indices.</summary>
        public long Count { get; }
    }
}
