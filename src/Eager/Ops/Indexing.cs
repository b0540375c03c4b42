using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules and kernel calls of the operators with index arrays.</summary>
internal static unsafe class Indexing
{
    public static void InferTake(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        CheckIndexType(take.Function, x[1].DType);
        ReadOnlySpan<int> source = x[0].Shape.Dimensions;
        y[0] = x[0] with { Shape = Shape.Create([.. source[..take.Axis], .. x[1].Shape.Dimensions, .. source[(take.Axis + 1)..]]) };
    }

    public static void InferPick(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        (string op, string parameter) = CallerAttributes.OfPick(attributes);
        CheckIndexType(op, x[1].DType);
        Shape lines = x[0].Shape.Dimensions[..^1].ToArray();
        if (x[1].Shape != lines) throw new ShapeException($"{op}: {x[0].Shape} needs one index per line, {lines}; {parameter} is {x[1].Shape}. Reshape it.");
        y[0] = x[0] with { Shape = lines };
    }

    public static void RunTake(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        NDArray x = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        Split(x.Shape, take.Axis, out long outer, out int n, out long inner);
        fixed (byte* from = &x.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad(take.Function, Gather.Take((nint)from, (nint)to, outer, n, inner, x.DType.Size, (nint)at, index.DType, index.Size), index, n, take.Parameter);
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
            ThrowIfBad(take.Function, GatherAdd.ScatterAdd((nint)from, (nint)to, outer, n, inner, g.DType, (nint)at, index.DType, index.Size), index, n);
        GC.KeepAlive(g);
        GC.KeepAlive(index);
    }

    public static void RunPick(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        int n = x.Shape[-1];
        fixed (byte* from = &x.Data, at = &index.Data, to = &outputs[0].Data)
        {
            CallerAttributes caller = CallerAttributes.OfPick(attributes);
            long bad = Gather.Pick((nint)from, (nint)to, index.Size, n, 1, x.DType.Size, (nint)at, index.DType, allowNegative: !caller.Classes);
            if (caller.Classes) ThrowIfOutside(caller.Function, "label", bad, index, n, caller.Parameter);
            else ThrowIfBad(caller.Function, bad, index, n, caller.Parameter);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(index);
    }

    public static void RunPickGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray g = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        int n = ((DepthAttributes)attributes!).Depth;
        Movement.Fill(outputs[0], 0);
        fixed (byte* from = &g.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("Pick", GatherAdd.PickGradient((nint)from, (nint)to, index.Size, n, 1, g.DType, (nint)at, index.DType), index, n);
        GC.KeepAlive(g);
        GC.KeepAlive(index);
    }

    public static void RunOneHot(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray index = inputs[0].Contiguous();
        int depth = ((DepthAttributes)attributes!).Depth;
        fixed (byte* at = &index.Data, to = &outputs[0].Data)
            ThrowIfOutside("OneHot", "class", Gather.OneHot((nint)to, depth, DType.Float32, (nint)at, index.DType, index.Size), index, depth);
        GC.KeepAlive(index);
    }

    public static void InferTakeAlongAxis(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        CheckIndexType("TakeAlongAxis", x[1].DType);
        bool fits = x[0].Shape.Rank == x[1].Shape.Rank && x[0].Shape.Dimensions[..^1].SequenceEqual(x[1].Shape.Dimensions[..^1]);
        if (!fits) throw new ShapeException($"TakeAlongAxis: {x[0].Shape} and indices {x[1].Shape} must agree in every axis but the one that is selected from.");
        y[0] = x[0] with { Shape = x[1].Shape };
    }

    public static void RunTakeAlongAxis(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        int n = x.Shape[-1], count = index.Shape[-1];
        if (count == 0 || index.Size == 0) return;
        fixed (byte* from = &x.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("TakeAlongAxis", Gather.Pick((nint)from, (nint)to, index.Size / count, n, 1, x.DType.Size, (nint)at, index.DType, count), index, n);
        GC.KeepAlive(x);
        GC.KeepAlive(index);
    }

    public static void RunTakeAlongAxisGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray g = inputs[0].Contiguous();
        NDArray index = inputs[1].Contiguous();
        int n = ((DepthAttributes)attributes!).Depth, count = index.Shape[-1];
        Movement.Fill(outputs[0], 0);
        if (count == 0 || index.Size == 0) return;
        fixed (byte* from = &g.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("TakeAlongAxis", GatherAdd.PickGradient((nint)from, (nint)to, index.Size / count, n, 1, g.DType, (nint)at, index.DType, count), index, n);
        GC.KeepAlive(g);
        GC.KeepAlive(index);
    }

    public static void InferRavel(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        (Shape source, string function) = (RavelAttributes)attributes!;
        CheckAxisIndices(function, x[0], source);
        y[0] = new TensorType(DType.Int64, x[0].Shape.Dimensions[1..].ToArray());
    }

    /// <summary>Indices whose first axis holds one index per axis.</summary>
    public static void CheckAxisIndices(string op, TensorType indices, Shape source)
    {
        CheckIndexType(op, indices.DType);
        if (indices.Shape.Rank == 0 || indices.Shape[0] > source.Rank)
            throw new ShapeException($"{op}: the first axis of the indices {indices.Shape} holds one index per axis of {source}, at most {source.Rank}.");
    }

    /// <summary>Values of the shape that gathering at the indices would give.</summary>
    public static void CheckScattered(string op, NDArray indices, Shape source, NDArray values)
    {
        CheckAxisIndices(op, indices.Type, source);
        Shape expected = Shape.Create([.. indices.Shape.Dimensions[1..], .. source.Dimensions[indices.Shape[0]..]]);
        if (values.Shape != expected) throw new ShapeException($"{op}: indices {indices.Shape} into {source} need values of shape {expected}, not {values.Shape}.");
    }

    public static void RunRavel(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray index = inputs[0].Contiguous();
        (Shape source, string function) = (RavelAttributes)attributes!;
        int axes = index.Shape[0];
        long count = outputs[0].Size;
        fixed (byte* from = &index.Data, to = &outputs[0].Data)
        {
            (int axis, long bad) = RavelIndex.Run((nint)from, index.DType, count, source.Dimensions[..axes], (long*)to);
            if (bad >= 0) throw OutsideAxis(function, index, axis * count + bad, axis, source);
        }

        GC.KeepAlive(index);
    }

    private static ArgumentOutOfRangeException OutsideAxis(string op, NDArray indices, long position, int axis, Shape source)
    {
        (long index, int n) = (Read(indices, position), source.Dimensions[axis]);
        return new(nameof(indices), index, $"{op}: index {index} into axis {axis} is out of range for {source}{Positions(n)}.");
    }

    public static void InferTakeGradient(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        TakeAttributes take = (TakeAttributes)attributes!;
        CheckAdded(take.Function, x[0].DType);
        y[0] = x[0] with { Shape = take.Source };
    }

    public static void InferIndexAdd(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        string op = ((TakeAttributes)attributes!).Function;
        CheckAdded(op, x[0].DType);
        InferWrite(op, x, y);
    }

    public static void CheckAdded(string op, DType dtype)
    {
        if (dtype is DType.UInt8 or DType.Bool) throw new DTypeException($"{op}: elements of {dtype} are not added up. Convert with AsType(DType.Int32).");
    }

    public static void InferWrite(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        CheckIndexType(op, x[1].DType);
        if (x[0].DType != x[2].DType) throw new DTypeException($"{op}: {x[0].DType} and {x[2].DType}. Convert one with AsType.");
        y[0] = x[0];
    }

    public static void RunIndexAdd(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray index = inputs[1].Contiguous(), values = inputs[2].Contiguous();
        TakeAttributes take = (TakeAttributes)attributes!;
        Split(outputs[0].Shape, take.Axis, out long outer, out int n, out long inner);
        Movement.CopyTo(inputs[0], outputs[0]);
        fixed (byte* from = &values.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad(take.Function, GatherAdd.ScatterAdd((nint)from, (nint)to, outer, n, inner, values.DType, (nint)at, index.DType, index.Size), index, n);
        GC.KeepAlive(index);
        GC.KeepAlive(values);
    }

    public static void RunIndexUpdate(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray index = inputs[1].Contiguous(), values = inputs[2].Contiguous();
        Split(outputs[0].Shape, ((TakeAttributes)attributes!).Axis, out long outer, out int n, out long inner);
        Movement.CopyTo(inputs[0], outputs[0]);
        fixed (byte* from = &values.Data, at = &index.Data, to = &outputs[0].Data)
            ThrowIfBad("IndexUpdate", Gather.Put((nint)from, (nint)to, outer, n, inner, values.DType.Size, (nint)at, index.DType, index.Size), index, n);
        GC.KeepAlive(index);
        GC.KeepAlive(values);
    }

    public static void RunArgSort(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        SortAttributes sort = (SortAttributes)attributes!;
        NDArray x = inputs[0].Contiguous();
        int n = x.Shape[-1];
        if (n == 0) return;
        fixed (byte* from = &x.Data, to = &outputs[0].Data) ArgSort.Run(x.DType, (nint)from, (long*)to, x.Size / n, n, sort.Count, sort.Descending);
        GC.KeepAlive(x);
    }

    public static void RunSortBytes(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous();
        int n = x.Shape[-1];
        if (n == 0) return;
        fixed (byte* from = &x.Data, to = &outputs[0].Data) CountingSort.Run(from, to, x.Size / n, n, ((SortAttributes)attributes!).Descending);
        GC.KeepAlive(x);
    }

    /// <summary>Names a label that a kernel found outside [0, n); a negative position: none.</summary>
    public static void ThrowIfOutside(string op, string what, long position, NDArray indices, int n, string parameter = "indices")
    {
        if (position >= 0)
            throw new ArgumentOutOfRangeException(parameter, Read(indices, position), $"{op}: {what} {Read(indices, position)} at position {position} is out of range for {n} classes{(n == 0 ? "" : $", 0 to {n - 1}")}.");
    }

    public static void CheckIndexType(string op, DType dtype)
    {
        if (dtype is not (DType.Int32 or DType.Int64)) throw new DTypeException($"{op}: indices are Int32 or Int64, not {dtype}. Convert with AsType.");
    }

    /// <summary>The positions of an axis, if it has any, as messages end.</summary>
    public static string Positions(int n) => n == 0 ? string.Empty : $": {-n} to {n - 1}";

    private static long Read(NDArray indices, long i)
    {
        fixed (byte* at = &indices.Data) return indices.DType == DType.Int32 ? ((int*)at)[i] : ((long*)at)[i];
    }

    public static void ThrowIfBad(string op, long position, NDArray indices, int n, string parameter = "indices")
    {
        if (position >= 0)
            throw new ArgumentOutOfRangeException(parameter, Read(indices, position), $"{op}: index {Read(indices, position)} at position {position} is out of range for an axis of size {n}{Positions(n)}.");
    }

    public static void Split(Shape shape, int axis, out long outer, out int n, out long inner)
    {
        (outer, inner, n) = (1, 1, shape.Dimensions[axis]);
        for (int i = 0; i < axis; i++) outer *= shape.Dimensions[i];
        for (int i = axis + 1; i < shape.Rank; i++) inner *= shape.Dimensions[i];
    }
}
