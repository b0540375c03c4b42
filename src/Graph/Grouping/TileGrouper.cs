using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The second level of fusion: kernels and library calls that work on the same rows are run together, tile by tile, so that what passes between them
/// stays in the cache. The parts remain the kernels they are; hence the same bits.
/// </summary>
internal sealed class TileGrouper
{
    /// <summary>Bytes of all rows that are open at a time, so that they stay in the second-level cache.</summary>
    public const long MaxRowBytes = 256 * 1024;

    public const int MaxArrays = 32;

    // With fewer rows than this the threads share out the elements of a large array better one by one.
    private const long FewRows = 8;
    private const long ManyElements = 64 * 1024;
    private const int MaxSweeps = 4;

    // A group of threads of an accelerator works on a row: few long rows leave most of it idle.
    private const long ManyElementsOfDevice = 16 * 1024;
    private const string Cycle = "its consumer also needs a value that is computed from it elsewhere";

    private readonly GroupGraph _graph;
    private readonly List<PlanGroup> _order;
    private readonly Dictionary<PlanGroup, int> _position = [];
    private readonly HashSet<GraphNode> _leaves;
    private readonly HashSet<GraphNode> _required;
    private readonly HashSet<(PlanGroup, PlanGroup)> _refused = [];

    private readonly bool _onDevice;
    private readonly NodeSet _members, _arrays, _seen;
    private readonly List<GraphNode> _open = [];

    private TileGrouper(GraphFunction function, GroupGraph graph, List<PlanGroup> order, bool onDevice)
    {
        _graph = graph;
        _onDevice = onDevice;
        _order = order;
        for (int i = 0; i < _order.Count; i++) _position.Add(_order[i], i);
        _leaves = function.Leaves;
        _required = [.. function.Outputs];
        _members = new NodeSet(graph.Ids);
        _arrays = new NodeSet(graph.Ids);
        _seen = new NodeSet(graph.Ids);
    }

    public static void Merge(GraphFunction function, GroupGraph graph, List<PlanGroup> order, bool onDevice)
    {
        TileGrouper grouper = new(function, graph, order, onDevice);
        foreach (PlanGroup group in grouper._order)
            if (group.Kind == GroupKind.Elementwise) grouper.JoinProduct(group);
        if (!grouper._order.Exists(grouper.IsAnchor)) return;
        for (int sweep = 0; sweep < MaxSweeps && (grouper.Sweep() || grouper.JoinReaders()); sweep++) { }
        foreach (PlanGroup part in grouper._order) grouper.Write(part);
    }

    // A call of the processor that is alone is a launch by rows, too, where that has a kernel of its own.
    private void Write(PlanGroup part)
    {
        if (_onDevice || !KernelCompiler.IsAvailable || part.Members is not [{ Op: { Rows: { Fold: null } } or { Sums: not null } }] || !HasRowKernel(part)) return;
        if (!_graph.TryGetHome(part.Members[0], out PlanGroup? launch) || !ReferenceEquals(launch, part)) return;
        RowLayout layout = RowLayout.Of([part], _leaves);
        if (layout.Refusal is null && RowRefusal(layout, [part]) is null) Combine(GroupKind.Rows, [part], [], Works(layout), rows: layout);
    }

    private static bool HasRowKernel(PlanGroup part) => RowLayout.FrameOf(part) is { } frame && RowFusion.Takes(frame);

    private static string Works(RowLayout layout) => $"works on rows of {layout.Frame.Columns} elements";

    /// <summary>Every part tries to join the launches of what it reads; true when one did.</summary>
    private bool Sweep()
    {
        bool joined = false;
        foreach (PlanGroup part in _order)
        {
            if (part.Kind == GroupKind.View) continue;
            foreach (GraphNode input in part.Reads)
            {
                if (!_graph.TryGetHome(Source(input, []), out PlanGroup? producer) || !_graph.TryGetHome(part.Members[0], out PlanGroup? consumer)) continue;
                if (!IsRowWork(producer) || !IsRowWork(consumer)) continue;
                if (producer.Parts.Count + consumer.Parts.Count == 0 && !IsAnchor(producer) && !IsAnchor(consumer)) continue;
                joined |= Join(producer, consumer);
            }
        }

        return joined;
    }

    /// <summary>Launches by rows that read the same rows become one, where their work becomes one kernel; true when some did.</summary>
    private bool JoinReaders()
    {
        if (_onDevice || !KernelCompiler.IsAvailable) return false;
        Dictionary<GraphNode, PlanGroup> readers = [];
        bool joined = false;
        foreach (PlanGroup part in _order)
        {
            if (!HasRowKernel(part)) continue;
            foreach (GraphNode input in part.Reads)
            {
                if (input.Shape.Size != part.Members[0].Inputs[0].Shape.Size) continue;
                GraphNode root = Placement.Root(input, _leaves);
                if (readers.TryGetValue(root, out PlanGroup? earlier)) joined |= LaunchOf(earlier) is { } first && LaunchOf(part) is { } second && Join(first, second);
                else readers.Add(root, part);
            }
        }

        return joined;

        PlanGroup? LaunchOf(PlanGroup part) => _graph.TryGetHome(part.Members[0], out PlanGroup? launch) && launch.Kind is GroupKind.Rows or GroupKind.Library ? launch : null;
    }

    /// <summary>Makes one launch of two, unless something is against it.</summary>
    private bool Join(PlanGroup producer, PlanGroup consumer)
    {
        if (ReferenceEquals(producer, consumer) || _refused.Contains((producer, consumer))) return false;
        List<PlanGroup> parts = [.. Parts(producer), .. Parts(consumer)];
        parts.Sort((a, b) => _position[a].CompareTo(_position[b]));
        RowLayout layout = RowLayout.Of(parts, _leaves, _onDevice);
        BlockLayout? blocks = _onDevice ? null : BlockLayout.Of(parts, _leaves);
        List<OpNode> views = ViewsBetween(parts);
        if ((blocks is null ? layout.Refusal ?? RowRefusal(layout, parts) : null) is { } reason || (reason = Refusal(parts, views)) is not null)
        {
            producer.Reason = reason;
            _refused.Add((producer, consumer));
            return false;
        }

        if (blocks is null) Combine(GroupKind.Rows, parts, views, Works(layout), rows: layout);
        else Combine(GroupKind.Reduce, parts, views, "reduces the results of its kernel as they are computed", blocks: blocks);
        return true;
    }

    private string? RowRefusal(RowLayout layout, List<PlanGroup> parts)
    {
        (long rows, long columns) = layout.Frame;
        if (rows < FewRows && rows * columns >= (_onDevice ? ManyElementsOfDevice : ManyElements)) return $"{rows} rows are too few to be shared among threads";
        long bytes = 0;
        foreach (GraphNode open in OpenValues(parts)) bytes += open.Shape.Size * open.DType.Size / rows;
        if (bytes > MaxRowBytes) return $"a row of everything would exceed {MaxRowBytes / 1024} KB";
        return _onDevice ? LoweredDeviceRows.Refusal(parts, layout, _leaves, parts.SelectMany(static p => p.Members).Where(m => IsNeededOutside(m, parts))) : null;
    }

    private bool IsNeededOutside(OpNode member, List<PlanGroup> parts) =>
        _required.Contains(member) || _graph.Users(member).Exists(u => !parts.Exists(p => p.Members.Contains(u)));

    private string? Refusal(List<PlanGroup> parts, List<OpNode> views)
    {
        if (ArrayCount(parts) > MaxArrays) return $"the launch would read and write more than {MaxArrays} arrays";
        List<OpNode> union = [.. views];
        foreach (PlanGroup part in parts) union.AddRange(part.Members);
        return _graph.HasCycle(union, _members.Fill(union)) ? Cycle : null;
    }

    // What is read through several views is an array for each of them.
    private int ArrayCount(List<PlanGroup> parts)
    {
        int count = 0;
        foreach (GraphNode open in OpenValues(parts))
            if (_members.Contains(open)) count++;
        foreach (PlanGroup part in parts)
        {
            count += part.StreamOperands;
            foreach (GraphNode read in part.Reads)
                if (!(_members.Contains(read) && _arrays.Contains(read)) && _seen.Add(read)) count++;
        }

        return count;
    }

    /// <summary>What the parts read, from each other too, and what others need of them. Their members are in the set of members then, the values in that of arrays.</summary>
    private List<GraphNode> OpenValues(List<PlanGroup> parts)
    {
        FillMembers(parts);
        _arrays.Clear();
        _seen.Clear();
        _open.Clear();
        foreach (PlanGroup part in parts)
        {
            foreach (GraphNode read in part.Reads)
                if (Placement.Root(read, _leaves) is var root && _arrays.Add(root)) _open.Add(root);
        }

        foreach (PlanGroup part in parts)
        {
            foreach (OpNode member in part.Members)
                if ((_required.Contains(member) || IsReadOutside(member)) && _arrays.Add(member)) _open.Add(member);
        }

        return _open;
    }

    private bool IsReadOutside(OpNode member)
    {
        foreach (OpNode user in _graph.Users(member))
            if (!_members.Contains(user)) return true;
        return false;
    }

    private void FillMembers(List<PlanGroup> parts)
    {
        _members.Clear();
        foreach (PlanGroup part in parts)
            foreach (OpNode member in part.Members) _members.Add(member);
    }

    /// <summary>The views through which parts read each other.</summary>
    private List<OpNode> ViewsBetween(List<PlanGroup> parts)
    {
        FillMembers(parts);
        _seen.Clear();
        List<OpNode> views = [];
        foreach (PlanGroup part in parts)
        {
            foreach (GraphNode input in part.Reads)
            {
                if (!_members.Contains(Placement.Root(input, _leaves))) continue;
                for (GraphNode node = input; !_members.Contains(node); node = node.Inputs[0])
                    if (_seen.Add(node)) views.Add((OpNode)node);
            }
        }

        return views;
    }

    private bool IsRowWork(PlanGroup group) => group.Kind is GroupKind.Elementwise or GroupKind.Rows || (group.Kind == GroupKind.Reduce && !_onDevice) || IsAnchor(group);

    private bool IsAnchor(PlanGroup group) => RowLayout.FrameOf(group, _onDevice) is not null || (!_onDevice && BlockLayout.ColumnsOf(group) > 0);

    private static List<PlanGroup> Parts(PlanGroup group) => group.Parts.Count == 0 ? [group] : group.Parts;

    /// <summary>A kernel joins the matrix product that it reads.</summary>
    private void JoinProduct(PlanGroup kernel)
    {
        foreach (OpNode member in kernel.Members)
        {
            foreach (GraphNode input in member.Inputs)
            {
                List<OpNode> views = [];
                if (!_graph.TryGetHome(Source(input, views), out PlanGroup? product)) continue;
                if (product is not { Kind: GroupKind.Library, Members: [{ Op.Product: not null } node] }) continue;
                if (ProductRefusal(kernel, node, input, views) is { } reason)
                {
                    product.Reason = reason;
                    continue;
                }

                Combine(GroupKind.MatMul, [product, kernel], views, "its kernel runs on every finished part of the product");
                return;
            }
        }
    }

    private string? ProductRefusal(PlanGroup kernel, OpNode product, GraphNode seen, List<OpNode> views)
    {
        RowFrame frame = RowFrame.OfProduct(product);
        if (product.Shape.Size == 0) return "its result is empty";
        int axis = frame.Split(kernel.Shape);
        RowAccess? own = axis < 0 ? null : RowAccess.Of(seen, kernel.Shape, axis, _leaves);
        if (own?.IsOwn(frame, perRow: frame.Columns == 1) != true) return $"its consumer has another shape, {kernel.Shape}";
        if (kernel.LaneType != product.DType) return $"its consumer computes in {kernel.LaneType}";
        if (kernel.Reads.Any(i => RowAccess.Of(i, kernel.Shape, axis, _leaves) is not { } access || (_onDevice && !access.IsDense))) return "another operand of its consumer is strided";
        if (_onDevice && kernel.Reads.Count(i => !ReferenceEquals(Source(i, []), product)) + kernel.Members.Count(m => IsNeededOutside(m, [kernel])) > ProductOperands.Max)
            return $"with its consumer the product would have more than {ProductOperands.Max} operands on an accelerator";
        List<OpNode> union = [product, .. views, .. kernel.Members];

        // The product itself lies where a result of its type goes.
        if (!union.Exists(m => m.DType == product.DType && m.Op.View is null && IsWritten(m))) return "its consumer writes only masks";
        return _graph.HasCycle(union, _members.Fill(union)) ? Cycle : null;

        bool IsWritten(OpNode member) => _required.Contains(member) || _graph.Users(member).Exists(u => !union.Contains(u));
    }

    private void Combine(GroupKind kind, List<PlanGroup> parts, List<OpNode> views, string reason, RowLayout? rows = null, BlockLayout? blocks = null)
    {
        Shape shape = parts.MaxBy(static p => p.Shape.Size)!.Shape;
        PlanGroup group = new(shape, parts[^1].LaneType) { Kind = kind, Parts = parts, Rows = rows, Blocks = blocks, Reason = reason };
        group.Members.AddRange(parts.SelectMany(static p => p.Members).Concat(views).OrderBy(static m => m.Id));
        _graph.Place(group);
    }

    /// <summary>The value behind reshapes and broadcasts that cost nothing, and these.</summary>
    private GraphNode Source(GraphNode node, List<OpNode> views)
    {
        while (node is OpNode { IsView: true } view && _graph.TryGetHome(view, out _))
        {
            views.Add(view);
            node = view.Inputs[0];
        }

        return node;
    }
}
