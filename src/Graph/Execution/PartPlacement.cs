namespace Fusion;

/// <summary>Where a value lies in a larger one.</summary>
/// <param name="Whole">The larger value.</param>
/// <param name="Where">Its place there.</param>
/// <param name="Strides">Its strides; null: its elements lie side by side.</param>
internal sealed record Part(OpNode Whole, SliceAttributes Where, long[]? Strides);

/// <summary>
/// Values that are computed where they belong in a larger one. What is only put together (concatenated, stacked, padded, the gradient of a slice) need not be
/// copied when the launches that compute its parts can write there: all of them into parts without gaps, element-wise kernels and matrix products into rows of
/// wider rows, too. So can what is only moved: elements in an order that no strides reach, such as the heads of an attention beside each other.
/// </summary>
internal sealed class PartPlacement
{
    private const long Register = 64;

    private readonly Dictionary<GraphNode, Part> _parts = [];
    private readonly List<Assembly> _assemblies = [];
    private readonly HashSet<GraphNode> _leaves;
    private readonly HashSet<GraphNode> _fixed;
    private readonly Dictionary<GraphNode, PlanStep> _madeBy = [];
    private readonly ILookup<GraphNode, OpNode> _users;

    private PartPlacement(GraphFunction function, List<PlanStep> steps)
    {
        _leaves = function.Leaves;
        _fixed = [.. function.Outputs.Select(o => Placement.Root(o, _leaves))];
        HashSet<GraphNode> states = [.. function.States.Select(s => Placement.Root(s.Value, _leaves))];
        foreach (PlanStep step in steps)
            foreach (OpNode output in step.Outputs) _madeBy[output] = step;
        List<LibraryStep> wholes = [.. steps.OfType<LibraryStep>().Where(s => IsAssembly(s.Node) && s.Node.Shape.Size > 0 && !states.Contains(s.Node))];
        _users = wholes.Count == 0 ? Array.Empty<OpNode>().ToLookup(static n => (GraphNode)n)
            : function.Operators.SelectMany(static n => n.Inputs, static (n, input) => (n, input)).ToLookup(static p => p.input, static p => p.n);

        // From the last one on: what is itself a part then knows where it lies.
        for (int i = wholes.Count - 1; i >= 0; i--) Divide(wholes[i]);
    }

    /// <summary>The values that lie in larger ones.</summary>
    public IReadOnlyDictionary<GraphNode, Part> Parts => _parts;

    /// <param name="function">The function.</param>
    /// <param name="steps">Its launches, before those of one kernel are joined.</param>
    public static PartPlacement Plan(GraphFunction function, List<PlanStep> steps) => new(function, steps);

    /// <summary>The launch writes rows between which others lie.</summary>
    public bool HasStridedOutput(PlanStep step) => Array.Exists(step.Outputs, o => _parts.TryGetValue(o, out Part? part) && part.Strides is not null);

    /// <summary>The value whose memory a value lies in.</summary>
    public GraphNode Home(GraphNode node)
    {
        GraphNode root = Placement.Root(node, _leaves);
        while (_parts.TryGetValue(root, out Part? part)) root = part.Whole;
        return root;
    }

    /// <summary>Takes out the launches that have nothing to copy; what surrounds a part is filled before it is computed.</summary>
    public void Finish(List<PlanGroup> groups, List<PlanStep> steps)
    {
        if (_assemblies.Count == 0) return;
        Dictionary<PlanStep, int> indices = [];
        Dictionary<PlanGroup, int> groupIndices = [];

        // The first launch that writes to a value that is computed where it belongs: filling may overwrite what it surrounds. Of one that is put together itself,
        // the first of its parts', which run before what is copied to it.
        Dictionary<OpNode, int> firstLaunch = [];
        for (int i = 0; i < groups.Count; i++) groupIndices.Add(groups[i], i);
        for (int i = 0; i < steps.Count; i++)
        {
            indices.Add(steps[i], i);
            foreach (OpNode output in steps[i].Outputs) firstLaunch.TryAdd(output, i);
        }

        // A part that is put together itself comes first: its own launch stays, or its parts' launches are those of the larger value.
        HashSet<PlanStep> removed = [];
        foreach (Assembly assembly in Enumerable.Reverse(_assemblies))
        {
            PlanGroup group = assembly.Step.Group;
            OpNode whole = assembly.Step.Node;
            int at = indices[assembly.Step];
            int producer = firstLaunch[whole] = assembly.Placed.Min(p => firstLaunch[p]);
            if (assembly.Copied.Count > 0)
            {
                steps[at] = new AssemblyStep(group, whole, assembly.Copied, assembly.Fills);
                continue;
            }

            removed.Add(assembly.Step);
            PlanGroup view = new(group.Shape, group.LaneType) { Kind = GroupKind.View, Reason = "its parts are computed where they belong" };
            view.Members.Add(whole);
            groups[groupIndices[group]] = view;
            if (assembly.Fills.Count > 0) steps[producer] = new FilledStep(steps[producer], whole, assembly.Fills);
        }

        steps.RemoveAll(removed.Contains);
    }

    private static bool IsAssembly(OpNode node) =>
        ReferenceEquals(node.Op, OpTable.Concat) || ReferenceEquals(node.Op, OpTable.Unslice) || ReferenceEquals(node.Op, OpTable.Pad) || IsMove(node);

    private static bool IsMove(OpNode node) => ReferenceEquals(node.Op, OpTable.Reshape);

    private void Divide(LibraryStep step)
    {
        OpNode whole = step.Node;
        if (_assemblies.Exists(a => ReferenceEquals(a.Step, step))) return;
        Assembly assembly = new(step);
        if (IsMove(whole))
        {
            if (TryMove(whole) is { } moved) assembly.Placed.Add(moved);
        }
        else if (whole.Attributes is AxisAttributes { Axis: var axis })
        {
            int start = 0;
            foreach (GraphNode input in whole.Inputs)
            {
                SliceAttributes where = Along(whole.Shape, axis, start, input.Shape.Dimensions[axis]);
                start += input.Shape.Dimensions[axis];
                if (input.Shape.Size == 0) continue;
                if (Placement.Root(input, _leaves) is ConstantNode number) assembly.Fills.Add(new Fill(where, number.Value, Outside: false));
                else if (TryPlace(input, whole, where) is { } placed) assembly.Placed.Add(placed);
                else assembly.Copied.Add((input, where));
            }
        }
        else
        {
            (SliceAttributes where, double value) = whole.Attributes is PadAttributes pad ? (pad.Place, pad.Value) : ((SliceAttributes)whole.Attributes!, 0);
            if (whole.Inputs[0].Shape.Size > 0 && TryPlace(whole.Inputs[0], whole, where) is { } placed) assembly.Placed.Add(placed);
            assembly.Fills.Add(new Fill(where, value, Outside: true));
        }

        if (assembly.Placed.Count > 0) _assemblies.Add(assembly);
    }

    // The value that will lie there, if that is possible.
    private OpNode? TryPlace(GraphNode input, OpNode whole, SliceAttributes where) => TryPlace(input, whole, where, throughMoves: true) ?? TryPlace(input, whole, where, throughMoves: false);

    private OpNode? TryPlace(GraphNode input, OpNode whole, SliceAttributes where, bool throughMoves)
    {
        GraphNode node = input;
        List<LibraryStep> moves = [];
        bool alone = IsAlone(input, whole), isMoved = false;
        if (_parts.TryGetValue(whole, out Part? outer) && outer.Strides is not null) return null;
        long[] row = ViewLayout.RowMajor(whole.Shape);
        long[] strides = [.. row.Select((s, i) => s * where.Steps[i])];
        while (node is OpNode view && !_leaves.Contains(node) && (view.IsView || (throughMoves && IsMove(view))))
        {
            if (StridesBehind(view, strides) is not { } before) return null;
            if (!view.IsView)
            {
                if (MakerOf(view) is not LibraryStep move) return null;
                moves.Add(move);
            }

            isMoved |= view.Attributes is PermutationAttributes;
            (node, strides) = (view.Inputs[0], before);
            alone &= IsAlone(node, view);
        }

        if (MakerOf(node) is not { } step) return null;
        OpNode made = (OpNode)node;
        if (Views.Normalize(made.Shape.Dimensions, strides) is { } apart)
        {
            // The others that read it would read rows that lie apart.
            if (!alone || (isMoved && !AreLongRows(made, strides)) || !step.Writes(made, apart)) return null;
            return Add(apart);
        }

        if (moves.Count > 0) return null;

        // Kernels write whole registers: behind the part there must be none, or nothing.
        long start = 0;
        for (int i = 0; i < row.Length; i++) start += where.Starts[i] * row[i];
        long bytes = made.Shape.Size * made.DType.Size, first = start * made.DType.Size, all = whole.Shape.Size * made.DType.Size;
        if (bytes % Register != 0 && (outer is not null || first + Whole(bytes) > Whole(all) || first + bytes < all)) return null;
        return Add(null);

        OpNode Add(long[]? apart)
        {
            _parts.Add(made, new Part(whole, where, apart));
            foreach (LibraryStep move in moves) _assemblies.Add(new Assembly(move) { Placed = { made } });
            return made;
        }
    }

    // The value whose elements in another order are the whole, written in that order.
    private OpNode? TryMove(OpNode whole)
    {
        if (_parts.TryGetValue(whole, out Part? outer) && outer.Strides is not null) return null;
        GraphNode node = whole.Inputs[0];
        OpNode reader = whole;
        long[] strides = new long[node.Shape.Rank];
        if (!Views.TryReshape(whole.Shape.Dimensions, ViewLayout.RowMajor(whole.Shape), node.Shape.Dimensions, strides)) return null;
        while (IsAlone(node, reader) && node is OpNode { IsView: true } view && !_leaves.Contains(view))
        {
            if (StridesBehind(view, strides) is not { } before) return null;
            (reader, node, strides) = (view, view.Inputs[0], before);
        }

        if (!IsAlone(node, reader) || MakerOf(node) is not { } step || !AreLongRows(node, strides)) return null;
        if (Views.Normalize(node.Shape.Dimensions, strides) is not { } apart || !step.Writes((OpNode)node, apart)) return null;
        _parts.Add(node, new Part(whole, Along(whole.Shape, 0, 0, whole.Shape[0]), apart));
        return (OpNode)node;
    }

    // Rows that may be moved as they are computed.
    private static bool AreLongRows(GraphNode node, long[] strides) => node.Shape.Rank > 0 && node.Shape[-1] >= MovementRules.LeastMovedRow && strides[^1] == 1;

    // The strides of what a view sees, from its own; null: there are none.
    private static long[]? StridesBehind(OpNode view, long[] strides)
    {
        Shape shape = view.Inputs[0].Shape;
        long[] before = new long[shape.Rank];
        if (view.Attributes is PermutationAttributes permutation)
            for (int i = 0; i < before.Length; i++) before[permutation.Axes[i]] = strides[i];
        else if (!ReferenceEquals(view.Op, OpTable.Reshape) || !Views.TryReshape(view.Shape.Dimensions, strides, shape.Dimensions, before)) return null;
        return before;
    }

    // The launch that computes a value which may be elsewhere.
    private PlanStep? MakerOf(GraphNode node) => _parts.ContainsKey(node) || _fixed.Contains(node) ? null : _madeBy.GetValueOrDefault(node);

    private static long Whole(long bytes) => (bytes + Register - 1) / Register * Register;

    // Besides the launch that computes it, one operator reads it, once.
    private bool IsAlone(GraphNode node, OpNode reader)
    {
        PlanGroup? home = _madeBy.TryGetValue(node, out PlanStep? step) ? step.Group : null;
        OpNode[] readers = [.. _users[node].Where(u => home is null || !home.Members.Contains(u))];
        return readers is [var only] && ReferenceEquals(only, reader);
    }

    private static SliceAttributes Along(Shape shape, int axis, int start, int count)
    {
        int[] starts = new int[shape.Rank], counts = shape.ToArray(), steps = new int[shape.Rank];
        Array.Fill(steps, 1);
        (starts[axis], counts[axis]) = (start, count);
        return new SliceAttributes(new IntList(starts), new IntList(counts), new IntList(steps), shape);
    }

    private sealed record Assembly(LibraryStep Step)
    {
        public List<OpNode> Placed { get; } = [];

        public List<(GraphNode Source, SliceAttributes Where)> Copied { get; } = [];

        public List<Fill> Fills { get; } = [];
    }
}
