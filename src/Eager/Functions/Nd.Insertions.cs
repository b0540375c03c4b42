namespace Fusion;

// Axes that become longer or shorter: joins and selections with positions that depend on sizes only.
public static partial class Nd
{
    /// <summary>The array without the slice at a position of an axis; a negative position counts from the end.</summary>
    /// <remarks><c>mx.np.delete</c>, <c>np.delete</c>, which flatten the array where no axis is given.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The position is outside the axis.</exception>
    public static NDArray Delete(this NDArray x, int index, int axis = 0) => Delete(x, [index], axis);

    /// <summary>The array without the slices at some positions of an axis, of which each may be named more than once.</summary>
    /// <remarks><c>mx.np.delete</c>, <c>np.delete</c>, which flatten the array where no axis is given.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A position is outside the axis.</exception>
    public static NDArray Delete(this NDArray x, int[] indices, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(indices);
        int at = Checked(x).Shape.Axis(axis, "Delete"), n = x.Shape[at];
        HashSet<int> gone = [];
        foreach (int index in indices)
        {
            if (index < -n || index >= n)
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"Delete: position {index} is outside of axis {axis} of {x.Shape}, whose size is {n}.");
            gone.Add(index < 0 ? index + n : index);
        }

        // What stays lies in runs, of which each is a view.
        List<NDArray> parts = [];
        for (int start = 0; start < n;)
        {
            int end = start;
            while (end < n && !gone.Contains(end)) end++;
            if (end > start) parts.Add(Slice(x, at, start, end));
            start = end + 1;
        }

        return parts.Count switch { 0 => Slice(x, at, 0, 0), 1 => parts[0], _ => Concat(parts, at) };
    }

    /// <summary>
    /// The array with values before a position of an axis, 0 to n; a negative one counts from the end. Values of x's rank may have any size along the axis and
    /// broadcast along the others; those of a lower rank are one slice.
    /// </summary>
    /// <remarks><c>mx.np.insert</c>, <c>np.insert</c> of one position, which flatten the array where no axis is given.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The position is outside.</exception>
    /// <exception cref="ShapeException">The values do not broadcast.</exception>
    public static NDArray Insert(this NDArray x, int position, NDArray values, int axis = 0)
    {
        int at = Checked(x).Shape.Axis(axis, "Insert");
        int place = Inserted(x, position, axis, nameof(position));
        NDArray slices = Slices(x, Checked(values), at, values.Rank == x.Rank ? values.Shape[at] : 1);
        return Concat([Slice(x, at, 0, place), slices, Slice(x, at, place, null)], at);
    }

    /// <summary>The same of several positions, each that of an element of x before which one slice of the values comes, in the given order.</summary>
    /// <remarks><c>mx.np.insert</c>, <c>np.insert</c> of a list of positions.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">A position is outside.</exception>
    /// <exception cref="ShapeException">The values do not broadcast to x's shape with the number of positions along the axis.</exception>
    public static NDArray Insert(this NDArray x, int[] positions, NDArray values, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(positions);
        int at = Checked(x).Shape.Axis(axis, "Insert"), n = x.Shape[at], count = positions.Length;
        int[] places = System.Array.ConvertAll(positions, p => Inserted(x, p, axis, nameof(positions)));
        NDArray joined = Concat([x, Slices(x, Checked(values), at, count)], at);
        int[] order = [.. Enumerable.Range(0, count).OrderBy(i => places[i])], from = Errors.Numbers<int>(Errors.Extent("Insert", (long)n + count));
        for (int i = 0, next = 0, k = 0; i < from.Length; i++)
            from[i] = k < count && places[order[k]] <= next ? n + order[k++] : next++;
        return Take(joined, Table(from, from.Length, joined.Device), at);
    }

    private static int Inserted(NDArray x, int position, int axis, string parameter)
    {
        int n = x.Shape[axis];
        if (position < -n || position > n)
            throw new ArgumentOutOfRangeException(parameter, position, $"Insert: position {position} is outside of axis {axis} of {x.Shape}; it lies between {-n} and {n}.");
        return position < 0 ? position + n : position;
    }

    private static NDArray Slices(NDArray x, NDArray values, int axis, int count)
    {
        int[] sizes = x.Shape.ToArray();
        sizes[axis] = count;
        Shape shape = Shape.Create(sizes);
        if (!Broadcasting.FitsInto(values.Shape, shape)) throw new ShapeException($"Insert: the values {values.Shape} do not broadcast to {shape}, {count} slices of {x.Shape} along axis {axis}. Reshape them.");
        return BroadcastTo(values, shape);
    }
}
