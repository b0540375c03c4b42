namespace Fusion.Kernels;

/// <summary>
/// A copy as the fewest axes: innermost where the target is written most closely, merged where both sides allow it, the target's steps positive. Elements are
/// joined to units of up to 16 bytes where all rows of both sides consist of such.
/// </summary>
/// <remarks>As <see cref="CopyPlan"/> does for the processor.</remarks>
internal ref struct DeviceCopyPlan
{
    private const int WidestUnit = 16;

    private readonly Span<long> _sizes;
    private readonly Span<long> _from;
    private readonly Span<long> _to;

    /// <summary>Axes that are left.</summary>
    public int Rank;

    /// <summary>Bytes that are moved as one.</summary>
    public int UnitBytes;

    /// <summary>Where the first element of the source lies, and the lowest that is read, in units.</summary>
    public long FromStart, FromLowest;

    /// <summary>Where the first element of the target lies, in units; none lies lower.</summary>
    public long ToStart;

    /// <param name="fromStart">The first element of the source.</param>
    /// <param name="fromStrides">Its strides in elements, outermost first; none: contiguous.</param>
    /// <param name="toStart">The first element of the target.</param>
    /// <param name="toStrides">As for the source.</param>
    /// <param name="shape">The sizes of the axes, none of them 0.</param>
    /// <param name="elementSize">Bytes of an element; 0: the sides have different types, and are not joined to units.</param>
    /// <param name="scratch">Three numbers an axis.</param>
    public DeviceCopyPlan(
        long fromStart, ReadOnlySpan<long> fromStrides, long toStart, ReadOnlySpan<long> toStrides,
        ReadOnlySpan<int> shape, int elementSize, Span<long> scratch)
    {
        _sizes = scratch[..shape.Length];
        _from = scratch.Slice(shape.Length, shape.Length);
        _to = scratch.Slice(2 * shape.Length, shape.Length);
        (FromStart, ToStart, UnitBytes) = (fromStart, toStart, elementSize);
        long dense = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            if (shape[axis] != 1) Insert(shape[axis], fromStrides.IsEmpty ? dense : fromStrides[axis], toStrides.IsEmpty ? dense : toStrides[axis]);
            dense *= shape[axis];
        }

        Merge();
        if (elementSize > 0) Widen(elementSize);
        FromLowest = FromStart;
        for (int axis = 0; axis < Rank; axis++) FromLowest += (_sizes[axis] - 1) * Math.Min(0, _from[axis]);
    }

    public readonly ReadOnlySpan<long> Sizes => _sizes[..Rank];

    public readonly ReadOnlySpan<long> From => _from[..Rank];

    public readonly ReadOnlySpan<long> To => _to[..Rank];

    /// <summary>Units in all.</summary>
    public readonly long Count
    {
        get
        {
            long count = 1;
            foreach (long size in Sizes) count *= size;
            return count;
        }
    }

    /// <summary>One run of units on both sides.</summary>
    public readonly bool IsDense => Rank == 0 || (Rank == 1 && _from[0] == 1 && _to[0] == 1);

    /// <summary>Units from the lowest to the highest that is read, and that is written.</summary>
    public readonly (long From, long To) Extents
    {
        get
        {
            (long from, long to) = (1, 1);
            for (int axis = 0; axis < Rank; axis++)
            {
                from += (_sizes[axis] - 1) * Math.Abs(_from[axis]);
                to += (_sizes[axis] - 1) * _to[axis];
            }

            return (from, to);
        }
    }

    /// <summary>The axis along which the source is contiguous where the target is not, or −1: from some length on shared memory pays.</summary>
    public readonly int TransposedAxis(int least)
    {
        if (Rank < 2 || _to[0] != 1 || _from[0] is 0 or 1 || _sizes[0] < least) return -1;
        for (int axis = 1; axis < Rank; axis++)
        {
            if (_from[axis] == 1 && _sizes[axis] >= least) return axis;
        }

        return -1;
    }

    /// <summary>The axes from <paramref name="first"/> on, without <paramref name="without"/>, for kernels whose views begin at the lowest units.</summary>
    public readonly DeviceWalk Walk(int first = 0, int without = -1)
    {
        DeviceWalk walk = default;
        Span<DeviceAxis> axes = [default, default, default, default, default, default, default, default];
        long count = 1;
        for (int axis = first; axis < Rank; axis++)
        {
            if (axis == without) continue;
            int size = DeviceGrid.Index(_sizes[axis]);
            axes[walk.Rank++] = new DeviceAxis(new DeviceDivisor(size), (int)_from[axis], (int)_to[axis]);
            count *= size;
        }

        if (walk.Rank == 0) axes[walk.Rank++] = new DeviceAxis(DeviceDivisor.Infinite, 0, 0);
        ref DeviceAxis last = ref axes[walk.Rank - 1];
        last = new DeviceAxis(DeviceDivisor.Infinite, last.From, last.To);
        walk.Count = DeviceGrid.Index(count);
        walk.Start = new DevicePlaces(DeviceGrid.Index(FromStart - FromLowest), 0);
        (walk.Axis0, walk.Axis1, walk.Axis2, walk.Axis3) = (axes[0], axes[1], axes[2], axes[3]);
        (walk.Axis4, walk.Axis5, walk.Axis6, walk.Axis7) = (axes[4], axes[5], axes[6], axes[7]);
        return walk;
    }

    /// <summary>The plan of one index of the outermost axis.</summary>
    public readonly DeviceCopyPlan Inner(long index)
    {
        DeviceCopyPlan inner = this;
        inner.Rank--;
        (long from, long to) = (index * _from[inner.Rank], index * _to[inner.Rank]);
        inner.FromStart += from;
        inner.ToStart += to;
        inner.FromLowest += from - (_sizes[inner.Rank] - 1) * Math.Min(0, _from[inner.Rank]);
        return inner;
    }

    // Insertion by the size of the target's step; axes come innermost first, which settles equal steps.
    private void Insert(long size, long from, long to)
    {
        if (to < 0)
        {
            FromStart += (size - 1) * from;
            ToStart += (size - 1) * to;
            (from, to) = (-from, -to);
        }

        int place = Rank++;
        for (; place > 0 && _to[place - 1] > to; place--)
            (_sizes[place], _from[place], _to[place]) = (_sizes[place - 1], _from[place - 1], _to[place - 1]);
        (_sizes[place], _from[place], _to[place]) = (size, from, to);
    }

    private void Merge()
    {
        int kept = 0;
        for (int axis = 1; axis < Rank; axis++)
        {
            if (_from[axis] == _from[kept] * _sizes[kept] && _to[axis] == _to[kept] * _sizes[kept])
            {
                _sizes[kept] *= _sizes[axis];
                continue;
            }

            kept++;
            (_sizes[kept], _from[kept], _to[kept]) = (_sizes[axis], _from[axis], _to[axis]);
        }

        Rank = Math.Min(Rank, kept + 1);
    }

    private void Widen(int elementSize)
    {
        if (Rank == 0 || _from[0] != 1 || _to[0] != 1) return;
        for (int unit = WidestUnit; unit > elementSize; unit /= 2)
        {
            int elements = unit / elementSize;
            if (!AllDivide(elements)) continue;
            _sizes[0] /= elements;
            for (int axis = 1; axis < Rank; axis++)
            {
                _from[axis] /= elements;
                _to[axis] /= elements;
            }

            FromStart /= elements;
            ToStart /= elements;
            UnitBytes = unit;
            return;
        }
    }

    private readonly bool AllDivide(int elements)
    {
        if (_sizes[0] % elements != 0 || FromStart % elements != 0 || ToStart % elements != 0) return false;
        for (int axis = 1; axis < Rank; axis++)
        {
            if (_from[axis] % elements != 0 || _to[axis] % elements != 0) return false;
        }

        return true;
    }
}
