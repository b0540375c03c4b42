using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Collects the operator calls of a function in a graph. Arrays that come from outside are captured by reference; a write in place gives an array
/// another value from there on, and nothing else: when the trace ends, every array and every state of the host is as it was.
/// </summary>
internal sealed class GraphTracer(GraphBuilder graph, TraceLog? log = null, GpuDevice? device = null, BranchPath? path = null) : Tracer
{
    private readonly Dictionary<NDArray, (GraphNode Value, int Count)> _written = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<NDArray> _created = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<NDArray, NDArray> _moved = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<NDArray> _frozen = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<object> _owners = new(ReferenceEqualityComparer.Instance);
    private readonly List<Func<bool>> _guards = [];
    private readonly List<ArrayMark> _marks = [];
    private readonly HashSet<NDArray> _marked = new(ReferenceEqualityComparer.Instance);
    private readonly List<CheckpointRegion> _checkpoints = [];
    private readonly TracedChoices _choices = new();
    private readonly List<NDArray> _reads = []; // in open checkpoints
    private readonly HashSet<NDArray> _local = new(ReferenceEqualityComparer.Instance); // made there
    private int _repeatedWrites; // of other arrays there
    private int _openCheckpoints;
    private CheckpointRegion? _repeated;
    private readonly HashSet<(object Through, object Target, int Index)> _passed = [];
    private readonly List<Action> _undo = [];
    private readonly List<Action> _failure = [];

    /// <summary>Arrays from outside whose values have shaped the graph.</summary>
    public IReadOnlyCollection<NDArray> Frozen => _frozen;

    /// <summary>The ways that the traced code has gone so far.</summary>
    public IReadOnlyList<bool> Ways => _choices.Found;

    /// <summary>That of the inputs; without one, of what has been captured or written so far.</summary>
    public override Device Device =>
        (device ?? graph.Captured.Select(static c => c.Array).Concat(_written.Keys).FirstOrDefault(static a => a.IsOnGpu)?.Accelerator) is { } accelerator
            ? Device.Of(accelerator)
            : Device.Cpu;

    public List<GraphNode> Effects { get; } = [];

    public HostProgram Host { get; } = new();

    /// <summary>The arrays that the traced code has made, or was given, and has written.</summary>
    public OwnWrites OwnWrites { get; } = new();

    /// <summary>Facts outside the graph that the traced code has looked at.</summary>
    public IReadOnlyList<Func<bool>> Guards => _guards;

    /// <summary>What was traced inside checkpoints.</summary>
    public IReadOnlyList<CheckpointRegion> Checkpoints => _checkpoints;

    /// <summary>Gradients from here on are a function of their own: which values it computes again is decided when that is cut off.</summary>
    public bool CutsGradients { get; set; }

    /// <summary>Gradients, once they are <see cref="CutsGradients">a function of their own</see>, have found the training flag not set, and set.</summary>
    public bool[] GradientModes { get; } = new bool[2];

    /// <summary>Why the function cannot be traced; its own code may have caught it.</summary>
    public TraceFailedException? Failure { get; private set; }

    /// <summary>Operators were recorded: which arrays carry gradients shaped the graph.</summary>
    public bool Recorded { get; private set; }

    /// <summary>Arrays from outside whose gradient buffers the traced code has asked for.</summary>
    public IReadOnlyList<ArrayMark> Marks => _marks;

    /// <summary>Arrays from outside that it has read.</summary>
    public CapturedNode[] Captured => [.. graph.Captured];

    /// <summary>All arrays from outside that it has used.</summary>
    public NDArray[] Outside => [.. graph.Captured.Select(static c => c.Array), .. _marks.Select(static m => m.Array)];

    /// <summary>Inputs and captured arrays that were recorded outside and lie behind a head of which a gradient was taken, each with a place with respect to which it was.</summary>
    public IEnumerable<(object Through, object Target, int Index)> Passed => _passed;

    /// <summary>The traced code has asked inputs for theirs.</summary>
    public bool ReadsInputMarks { get; private set; }

    /// <summary>The arrays from outside that were written, in order of their first write.</summary>
    public IEnumerable<StateWrite> Writes => _written.Where(w => !_created.Contains(w.Key)).Select(static w => new StateWrite(w.Key, -1, w.Value.Value, w.Value.Count));

    public override void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        if (attributes is DeviceAttributes move)
        {
            outputs[0] = ReferenceEquals(move.Device, Device) && inputs[0].IsSymbolic ? Symbol(NodeOf(inputs[0])) : Move(inputs[0], move.Device);
            return;
        }

        if (outputs.Length != 1) throw Fail($"{op.Name} has {outputs.Length} outputs");
        Recorded |= ExecutionState.Current.Recording;
        GraphNode[] nodes = new GraphNode[inputs.Length];
        for (int i = 0; i < nodes.Length; i++) nodes[i] = NodeOf(inputs[i]);
        GraphNode node = op.Impure ? _choices.Draw(() => graph.Apply(op, [.. nodes], attributes), Effects) : graph.Apply(op, nodes, attributes);
        log?.Add(op, nodes, attributes, node);
        outputs[0] = Symbol(node);
    }

    // What the traced code has made itself is a constant, wherever it lies.
    private NDArray Move(NDArray array, Device device)
    {
        if (!_created.Contains(array)) throw Fail($"To({device}) moves an array to another device");
        NDArray moved = Fusion.Movement.CopyToDevice(array, device.Accelerator);
        _created.Add(moved);
        return moved;
    }

    public override Exception ValueRead(string operation) =>
        Fail($"{operation} reads a value while the function is traced: the result would be frozen into the compiled function");

    public override Exception Postpone(string reason)
    {
        TracePostponedException postponed = new(reason);
        Failure ??= postponed;
        return postponed;
    }

    public override bool Freeze(NDArray array)
    {
        if (!array.HasData || _written.ContainsKey(array)) return false;
        if (_created.Contains(array) || !_frozen.Add(array)) return true;
        int version = array.Version;
        _guards.Add(() => array.Version == version && array.HasData);
        return true;
    }

    public override bool Decide(NDArray condition, string operation)
    {
        try
        {
            return path is null ? throw ValueRead(operation) : _choices.Decide(() => ExecutionState.Current.Ways?.Next() ?? path.Decide(NodeOf(condition), operation, Effects));
        }
        catch (TraceFailedException failure)
        {
            Failure ??= failure;
            throw;
        }
    }

    public override Exception SideEffect(string operation) =>
        Fail($"{operation} changes state while the function is traced, which a compiled call cannot repeat");

    public override void Write(NDArray target, NDArray value)
    {
        // While recording, a write to an array that carries a gradient is an error, and so is one of a value that does.
        Recorded |= ExecutionState.Current.Recording;
        if (_openCheckpoints > 0 && !WritesOnce && !_local.Contains(target)) _repeatedWrites++;
        GraphNode node = NodeOf(value);
        if (SymbolOf(target) is { } symbol)
        {
            OwnWrites.Add(target, Own(symbol));
            target.Rebind(new TracedValue(graph, node), 0);
            return;
        }

        if (ExecutionState.Current.Recording) ReadMark(target);
        if (_frozen.Contains(target)) throw Fail("an array is written whose values have shaped the graph");
        if (_created.Contains(target)) OwnWrites.Add(target, null);
        _written[target] = (node, _written.GetValueOrDefault(target).Count + 1);
    }

    public override void ReadTraining() => GradientModes[ExecutionState.Current.Training ? 1 : 0] |= CutsGradients;

    public override void ReadMark(NDArray array)
    {
        ReadsInputMarks |= array.IsSymbolic;
        if (IsCaptured(array) && _marked.Add(array)) _marks.Add(ArrayMark.Of(array));
    }

    public override void Given(NDArray array) => NodeOf(array);

    public override void Pass(object through, ReadOnlySpan<(object? Source, int Index)> targets)
    {
        if (through is Variable input && input.Gradient.Symbol is not OutsideGradient) return;
        foreach ((object? source, int index) in targets)
            if (source is not null and not TapeNode { IsTraced: true } && !ReferenceEquals(source, through)) _passed.Add((through, source, index));
    }

    public override NDArray Alias(NDArray array)
    {
        ReadMark(array);
        return Symbol(NodeOf(array));
    }

    /// <summary>The array comes from outside.</summary>
    public bool IsCaptured(NDArray array) => !array.IsSymbolic && !array.IsConstant && !_created.Contains(array);

    public override object? BeginCheckpoint() => new Checkpoint(_openCheckpoints++ == 0 ? new CheckpointRegion(graph) : null, _choices.Place, _reads.Count, _repeatedWrites);

    public override void EndCheckpoint(object? checkpoint, NDArray? result)
    {
        Checkpoint ended = (Checkpoint)checkpoint!;
        ended.Read = [.. _reads.Skip(ended.FirstRead).Distinct().Select(static a => (a, a.Version))];
        ended.Writes = _repeatedWrites > ended.WritesBefore;
        CloseCheckpoint();
        if (ended.Region is not { } region) return;
        region.Close(result is null ? null : NodeOf(result));
        _checkpoints.Add(region);
    }

    private void CloseCheckpoint()
    {
        if (--_openCheckpoints > 0) return;
        _reads.Clear();
        _local.Clear();
    }

    public override bool IsOverwritten(object? checkpoint)
    {
        Checkpoint ended = (Checkpoint)checkpoint!;
        if (ended.Writes && CutsGradients) throw Fail("a checkpoint writes an array in place, and its gradient, outside of the function, writes it again");
        return ended.Writes || ended.Read.Exists(static r => r.Array.Version != r.Version);
    }

    public override object? BeginRepeat(object? checkpoint, NDArray gradient)
    {
        CheckpointRegion? before = _repeated;
        if (checkpoint is not Checkpoint { Region: { } region } || CutsGradients) return before;
        region.Repeat(NodeOf(gradient));
        _repeated = region;
        return before;
    }

    public override void EndRepeat(object? before) => _repeated = (CheckpointRegion?)before;

    public override object? BeginReplay(object? checkpoint)
    {
        _openCheckpoints++;
        return _choices.Return(((Checkpoint)checkpoint!).Start);
    }

    public override void EndReplay(object? before)
    {
        CloseCheckpoint();
        _choices.Resume((TracedChoices.Position?)before);
    }

    public override void Created(NDArray array)
    {
        _created.Add(array);
        if (_openCheckpoints > 0) _local.Add(array);
    }

    public override NDArray[] Numbers(HostNumbers read, int index, int count, DType dtype)
    {
        int start = Host.Add(read, index, count);
        GraphNode[] nodes = new GraphNode[count];
        for (int i = 0; i < count; i++) nodes[i] = graph.Host(dtype, start + i);
        path?.Read(nodes, read, index);
        return Array.ConvertAll(nodes, Symbol);
    }

    public override void Effect(HostEffect effect)
    {
        effect.Make();
        Host.Add(effect);
        _owners.Add(effect.Owner);
        _undo.Add(effect.Undo);
    }

    public override bool HasChanged(object owner) => _owners.Contains(owner);

    public override void Guard(object? owner, Func<bool> holds)
    {
        if (owner is null || !HasChanged(owner)) _guards.Add(holds);
    }

    public override void OnFailure(Action undo) => _failure.Add(undo);

    /// <summary>Makes all state what it was before the trace.</summary>
    public void Restore(bool failed)
    {
        for (int i = _undo.Count - 1; i >= 0; i--) _undo[i]();
        foreach ((NDArray array, (_, int count)) in _written) array.Version -= count;
        if (!failed) return;
        for (int i = _failure.Count - 1; i >= 0; i--) _failure[i]();
    }

    /// <summary>What to throw where the function does what a graph cannot express.</summary>
    public TraceFailedException Fail(string reason)
    {
        TraceFailedException failure = new(reason);
        Failure ??= failure;
        return failure;
    }

    public NDArray Symbol(GraphNode node)
    {
        NDArray symbol = NDArray.Symbolic(new TracedValue(graph, node), node.Type);
        if (_openCheckpoints > 0) _local.Add(symbol);
        return symbol;
    }

    public GraphNode NodeOf(NDArray array)
    {
        if (_openCheckpoints > 0) _reads.Add(array);
        GraphNode node = Current(array);
        return _repeated is null ? node : _repeated.Again(node);
    }

    private GraphNode Current(NDArray array)
    {
        if (SymbolOf(array) is { } symbol) return Own(symbol);
        array.ThrowIfUnusable("Hybridize");
        if (array.IsConstant) return graph.Constant(Movement.Cast(array, DType.Float64).ScalarDouble(), array.DType);
        return _written.TryGetValue(array, out (GraphNode Value, int) written) ? written.Value : graph.Capture(Here(array), isMade: _created.Contains(array));
    }

    // What an earlier trace has left behind is an array from outside, if it has a value.
    private SymbolicValue? SymbolOf(NDArray array) =>
        array.Symbol is TracedValue other && !ReferenceEquals(other.Owner, graph) && KeptValue.TryCompute(array, other.Node, Device.Accelerator) ? null : array.Symbol;

    // What the traced code has made itself and not written is a constant, which is moved once; the device of other arrays is checked at every call.
    private NDArray Here(NDArray array)
    {
        if (array.Rank == 0 || array.IsOnGpu || !_created.Contains(array) || Device.Accelerator is not { } accelerator) return array;
        if (!_moved.TryGetValue(array, out NDArray? moved)) _moved.Add(array, moved = Fusion.Movement.CopyToDevice(array, accelerator));
        return moved;
    }

    private GraphNode Own(SymbolicValue symbol) => symbol switch
    {
        TracedValue traced when ReferenceEquals(traced.Owner, graph) => traced.Node,
        OutsideGradient => throw Fail("Backward reaches an input whose history lies outside the function"),
        _ => throw Fail("an array of another trace is used"),
    };

    /// <param name="Region">What may be computed again; null: it is part of another one.</param>
    /// <param name="Start">Where its draws and conditions begin.</param>
    /// <param name="FirstRead">Where what it reads begins.</param>
    /// <param name="WritesBefore">Writes that checkpoints before repeat.</param>
    private sealed record Checkpoint(CheckpointRegion? Region, TracedChoices.Position Start, int FirstRead, int WritesBefore)
    {
        /// <summary>It writes what was there before it, and does so whenever it is called.</summary>
        public bool Writes { get; set; }

        /// <summary>The arrays that it has read, and their versions when it ended.</summary>
        public List<(NDArray Array, int Version)> Read { get; set; } = [];
    }
}

/// <summary>The gradient of an input that was recorded outside: a backward inside the function must not reach it.</summary>
internal sealed class OutsideGradient : SymbolicValue;
