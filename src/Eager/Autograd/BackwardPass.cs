namespace Fusion;

/// <summary>
/// One walk over the tape, from the heads by falling sequence number, so that every node has all its gradients when it is reached. A heap holds the
/// frontier; nothing recurses. The gradient rules run through the dispatcher like any other code, recorded when the caller wants higher orders.
/// </summary>
internal sealed class BackwardPass(bool createGraph, bool retainGraph, bool? trainMode)
{
    private const int LeastStretched = 4096;

    private readonly Dictionary<TapeNode, GradientSlot[]> _pending = new(ReferenceEqualityComparer.Instance);
    private readonly PriorityQueue<TapeNode, long> _frontier = new();
    private readonly Dictionary<Variable, GradientSlot> _leaves = new(ReferenceEqualityComparer.Instance);
    private readonly List<Variable> _leafOrder = [];
    private GradientTargets? _targets;
    private bool _isHandedOver;

    /// <summary>The training flag of every rule; null: that of the tape.</summary>
    public bool? TrainMode => trainMode;

    /// <summary>Gives the heads their gradients. A head that was recorded and depends on no variable adds nothing if it is allowed, and is an error otherwise.</summary>
    public void AddHeads(IReadOnlyList<NDArray> heads, IReadOnlyList<NDArray?>? headGradients, bool allowConstants = false)
    {
        ArgumentNullException.ThrowIfNull(heads);
        if (heads.Count == 0) throw new ArgumentException("Backward: there is no head.", nameof(heads));
        if (headGradients is not null && headGradients.Count != heads.Count)
            throw new ArgumentException($"Backward: {heads.Count} heads and {headGradients.Count} head gradients; give one per head, or null for ones.");

        // Everything is checked before anything is computed.
        Tracer? tracer = ExecutionState.Current.Tracer;
        for (int i = 0; i < heads.Count; i++)
        {
            NDArray head = heads[i] ?? throw new ArgumentNullException(nameof(heads), $"Backward: head {i} is null.");
            tracer?.ReadMark(head);
            ThrowIfWithoutGraph(head, heads.Count > 1, allowConstants);
            if (headGradients?[i] is not { } gradient) continue;
            if (gradient.Shape != head.Shape)
                throw new ShapeException($"Backward: the head gradient {gradient.Shape} must have the head's shape {head.Shape}. Reshape it or use BroadcastTo.");
            if (gradient.IsDisposed) throw Errors.Disposed("Backward");
            if (gradient.Rank > 0 && !gradient.IsSymbolic && !head.IsSymbolic && gradient.Accelerator != head.Accelerator)
                throw Errors.MixedDevices("Backward", head.Device, gradient.Device);
            if (!gradient.DType.IsFloat) throw new DTypeException($"Backward: the head gradient is {gradient.DType}; it must be floating point.");
        }

        using RecordScope scope = new(createGraph, null);
        for (int i = 0; i < heads.Count; i++)
        {
            NDArray head = heads[i];
            if (head.Source is null) continue;
            NDArray? given = headGradients?[i];
            NDArray gradient = given is null ? Ones(head) : given.DType == head.DType ? given : given.AsType(head.DType);
            if (head.IsOnGpu && !gradient.IsOnGpu && !gradient.IsSymbolic) gradient = gradient.To(head.Device);
            Add(head.Source, head.SourceIndex, gradient, owned: given is null);
        }
    }

    // One element, stretched: element-wise rules keep it in a register. Small arrays take their short way only where they are contiguous.
    private static NDArray Ones(NDArray head) => head.Size < LeastStretched || head.IsOnGpu || head.IsSymbolic
        ? Nd.OnesLike(head)
        : Nd.BroadcastTo(Nd.Full(default, 1, head.DType), head.Shape);

    public void Run(GradientTargets? targets)
    {
        _targets = targets;
        targets?.FindPath([.. _pending.Keys, .. _leafOrder]);
        using RecordScope scope = new(createGraph, null);
        while (_frontier.TryDequeue(out TapeNode? node, out _))
        {
            _pending.Remove(node, out GradientSlot[]? slots);
            Visit(node, slots!);
        }

        foreach (Variable leaf in _leafOrder)
        {
            GradientSlot slot = _leaves[leaf];
            if (targets is null) leaf.Deliver(slot.Value!, slot.Owned);
            else targets.Deliver(leaf, 0, slot.Value!);
        }
    }

    private void Visit(TapeNode node, GradientSlot[] slots)
    {
        bool[]? asked = MeetInside(node, slots);
        if (asked is not null && Expand(node, slots))
        {
            if (!retainGraph) node.Release();
            return;
        }

        NDArray?[]? whole = asked is null ? null : OutputGradients(node, slots, asked);
        bool keep = false;
        for (int i = 0; i < slots.Length; i++)
        {
            if ((whole?[i] ?? slots[i].Value) is not { } value) continue;
            if (_targets is not null && _targets.IsTarget(node))
            {
                _targets.Deliver(node, i, value);
                keep = true;
            }
            else if (_targets is null && node.AttachmentOf(i) is { } attachment)
            {
                Add(attachment, 0, value, owned: false);
                keep = true;
            }
        }

        if (_targets is not null && !_targets.LiesBehind(node)) return;
        Enter(node);
        if (node.Op.Backward is null) RunRules(node, slots[0], keep);
        else if (!createGraph || !Expand(node, slots)) RunBackward(node, slots);
        if (!retainGraph) node.Release();
    }

    // The rules of a node are about to run.
    private void Enter(TapeNode node)
    {
        if (node.IsReleased) throw Errors.GraphReleased(node);
        if (!node.IsTraced && ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect("Backward through a graph that was recorded outside");
        ExecutionState.Current.Training = trainMode ?? node.TrainMode;
    }

    // An output that is attached or asked for may be what another one was computed from: its gradient is whole inside of the node only. Which outputs these are.
    private bool[]? MeetInside(TapeNode node, GradientSlot[] slots)
    {
        if (slots.Length == 1 || node.Op.Expansion is null || node.IsReleased || _targets is { Stops: true }) return null;
        bool[]? asked = null;
        for (int i = 0; i < slots.Length; i++)
        {
            if (_targets is null ? node.AttachmentOf(i) is null : !_targets.IsTarget(node, i)) continue;
            for (int k = 0; k < slots.Length; k++)
                if (k != i && slots[k].Value is not null) (asked ??= new bool[slots.Length])[i] = true;
        }

        return asked;
    }

    private NDArray?[]? OutputGradients(TapeNode node, GradientSlot[] slots, bool[] asked)
    {
        if (node.Op.OutputGradients is not { } rule) return null;
        Enter(node);
        return rule(node, Array.ConvertAll(slots, static s => s.Value), asked, this);
    }

    /// <summary>
    /// Gradients that are recorded flow through the calls that a node stands for, one by one: values inside it are where those of several orders meet.
    /// </summary>
    private bool Expand(TapeNode node, GradientSlot[] slots)
    {
        if (!node.TryExpand()) return false;
        (object? Source, int Index)[] places = [.. Enumerable.Range(0, slots.Length).Select(i => TapeNode.Resolve(node, i))];
        _targets?.Follow();
        _targets?.FindPath(places.Select(static p => p.Source));
        for (int i = 0; i < slots.Length; i++)
        {
            if (slots[i].Value is not { } value || places[i].Source is not { } source) continue;
            if (_targets is null || _targets.Leads(source)) Add(source, places[i].Index, value, owned: false);
        }

        return true;
    }

    /// <summary>A gradient has arrived at the array behind this edge.</summary>
    public bool HasPending(TapeEdge edge) =>
        edge.Source is Variable leaf ? _leaves.TryGetValue(leaf, out GradientSlot slot) && slot.Value is not null
        : edge.Source is TapeNode node && _pending.TryGetValue(node, out GradientSlot[]? slots) && slots[edge.Index].Value is not null;

    /// <summary>Takes it away: what is delivered through the edge next is the sum of all so far.</summary>
    public NDArray TakePending(TapeEdge edge)
    {
        NDArray value;
        if (edge.Source is Variable leaf)
        {
            value = _leaves[leaf].Value!;
            _leaves[leaf] = default;
        }
        else
        {
            ref GradientSlot slot = ref _pending[(TapeNode)edge.Source][edge.Index];
            value = slot.Value!;
            slot = default;
        }

        return value;
    }

    /// <summary>Said by a backward rule: nobody else holds the arrays that it returns, each another one, but for those that share their storage.</summary>
    public void HandOver() => _isHandedOver = true;

    /// <summary>A gradient that has arrived at a target before those of the heads.</summary>
    public void Seed(NDArray target, NDArray gradient) => Add(target.Source!, target.SourceIndex, gradient, owned: false);

    private void RunRules(TapeNode node, GradientSlot slot, bool keep)
    {
        NDArray gradient = slot.Value!;
        bool owned = slot.Owned && !keep;
        if (!createGraph && gradient.Size >= LeastStretched && ReadsRows(node) && gradient.IsStretched && !gradient.IsOnGpu)
        {
            // Each kernel that reads it would copy it anew.
            NDArray dense = NDArray.Allocate(gradient.DType, gradient.Shape);
            Movement.CopyTo(gradient, dense);
            (gradient, owned) = (dense, true);
        }

        NDArray? common = null;
        bool passedOn = false;
        NDArray[]? all = ApplyJoint(node, gradient);
        for (int i = 0; i < node.InputCount; i++)
        {
            TapeEdge edge = node.Edge(i);
            if (!Wanted(edge)) continue;
            if (node.Op.Gradient is null) throw Errors.NoGradientRule(node);

            // No rule: the derivative is zero by definition, and zero is what arrives (one element, stretched).
            NDArray result = node.Op.GradientFor(i) is not { } rule
                ? Nd.BroadcastTo(Nd.Full(default, 0, edge.DType, gradient.Device), edge.Shape)
                : all is not null ? all[i] : Apply(rule, node, i, gradient, ref common);
            bool same = ReferenceEquals(result, gradient);
            passedOn |= same;
            AddThrough(edge, result, owned: !same);
        }

        if (!createGraph && !node.IsTraced) common?.ReleaseIfUnshared();

        // A consumed gradient that no rule passed on is dead: its memory is the next gradient's. A trace, though, may have captured it.
        if (owned && !passedOn && !createGraph && !node.IsTraced) gradient.ReleaseIfUnshared();
    }

    // Its gradient is computed by kernels that read contiguous operands.
    private static bool ReadsRows(TapeNode node) =>
        node.Op.Element is null && node.Op.View is null && !node.Op.Moves && !node.IsTraced && node.Attributes is not ReduceAttributes;

    private NDArray[]? ApplyJoint(TapeNode node, NDArray gradient)
    {
        if (node.Op.Joint is not { } rule || createGraph || node.IsTraced || ExecutionState.Current.Tracer is not null || gradient.IsOnGpu) return null;
        for (int i = 0; i < node.InputCount; i++)
            if (!Wanted(node.Edge(i)) && node.Op.GradientFor(i) is not null) return null;
        NDArray? common = null;
        return rule(new GradientContext(node, gradient, ref common));
    }

    // What a rule makes on its way is dead when its gradient is there, unless that is recorded.
    private NDArray Apply(GradientRule rule, TapeNode node, int input, NDArray gradient, ref NDArray? common)
    {
        GradientContext context = new(node, gradient, ref common) { Index = input };
        if (createGraph) return rule(context);
        if (FusedRule.TryApply(rule, node, input, gradient) is { } fused) return fused;
        using Temporaries made = Temporaries.Collect();
        NDArray result = rule(context);
        return made.Keep(result, common);
    }

    private void RunBackward(TapeNode node, GradientSlot[] slots)
    {
        NDArray?[] outputs = new NDArray?[slots.Length];
        for (int i = 0; i < slots.Length; i++) outputs[i] = slots[i].Value;
        NDArray?[] inputs = new NDArray?[node.InputCount];
        _isHandedOver = false;
        node.Op.Backward!(node, outputs, inputs, this);
        bool owned = _isHandedOver && !createGraph;
        for (int i = 0; i < inputs.Length; i++)
            if (inputs[i] is { } gradient && Wanted(node.Edge(i))) AddThrough(node.Edge(i), gradient, owned);
    }

    private bool Wanted(TapeEdge edge) => edge.RequiresGradient && (_targets is null || _targets.Leads(edge.Source));

    /// <summary>The one place where a gradient gets the shape and type of the array it belongs to.</summary>
    private void AddThrough(TapeEdge edge, NDArray gradient, bool owned)
    {
        if (gradient.DType != edge.DType)
        {
            gradient = gradient.AsType(edge.DType);
            owned = true;
        }

        if (gradient.Shape != edge.Shape)
        {
            NDArray sum = Broadcasting.SumTo(gradient, edge.Shape);
            if (owned && !createGraph && ExecutionState.Current.Tracer is null) gradient.ReleaseIfUnshared();
            (gradient, owned) = (sum, true);
        }

        Add(edge.Source, edge.Index, gradient, owned);
    }

    private void Add(object place, int output, NDArray gradient, bool owned)
    {
        (object? source, int index) = TapeNode.Resolve(place, output);
        _targets?.Note(source!, index, gradient);
        if (source is Variable leaf)
        {
            if (!_leaves.TryGetValue(leaf, out GradientSlot slot)) _leafOrder.Add(leaf);
            slot.Add(gradient, owned, createGraph);
            _leaves[leaf] = slot;
            return;
        }

        TapeNode node = (TapeNode)source!;
        if (!_pending.TryGetValue(node, out GradientSlot[]? slots))
        {
            _pending.Add(node, slots = new GradientSlot[node.Op.Outputs]);
            _frontier.Enqueue(node, -node.Sequence);
        }

        slots[index].Add(gradient, owned, createGraph);
    }

    private static void ThrowIfWithoutGraph(NDArray head, bool several, bool allowConstants)
    {
        if (head.IsDisposed) throw Errors.Disposed("Backward");
        if (!head.DType.IsFloat) throw new DTypeException($"Backward: the head is {head.DType}; only floating-point arrays have gradients.");
        switch (head.End)
        {
            case HeadEnd.Detached: throw Errors.HeadDetached();
            case HeadEnd.WithoutGradient when !allowConstants: throw Errors.NoInputRequiresGradient();
            case HeadEnd.NeverRecorded: throw Errors.NeverRecorded();
            case HeadEnd.Released: throw Errors.GraphReleased((TapeNode)head.Source!, head.SourceIndex, several);
            default: break;
        }
    }
}

/// <summary>The gradients that have arrived at one array: the first is kept, or borrowed if others hold it; later ones are added, in place once the value is ours.</summary>
internal struct GradientSlot
{
    public NDArray? Value { get; private set; }

    /// <summary>Nobody else holds <see cref="Value"/>.</summary>
    public bool Owned { get; private set; }

    public void Add(NDArray gradient, bool owned, bool createGraph)
    {
        if (Value is null)
        {
            (Value, Owned) = (gradient, owned);
            return;
        }

        bool inPlace = !createGraph && ExecutionState.Current.Tracer is null; // a trace may have captured either
        if (inPlace && Owned) Elements.AddInto(Value, gradient);
        else Value = OpTable.Add.Apply(Value, gradient);
        if (inPlace && owned) gradient.ReleaseIfUnshared();
        Owned = true;
    }
}
