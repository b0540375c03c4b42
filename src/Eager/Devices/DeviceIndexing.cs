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
        TakeAttributes take = (TakeAttributes)attributes!;
        Indexing.Split(inputs[0].Shape, take.Axis, out long outer, out int n, out long inner);
        DeviceGather.Take(o.Device, take.Function, o.From, o.FromOffset, o.To, o.ToOffset, outer, n, inner, o.Size, o.Index, o.IndexOffset, o.IndexType, o.Count);
    }

    public static void Pick(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Operands o = new(inputs[0], inputs[1], outputs[0]);
        CallerAttributes caller = CallerAttributes.OfPick(attributes);
        DeviceGather.Pick(
            o.Device, caller.Function, o.From, o.FromOffset, o.To, o.ToOffset, o.Count, inputs[0].Shape[-1], 1, o.Size, o.Index, o.IndexOffset, o.IndexType,
            allowNegative: !caller.Classes);
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

    public static void TakeGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        Movement.Fill(outputs[0], 0);
        AddSlices(take.Function, inputs[0], inputs[1], outputs[0], take.Axis);
    }

    public static void IndexAdd(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        Movement.CopyTo(inputs[0], outputs[0]);
        AddSlices(take.Function, inputs[2], inputs[1], outputs[0], take.Axis);
    }

    public static void PickGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Movement.Fill(outputs[0], 0);
        AddElements("Pick", inputs[0], inputs[1], outputs[0], 1);
    }

    public static void TakeAlongAxisGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        Movement.Fill(outputs[0], 0);
        AddElements("TakeAlongAxis", inputs[0], inputs[1], outputs[0], inputs[1].Shape[-1]);
    }

    public static void ArgSort(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        SortAttributes sort = (SortAttributes)attributes!;
        NDArray x = inputs[0].Contiguous(), y = outputs[0];
        int n = x.Shape[-1];
        if (n == 0) return;
        DeviceSort.ArgSort(
            y.Accelerator!, x.DType, (DeviceBlock)x.Storage, x.Offset, (DeviceBlock)y.Storage, y.Offset, x.Size / n, n, sort.Count, sort.Descending);
    }

    private static void AddSlices(string op, NDArray values, NDArray indices, NDArray target, int axis)
    {
        Operands o = new(values, indices, target);
        Indexing.Split(target.Shape, axis, out long outer, out int n, out long inner);
        if (o.Count == 0 || values.Size == 0) return;
        DeviceScatter.ScatterAdd(
            o.Device, op, o.From, o.FromOffset, o.To, o.ToOffset, outer, n, inner, target.DType, o.Index, o.IndexOffset, o.IndexType, o.Count);
    }

    private static void AddElements(string op, NDArray values, NDArray indices, NDArray target, int count)
    {
        Operands o = new(values, indices, target);
        if (o.Count == 0) return;
        DeviceScatter.PickGradient(
            o.Device, op, o.From, o.FromOffset, o.To, o.ToOffset, o.Count / count, target.Shape[-1], 1, target.DType, o.Index, o.IndexOffset, o.IndexType, count);
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
