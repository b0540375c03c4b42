using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules and kernel calls of the operators with index arrays.</summary>
internal static unsafe class Indexing
{
    public static void InferTake(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        CheckIndexType("Take", x[1].DType);
        ReadOnlySpan<int> source = x[0].Shape.Dimensions;
        y[0] = x[0] with { Shape = Shape.Create([.. source[..take.Axis], .. x[1].Shape.Dimensions, .. source[(take.Axis + 1)..]]) };
    }

    public static void InferPick(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        CheckIndexType("Pick", x[1].DType);
        Shape lines = x[0].Shape.Dimensions[..^1].ToArray();
        if (x[1].Shape != lines) throw new ShapeException($"Pick: {x[0].Shape} needs one index per line, {lines}, but the indices are {x[1].Shape}.");
        y[0] = x[0] with { Shape = lines };
    }

    public static void RunTake(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        int axis = ((TakeAttributes)attributes!).Axis;
        NDArray x = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        Split(x.Shape, axis, out long outer, out int n, out long inner);
        fixed (byte* from = &x.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("Take", Gather.Take((nint)from, index.DType, (nint)at, index.Size, (nint)to, outer, n, inner, x.DType.Size), index, n);
        GC.KeepAlive(x);
        GC.KeepAlive(index);
    }

    public static void RunTakeGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        NDArray g = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        Split(take.Source, take.Axis, out long outer, out int n, out long inner);
        Movement.Fill(outputs[0], 0);
        fixed (byte* from = &g.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("Take", Gather.ScatterAdd(g.DType, (nint)from, index.DType, (nint)at, index.Size, (nint)to, outer, n, inner), index, n);
        GC.KeepAlive(g);
        GC.KeepAlive(index);
    }

    public static void RunPick(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        int n = x.Shape[-1];
        fixed (byte* from = &x.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("Pick", Gather.Pick((nint)from, index.DType, (nint)at, (nint)to, index.Size, n, x.DType.Size), index, n);
        GC.KeepAlive(x);
        GC.KeepAlive(index);
    }

    public static void RunPickGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray g = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        int n = ((DepthAttributes)attributes!).Depth;
        fixed (byte* from = &g.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("Pick", Gather.PickGradient((nint)from, index.DType, (nint)at, (nint)to, index.Size, n, g.DType.Size), index, n);
        GC.KeepAlive(g);
        GC.KeepAlive(index);
    }

    public static void RunOneHot(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray index = inputs[0].Contiguous();
        fixed (byte* at = &index.Data, to = &outputs[0].Data)
            Gather.OneHot(index.DType, (nint)at, (nint)to, index.Size, ((DepthAttributes)attributes!).Depth);
        GC.KeepAlive(index);
    }

    /// <summary>Throws, naming the first bad index, unless all are in [0, n) (or [−n, n)).</summary>
    public static void CheckRange(string op, NDArray indices, int n, string what, bool negative)
    {
        for (long i = 0; i < indices.Size; i++)
        {
            long value = Read(indices, i);
            if (value >= n || value < (negative ? -n : 0))
                throw new ArgumentOutOfRangeException(nameof(indices), value, $"{op}: {what} {value} at position {i} is out of range for {n} classes, 0 to {n - 1}.");
        }
    }

    public static void CheckIndexType(string op, DType dtype)
    {
        if (dtype is not (DType.Int32 or DType.Int64)) throw new DTypeException($"{op}: indices are Int32 or Int64, not {dtype}. Convert with AsType.");
    }

    private static long Read(NDArray indices, long i)
    {
        fixed (byte* at = &indices.Data) return indices.DType == DType.Int32 ? ((int*)at)[i] : ((long*)at)[i];
    }

    private static void ThrowIfBad(string op, long position, NDArray indices, int n)
    {
        if (position >= 0)
            throw new ArgumentOutOfRangeException(nameof(indices), Read(indices, position), $"{op}: index {Read(indices, position)} at position {position} is out of range for an axis of size {n}: {-n} to {n - 1}.");
    }

    private static void Split(Shape shape, int axis, out long outer, out int n, out long inner)
    {
        (outer, inner, n) = (1, 1, shape.Dimensions[axis]);
        for (int i = 0; i < axis; i++) outer *= shape.Dimensions[i];
        for (int i = axis + 1; i < shape.Rank; i++) inner *= shape.Dimensions[i];
    }
}
