using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// A copy as panels of two axes inside a loop over the others: axes sorted so that the destination is written as contiguously as possible, merged
/// where both sides allow it. The second axis of a panel is the one along which the source is contiguous, if that is not the first.
/// </summary>
internal unsafe struct CopyPlan
{
    private const long RowElements = 32 * 1024;
    private const long LeastDepth = 4; // of a transpose: below, most of a block in registers is thrown away

    private readonly nint _source;
    private readonly nint _destination;
    private readonly int _elementSize;
    private readonly int _rank;

    // Innermost first: axes 0 and 1 are the panel's; there are always two.
    private readonly long* _dimensions;
    private readonly long* _from;
    private readonly long* _to;
    private readonly long _tile0;
    private readonly long _tile1;
    private readonly long _tiles0;
    private readonly long _tiles1;

    /// <summary>Elements.</summary>
    public readonly long Size;

    /// <summary>Tiles of all panels: what can be done independently.</summary>
    public readonly long Units;

    /// <summary><paramref name="axes"/> has room for three values an axis and two axes more.</summary>
    public CopyPlan(nint source, long* sourceStrides, nint destination, long* destinationStrides, ReadOnlySpan<int> shape, int elementSize, long* axes)
    {
        _source = source;
        _destination = destination;
        _elementSize = elementSize;
        _dimensions = axes;
        _from = axes + shape.Length + 2;
        _to = _from + shape.Length + 2;
        Size = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            long size = shape[axis];
            long from = sourceStrides == null ? Size : sourceStrides[axis], to = destinationStrides == null ? Size : destinationStrides[axis];
            Size *= size;
            if (size <= 1) continue;
            if (Math.Abs(from) == 1 && Math.Abs(to) != 1 ? from < 0 : to < 0)
            {
                // From the other end: the destination is written forwards, and a transposed source is read forwards.
                _source += (nint)((size - 1) * from * elementSize);
                _destination += (nint)((size - 1) * to * elementSize);
                (from, to) = (-from, -to);
            }
            Insert(ref _rank, size, from, to);
        }
        if (Size == 0) return;
        Merge(ref _rank);
        for (; _rank < 2; _rank++) (_dimensions[_rank], _from[_rank], _to[_rank]) = (1, 0, 0);
        PlacePanelAxis();

        bool transposes = _from[1] == 1 && _to[0] == 1 && _from[0] is not (0 or -1);
        _tile0 = Math.Min(_dimensions[0], transposes ? 512 : RowElements);
        _tile1 = Math.Min(_dimensions[1], transposes ? 64 : Math.Max(1, RowElements / _tile0));
        _tiles0 = (_dimensions[0] + _tile0 - 1) / _tile0;
        _tiles1 = (_dimensions[1] + _tile1 - 1) / _tile1;
        Units = _tiles0 * _tiles1;
        for (int d = 2; d < _rank; d++) Units *= _dimensions[d];
    }

    /// <summary>Copies a range of units.</summary>
    [SkipLocalsInit]
    public readonly void Run(long begin, long end)
    {
        long* index = stackalloc long[_rank];
        long from = 0, to = 0, rest = begin;
        for (int d = 0; d < _rank; d++)
        {
            (rest, index[d]) = Math.DivRem(rest, Count(d));
            from += index[d] * Step(d) * _from[d];
            to += index[d] * Step(d) * _to[d];
        }
        var panel = new CopyPanel { FromColumn = _from[0], FromRow = _from[1], ToColumn = _to[0], ToRow = _to[1] };
        for (long unit = begin; unit < end; unit++)
        {
            panel.Columns = Math.Min(_tile0, _dimensions[0] - (index[0] * _tile0));
            panel.Rows = Math.Min(_tile1, _dimensions[1] - (index[1] * _tile1));
            panel.Run(_source + (nint)(from * _elementSize), _destination + (nint)(to * _elementSize), _elementSize);
            for (int d = 0; d < _rank; d++)
            {
                from += Step(d) * _from[d];
                to += Step(d) * _to[d];
                if (++index[d] < Count(d)) break;
                from -= index[d] * Step(d) * _from[d];
                to -= index[d] * Step(d) * _to[d];
                index[d] = 0;
            }
        }
    }

    // Units along an axis, and elements of it that one covers.
    private readonly long Count(int d) => d == 0 ? _tiles0 : d == 1 ? _tiles1 : _dimensions[d];

    private readonly long Step(int d) => d == 0 ? _tile0 : d == 1 ? _tile1 : 1;

    // Insertion by the size of the destination's step; axes come innermost first, which settles equal steps.
    private readonly void Insert(ref int rank, long size, long from, long to)
    {
        int place = rank++;
        for (; place > 0 && Math.Abs(_to[place - 1]) > Math.Abs(to); place--)
        {
            (_dimensions[place], _from[place], _to[place]) = (_dimensions[place - 1], _from[place - 1], _to[place - 1]);
        }
        (_dimensions[place], _from[place], _to[place]) = (size, from, to);
    }

    private readonly void Merge(ref int rank)
    {
        int kept = 0;
        for (int d = 1; d < rank; d++)
        {
            if (_from[d] == _from[kept] * _dimensions[kept] && _to[d] == _to[kept] * _dimensions[kept])
            {
                _dimensions[kept] *= _dimensions[d];
                continue;
            }
            kept++;
            (_dimensions[kept], _from[kept], _to[kept]) = (_dimensions[d], _from[d], _to[d]);
        }
        rank = Math.Min(rank, kept + 1);
    }

    private readonly void PlacePanelAxis()
    {
        if (_from[0] is 0 or 1 or -1 or 2) return;
        for (int d = 2; d < _rank; d++)
        {
            if (_from[d] != 1 || _dimensions[d] < LeastDepth) continue;
            (_dimensions[1], _dimensions[d]) = (_dimensions[d], _dimensions[1]);
            (_from[1], _from[d]) = (_from[d], _from[1]);
            (_to[1], _to[d]) = (_to[d], _to[1]);
            return;
        }
    }
}
