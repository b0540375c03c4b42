using Fusion.Kernels;

namespace Fusion;

/// <summary>A launch by rows, ready to run: its arrays, its tiles and what runs once.</summary>
internal sealed class LoweredRows
{
    // What a tile touches: it fits the second-level cache beside what is fetched for the next one. In the first-level cache (48 KB) every part would find it faster, and
    // every part would begin anew after a page or two, where the processor's streams end: launches on rows of 1,024 floats took 1.1 to 1.3 times as long.
    private const long TileBytes = 192 * 1024;
    private const long MaxTileRows = 1024;

    // Up to this length rows are computed all in one loop, which reads what is repeated along a row or for every row from written-out rows.
    private const long FlatColumns = 128;

    private readonly PlanGroup _group;
    private readonly GraphFunction _function;
    private readonly RowLayout _layout;
    private readonly HashSet<GraphNode> _leaves;
    private readonly HashSet<GraphNode> _written;
    private readonly Dictionary<GraphNode, int> _lastUse = [];
    private readonly TileScratch _scratch;

    public LoweredRows(PlanGroup group, GraphFunction function, HashSet<GraphNode> written)
    {
        _group = group;
        _function = function;
        _layout = group.Rows!;
        _leaves = function.Leaves;
        _written = written;
        Arrays = new LaunchArrays(group, written);
        TileRows = ChooseTileRows();
        _scratch = new TileScratch(TileRows, _layout.Frame);
        for (int i = 0; i < group.Parts.Count; i++)
            foreach (GraphNode input in group.Parts[i].Reads) _lastUse[Placement.Root(input, _leaves)] = i;
        List<int> tiles = [];
        for (int i = 0; i < group.Parts.Count; i++)
        {
            if (_layout.StageOf(i) == PartStage.Tile) tiles.Add(i);
            else (_layout.StageOf(i) == PartStage.Before ? Before : After).Add(Arrays.Nest(group.Parts[i], function, written));
        }

        RowFusion programs = new(group, _leaves, IsReadAfter);
        for (int i = 0; i < tiles.Count;)
        {
            int first = tiles[i];
            (RowProgram? program, RowKernel? kernel, int count) = programs.From(tiles, i);
            if (program is not null) Tiles.Add(Program(program, kernel!));
            else Tiles.Add(group.Parts[first].Kind == GroupKind.Elementwise ? Kernel(first) : _layout.IsSum(first) ? Sum(first) : Call(first));
            _scratch.Release(tiles[i + count - 1]);
            i += count;
        }
    }

    public RowFrame Frame => _layout.Frame;

    public LaunchArrays Arrays { get; }

    public long TileRows { get; }

    public long ScratchBytes => _scratch.Bytes;

    public List<NestedStep> Before { get; } = [];

    public List<TilePart> Tiles { get; } = [];

    /// <summary>The sums over rows that tiles add to.</summary>
    public List<RowSumPlace> Sums { get; } = [];

    /// <summary>Bytes of their sums, of all blocks of rows.</summary>
    public long SumBytes { get; private set; }

    public List<NestedStep> After { get; } = [];

    public List<LoweredKernel> Kernels { get; } = [];

    /// <summary>Several parts in one kernel, and the operators in it.</summary>
    public List<(RowSpec Spec, OpNode[] Members)> Programs { get; } = [];

    /// <summary>What calls refuse: a check of an array with rows of a length.</summary>
    public List<(Action<NDArray, long> Check, int Array)> Checks { get; } = [];

    private KernelPart Kernel(int part)
    {
        PlanGroup group = _group.Parts[part];
        bool perRow = _layout.IsPerRow(part);
        long width = perRow ? 1 : Frame.Columns;
        bool flat = width is > 1 and <= FlatColumns;
        RowAccess Access(GraphNode node) => _layout.Access(part, node)!.Value;
        bool IsScalar(GraphNode node) => Access(node) is { Width: 1 } access && (access.Period == 1 || !(flat || perRow));
        LoweredKernel kernel = LoweredKernel.Lower(group, IsPassedOn, IsScalar, _function);
        Kernels.Add(kernel);
        TileOperand[] operands = [.. kernel.Inputs.Select(i => Read(i, Access(i), IsScalar(i))), .. kernel.Outputs.Select(Write)];
        bool IsExpanded(TileOperand o) => !o.IsScalar && (flat ? !(o.Access.IsOwn(Frame, perRow) && o.Access.IsDense) : perRow && !o.Access.IsDense);
        long[] expanded = Array.ConvertAll(operands, o => IsExpanded(o) ? _scratch.TakeRows(width, o.DType) : -1);
        return new KernelPart(kernel, operands, expanded, width);
    }

    private CallPart Call(int part)
    {
        OpNode node = _group.Parts[part].Members[0];
        RowRule rule = node.Op.Rows!;
        TileOperand[] operands = [.. node.Inputs.Select(i => Read(i, _layout.Access(part, i)!.Value, false)), Write(node)];
        for (int i = 0; i < node.Inputs.Length; i++)
            if (rule.Check is { } check && !node.Inputs[i].DType.IsFloat) Checks.Add(((x, columns) => check(x, columns, node.Attributes), operands[i].Array));
        return new CallPart(node, operands, WrittenOut(operands), Frame.Columns);
    }

    // What a call cannot read where it lies: one element for several rows, and rows that lie apart.
    private long[] WrittenOut(TileOperand[] operands) => Array.ConvertAll(
        operands, o => o.Access.IsDense && (o.Access.Width > 1 || o.Access.IsOwn(Frame, perRow: true)) ? -1 : _scratch.TakeRows(o.Access.Width, o.DType));

    private SumPart Sum(int part)
    {
        OpNode node = _group.Parts[part].Members[0];
        TileOperand[] operands = [.. node.Inputs.Select(i => Read(i, _layout.Access(part, i)!.Value, false))];
        return new SumPart(node, operands, WrittenOut(operands), Place(node), Frame.Columns);
    }

    private RowSumPlace Place(OpNode node)
    {
        RowSumPlace place = new(SumBytes, node.DType, node.Shape.Size, Arrays.Of(node));
        SumBytes += RowSums.BlockCount(Frame.Rows) * place.Bytes;
        Sums.Add(place);
        return place;
    }

    private ProgramPart Program(RowProgram program, RowKernel kernel)
    {
        Programs.Add((program.Spec, program.Members));
        TileOperand[] operands = [.. program.Reads.Select(r => Read(r.Node, r.Access, false)), .. program.Outputs.Select(Write)];
        long[] aligned = Array.ConvertAll(operands, o => Frame.Rows >= RowVectors.ManyRows && o is { Array: >= 0, Access: { Period: 1, Width: > 1 } } ? _scratch.TakeRow(o) : -1);
        return new ProgramPart(kernel, operands, aligned, [.. program.Sums.Select(Place)], Frame.Columns, _scratch.TakeBytes(kernel.ScratchBytes(Frame.Columns)));
    }

    // After this part has run.
    private bool IsReadAfter(OpNode member, int part) => _written.Contains(member) || (_lastUse.TryGetValue(member, out int last) && last > part);

    // Read by another part, or outside.
    private bool IsPassedOn(OpNode member) => _written.Contains(member) || _lastUse.ContainsKey(member);

    private TileOperand Read(GraphNode node, RowAccess access, bool isScalar)
    {
        GraphNode root = Placement.Root(node, _leaves);
        bool own = _layout.PartOf(node) >= 0;
        if (own && !Arrays.IsOutput(root)) return new TileOperand(-1, _scratch[root], access, node.DType, isScalar);
        return new TileOperand(Arrays.Of(own ? root : node), 0, access, node.DType, isScalar);
    }

    private TileOperand Write(OpNode node)
    {
        RowAccess access = new(node.Shape.Size / Frame.Rows, 1, Frame.Rows);
        return Arrays.IsOutput(node)
            ? new TileOperand(Arrays.Of(node), 0, access, node.DType)
            : new TileOperand(-1, _scratch.Take(node, _lastUse[node]), access, node.DType);
    }

    private long ChooseTileRows()
    {
        HashSet<GraphNode> touched = [];
        for (int i = 0; i < _group.Parts.Count; i++)
        {
            if (_layout.StageOf(i) != PartStage.Tile) continue;
            touched.UnionWith(_group.Parts[i].Reads.Select(n => Placement.Root(n, _leaves)));
            touched.UnionWith(_group.Parts[i].Members.Where(_written.Contains));
        }

        long bytes = touched.Sum(static n => n.Shape.Size * n.DType.Size) / Frame.Rows;
        return Math.Clamp(TileBytes / Math.Max(1, bytes), 1, Math.Min(MaxTileRows, Frame.Rows));
    }
}
