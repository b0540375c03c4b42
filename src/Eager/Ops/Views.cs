namespace Fusion;

/// <summary>Arrays that see the elements of another one through another shape, offset or strides, and the shape rules of those operators.</summary>
internal static class Views
{
    public static long[]? Strides(NDArray x)
    {
        if (x.IsContiguous) return null;
        long[] strides = new long[x.Rank];
        x.CopyStrides(strides);
        return strides;
    }

    public static void InferReshape(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        Shape target = ((ShapeAttributes)attributes!).Shape;
        if (target.Size != x[0].Shape.Size)
            throw new ShapeException($"Reshape: {x[0].Shape} has {x[0].Shape.Size} elements, {target} has {target.Size}. Use −1 for the one size that follows from the others.");
        y[0] = x[0] with { Shape = target };
    }

    public static NDArray Reshape(NDArray x, object? attributes)
    {
        Shape target = ((ShapeAttributes)attributes!).Shape;
        if (x.IsContiguous) return x.View(target, x.Offset, null);
        NDArray copy = x.Contiguous();
        return new NDArray(copy.Storage, x.DType, target);
    }

    /// <summary>
    /// The strides of <paramref name="target"/> over elements that lie in these strides; false when there are none. Axes that together have one size on both
    /// sides must lie as one axis (the algorithm of NumPy's <c>_attempt_nocopy_reshape</c>).
    /// </summary>
    public static bool TryReshape(ReadOnlySpan<int> sizes, ReadOnlySpan<long> strides, ReadOnlySpan<int> target, Span<long> result)
    {
        if (sizes.Contains(0)) return false;
        int from = 0, to = 0;
        while (from < sizes.Length || to < target.Length)
        {
            int first = from, start = to;
            long left = from < sizes.Length ? sizes[from++] : 1, right = to < target.Length ? target[to++] : 1;
            while (left != right)
            {
                if (left < right) left *= sizes[from++];
                else right *= target[to++];
            }

            long stride = 0, size = 1;
            for (int i = from - 1; i >= first; i--)
            {
                if (sizes[i] == 1) continue;
                if (size == 1) stride = strides[i];
                else if (strides[i] != size * stride) return false;
                size *= sizes[i];
            }

            for (int i = to - 1; i >= start; i--)
            {
                result[i] = stride;
                stride *= target[i];
            }
        }

        return true;
    }

    public static void InferTranspose(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        ReadOnlySpan<int> order = ((PermutationAttributes)attributes!).Axes.Span;
        int[] sizes = new int[order.Length];
        for (int i = 0; i < order.Length; i++) sizes[i] = x[0].Shape.Dimensions[order[i]];
        y[0] = x[0] with { Shape = Shape.Own(sizes) };
    }

    public static NDArray Transpose(NDArray x, ReadOnlySpan<int> order)
    {
        Span<long> strides = stackalloc long[x.Rank];
        x.CopyStrides(strides);
        int[] sizes = new int[x.Rank];
        long[] permuted = new long[x.Rank];
        for (int i = 0; i < order.Length; i++)
        {
            sizes[i] = x.Shape.Dimensions[order[i]];
            permuted[i] = strides[order[i]];
        }

        return x.View(Shape.Own(sizes), x.Offset, Normalize(sizes, permuted));
    }

    public static int[] Inverse(ReadOnlySpan<int> order)
    {
        int[] inverse = new int[order.Length];
        for (int i = 0; i < order.Length; i++) inverse[order[i]] = i;
        return inverse;
    }

    public static void InferBroadcast(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        Shape target = ((ShapeAttributes)attributes!).Shape;
        if (!Broadcasting.FitsInto(x[0].Shape, target)) throw Errors.Broadcast("BroadcastTo", x[0].Shape, target);
        y[0] = x[0] with { Shape = target };
    }

    public static NDArray Broadcast(NDArray x, Shape target)
    {
        Span<long> strides = stackalloc long[x.Rank];
        x.CopyStrides(strides);
        long[] result = new long[target.Rank];
        Broadcasting.Strides(strides, x.Shape, target, result);
        return x.View(target, x.Offset, Normalize(target.Dimensions, result));
    }

    public static NDArray Slice(NDArray x, SliceAttributes slice)
    {
        long[] strides = new long[x.Rank];
        x.CopyStrides(strides);
        long offset = x.Offset;
        for (int i = 0; i < strides.Length; i++)
        {
            if (slice.Counts[i] > 0) offset += slice.Starts[i] * strides[i];
            strides[i] *= slice.Steps[i];
        }

        return x.View(slice.Counts.Span.ToArray(), offset, Normalize(slice.Counts.Span, strides));
    }

    public static void InferWriteSlice(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        Shape part = ((SliceAttributes)attributes!).Counts.Span.ToArray();
        if (x[1].Shape != part) throw new ShapeException($"WriteSlice: the part of {x[0].Shape} has the shape {part}, the value {x[1].Shape}. Broadcast it first.");
        if (x[0].DType != x[1].DType) throw new DTypeException($"WriteSlice: {x[0].DType} and {x[1].DType}. Convert with AsType.");
        y[0] = x[0];
    }

    public static void InferConcat(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        if (x.IsEmpty) throw new ShapeException("Concat: the list of arrays is empty.");
        int axis = ((AxisAttributes)attributes!).Axis;
        int[] sizes = x[0].Shape.ToArray();
        for (int i = 1; i < x.Length; i++)
        {
            Shape shape = x[i].Shape;
            bool fits = shape.Rank == sizes.Length;
            for (int k = 0; fits && k < sizes.Length; k++) fits = k == axis || shape.Dimensions[k] == sizes[k];
            if (!fits) throw new ShapeException($"Concat: {x[0].Shape} and {shape} differ in another axis than {axis}. Reshape or slice them to match.");
            if (x[i].DType != x[0].DType) throw new DTypeException($"Concat: {x[0].DType} and {x[i].DType}. Convert with AsType.");
            sizes[axis] = Errors.Extent("Concat", (long)sizes[axis] + shape.Dimensions[axis]);
        }

        y[0] = x[0] with { Shape = Shape.Own(sizes) };
    }

    /// <summary>Null when the strides are row-major without gaps (axes of size 1 have no say).</summary>
    public static long[]? Normalize(ReadOnlySpan<int> sizes, long[] strides)
    {
        long expected = 1;
        for (int i = sizes.Length - 1; i >= 0; i--)
        {
            if (sizes[i] == 0) return null;
            if (sizes[i] != 1 && strides[i] != expected) return strides;
            expected *= sizes[i];
        }

        return null;
    }
}
