using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// One launch: a group of element-wise operators that become one kernel, or a single operator of the library, or a view; or several such parts that
/// are run together, tile by tile.
/// </summary>
internal sealed class PlanGroup(Shape shape, DType laneType)
{
    private GraphNode[]? _reads;
    private int _before, _after;

    public Shape Shape { get; } = shape;

    /// <summary>Float32 or Float64 for element-wise groups: the numbers that the registers hold.</summary>
    public DType LaneType { get; set; } = laneType;

    public List<OpNode> Members { get; } = [];

    public GroupKind Kind { get; init; }

    /// <summary>How the parts of a launch by rows fit together.</summary>
    public RowLayout? Rows { get; init; }

    /// <summary>How the parts of a kernel with reductions of all its results fit together.</summary>
    public BlockLayout? Blocks { get; init; }

    /// <summary>Members that lie in memory although nobody outside may need them.</summary>
    public IEnumerable<OpNode> Kept => Rows?.Kept ?? Blocks?.Kept ?? [];

    /// <summary>What is run for every tile, in order; empty for a launch of one kernel. Views between the parts are members of the group only.</summary>
    public List<PlanGroup> Parts { get; init; } = [];

    /// <summary>Why the group ends where it does, or why the operator stands alone.</summary>
    public string Reason { get; set; } = string.Empty;

    /// <summary>The values that the members read, and that none of them computes. For a group that no longer grows.</summary>
    public GraphNode[] Reads
    {
        get
        {
            if (_reads is not null) return _reads;
            HashSet<GraphNode> own = [.. Members];
            return _reads = [.. Members.SelectMany(static m => m.Inputs).Where(i => ConstantNode.IsRead(i) && !own.Contains(i)).Distinct()];
        }
    }

    /// <summary>Operands of its kernel for random draws that it makes itself: one each, and the place in the stream.</summary>
    public int StreamOperands => Kind == GroupKind.Elementwise && Members.Count(static m => m.Op.Draw is not null) is > 0 and var draws ? draws + 1 : 0;

    /// <summary>Expanded operations per element of all its members.</summary>
    public int ExpandedWeight => Members.Sum(static m => Weight(m.Op));

    public int FirstId => Members[0].Id;

    public int LastId => Members[^1].Id;

    /// <summary>Expanded operations per element.</summary>
    public static int Weight(Op op) => op.Element is { } element ? KernelCompiler.Weight(element) : op.Draw is null ? 0 : DrawingLoop.DrawWeight;

    /// <summary>While groups are put in order: the reads that are still to be computed.</summary>
    public int Waiting { get; set; }

    /// <summary>True when this search (they are numbered) comes by for the first time in its direction.</summary>
    public bool SeenBy(int search, bool before)
    {
        ref int last = ref before ? ref _before : ref _after;
        if (last == search) return false;
        last = search;
        return true;
    }

    /// <summary>Makes a conversion at its border part of a kernel: see <see cref="HalfOperands"/>.</summary>
    public void Absorb(OpNode conversion)
    {
        Members.Add(conversion);
        Members.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        _reads = null;
    }
}

internal enum GroupKind
{
    /// <summary>A fused kernel.</summary>
    Elementwise,

    /// <summary>A kernel of the library: matrix product, reduction, gather, random numbers …</summary>
    Library,

    /// <summary>Other shape or strides over the same memory: no launch.</summary>
    View,

    /// <summary>A matrix product, and a fused kernel on every part of its result that is finished.</summary>
    MatMul,

    /// <summary>Kernels and library calls on the same rows, a few rows at a time.</summary>
    Rows,

    /// <summary>A fused kernel whose results are reduced to numbers, or their rows to one, block by block; on an accelerator, sums of squares.</summary>
    Reduce,
}
