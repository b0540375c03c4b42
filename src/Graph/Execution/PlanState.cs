using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// What one running call of a plan writes to: its arena, and a handle per value that is pointed to the memory of this call. Made once and reused, so
/// that a steady call allocates its results and nothing else.
/// </summary>
internal sealed class PlanState
{
    private readonly Plan _plan;
    private readonly Given[] _given;
    private readonly Captured[] _captured;
    private readonly Operand[] _operandArrays;
    private readonly Fresh[] _fresh;
    private readonly NDArray?[] _sources;
    private readonly (NDArray[] Inputs, NDArray[] Outputs)[] _operands;
    private readonly Result[] _results;
    private readonly PlanNumbers _numbers;
    private readonly StateMemory _states;
    private readonly PlanScratch _scratch = new();
    private readonly byte[] _stream;
    private readonly (BoundHandle Handle, long Offset)[] _inArena;
    private Arena? _arena; // null: on a device, or without any such value
    private bool _hasArena;
    private bool _hasCopies;

    public PlanState(Plan plan)
    {
        _plan = plan;
        GpuDevice? device = plan.Device;
        HashSet<GraphNode> leaves = plan.Function.Leaves;
        _stream = plan.Function.DrawnBlocks > 0 ? new byte[128] : BoundHandle.Nothing;
        if (device is null && plan.Placement.ArenaBytes > 0) _arena = plan.Arenas.Find(plan.Placement.ArenaBytes);
        PlanHandles handles = new(plan, _arena?.Storage ?? (device is null ? BoundHandle.Nothing : new DeviceBlock(device, plan.Placement.ArenaBytes)), _stream);
        _operands = handles.Operands;
        _numbers = handles.Numbers;

        // What results are, or are views of: the other arrays of a call need not be remembered.
        GraphNode[] results = [.. plan.Function.Outputs.Take(plan.Function.ResultCount)];
        ILookup<Residence, Place> places = plan.Placement.Places.ToLookup(static p => p.Kind);
        HashSet<GraphNode> whole = [.. places[Residence.Fresh].Select(static p => p.Node)];
        HashSet<GraphNode> bound = [.. whole, .. places[Residence.Argument].Concat(places[Residence.Captured]).Select(static p => p.Node)];
        Dictionary<GraphNode, int> sources = [];
        foreach (GraphNode root in results.Select(o => Placement.Root(o, leaves)).Where(bound.Contains)) sources.TryAdd(root, sources.Count);
        _sources = new NDArray?[sources.Count];
        _results = [.. results.Select(o => new Result(handles[o], Source(Placement.Root(o, leaves)), whole.Remove(o)))];
        _inArena = _arena is null ? [] : [.. places[Residence.Arena].Select(p => (handles.Bound(p.Node), p.Index / p.Node.DType.Size))];
        _given = [.. places[Residence.Argument].Select(p => new Given((int)p.Index, handles.Bound(p.Node), Source(p.Node)))];
        _fresh = [.. places[Residence.Fresh].Select(p => new Fresh(p.Node.Type, handles.Bound(p.Node), Source(p.Node)))];

        List<Captured> captured = [];
        List<Operand> operands = [];
        foreach (CapturedNode node in places[Residence.Captured].Select(static p => p.Node).Cast<CapturedNode>())
        {
            OperandPlaces uses = handles.Replace(node, node.Array);
            if (uses.IsEmpty) captured.Add(new Captured(node.Array, handles.Bound(node), Source(node)));
            else operands.Add(new Operand(node.Array, uses));
        }

        (_captured, _operandArrays) = ([.. captured], [.. operands]);
        _states = new StateMemory(device, plan.Placement.States, handles);

        int Source(GraphNode node) => sources.GetValueOrDefault(node, -1);
    }

    /// <summary>Runs the launches. When one throws, the random numbers are still to be drawn.</summary>
    public NDArray[] Run(ReadOnlySpan<NDArray?> arguments, ReadOnlySpan<double> numbers)
    {
        Enter();
        _numbers.Write(numbers);
        ulong blocks = _plan.Function.DrawnBlocks;
        if (blocks == 0) return Run(arguments);
        RandomOrigin origin = Nd.Random.Reserve(blocks);
        MemoryMarshal.Write(_stream, origin);
        try
        {
            return Run(arguments);
        }
        catch
        {
            Nd.Random.Return(origin, blocks);
            throw;
        }
    }

    private NDArray[] Run(ReadOnlySpan<NDArray?> arguments)
    {
        _states.Begin(arguments);
        Bind(arguments);
        Launch();
        NDArray[] results = new NDArray[_results.Length];
        for (int i = 0; i < results.Length; i++) results[i] = Deliver(_results[i]);
        results = Follow(results);
        _states.Stage();
        _states.Commit();
        return results;
    }

    // Another call may be using the arena, or it may have been given back for a larger one: this state has another one from then on.
    private void Enter()
    {
        if (_arena is null) return;
        if (!_arena.TryTake())
        {
            do _arena = _plan.Arenas.Find(_plan.Placement.ArenaBytes);
            while (!_arena.TryTake());
            foreach ((BoundHandle handle, long offset) in _inArena) handle.Point(_arena.Storage, offset);
        }

        _hasArena = true;
    }

    // The results without the conditions, all of which have turned out as they were traced.
    private NDArray[] Follow(NDArray[] results)
    {
        IReadOnlyList<BranchOutcome> outcomes = _plan.Function.Outcomes;
        if (outcomes.Count == 0) return results;
        int first = results.Length - outcomes.Count;
        for (int i = 0; i < outcomes.Count; i++)
            if (BranchPath.Holds(results[first + i]) != outcomes[i].Holds) throw new OtherBranchException(i);
        return results[..first];
    }

    private void Launch()
    {
        ExecutionState state = ExecutionState.Current;
        IScratch? outer = state.Scratch;
        LaunchTimes? times = _plan.Times;
        state.Scratch = _scratch;
        _scratch.BeginRun();
        try
        {
            for (int i = 0; i < _operands.Length; i++)
            {
                _scratch.BeginLaunch();
                if (times is null) _plan.Steps[i].Run(_operands[i].Inputs, _operands[i].Outputs);
                else times.Run(_plan, i, _operands[i].Inputs, _operands[i].Outputs);
            }
        }
        finally
        {
            state.Scratch = outer;
        }
    }

    private void Bind(ReadOnlySpan<NDArray?> arguments)
    {
        foreach (ref readonly Operand operand in _operandArrays.AsSpan())
        {
            Require(operand.Array);
            if (operand.Array.IsContiguous) continue;
            operand.Places.Set(operand.Array.Contiguous());
            _hasCopies = true;
        }

        foreach (ref readonly Captured captured in _captured.AsSpan()) Point(captured.To, captured.Array, captured.Source);
        foreach (ref readonly Given given in _given.AsSpan())
            if (arguments[given.Index] is { } argument) Point(given.To, argument, given.Source);
        foreach (ref readonly Fresh fresh in _fresh.AsSpan())
        {
            NDArray block = NDArray.Allocate(fresh.Type.DType, fresh.Type.Shape, _plan.Device);
            fresh.To.Point(block.Storage, 0);
            _sources[fresh.Source] = block;
        }
    }

    private void Point(in BoundHandle to, NDArray array, int source)
    {
        Require(array);
        if (!array.IsContiguous) array = array.Contiguous();
        to.Point(array.Storage, array.Offset);
        if (source >= 0) _sources[source] = array;
    }

    // Numbers of the processor go with arrays of any device.
    private void Require(NDArray array)
    {
        if (array.HasData && _plan.Device is null) return;
        array.ThrowIfUnusable("Hybridize");
        if (!ReferenceEquals(array.Accelerator, _plan.Device) && (array.IsOnGpu || array.Rank > 0))
            throw Errors.MixedDevices("Hybridize", _plan.Device is { } device ? Device.Of(device) : Device.Cpu, array.Device);
    }

    /// <summary>Lets go of the arena and the caller's arrays.</summary>
    public void Unbind()
    {
        if (_hasArena) _arena!.Leave();
        _hasArena = false;
        _states.End();
        if (_hasCopies)
            foreach (ref readonly Operand operand in _operandArrays.AsSpan()) operand.Places.Set(operand.Array);
        _hasCopies = false;
        foreach (ref readonly Captured captured in _captured.AsSpan()) captured.To.Release();
        foreach (ref readonly Given given in _given.AsSpan()) given.To.Release();
        foreach (ref readonly Fresh fresh in _fresh.AsSpan()) fresh.To.Release();
        Array.Clear(_sources);
    }

    private NDArray Deliver(in Result result)
    {
        if (result.Source < 0)
        {
            // A number: it gets memory of its own.
            NDArray copy = NDArray.Allocate(result.Handle.DType, result.Handle.Shape, _plan.Device);
            Movement.CopyTo(result.Handle, copy);
            return copy;
        }

        NDArray source = _sources[result.Source]!;
        return result.IsWhole ? source : source.View(result.Handle.Shape, result.Handle.Offset, Views.Strides(result.Handle));
    }

    /// <summary>A result of a call.</summary>
    /// <param name="Handle">Its shape and place.</param>
    /// <param name="Source">Which of the call's arrays it is part of; −1: none.</param>
    /// <param name="IsWhole">It is that array itself, a block of its own.</param>
    private readonly record struct Result(NDArray Handle, int Source, bool IsWhole);

    private readonly record struct Given(int Index, BoundHandle To, int Source);

    private readonly record struct Operand(NDArray Array, OperandPlaces Places);

    private readonly record struct Captured(NDArray Array, BoundHandle To, int Source);

    private readonly record struct Fresh(TensorType Type, BoundHandle To, int Source);
}
