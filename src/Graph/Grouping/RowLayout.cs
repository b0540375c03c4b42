namespace Fusion;

/// <summary>When a part of a launch by rows runs.</summary>
internal enum PartStage
{
    /// <summary>Before the tiles: numbers that every tile reads.</summary>
    Before,

    /// <summary>For every tile.</summary>
    Tile,

    /// <summary>After the tiles: what is computed from one value per row of all rows.</summary>
    After,
}

/// <summary>
/// Whether kernels and library calls can run together by rows, and how: full arrays have rows × columns elements, others one element a row; each part
/// reads only the rows that it computes.
/// </summary>
internal sealed class RowLayout
{
    // Shorter rows cost more one by one than as one array after the other; a single row may be shorter.
    private const long LeastColumns = 4;

    private readonly List<PlanGroup> _parts;
    private readonly HashSet<GraphNode> _leaves;
    private readonly Dictionary<GraphNode, int> _partOf = [];
    private readonly PartStage[] _stages;

    private readonly bool _onDevice;

    private RowLayout(List<PlanGroup> parts, HashSet<GraphNode> leaves, bool onDevice)
    {
        _onDevice = onDevice;
        _parts = parts;
        _leaves = leaves;
        _stages = new PartStage[parts.Count];
        for (int i = 0; i < parts.Count; i++)
            foreach (OpNode member in parts[i].Members) _partOf.Add(member, i);
    }

    public RowFrame Frame { get; private set; }

    /// <summary>Why not, if not.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Members that are passed between stages: they lie in memory.</summary>
    public HashSet<OpNode> Kept { get; } = [];

    public PartStage StageOf(int part) => _stages[part];

    /// <summary>The part sums over rows: its result is complete after all tiles.</summary>
    public bool IsSum(int part) => _parts[part] is { Kind: GroupKind.Library, Members: [{ Op.Sums: not null }] };

    /// <summary>The rows that a library call works on; none if it does not work by rows.</summary>
    public static RowFrame? FrameOf(PlanGroup part, bool onDevice = false)
    {
        if (part is not { Kind: GroupKind.Library, Members: [var node] }) return null;
        if ((onDevice ? node.Op.Formula?.Columns : node.Op.Rows?.Columns ?? node.Op.Sums?.Columns) is not { } rule) return null;
        long columns = rule(node.Inputs[0].Type, node.Attributes);
        long size = node.Inputs[0].Shape.Size;
        return size == 0 || columns < Math.Min(size, LeastColumns) || columns < 2 ? null : new RowFrame(size / columns, columns);
    }

    /// <param name="parts">In an order in which they can run.</param>
    /// <param name="leaves">Given values.</param>
    /// <param name="onDevice">For a kernel of an accelerator: nothing runs before or after the rows, but each row may do the work on single numbers.</param>
    public static RowLayout Of(List<PlanGroup> parts, HashSet<GraphNode> leaves, bool onDevice = false)
    {
        RowLayout layout = new(parts, leaves, onDevice);
        foreach (PlanGroup part in parts)
            if (FrameOf(part, onDevice) is { } frame && frame.Rows * frame.Columns > layout.Frame.Rows * layout.Frame.Columns) layout.Frame = frame;
        if (layout.Frame.Columns == 0) layout.Refusal = "its consumer reduces other rows";
        for (int i = 0; i < parts.Count && layout.Refusal is null; i++) layout.Refusal = layout.Add(i);
        return layout;
    }

    /// <summary>The part that computes what <paramref name="node"/> sees, or −1 for what is given or computed elsewhere.</summary>
    public int PartOf(GraphNode node) => _partOf.GetValueOrDefault(Placement.Root(node, _leaves), -1);

    /// <summary>The part computes one element a row.</summary>
    public bool IsPerRow(int part) => _parts[part].Kind == GroupKind.Elementwise && Frame.Split(_parts[part].Shape) < 0;

    /// <summary>The value has one element a row, not whole rows.</summary>
    public bool HasOnePerRow(GraphNode root) => root.Shape.Size == Frame.Rows;

    /// <summary>How a part of the tiles reads a value.</summary>
    public RowAccess? Access(int part, GraphNode node) => AccessOf(part, node) is { } access && (access.IsDense || !_onDevice) ? access : null;

    private RowAccess? AccessOf(int part, GraphNode node)
    {
        if (_parts[part].Kind != GroupKind.Elementwise)
        {
            // A library call reads whole rows, one element a row, or one row for all.
            if (IsVector(_parts[part].Members[0], node)) return RowAccess.Of(node, node.Shape, 0, _leaves);
            int rows = Frame.Split(node.Shape);
            return rows >= 0 || node.Shape.Size == Frame.Rows ? RowAccess.Of(node, node.Shape, rows >= 0 ? rows : node.Shape.Rank, _leaves) : null;
        }

        Shape shape = _parts[part].Shape;
        int axis = Frame.Split(shape);
        return RowAccess.Of(node, shape, axis >= 0 ? axis : shape.Rank, _leaves);
    }

    private bool IsVector(OpNode call, GraphNode node) => _onDevice
        ? Frame.Rows > 1 && node.Shape.Rank == 1 && node.Shape.Size == Frame.Columns
        : Array.IndexOf(call.Inputs, node) >= call.Op.Rows?.FirstVector;

    private string? Add(int part)
    {
        PlanGroup group = _parts[part];
        bool depends = false;
        bool late = false;
        foreach (GraphNode input in group.Reads)
        {
            if (PartOf(input) is not (>= 0 and int from) || _stages[from] == PartStage.Before) continue;
            depends = true;
            late |= _stages[from] == PartStage.After || IsSum(from);
        }

        bool isRowCall = group.Kind == GroupKind.Library && FrameOf(group, _onDevice) == Frame;
        bool isNumber = group.Shape.Size == 1 && Frame.Rows > 1;
        bool isTile = isRowCall || (group.Kind == GroupKind.Elementwise && !isNumber && (Frame.Split(group.Shape) >= 0 || group.Shape.Size == Frame.Rows));
        _stages[part] = isTile && !late ? PartStage.Tile : depends ? PartStage.After : PartStage.Before;
        string? refusal = _stages[part] switch
        {
            PartStage.Tile => RefuseTile(part),
            PartStage.After when _onDevice => "its consumer needs all rows first",
            PartStage.After when late && isTile => "its consumer needs all rows first",
            PartStage.After when group.Shape.Size <= Frame.Rows && group.Reads.All(IsAtMostOnePerRow) => null,
            PartStage.After => group.Kind == GroupKind.Library ? "its consumer works on other rows" : $"its consumer has another shape, {group.Shape}",
            _ => isNumber && group.Kind == GroupKind.Elementwise ? null : $"its consumer has another shape than {group.Shape}",
        };
        if (refusal is not null) return refusal;
        foreach (GraphNode input in group.Reads)
        {
            if (_onDevice || PartOf(input) is not (>= 0 and int from) || (_stages[from] == PartStage.Tile && _stages[part] == PartStage.Tile)) continue;
            Kept.Add((OpNode)Placement.Root(input, _leaves));
        }

        return null;
    }

    private bool IsAtMostOnePerRow(GraphNode input) => PartOf(input) < 0 || input.Shape.Size == 1 || HasOnePerRow(Placement.Root(input, _leaves));

    private string? RefuseTile(int part)
    {
        PlanGroup group = _parts[part];
        bool isCall = group.Kind == GroupKind.Library;
        foreach (GraphNode input in group.Reads)
        {
            if (Access(part, input) is not { } access) return "another operand of its consumer is strided";
            if (isCall && Frame.Split(input.Shape) >= 0 && !access.IsOwn(Frame, perRow: false)) return "its consumer needs rows of its own";
            if (PartOf(input) is not (>= 0 and int from) || _stages[from] != PartStage.Tile) continue;
            if (isCall && group.Members[0].Op.Rows?.Check is not null && !input.DType.IsFloat) return "its consumer checks a value that is computed beside it";
            if (!access.IsOwn(Frame, HasOnePerRow(Placement.Root(input, _leaves)))) return "its consumer reads other rows";
        }

        return null;
    }
}
