using System.Collections.Concurrent;
using Fusion.Kernels;

namespace Fusion;

/// <summary>A function compiled for one combination of types and flags.</summary>
internal sealed class HybridVariant
{
    private readonly Lock _lock = new();
    private readonly object?[] _sources;
    private readonly (NDArray Array, NDArray First)[] _twins; // captured arrays at one place of the tape
    private readonly NDArray[] _writtenArrays;
    private readonly int[] _writtenInputs;
    private readonly GpuDevice?[] _accelerators; // of the captured arrays, then of those written
    private long _moves;                         // when they were last seen there
    private readonly ArrayMark[] _marks;
    private readonly TapeNode?[] _released;
    private readonly ConcurrentDictionary<GradientSums, CompiledBackward> _gathering = new();
    private CompiledBackward? _backward;
    private List<GraphNode> _saved = [];

    public HybridVariant(HybridSignature signature, FunctionTrace trace, TraceLog? log = null)
    {
        Signature = signature;
        Trace = trace;
        Log = log;
        Captured = [.. trace.Graph.Captured];
        _writtenArrays = [.. trace.States.Select(static s => s.Array).OfType<NDArray>()];
        _writtenInputs = [.. trace.States.Where(s => s.Array is null && s.Argument < trace.Inputs.Length).Select(static s => s.Argument)];
        _moves = NDArray.Moves;
        _sources = [.. Captured.Select(static c => c.Array.Source)];
        _twins = [.. Captured.Select(static c => c.Array).Where(static a => a.Source is not null).GroupBy(static a => a.Place).SelectMany(static g => g.Skip(1).Select(a => (a, g.First())))];
        _accelerators = [.. Arrays.Select(static a => a.Accelerator)];
        _released = new TapeNode?[trace.Outputs.Length];
        HashSet<NDArray> compared = new(signature.RecordsInside ? Captured.Select(static c => c.Array).Where(static a => a.Source is Variable) : [], ReferenceEqualityComparer.Instance);
        _marks = [.. trace.Marks.Where(m => !compared.Contains(m.Array))];
        Device = signature.Device ?? Array.Find(_accelerators, static a => a is not null);
        Numbers = new double[trace.Host.NumberCount];
    }

    public HybridSignature Signature { get; }

    public FunctionTrace Trace { get; }

    /// <summary>Where it runs: where its inputs are, or what it captured or writes.</summary>
    public GpuDevice? Device { get; }

    /// <summary>The traced calls; kept for diagnostics.</summary>
    public TraceLog? Log { get; }

    public CapturedNode[] Captured { get; }

    private IEnumerable<NDArray> Arrays => Captured.Select(static c => c.Array).Concat(_writtenArrays);

    /// <summary>What the host program read in the call that runs.</summary>
    public double[] Numbers { get; }

    public Plan? Forward { get; private set; }

    /// <summary>The backward that ran last.</summary>
    public Plan? Backward { get; private set; }

    /// <summary>All that was compiled.</summary>
    public IEnumerable<Plan> Plans => [.. ((Plan?[])[Forward, _backward?.Plan]).OfType<Plan>(), .. _gathering.Values.Select(static b => b.Plan)];

    public bool BackwardHasRun => Backward is not null;

    public bool HasGradients => Trace.HasGradients && Trace.Heads.Any(static h => h is not null);

    /// <summary>The eager run that verifies has been made.</summary>
    public bool Verified { get; set; }

    /// <summary>The compiled gradients have been checked.</summary>
    public bool GradientsVerified { get; set; }

    public long LastUsed { get; set; }

    /// <summary>Counts the variants of the function, from 1.</summary>
    public int Number { get; init; }

    /// <summary>Vector-Jacobian products, for what the compiled backward does not compute.</summary>
    public ConcurrentDictionary<ProductRequest, VectorJacobianProduct> Products { get; } = new();

    /// <summary>Compilation that goes on in the background.</summary>
    public Task? Building { get; set; }

    /// <summary>
    /// Where captured arrays are, which of them carry gradients, and which are handles of one value, is part of the guard, since nobody passes them in; if the function
    /// itself records, also that they are the same variables, whose buffers it writes. And whatever else the trace has looked at.
    /// </summary>
    public bool Holds()
    {
        if (!IsWhereItWas()) return false;
        if (Signature.Recording || Signature.RecordsInside)
        {
            for (int i = 0; i < _sources.Length; i++)
            {
                object? source = Captured[i].Array.Source;
                if ((source is not null) != (_sources[i] is not null)) return false;
                if (Signature.RecordsInside && (source is Variable || _sources[i] is Variable) && !ReferenceEquals(source, _sources[i])) return false;
            }

            foreach ((NDArray array, NDArray first) in _twins)
                if (array.Place != first.Place) return false;
        }

        foreach (ArrayMark mark in _marks)
            if (!mark.Holds) return false;

        foreach (Func<bool> guard in Trace.Guards)
            if (!guard()) return false;
        return true;
    }

    private bool IsWhereItWas()
    {
        long moves = NDArray.Moves;
        if (moves == _moves) return true;
        if (!Arrays.Select(static a => a.Accelerator).SequenceEqual(_accelerators)) return false;
        _moves = moves;
        return true;
    }

    /// <summary>The history of an output that ends inside the function. One that was released is the same in all calls: nothing can be attached to it.</summary>
    public TapeNode EndOf(int output, ExecutionState state)
    {
        Op op = Trace.EndOps[output] ?? OpTable.StopGradient;
        if (Trace.Ends[output] == HeadEnd.Released) return _released[output] ??= Tape.End(state, op, isReleased: true);

        // A rule of its own is one of the node that was traced.
        return Tape.End(state, op.Backward is null ? op : OpTable.StopGradient, isReleased: false);
    }

    /// <summary>The arguments of the forward plan: the inputs, and the gradient buffers of those that are variables.</summary>
    public NDArray[] Arguments(NDArray[] inputs)
    {
        TracedInput[] variables = Trace.Variables;
        if (variables.Length == 0) return inputs;
        NDArray[] arguments = new NDArray[inputs.Length + variables.Length];
        inputs.CopyTo(arguments, 0);
        for (int i = 0; i < variables.Length; i++) arguments[inputs.Length + i] = inputs[variables[i].Index].Grad!;
        return arguments;
    }

    /// <summary>The variant is for this way, as far as an earlier one of <paramref name="other"/> tells: up to a condition, which turned out otherwise.</summary>
    public bool Follows(HybridVariant other, int index)
    {
        IReadOnlyList<BranchOutcome> own = Trace.Outcomes, others = other.Trace.Outcomes;
        if (own.Count <= index) return false;
        for (int i = 0; i <= index; i++)
            if (own[i].Holds != (i == index ? !others[i].Holds : others[i].Holds)) return false;
        return true;
    }

    /// <summary>
    /// Two arrays are one place of the tape, and the function itself records; an array that it writes is also an input, or one that it writes as an input is another
    /// of its arrays; an array lies in the history of an input through which its gradient would flow: the trace told them apart.
    /// </summary>
    public bool IsAliased(ReadOnlySpan<NDArray> inputs) =>
        (Signature.RecordsInside && SharedMarks.Exist(inputs, Trace.Outside)) ||
        SharedWrites.Exist(inputs, _writtenArrays, _writtenInputs, Captured) ||
        OutsidePath.Exist(inputs, Trace.OutsidePaths);

    /// <summary>Plans and compiles forward; with gradients also decides what backward will read. False when that was done before.</summary>
    /// <param name="engine">Whose variant it is.</param>
    public bool Build(HybridEngine engine)
    {
        lock (_lock)
        {
            if (Forward is not null) return false;
            GraphFunction forward = new(Trace.Arguments, Trace.Outputs, Trace.Effects, Trace.States, Trace.Outcomes);
            GraphVerifier.Verify(forward);
            if (HasGradients)
            {
                HashSet<GraphNode> materialised = Plan.Materialised(forward, Grouper.Group(forward, KernelCompiler.IsAvailable, onDevice: Device is not null));
                BackwardFunction = BackwardCut.Backward(Trace, materialised, out _saved);
                GraphVerifier.Verify(BackwardFunction);
                HashSet<GraphNode> read = [.. BackwardFunction.Order.Except(_saved)];
                HashSet<GraphNode> needed = [.. GraphOrder.Sort(Trace.Gradients.OfType<GraphNode>()).Except(_saved)];
                IEnumerable<GraphNode> operands = [.. Trace.Inputs, .. Captured.Where(needed.Contains)];
                Operands = [.. operands.Select(n => new BackwardOperand(n, read.Contains(n), needed.Contains(n)))];
                forward = new GraphFunction(Trace.Arguments, [.. Trace.Outputs, .. _saved], Trace.Effects, Trace.States, Trace.Outcomes);
            }

            Forward = Plan.Build(forward, device: Device, profile: engine.Options.Profile, arenas: engine.Arenas);
            return true;
        }
    }

    public GraphFunction? BackwardFunction { get; private set; }

    /// <summary>The inputs, then the captured arrays that gradients depend on.</summary>
    public BackwardOperand[] Operands { get; private set; } = [];

    /// <summary>The compiled backward, made at the first need.</summary>
    /// <param name="engine">Whose report counts what is compiled.</param>
    /// <param name="sums">How gradients join those that are pending, if that matters.</param>
    public CompiledBackward GetBackward(HybridEngine engine, GradientSums? sums)
    {
        CompiledBackward? made = _backward;
        if (sums is null ? made is null : !_gathering.TryGetValue(sums, out made)) made = engine.Timed("compile", () => MakeBackward(engine, sums));
        Backward = made!.Plan;
        return made;
    }

    private CompiledBackward MakeBackward(HybridEngine engine, GradientSums? sums)
    {
        lock (_lock)
        {
            CompiledBackward? made = _backward;
            if (sums is null ? made is not null : _gathering.TryGetValue(sums, out made)) return made!;
            GraphNode?[] gradients = Trace.Gradients;
            GraphFunction function = BackwardFunction!;
            if (sums is not null)
            {
                gradients = Trace.Gather(sums, out InputNode[] pending);
                function = BackwardCut.Backward(Trace, gradients, _saved, pending);
                GraphVerifier.Verify(function);
            }

            made = new CompiledBackward(Plan.Build(function, device: Device, profile: engine.Options.Profile, arenas: engine.Arenas), gradients);
            IrDump.Write(engine.Name, Number, "backward", made.Plan);
            return sums is null ? _backward = made : _gathering[sums] = made;
        }
    }
}

/// <summary>A backward plan.</summary>
/// <param name="Plan">Of the inputs, the saved values, the head gradients and pending gradients.</param>
/// <param name="Gradients">What it computes of the inputs and captured variables; null where nothing flows, or another argument is the same array.</param>
internal sealed record CompiledBackward(Plan Plan, GraphNode?[] Gradients)
{
    // Which output is the gradient of an argument; −1: none.
    private readonly int[] _outputs = Find(Plan.Function.Outputs, Gradients);
    private readonly bool[] _isFirst = FirstUses(Find(Plan.Function.Outputs, Gradients));

    /// <summary>Gives every argument its gradient, an array of its own.</summary>
    public void Distribute(NDArray[] computed, Span<NDArray?> results)
    {
        for (int i = 0; i < results.Length; i++)
        {
            if (_outputs[i] < 0) continue;
            NDArray gradient = computed[_outputs[i]];
            results[i] = _isFirst[i] ? gradient : gradient.Alias();
        }
    }

    private static bool[] FirstUses(int[] outputs)
    {
        HashSet<int> seen = [];
        return Array.ConvertAll(outputs, seen.Add);
    }

    private static int[] Find(IReadOnlyList<GraphNode> outputs, GraphNode?[] gradients)
    {
        Dictionary<GraphNode, int> places = [];
        for (int k = 0; k < outputs.Count; k++) places[outputs[k]] = k;
        return Array.ConvertAll(gradients, g => g is null ? -1 : places.GetValueOrDefault(g, -1));
    }
}

/// <summary>An input or captured array of a function with gradients.</summary>
/// <param name="Node">The array in the graph.</param>
/// <param name="Read">The compiled backward reads it.</param>
/// <param name="Needed">Gradients depend on its value: what computes forward again reads it.</param>
internal readonly record struct BackwardOperand(GraphNode Node, bool Read, bool Needed);
