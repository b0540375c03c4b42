namespace Fusion;

/// <summary>
/// An index expression resolved against a shape: the part it selects, all axes kept, and the shape that remains when positions drop their axis and
/// new axes are added.
/// </summary>
internal readonly struct IndexPlan
{
    private readonly int[] _starts;
    private readonly int[] _counts;

    // Per axis of the result: the axis of the array it comes from, or −1 for a new one.
    private readonly List<int> _origins;

    private readonly Shape _full;

    public IndexPlan(ReadOnlySpan<AxisIndex> index, Shape shape)
    {
        int named = CountAxes(index, shape, out bool hasEllipsis);
        _full = shape;
        _starts = new int[shape.Rank];
        _counts = shape.ToArray();
        _origins = new List<int>(shape.Rank);
        int axis = 0;
        foreach (AxisIndex item in index)
        {
            switch (item.Kind)
            {
                case AxisIndexKind.NewAxis:
                    _origins.Add(-1);
                    break;
                case AxisIndexKind.Ellipsis:
                    for (int rest = shape.Rank - named; rest > 0; rest--) _origins.Add(axis++);
                    break;
                case AxisIndexKind.Range:
                    (_starts[axis], _counts[axis]) = Resolve(item.Range, axis, shape);
                    _origins.Add(axis++);
                    break;
                default:
                    (_starts[axis], _counts[axis]) = (Resolve(item.Position, axis, shape), 1);
                    axis++;
                    break;
            }
        }

        if (!hasEllipsis)
            while (axis < shape.Rank) _origins.Add(axis++);
    }

    /// <summary>The selected part, with all axes.</summary>
    public SliceAttributes Slice
    {
        get
        {
            int[] steps = new int[_starts.Length];
            Array.Fill(steps, 1);
            return new SliceAttributes(new IntList(_starts), new IntList(_counts), new IntList(steps), _full);
        }
    }

    public bool SelectsAll => _full.Dimensions.SequenceEqual(_counts);

    /// <summary>The axes are those of the array: nothing to drop or add.</summary>
    public bool KeepsAxes
    {
        get
        {
            if (_origins.Count != _counts.Length) return false;
            for (int i = 0; i < _origins.Count; i++)
                if (_origins[i] != i) return false;
            return true;
        }
    }

    public Shape Result
    {
        get
        {
            int[] sizes = new int[_origins.Count];
            for (int i = 0; i < sizes.Length; i++) sizes[i] = _origins[i] < 0 ? 1 : _counts[_origins[i]];
            return Shape.Own(sizes);
        }
    }

    /// <summary>The selected elements of an array of the plan's shape, in its own storage and without marking it shared: a target to write to.</summary>
    public NDArray Window(NDArray array)
    {
        Span<long> strides = stackalloc long[array.Rank];
        array.CopyStrides(strides);
        long offset = array.Offset;
        for (int i = 0; i < strides.Length; i++) offset += _starts[i] * strides[i];
        long[] selected = new long[_origins.Count];
        for (int i = 0; i < selected.Length; i++) selected[i] = _origins[i] < 0 ? 0 : strides[_origins[i]];
        return new NDArray(array.Storage, array.DType, Result, offset, selected);
    }

    /// <summary>The array with the selected elements replaced by a value that broadcasts to <see cref="Result"/>: a write in place as a function.</summary>
    public NDArray Replace(NDArray array, NDArray value)
    {
        SliceAttributes slice = Slice;
        return OpTable.WriteSlice.Apply(array, Nd.Reshape(Nd.BroadcastTo(value, Result), slice.Counts.Span.ToArray()), slice);
    }

    private static int CountAxes(ReadOnlySpan<AxisIndex> index, Shape shape, out bool hasEllipsis)
    {
        int named = 0;
        hasEllipsis = false;
        foreach (AxisIndex item in index)
        {
            if (item.Kind == AxisIndexKind.Ellipsis)
            {
                if (hasEllipsis) throw new ArgumentException("An index has at most one AxisIndex.Ellipsis: two would not say which axes each stands for.", nameof(index));
                hasEllipsis = true;
            }
            else if (item.Kind != AxisIndexKind.NewAxis)
            {
                named++;
            }
        }

        return named <= shape.Rank ? named : throw Errors.TooManyIndices(named, shape);
    }

    private static int Resolve(Index position, int axis, Shape shape)
    {
        int size = shape.Dimensions[axis];
        int i = position.GetOffset(size);
        return (uint)i < (uint)size ? i : throw Errors.IndexOutOfRange(position, axis, shape);
    }

    private static (int Start, int Count) Resolve(Range range, int axis, Shape shape)
    {
        int size = shape.Dimensions[axis];
        int start = range.Start.GetOffset(size);
        int end = range.End.GetOffset(size);
        if ((uint)end > (uint)size || (uint)start > (uint)end)
            throw new ArgumentOutOfRangeException(nameof(range), range, $"The range {range} does not lie within axis {axis} of size {size}, shape {shape}. Slice clamps instead.");
        return (start, end - start);
    }
}
