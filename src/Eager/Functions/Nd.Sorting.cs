namespace Fusion;

// Sorting and selection by index arrays. NaN counts as the largest number; equal elements keep their order.
public static partial class Nd
{
    /// <summary>The elements sorted along an axis. Gradients go back to where the elements came from.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The axis is outside the shape.</exception>
    public static NDArray Sort(this NDArray x, int axis = -1, bool descending = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Rank == 0) return x.Alias();
        int at = x.Shape.Axis(axis, "Sort");
        NDArray lines = AxisLast(x, at);
        SortAttributes sort = new(lines.Shape[-1], descending);
        bool isCounted = x.DType.Size == 1 && !x.Device.IsGpu;
        return AxisBack(isCounted ? OpTable.SortBytes.Apply(lines, sort) : OpTable.TakeAlongAxis.Apply(lines, OpTable.ArgSort.Apply(lines, sort)), at);
    }

    /// <summary>The Int64 indices that sort along an axis.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The axis is outside the shape.</exception>
    public static NDArray ArgSort(this NDArray x, int axis = -1, bool descending = false)
    {
        ArgumentNullException.ThrowIfNull(x);
        int at = x.Shape.Axis(axis, "ArgSort");
        NDArray lines = AxisLast(x, at);
        return AxisBack(OpTable.ArgSort.Apply(lines, new SortAttributes(lines.Shape[-1], descending)), at);
    }

    /// <summary>The k largest elements along an axis, in descending order, with their Int64 indices; the smallest in ascending order if asked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">k is negative or exceeds the axis, or the axis is outside the shape.</exception>
    public static (NDArray Values, NDArray Indices) TopK(this NDArray x, int k, int axis = -1, bool largest = true)
    {
        ArgumentNullException.ThrowIfNull(x);
        int at = x.Shape.Axis(axis, "TopK");
        if (k < 0 || k > x.Shape.Dimensions[at]) throw new ArgumentOutOfRangeException(nameof(k), k, $"TopK: k is between 0 and the size {x.Shape.Dimensions[at]} of axis {at} of {x.Shape}.");
        NDArray lines = AxisLast(x, at);
        NDArray order = OpTable.ArgSort.Apply(lines, new SortAttributes(k, largest));
        return (AxisBack(OpTable.TakeAlongAxis.Apply(lines, order), at), AxisBack(order, at));
    }

    /// <summary>y[…, i, …] = x[…, indices[…, i, …], …] along one axis; in the others x and the indices broadcast.</summary>
    /// <exception cref="ShapeException">The ranks differ, or another axis does not broadcast.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the axis; negative ones count from the end.</exception>
    public static NDArray TakeAlongAxis(this NDArray x, NDArray indices, int axis = -1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        int at = x.Shape.Axis(axis, "TakeAlongAxis");
        if (indices.Rank != x.Rank) throw new ShapeException($"TakeAlongAxis: {x.Shape} needs indices of the same rank, not {indices.Shape}.");
        int[] source = x.Shape.Dimensions.ToArray(), target = indices.Shape.Dimensions.ToArray();
        for (int i = 0; i < source.Length; i++)
        {
            (int m, int n) = (source[i], target[i]);
            if (i == at || m == n) continue;
            if (m != 1 && n != 1) throw new ShapeException($"TakeAlongAxis: axis {i} of {x.Shape} and of the indices {indices.Shape} differs, and is not the axis {axis} that is selected from.");
            source[i] = target[i] = m == 1 ? n : m;
        }

        if (x.Shape != source) x = BroadcastTo(x, source);
        if (indices.Shape != target) indices = BroadcastTo(indices, target);
        return AxisBack(OpTable.TakeAlongAxis.Apply(AxisLast(x, at), AxisLast(indices, at)), at);
    }

    /// <summary>
    /// y[i…] = x[indices[0, i…], …, indices[m − 1, i…]]: the first axis of the indices holds a position in the first m axes of x (gather_nd).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside its axis.</exception>
    public static NDArray Gather(this NDArray x, NDArray indices)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(indices);
        NDArray positions = OpTable.RavelIndex.Apply(indices, new RavelAttributes(x.Shape));
        return Take(Reshape(x, JoinAxes("Gather", x.Shape, indices.Shape[0])), positions, 0);
    }

    /// <summary>An array of zeros to which values[i…] is added at [indices[0, i…], …, indices[m − 1, i…]] (scatter_nd): the transpose of <see cref="Gather"/>.</summary>
    /// <exception cref="ShapeException">The values do not have the shape that gathering would give.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside its axis.</exception>
    public static NDArray Scatter(this NDArray values, NDArray indices, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(indices);
        Indexing.CheckScattered("Scatter", indices, shape, values);
        Indexing.CheckAdded("Scatter", values.DType);
        NDArray positions = OpTable.RavelIndex.Apply(indices, new RavelAttributes(shape, "Scatter"));
        return Reshape(OpTable.TakeGradient.Apply(values, positions, new TakeAttributes(0, JoinAxes("Scatter", shape, indices.Shape[0]), "Scatter")), shape);
    }

    /// <summary>Rows of the weight (size, features) at the indices; the gradient adds up rows that occur more than once.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An index is outside the weight's rows.</exception>
    public static NDArray Embedding(this NDArray weight, NDArray indices)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(indices);
        return OpTable.Take.Apply(weight, indices, new TakeAttributes(weight.Shape.Axis(0, "Embedding"), weight.Shape, "Embedding"));
    }

    /// <summary>
    /// The positions of the elements that are not zero, in row-major order: an Int64 array (count, rank). Reads the values: a compiled function can use it on arrays
    /// that it captures, and is traced anew when one has been written to.
    /// </summary>
    public static NDArray NonZero(this NDArray x)
    {
        ArgumentNullException.ThrowIfNull(x);
        x.BeginConstantRead("NonZero");
        NDArray positions = Searching.Positions(x.DType == DType.Bool ? x : Movement.Cast(x, DType.Bool));
        if (x.Accelerator is { } device) positions = Movement.CopyToDevice(positions, device);
        ExecutionState.Current.Tracer?.Created(positions);
        return positions;
    }

    /// <summary>
    /// The slices along an axis at which the mask, a Bool array, is true; a mask of several axes selects from as many of x, which become one, as x[mask] does
    /// in NumPy. Reads the mask, as <see cref="NonZero"/> does.
    /// </summary>
    /// <exception cref="ShapeException">The mask does not have the sizes of the axes it selects from.</exception>
    public static NDArray BooleanMask(this NDArray x, NDArray mask, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(mask);
        int at = x.Shape.Axis(axis, "BooleanMask");
        if (mask.Rank == 0 || at + mask.Rank > x.Rank || !mask.Shape.Dimensions.SequenceEqual(x.Shape.Dimensions.Slice(at, mask.Rank)))
            throw new ShapeException($"BooleanMask: the mask {mask.Shape} does not have the sizes of {x.Shape} from axis {at} on.");
        NDArray positions = NonZero(mask);
        return mask.Rank == 1
            ? Take(x, Reshape(positions, -1), at)
            : Take(Reshape(x, JoinAxes("BooleanMask", x.Shape, mask.Rank, at)), OpTable.RavelIndex.Apply(Transpose(positions), new RavelAttributes(mask.Shape)), at);
    }

    private static Shape JoinAxes(string op, Shape shape, int axes, int first = 0)
    {
        int joined = 1;
        for (int i = first; i < first + axes; i++) joined = Errors.Extent(op, (long)joined * shape.Dimensions[i]);
        return Shape.Create([.. shape.Dimensions[..first], joined, .. shape.Dimensions[(first + axes)..]]);
    }

    /// <summary>The reverse of <see cref="AxisLast"/>.</summary>
    internal static NDArray AxisBack(NDArray x, int axis)
    {
        if (axis == x.Rank - 1) return x;
        int[] order = new int[x.Rank];
        for (int i = 0; i < x.Rank; i++) order[i] = i < axis ? i : i == axis ? x.Rank - 1 : i - 1;
        return Transpose(x, order);
    }
}
