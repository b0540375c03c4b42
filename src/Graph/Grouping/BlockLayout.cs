namespace Fusion;

/// <summary>
/// Whether one kernel, reductions of its results to single numbers (or of their rows to one row), and work on these numbers can run together: the kernel a
/// block at a time, which is reduced at once.
/// </summary>
internal sealed class BlockLayout
{
    // The sums of a row of this length lie beside a piece of the rows in the first-level cache.
    private const long MaxColumns = 2048;

    // Blocks of 256 rows are shared among threads; a large array of fewer rows than some blocks is not left to one of them.
    private const long FewRows = 1024;
    private const long ManyElements = 128 * 1024;

    private readonly HashSet<GraphNode> _leaves;
    private readonly Dictionary<GraphNode, PlanGroup> _partOf = [];
    private readonly HashSet<PlanGroup> _late = [];

    private BlockLayout(List<PlanGroup> parts, HashSet<GraphNode> leaves)
    {
        _leaves = leaves;
        foreach (PlanGroup part in parts)
            foreach (OpNode member in part.Members) _partOf.Add(member, part);
    }

    /// <summary>The kernel.</summary>
    public PlanGroup Kernel { get; private set; } = null!;

    /// <summary>The length of the rows that are reduced to one; 1: all elements are reduced to a number.</summary>
    public long Columns { get; private set; }

    /// <summary>The reductions.</summary>
    public List<OpNode> Folds { get; } = [];

    /// <summary>Work on numbers that the kernel reads.</summary>
    public List<PlanGroup> Before { get; } = [];

    /// <summary>Work on the results of the reductions.</summary>
    public List<PlanGroup> After { get; } = [];

    /// <summary>Members that are passed between stages: they lie in memory.</summary>
    public HashSet<OpNode> Kept { get; } = [];

    /// <summary>The layout, or null when the parts are not of this form.</summary>
    /// <param name="parts">In an order in which they can run.</param>
    /// <param name="leaves">Given values.</param>
    public static BlockLayout? Of(List<PlanGroup> parts, HashSet<GraphNode> leaves)
    {
        if (parts.FindAll(static p => p.Kind == GroupKind.Elementwise && p.Shape.Size > 1) is not [var kernel]) return null;
        BlockLayout layout = new(parts, leaves) { Kernel = kernel };
        foreach (PlanGroup part in parts)
            if (!layout.Add(part)) return null;
        return layout.Folds.Count == 0 ? null : layout;
    }

    /// <summary>The length of the rows that a library call reduces to one, if it does and that can be done block by block; else 0.</summary>
    public static long ColumnsOf(PlanGroup part)
    {
        if (part is not { Kind: GroupKind.Library, Members: [{ Op.Rows.FoldedColumns: { } rule } node] }) return 0;
        long size = node.Inputs[0].Shape.Size;
        long columns = size == 0 ? 0 : rule(node.Inputs[0].Type, node.Attributes);
        return columns is < 2 or > MaxColumns || (size >= ManyElements && size / columns < FewRows) ? 0 : columns;
    }

    private bool Add(PlanGroup part)
    {
        List<GraphNode> own = [.. part.Reads.Select(i => Placement.Root(i, _leaves)).Where(_partOf.ContainsKey)];
        bool isLate = own.Exists(r => _late.Contains(_partOf[r]));
        bool readsKernel = own.Exists(r => ReferenceEquals(_partOf[r], Kernel));
        if (part.Kind == GroupKind.Elementwise)
        {
            if (ReferenceEquals(part, Kernel) ? isLate : readsKernel) return false;
            if (!ReferenceEquals(part, Kernel)) (isLate ? After : Before).Add(part);
            if (isLate) _late.Add(part);
            Kept.UnionWith(own.Cast<OpNode>());
            return true;
        }

        // A reduction of elements, as they lie, to numbers of their type.
        OpNode fold = part.Members[0];
        long columns = RowLayout.FrameOf(part) is { Rows: 1 } ? 1 : ColumnsOf(part);
        if (fold.Op.Rows is not { Fold: not null } || columns == 0 || (Folds.Count > 0 && columns != Columns)) return false;
        GraphNode source = Placement.Root(fold.Inputs[0], _leaves);
        if (!_partOf.TryGetValue(source, out PlanGroup? home) || !ReferenceEquals(home, Kernel) || source.Shape.Size != fold.Inputs[0].Shape.Size) return false;
        if (source.DType != Kernel.LaneType || fold.DType != source.DType) return false;
        if (RowAccess.Of(fold.Inputs[0], fold.Inputs[0].Shape, 0, _leaves) is not { Width: > 1 }) return false;
        Columns = columns;
        Folds.Add(fold);
        _late.Add(part);
        Kept.Add(fold);
        return true;
    }
}
