using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// What one running call of a plan writes to: its arena, and a handle per value that is pointed to the memory of this call. Made once and reused, so
/// that a steady call allocates its results and nothing else.
/// </summary>
internal sealed class PlanState
{
    private static readonly byte[] s_unbound = new byte[128];

    private readonly Plan _plan;
    private readonly Binding[] _bindings;
    private readonly (NDArray[] Inputs, NDArray[] Outputs)[] _operands;
    private readonly Result[] _results;
    private readonly (NDArray Handle, int Index)[] _numbers;
    private readonly StateMemory _states;
    private readonly PlanScratch _scratch = new();
    private readonly object _arena;
    private readonly byte[] _stream;

    public PlanState(Plan plan)
    {
        _plan = plan;
        GpuDevice? device = plan.Device;
        _stream = plan.Function.DrawnBlocks > 0 ? new byte[128] : s_unbound;
        _arena = device is null ? MemoryPool.Allocate(plan.Placement.ArenaBytes) : new DeviceBlock(device, plan.Placement.ArenaBytes);
        Dictionary<GraphNode, NDArray> handles = [];
        Dictionary<GraphNode, List<NDArray>> views = [];
        HashSet<GraphNode> leaves = plan.Function.Leaves;
        List<(Place Place, NDArray Handle, List<NDArray> Views)> bound = [];
        List<(NDArray, int)> numbers = [];
        foreach (Place place in plan.Placement.Places)
        {
            if (place.Kind == Residence.Part)
            {
                Part part = plan.Placement.Parts.Parts[place.Node];
                NDArray seen = Views.Slice(handles[part.Whole], part.Where);
                seen = seen.View(place.Node.Shape, seen.Offset, part.Strides);
                handles.Add(place.Node, seen);
                views.Add(place.Node, views[part.Whole]);
                views[part.Whole].Add(seen);
                continue;
            }

            if (place.Kind == Residence.View)
            {
                OpNode view = (OpNode)place.Node;
                NDArray handle = ViewLayout.View(view, handles[view.Inputs[0]]);
                handles.Add(view, handle);
                views[Placement.Root(view, leaves)].Add(handle);
                continue;
            }

            List<NDArray> seenThrough = [];
            NDArray root = place.Node is ConstantNode constant ? Elements.Scalar(constant.Value, constant.DType)
                : place.Kind == Residence.Host ? NDArray.Allocate(place.Node.DType, place.Node.Shape)
                : new NDArray(place.Kind == Residence.Stream ? _stream : s_unbound, place.Node.DType, place.Node.Shape);
            if (place.Kind == Residence.Arena) root.Rebind(_arena, place.Index / place.Node.DType.Size);
            if (place.Kind == Residence.Host) numbers.Add((root, (int)place.Index));
            handles.Add(place.Node, root);
            views.Add(place.Node, seenThrough);
            if (place.Kind is Residence.Argument or Residence.Captured or Residence.Fresh or Residence.State) bound.Add((place, root, seenThrough));
        }

        _bindings = [.. bound.Select(static b => new Binding(b.Place, b.Handle, b.Views))];
        Dictionary<GraphNode, int> bindingOf = [];
        for (int i = 0; i < _bindings.Length; i++) bindingOf.Add(_bindings[i].Place.Node, i);
        _operands = [.. plan.Steps.Select(s => (Handles(s.Inputs), Handles(s.Outputs)))];
        _numbers = [.. numbers];
        _states = new StateMemory(device, plan.Placement.States, [.. plan.Placement.States.Select(s => handles[s.Owned ?? s.Write.Value])]);
        _results = [.. plan.Function.Outputs.Take(plan.Function.ResultCount).Select(o => new Result(handles[o], bindingOf.GetValueOrDefault(Placement.Root(o, leaves), -1)))];

        NDArray[] Handles(IEnumerable<GraphNode> nodes) => [.. nodes.Select(n => handles[n])];
    }

    public NDArray[] Run(ReadOnlySpan<NDArray?> arguments, ReadOnlySpan<double> numbers)
    {
        foreach ((NDArray handle, int index) in _numbers) Movement.Fill(handle, numbers[index]);
        if (_plan.Function.DrawnBlocks > 0) MemoryMarshal.Write(_stream, Nd.Random.Reserve(_plan.Function.DrawnBlocks));
        _states.Begin(arguments);
        Span<Binding> bindings = _bindings;
        for (int i = 0; i < bindings.Length; i++)
        {
            ref Binding binding = ref bindings[i];
            binding.Uses = 0;
            switch (binding.Place.Kind)
            {
                case Residence.Argument:
                    if (arguments[(int)binding.Place.Index] is { } argument) Bind(ref binding, Require(argument));
                    break;
                case Residence.Captured:
                    NDArray captured = ((CapturedNode)binding.Place.Node).Array;
                    captured.ThrowIfUnusable("Hybridize");
                    Require(captured);
                    Bind(ref binding, captured);
                    break;
                case Residence.State:
                    (object storage, long offset) = _states.Memory((int)binding.Place.Index);
                    binding.Point(storage, offset);
                    break;
                default:
                    TensorType type = binding.Place.Node.Type;
                    binding.Source = NDArray.Allocate(type.DType, type.Shape, _plan.Device);
                    binding.Point(binding.Source.Storage, 0);
                    break;
            }
        }

        Launch();
        NDArray[] results = new NDArray[_results.Length];
        for (int i = 0; i < results.Length; i++) results[i] = Deliver(_results[i]);
        results = Follow(results);
        _states.Stage();
        _states.Commit();
        return results;
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

    /// <summary>Lets go of the caller's arrays.</summary>
    public void Unbind()
    {
        _states.End();
        Span<Binding> bindings = _bindings;
        for (int i = 0; i < bindings.Length; i++)
        {
            bindings[i].Source = null;
            bindings[i].Point(s_unbound, 0);
        }
    }

    // Numbers of the processor go with arrays of any device.
    private NDArray Require(NDArray array)
    {
        if (ReferenceEquals(array.Accelerator, _plan.Device) || (!array.IsOnGpu && array.Rank == 0)) return array;
        throw Errors.MixedDevices("Hybridize", _plan.Device is { } device ? Device.Of(device) : Device.Cpu, array.Device);
    }

    private static void Bind(ref Binding binding, NDArray array)
    {
        binding.Source = array.Contiguous();
        binding.Point(binding.Source.Storage, binding.Source.Offset);
    }

    private NDArray Deliver(Result result)
    {
        if (result.Binding < 0)
        {
            // A number: it gets memory of its own.
            NDArray copy = NDArray.Allocate(result.Handle.DType, result.Handle.Shape, _plan.Device);
            Movement.CopyTo(result.Handle, copy);
            return copy;
        }

        ref Binding binding = ref _bindings[result.Binding];
        bool whole = ReferenceEquals(binding.Handle, result.Handle);
        if (whole && binding.Place.Kind == Residence.Fresh && binding.Uses++ == 0) return binding.Source!;
        return binding.Source!.View(result.Handle.Shape, result.Handle.Offset, Views.Strides(result.Handle));
    }

    private readonly record struct Result(NDArray Handle, int Binding);

    private struct Binding(Place place, NDArray handle, List<NDArray> views)
    {
        private readonly long[] _offsets = [.. views.Select(static v => v.Offset)];
        private readonly NDArray[] _views = [.. views];

        public Place Place { get; } = place;

        public NDArray Handle { get; } = handle;

        /// <summary>The array of this call.</summary>
        public NDArray? Source;

        public int Uses;

        public readonly void Point(object storage, long offset)
        {
            Handle.Rebind(storage, offset);
            for (int i = 0; i < _views.Length; i++) _views[i].Rebind(storage, offset + _offsets[i]);
        }
    }
}
