using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Policy and proof of fusion. Element-wise operators of one shape and one lane type join the groups of their producers, as long as no cycle arises
/// (a group must not need, through somebody outside, what it makes itself) and the named limits hold. Deterministic: operators come in order of id.
/// </summary>
internal sealed class Grouper
{
    /// <summary>Expanded operations per kernel: beyond, the JIT spills registers and then stops optimising.</summary>
    public const int MaxWeight = KernelCompiler.MaxOperators;

    public const int MaxInputs = 24;

    public const int MaxOutputs = 8;

    /// <summary>Random draws per kernel: each has some kilobytes of scratch memory in the first-level cache.</summary>
    public const int MaxDraws = 3;

    private const string NoProducer = "no element-wise producer of the same shape";

    private readonly GroupGraph _graph;
    private readonly NodeSet _set, _inputs;
    private readonly HashSet<GraphNode> _required;
    private readonly GraphFunction _function;
    private readonly bool _fuse;
    private readonly bool _onDevice;
    private readonly IReadOnlyDictionary<OpNode, string> _failed;

    private Grouper(GraphFunction function, bool fuse, IReadOnlyDictionary<OpNode, string> failed, bool onDevice, bool exact)
    {
        _onDevice = onDevice;
        _failed = failed;
        _function = function;
        _fuse = fuse;
        _required = [.. function.Outputs];
        _graph = new GroupGraph(function, exact);
        _set = new NodeSet(_graph.Ids);
        _inputs = new NodeSet(_graph.Ids);
    }

    /// <summary>Cuts a function into launches, in an order in which they can run.</summary>
    /// <param name="function">The function.</param>
    /// <param name="fuse">Otherwise every operator is computed by the library.</param>
    /// <param name="failed">Operators that are not to be compiled, and why.</param>
    /// <param name="onDevice">For an accelerator.</param>
    public static List<PlanGroup> Group(GraphFunction function, bool fuse, IReadOnlyDictionary<OpNode, string>? failed = null, bool onDevice = false)
    {
        failed ??= new Dictionary<OpNode, string>();
        return new Grouper(function, fuse, failed, onDevice, exact: false).Run() ?? new Grouper(function, fuse, failed, onDevice, exact: true).Run()
            ?? throw new InvalidOperationException("The fusion groups form a cycle.");
    }

    /// <summary>An element-wise operator on floating-point numbers (or masks) can join a kernel.</summary>
    public static bool IsFusable(OpNode node)
    {
        if (node.Op.Element is not { } element) return false;
        for (int i = 0; i < node.Inputs.Length; i++)
            if (!element.IsMaskInput(i) && !IsLane(node.Inputs[i].DType)) return false;
        return IsLane(node.DType) || element.IsMask;
    }

    /// <summary>A kernel can make the numbers of this draw itself.</summary>
    private bool IsDrawn(OpNode node) => !_onDevice && node.Shape.Size > 1 && node.Op.Draw?.Source?.Invoke(node.Attributes, node.DType) is not null;

    private static bool IsLane(DType dtype) => dtype is DType.Float32 or DType.Float64;

    // Null when the search for cycles has missed one.
    private List<PlanGroup>? Run()
    {
        if (_fuse && _onDevice) NormGroups.Place(_function, _graph, _required);
        else if (_fuse) CompanionGroups.Place(_function, _graph);
        foreach (OpNode node in _function.Operators)
            if (!_graph.TryGetHome(node, out _)) Place(node);
        foreach (OpNode node in _function.Operators.Where(static n => n.Op.Draw is not null)) PlaceAlone(node);
        List<PlanGroup>? order = _graph.Schedule();
        if (order is null || !_fuse) return order;
        TileGrouper.Merge(_function, _graph, order, _onDevice);
        order = _graph.Schedule();
        if (order is not null && !_onDevice) HalfOperands.Absorb(order, _function);
        return order;
    }

    private void Place(OpNode node)
    {
        if (node.IsView)
        {
            Add(node, new PlanGroup(node.Shape, node.DType) { Kind = GroupKind.View, Reason = "a view: nothing is computed" });
            return;
        }

        if (_failed.TryGetValue(node, out string? failure))
        {
            Add(node, new PlanGroup(node.Shape, node.DType) { Kind = GroupKind.Library, Reason = $"its kernel could not be compiled: {failure}" });
            return;
        }

        if (!_fuse || !(IsFusable(node) || IsDrawn(node)))
        {
            string why = node.Op.Element is not null ? "integer arithmetic runs in the library" : node.Op.View is not null ? "reshaping strided elements copies them" : "computed by the library";
            Add(node, new PlanGroup(node.Shape, node.DType) { Kind = GroupKind.Library, Reason = _fuse ? why : "code cannot be compiled here" });
            return;
        }

        DType? lane = LaneType(node);
        PlanGroup home = new(node.Shape, lane ?? DType.Float32) { Kind = GroupKind.Elementwise, Reason = NoProducer };
        home.Members.Add(node);
        if (KinOf(node) is { } kin && TryJoin(home, kin, lane) is null)
        {
            home = kin;
            _graph.Place(home);
        }

        foreach (GraphNode input in node.Inputs)
        {
            if (!_graph.TryGetHome(input, out PlanGroup? producer) || producer.Kind != GroupKind.Elementwise || ReferenceEquals(producer, home)) continue;
            if (TryJoin(home, producer, lane) is { } reason)
            {
                producer.Reason = reason;
                continue;
            }

            // At once, for all that came along: the next input must find its new group.
            home = producer;
            lane = home.LaneType;
            _graph.Place(home);
        }

        _graph.Place(home);
    }

    // The kernel that has the operator whose work this one repeats.
    private PlanGroup? KinOf(OpNode node) =>
        node.Op.Kin is { } op && _graph.Users(node.Inputs[0]).Find(u => ReferenceEquals(u.Op, op)) is { } kin && _graph.TryGetHome(kin, out PlanGroup? home)
        && home.Kind == GroupKind.Elementwise ? home : null;

    // A draw that no kernel took along.
    private void PlaceAlone(OpNode draw)
    {
        if (_graph.TryGetHome(draw, out PlanGroup? group) && group is { Kind: GroupKind.Elementwise, Members.Count: 1 })
            Add(draw, new PlanGroup(draw.Shape, draw.DType) { Kind = GroupKind.Library, Reason = group.Reason == NoProducer ? "no kernel of its shape reads the numbers" : group.Reason });
    }

    /// <summary>Moves the members of <paramref name="group"/> to <paramref name="producer"/>; returns what forbids it, or null when done.</summary>
    private string? TryJoin(PlanGroup group, PlanGroup producer, DType? lane)
    {
        if (producer.Shape != group.Shape) return $"its consumer has another shape, {group.Shape}";
        bool freeProducer = producer.Members.TrueForAll(static m => LaneType(m) is null);
        if (lane is { } type && type != producer.LaneType && !freeProducer) return $"its consumer computes in {type}";
        if (Weight(producer.Members) + Weight(group.Members) > MaxWeight) return $"the kernel would exceed {MaxWeight} expanded operations";
        List<OpNode> union = [.. producer.Members, .. group.Members];
        NodeSet set = _set.Fill(union);
        if (CountInputs(union, set) > MaxInputs) return $"the kernel would read more than {MaxInputs} arrays";
        if (CountDraws(union) > MaxDraws) return $"the kernel would draw more than {MaxDraws} arrays of random numbers";
        if (CountOutputs(union, set) > MaxOutputs) return $"the kernel would write more than {MaxOutputs} arrays";
        if (_graph.HasCycle(union, set)) return "its consumer also needs a value that is computed from it elsewhere";
        if (freeProducer && lane is not null) producer.LaneType = lane.Value;
        union.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        producer.Members.Clear();
        producer.Members.AddRange(union);
        return null;
    }

    private int CountOutputs(List<OpNode> union, NodeSet set)
    {
        int count = 0;
        foreach (OpNode node in union)
            if (_required.Contains(node) || IsReadOutside(node, set)) count++;
        return count;
    }

    private bool IsReadOutside(OpNode node, NodeSet set)
    {
        foreach (OpNode user in _graph.Users(node))
            if (!set.Contains(user)) return true;
        return false;
    }

    private int CountInputs(List<OpNode> union, NodeSet set)
    {
        _inputs.Clear();
        foreach (OpNode node in union)
            foreach (GraphNode input in node.Inputs)
                if (ConstantNode.IsRead(input) && !set.Contains(input)) _inputs.Add(input);
        int draws = CountDraws(union);
        return _inputs.Count + (draws > 0 ? draws + 1 : 0);
    }

    private static int CountDraws(List<OpNode> union)
    {
        int draws = 0;
        foreach (OpNode node in union)
            if (node.Op.Draw is not null) draws++;
        return draws;
    }

    private static int Weight(List<OpNode> nodes)
    {
        int weight = 0;
        foreach (OpNode node in nodes)
            if (node.Op.Element is { } element) weight += KernelCompiler.Weight(element);
        return weight;
    }

    /// <summary>The type of the numbers in the registers; null for an operator on masks only, which fits both.</summary>
    private static DType? LaneType(OpNode node)
    {
        for (int i = 0; i < node.Inputs.Length; i++)
            if (!node.Op.Element!.IsMaskInput(i)) return node.Inputs[i].DType;
        return IsLane(node.DType) ? node.DType : null;
    }

    private void Add(OpNode node, PlanGroup group)
    {
        group.Members.Add(node);
        _graph.Place(group);
    }
}
