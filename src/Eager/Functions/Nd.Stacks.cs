namespace Fusion;

// NumPy's joins by the name of a direction. Arrays of too few axes get more of the size 1; types are promoted.
public static partial class Nd
{
    /// <summary>Joins arrays side by side: along axis 1, those of rank 1 along axis 0. Scalars count as (1).</summary>
    /// <remarks><c>mx.np.hstack</c>, <c>np.hstack</c>, <c>torch.hstack</c>.</remarks>
    /// <exception cref="ShapeException">The list is empty, or ranks or the sizes of other axes differ.</exception>
    public static NDArray HStack(IReadOnlyList<NDArray> arrays)
    {
        NDArray[] parts = Raised(arrays, "HStack", static shape => shape.Rank == 0 ? 1 : shape);
        return Joined("HStack", arrays, parts, parts[0].Rank == 1 ? 0 : 1);
    }

    /// <summary>Joins arrays one below the other, along axis 0; (n) counts as the row (1, n), a scalar as (1, 1).</summary>
    /// <remarks><c>mx.np.vstack</c>, <c>np.vstack</c>, <c>torch.vstack</c>.</remarks>
    /// <exception cref="ShapeException">The list is empty, or ranks or the sizes of other axes differ.</exception>
    public static NDArray VStack(IReadOnlyList<NDArray> arrays) => Joined("VStack", arrays, Raised(arrays, "VStack", static shape => shape.Rank switch
    {
        0 => (1, 1),
        1 => (1, shape[0]),
        _ => shape,
    }), 0);

    /// <summary>Joins arrays one behind the other, along axis 2; (m, n) counts as (m, n, 1), (n) as (1, n, 1), a scalar as (1, 1, 1).</summary>
    /// <remarks><c>mx.np.dstack</c>, <c>np.dstack</c>, <c>torch.dstack</c>.</remarks>
    /// <exception cref="ShapeException">The list is empty, or ranks or the sizes of other axes differ.</exception>
    public static NDArray DStack(IReadOnlyList<NDArray> arrays) => Joined("DStack", arrays, Raised(arrays, "DStack", static shape => shape.Rank switch
    {
        0 => (1, 1, 1),
        1 => (1, shape[0], 1),
        2 => (shape[0], shape[1], 1),
        _ => shape,
    }), 2);

    /// <summary>Joins arrays along axis 1; (n) counts as the column (n, 1), a scalar as (1, 1).</summary>
    /// <remarks><c>mx.np.column_stack</c>, <c>np.column_stack</c>, <c>torch.column_stack</c>.</remarks>
    /// <exception cref="ShapeException">The list is empty, or ranks or the sizes of other axes differ.</exception>
    public static NDArray ColumnStack(IReadOnlyList<NDArray> arrays) => Joined("ColumnStack", arrays, Raised(arrays, "ColumnStack", static shape => shape.Rank switch
    {
        0 => (1, 1),
        1 => (shape[0], 1),
        _ => shape,
    }), 1);

    private static NDArray[] Raised(IReadOnlyList<NDArray> arrays, string op, Func<Shape, Shape> raise)
    {
        ArgumentNullException.ThrowIfNull(arrays);
        if (arrays.Count == 0) throw new ShapeException($"{op}: the list of arrays is empty.");
        NDArray[] parts = [.. arrays];
        if (System.Array.Exists(parts, static x => x is null)) throw new ArgumentNullException(nameof(arrays));

        // Numbers of the processor go with arrays of a device.
        Device? device = System.Array.Find(parts, static x => x.IsOnGpu)?.Device;
        for (int i = 0; i < parts.Length; i++)
        {
            NDArray x = parts[i];
            if (device is not null && x is { Rank: 0, IsSymbolic: false, IsOnGpu: false }) x = x.To(device);
            Shape raised = raise(x.Shape);
            parts[i] = raised == x.Shape ? x : Reshape(x, raised);
        }

        return parts;
    }

    private static NDArray Joined(string op, IReadOnlyList<NDArray> given, NDArray[] parts, int axis)
    {
        Shape first = parts[0].Shape;
        long size = first[axis];
        for (int i = 1; i < parts.Length; i++)
        {
            Shape shape = parts[i].Shape;
            if (shape.Rank != first.Rank)
                throw new ShapeException($"{op}: arrays 0 and {i}, {given[0].Shape} and {given[i].Shape}, have another number of axes. Reshape or ExpandDims one of them.");
            for (int k = 0; k < first.Rank; k++)
            {
                if (k != axis && shape[k] != first[k])
                    throw new ShapeException($"{op}: arrays 0 and {i}, {given[0].Shape} and {given[i].Shape}, are joined along axis {axis} as {first} and {shape} and differ in axis {k}. Slice, Pad or Reshape one of them.");
            }

            size += shape[axis];
        }

        _ = Errors.Extent(op, size);
        return Concat(parts, axis);
    }
}
