using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A traced function: its graph, the arrays and the host state that it changes, and, when gradients were asked for, the graph of the vector-Jacobian
/// product, traced with the operators' own gradient rules from the tape of symbolic arrays.
/// </summary>
internal sealed class FunctionTrace
{
    // Pairs of outputs and targets.
    private const long MostReach = 1 << 14;

    public required GraphBuilder Graph { get; init; }

    public required InputNode[] Inputs { get; init; }

    /// <summary>Inputs whose <c>.Grad</c> is an argument too, after the inputs: variables, of a function that records.</summary>
    public required TracedInput[] Variables { get; init; }

    public required GraphNode[] Outputs { get; init; }

    /// <summary>What the function writes in place.</summary>
    public required IReadOnlyList<StateWrite> States { get; set; }

    /// <summary>What else it changes, and the numbers that it reads at every call.</summary>
    public required HostProgram Host { get; init; }

    /// <summary>Facts outside the graph that the trace relies on.</summary>
    public required Func<bool>[] Guards { get; init; }

    /// <summary>The function records: which arrays carry gradients has shaped it.</summary>
    public required bool Recorded { get; init; }

    /// <summary>The function has asked arrays from outside for their gradient buffers: which they were.</summary>
    public required IReadOnlyList<ArrayMark> Marks { get; init; }

    /// <summary>All arrays from outside that it uses, apart from its inputs.</summary>
    public required NDArray[] Outside { get; init; }

    /// <summary>Where gradients that it takes inside would flow outside.</summary>
    public required OutsidePath[] OutsidePaths { get; init; }

    /// <summary>The function has asked inputs for their gradient buffers.</summary>
    public required bool ReadsInputMarks { get; init; }

    /// <summary>The function returns an input: whether that carries a gradient is seen from the result.</summary>
    public required bool ReturnsInput { get; init; }

    public required IReadOnlyList<GraphNode> Effects { get; init; }

    /// <summary>The conditions that led the trace, and what they were.</summary>
    public IReadOnlyList<BranchOutcome> Outcomes { get; init; } = [];

    /// <summary>The arrays from outside whose values have shaped it, and their versions.</summary>
    public required (NDArray Array, int Version)[] Frozen { get; init; }

    /// <summary>One of these has been written since: the function, called again for its gradient, would be another one.</summary>
    public NDArray? Thawed => Array.Find(Frozen, static f => f.Array.Version != f.Version).Array;

    /// <summary>The ways that it has gone, one for each time that it asked: with <see cref="KnownWays"/> the function goes them again.</summary>
    public required bool[] Ways { get; init; }

    public required int OpCount { get; init; }

    /// <summary>What was traced inside checkpoints.</summary>
    public IReadOnlyList<CheckpointRegion> Checkpoints { get; init; } = [];

    /// <summary>The arrays that it has made itself and written, and the accelerator where they would be.</summary>
    public required (OwnWrites Arrays, GpuDevice? Device) Own { get; init; }

    /// <summary>Captured arrays that carry a gradient, in order of first use; empty without gradients.</summary>
    public CapturedNode[] CapturedVariables { get; private set; } = [];

    /// <summary>One head gradient per output; null where the output has none, or is another place of the tape under a second name.</summary>
    public InputNode?[] Heads { get; private set; } = [];

    /// <summary>Outputs that are an input or captured variable themselves (its place among the gradients), or an earlier output.</summary>
    public OutputAlias?[] Aliases { get; private set; } = [];

    /// <summary>Of each output why it has no gradient, where it has none.</summary>
    public HeadEnd[] Ends { get; private set; } = [];

    /// <summary>Of each output the operator that made it, where it has a history.</summary>
    public Op?[] EndOps { get; private set; } = [];

    /// <summary>Outputs have a history, or a reason not to have one, also where the caller does not record.</summary>
    public bool HasHistory => Recorded || Array.Exists(Ends, static e => e != HeadEnd.NeverRecorded);

    /// <summary>Gradients of the inputs, then of the captured variables; null where none flows.</summary>
    public GraphNode?[] Gradients { get; private set; } = [];

    /// <summary>The gradients before they are added up: in the order of the tape, each with its place among the gradients.</summary>
    public (int Target, GraphNode Node)[] Contributions { get; private set; } = [];

    /// <summary>Of each output, which inputs and captured variables its gradients reach; null: of too many to be told apart.</summary>
    public bool[][]? Reach { get; private set; }

    /// <summary>How many gradients are added up at each input and captured variable.</summary>
    public int[] PathCounts { get; private set; } = [];

    /// <summary>Gradients of the user's own have found the training flag not set, and set. The caller's backward may have one of its own.</summary>
    public required bool[] GradientModes { get; init; }

    /// <summary>A gradient has found this training flag: with the other one it may be another gradient.</summary>
    public bool GradientIsOf(bool training) => GradientModes[training ? 1 : 0];

    /// <summary>Calls recorded on the tape.</summary>
    public long TapeLength { get; private set; }

    /// <summary>Those behind the results.</summary>
    public TapeCalls? Calls { get; private set; }

    public bool HasGradients => Gradients.Length > 0;

    /// <summary>A call changes something: calls are made one after the other.</summary>
    public bool IsStateful => States.Count > 0 || !Host.IsEmpty || Array.Exists(Variables, static v => v.Fresh is not null);

    /// <summary>The arguments of the forward plan.</summary>
    public IReadOnlyList<InputNode> Arguments => [.. Inputs, .. Variables.Select(static v => v.Gradient!)];

    /// <summary>Values that the function itself overwrites or reads from the host shape its gradient: computing it again later gives another one.</summary>
    public bool GradientsNeedOldState()
    {
        HashSet<NDArray?> written = new(States.Select(static s => s.Array), ReferenceEqualityComparer.Instance);
        return IsStateful && GraphOrder.Sort(Gradients.OfType<GraphNode>()).Exists(n => n is HostNode || (n is CapturedNode captured && written.Contains(captured.Array)));
    }

    /// <summary>The gradients, added up from what is pending, as the tape does; null but for the first argument at each place.</summary>
    public GraphNode?[] Gather(GradientSums sums, out InputNode[] pending)
    {
        GraphNode?[] gathered = new GraphNode?[Gradients.Length];
        List<InputNode> seeds = [];
        foreach (int target in sums.Pending)
        {
            InputNode seed = Graph.Input(Gradients[target]!.Type, target, $"pending{target}");
            gathered[target] = seed;
            seeds.Add(seed);
        }

        foreach ((int target, GraphNode node) in Contributions)
        {
            ref GraphNode? sum = ref gathered[sums.Owner(target)];
            sum = sum is null ? node : Graph.Sum(sum, node);
        }

        pending = [.. seeds];
        return gathered;
    }

    /// <summary>The value was computed inside a checkpoint: it may be computed again.</summary>
    public bool IsCheckpointed(GraphNode node)
    {
        foreach (CheckpointRegion checkpoint in Checkpoints)
            if (node.Id >= checkpoint.First && node.Id < checkpoint.End) return true;
        return false;
    }

    /// <summary>Leaves out the writes in place.</summary>
    public void DropWrites() => States = [];

    /// <summary>Traces <paramref name="f"/> for inputs of these types.</summary>
    /// <param name="f">The function.</param>
    /// <param name="types">Types of the inputs.</param>
    /// <param name="wantsGradient">Per input; null: no gradients at all.</param>
    /// <param name="training">The training flag.</param>
    /// <param name="marks">Which inputs carry a gradient, and how; null: those of which one is wanted, with a history outside.</param>
    /// <param name="keepGradients">Gradient buffers that the function does not read are written.</param>
    /// <param name="log">Where the calls are noted, for diagnostics.</param>
    /// <param name="device">The accelerator that holds the inputs.</param>
    /// <param name="fastMath">Rewrites that change rounding are permitted.</param>
    /// <param name="path">Decides at conditions; null: they cannot be traced.</param>
    /// <param name="arrays">The inputs of the call, of which two may be one array or one variable.</param>
    /// <param name="ways">Which way to go at conditions that are known.</param>
    /// <exception cref="TraceFailedException">It does what a graph cannot express.</exception>
    /// <exception cref="SharedVariableException">It failed, and two of the arrays are one, or one variable: a trace tells them apart.</exception>
    public static FunctionTrace Run(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f,
        TensorType[] types,
        bool[]? wantsGradient,
        bool training,
        GradientMark[]? marks = null,
        bool keepGradients = true,
        TraceLog? log = null,
        GpuDevice? device = null,
        bool fastMath = false,
        BranchPath? path = null,
        NDArray[]? arrays = null,
        KnownWays? ways = null)
    {
        GraphBuilder graph = new(fastMath);
        GraphTracer tracer = new(graph, log, device, path);
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is not null) throw new InvalidOperationException("A trace inside a trace is inlined, never started.");
        TracedInput[] inputs = new TracedInput[types.Length];
        for (int i = 0; i < types.Length; i++)
            inputs[i] = new TracedInput(i, graph.Input(types[i], i, $"x{i}"), tracer);
        for (int i = 0; i < types.Length; i++)
            inputs[i].Mark(marks?[i] ?? (wantsGradient is not null && wantsGradient[i] ? GradientMark.Outside : GradientMark.None), graph, tracer);

        bool failed = true;
        using RecordScope scope = new(wantsGradient is not null, training);
        using KnownWays.Scope known = KnownWays.Enter(state, ways);
        state.Tracer = tracer;
        try
        {
            FunctionTrace trace = Run(f, graph, tracer, inputs, wantsGradient is not null, keepGradients, path);
            if (state.Recording != wantsGradient is not null || state.Training != training)
                throw new TraceFailedException("the function leaves the recording or training flag changed");
            failed = false;
            return trace;
        }
        catch (Exception failure) when (failure is not TraceFailedException && arrays is not null && AreShared(arrays, tracer, inputs))
        {
            throw new SharedVariableException(failure);
        }
        finally
        {
            state.Tracer = null;
            tracer.Restore(failed);
        }
    }

    // What goes wrong in the trace may be right for these arrays: it tells apart what is one.
    private static bool AreShared(NDArray[] arrays, GraphTracer tracer, TracedInput[] inputs) =>
        SharedMarks.Exist(arrays, tracer.Outside) || OutsidePath.Exist(arrays, OutsidePath.Of(tracer, inputs)) ||
        SharedWrites.Exist(arrays, [.. tracer.Writes.Select(static w => w.Array!)], [.. inputs.Where(static i => i.Symbol.Version > 0).Select(static i => i.Index)], tracer.Captured);

    private static FunctionTrace Run(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, GraphBuilder graph, GraphTracer tracer, TracedInput[] inputs, bool gradients, bool keepGradients,
        BranchPath? path)
    {
        NDArray[] symbols = Array.ConvertAll(inputs, static i => i.Symbol);
        long start = TapeNode.LastSequence(ExecutionState.Current);
        IReadOnlyList<NDArray> results = Call(f, symbols, tracer) ?? throw new TraceFailedException("the function returned null");
        NDArray[] outputs = [.. results];
        GraphNode[] nodes = Array.ConvertAll(outputs, o => tracer.NodeOf(o ?? throw new TraceFailedException("the function returned a null array")));
        foreach (NDArray output in outputs)
            if (!output.IsSymbolic) tracer.ReadMark(output);
        TracedState changes = TracedState.Of(tracer, inputs, nodes, keepGradients);
        tracer.Host.DropOverwritten();
        foreach (TracedInput input in inputs)
        {
            tracer.OwnWrites.Remove(input.Symbol);
            if (input.GradientSymbol is { } gradient) tracer.OwnWrites.Remove(gradient);
        }

        FunctionTrace trace = new()
        {
            Graph = graph,
            Inputs = Array.ConvertAll(inputs, static i => i.Node),
            Variables = changes.Variables,
            Outputs = nodes,
            States = changes.Writes,
            Host = tracer.Host,
            Guards = [.. tracer.Guards],
            Recorded = tracer.Recorded,
            Marks = tracer.Marks,
            Outside = tracer.Outside,
            OutsidePaths = OutsidePath.Of(tracer, inputs),
            ReadsInputMarks = tracer.ReadsInputMarks,
            ReturnsInput = Array.Exists(nodes, static n => n is InputNode) || Array.Exists(outputs, o => Array.IndexOf(symbols, o) >= 0),
            Effects = [.. tracer.Effects],
            Outcomes = path?.Outcomes ?? [],
            Frozen = [.. tracer.Frozen.Select(static a => (a, a.Version))],
            Ways = [.. tracer.Ways],
            OpCount = graph.CallCount,
            Checkpoints = tracer.Checkpoints,
            GradientModes = tracer.GradientModes,
            Own = (tracer.OwnWrites, tracer.Device.Accelerator),
            TapeLength = TapeNode.LastSequence(ExecutionState.Current) - start,
        };
        trace.Ends = Array.ConvertAll(outputs, static o => o.End);
        trace.EndOps = Array.ConvertAll(outputs, static o => (o.Source as TapeNode)?.Op);
        if (gradients || tracer.Recorded || Array.Exists(outputs, static o => o.Source is not null)) trace.Differentiate(tracer, symbols, outputs, start);
        for (int i = 0; i < outputs.Length; i++)
            if (outputs[i].Attachment is not null && trace.Aliases[i] is null) throw new TraceFailedException("AttachGrad on a result inside the function");
        foreach (TracedInput input in inputs) input.ThrowIfMarkedInside(isReached: trace.HasGradients && trace.Gradients[input.Index] is not null);
        return trace;
    }

    // What the trace has failed with counts, whatever the function makes of it: eagerly it would not have been thrown.
    private static IReadOnlyList<NDArray>? Call(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, NDArray[] symbols, GraphTracer tracer)
    {
        IReadOnlyList<NDArray>? results;
        try
        {
            results = f(symbols);
        }
        catch (Exception e) when (tracer.Failure is { } failure && !ReferenceEquals(e, failure))
        {
            throw failure;
        }

        return tracer.Failure is { } caught ? throw caught : results;
    }

    private void Differentiate(GraphTracer tracer, NDArray[] symbols, NDArray[] outputs, long start)
    {
        Calls = TapeCalls.Behind(outputs, start);
        // A variable that is only written and read again is captured, too: gradients arrive there.
        foreach (StateWrite write in States)
            if (write.Array is { Source: not null, DType.IsFloat: true } written) Graph.Capture(written);
        CapturedVariables = [.. Graph.Captured.Where(static c => c.Array.Source is not null && c.DType.IsFloat).DistinctBy(static c => c.Array.Place)];
        List<NDArray> targets = [.. symbols, .. CapturedVariables.Select(static c => c.Array)];
        List<NDArray> heads = [];
        List<NDArray?> headGradients = [];
        Heads = new InputNode?[outputs.Length];
        Aliases = new OutputAlias?[outputs.Length];
        Dictionary<(object?, int), int> firstTarget = Places(targets), firstOutput = Places(outputs);
        for (int i = 0; i < outputs.Length; i++)
        {
            NDArray output = outputs[i];
            if (output.Source is null || !output.DType.IsFloat || Ends[i] == HeadEnd.Released) continue;
            int target = firstTarget.GetValueOrDefault(output.Place, -1), earlier = firstOutput[output.Place];
            if (target >= 0 || earlier < i)
            {
                Aliases[i] = new OutputAlias(target >= 0, target >= 0 ? target : earlier);
                continue;
            }

            Heads[i] = Graph.Input(outputs[i].Type, i, $"g{i}");
            heads.Add(outputs[i]);
            headGradients.Add(tracer.Symbol(Heads[i]!));
        }

        Gradients = new GraphNode?[targets.Count];
        if (heads.Count == 0) return;
        NDArray[] differentiable = [.. targets.Where(static t => t.DType.IsFloat)];
        GradientTargets found = new(differentiable, stop: true) { Contributions = [] };
        tracer.CutsGradients = true;
        try
        {
            BackwardPass pass = new(createGraph: false, retainGraph: true, trainMode: null);
            pass.AddHeads(heads, headGradients);
            pass.Run(found);
        }
        catch (Exception failure) when (failure is not (TraceFailedException or OutOfMemoryException))
        {
            // A released part, an overwritten value, a gradient of the user's own: an error when, and only if, the caller differentiates. Eager execution knows.
            throw new TraceFailedException($"the outputs cannot be differentiated: {failure.Message.TrimEnd('.')}");
        }

        int[] places = [.. Enumerable.Range(0, targets.Count).Where(i => targets[i].DType.IsFloat)];
        for (int k = 0; k < places.Length; k++)
            if (found.Result(k) is { } gradient) Gradients[places[k]] = tracer.NodeOf(gradient);
        Contributions = [.. found.Contributions.Select(c => (places[c.Target], tracer.NodeOf(c.Gradient)))];
        PathCounts = new int[Gradients.Length];
        foreach ((int target, _) in Contributions) PathCounts[target]++;
        Reach = ReachOf(outputs, targets);
        HashSet<GraphNode> needed = [.. GraphOrder.Sort(Gradients.OfType<GraphNode>())];
        foreach (StateWrite write in States)
            if (write.Array is null && write.Argument < Inputs.Length && needed.Contains(Inputs[write.Argument]))
                throw new TraceFailedException($"the gradient needs the old value of input {write.Argument}, which the function overwrites");
        if (heads.Count > 1 && GradientsNeedOldState())
            throw new TraceFailedException($"the gradients of {heads.Count} results need old values that the function overwrites: with one of them alone, they could not be computed again");
    }

    // The tape is walked once for every few targets.
    private static bool[][]? ReachOf(NDArray[] outputs, List<NDArray> targets)
    {
        if ((long)outputs.Length * targets.Count > MostReach) return null;
        bool[][] reach = Array.ConvertAll(outputs, _ => new bool[targets.Count]);
        for (int start = 0; start < targets.Count; start += GradientDependence.Most)
        {
            List<NDArray> some = targets.GetRange(start, Math.Min(GradientDependence.Most, targets.Count - start));
            GradientDependence dependence = new(outputs, [.. some]);
            for (int i = 0; i < outputs.Length; i++)
                for (int k = 0; k < some.Count; k++) reach[i][start + k] = dependence.Reaches(outputs[i], k);
        }

        return reach;
    }

    // Where on the tape arrays are, and the first that is there.
    private static Dictionary<(object? Source, int Index), int> Places(IReadOnlyList<NDArray> arrays)
    {
        Dictionary<(object?, int), int> places = [];
        for (int i = 0; i < arrays.Count; i++) places.TryAdd(arrays[i].Place, i);
        return places;
    }
}

/// <summary>An output that is no place of its own on the tape.</summary>
/// <param name="IsTarget">It is an input or captured variable, otherwise an earlier output.</param>
/// <param name="Index">Which.</param>
internal readonly record struct OutputAlias(bool IsTarget, int Index);
