using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// A compiled function for fixed shapes: launches in order, and where every value lives. Immutable; what one call needs to write is in a
/// <see cref="PlanState"/>, so that any number of threads can run a plan at once.
/// </summary>
internal sealed class Plan
{
    // Expanded operators from which a plan's kernels are compiled on all threads: a millisecond.
    private const int ManyOperators = 100;

    // Not a ConcurrentBag: its per-thread lists would hold the states, and through them this plan and its bag, for the life of the thread.
    private readonly Stack<PlanState> _idle = new();

    // The one that was used last: calls that follow one another take no lock.
    private PlanState? _ready;

    private Plan(
        GraphFunction function, List<PlanGroup> groups, HashSet<GraphNode> written, List<PlanStep> steps, Placement placement, GpuDevice? device, bool profile, ArenaPool arenas)
    {
        Arenas = arenas;
        Times = profile ? new LaunchTimes(steps.Count) : null;
        Device = device;
        Written = written;
        Function = function;
        Groups = groups;
        Steps = steps;
        Placement = placement;
    }

    public GraphFunction Function { get; }

    /// <summary>Where the plan runs and its values lie; null: the processor.</summary>
    public GpuDevice? Device { get; }

    /// <summary>Where its calls have their memory from, on the processor.</summary>
    public ArenaPool Arenas { get; }

    public List<PlanGroup> Groups { get; }

    /// <summary>The values that exist in memory after a run.</summary>
    public HashSet<GraphNode> Written { get; }

    /// <summary>The launches; views are not among them.</summary>
    public IReadOnlyList<PlanStep> Steps { get; }

    public Placement Placement { get; }

    /// <summary>What the launches take; null: not measured.</summary>
    public LaunchTimes? Times { get; }

    public static Plan Build(GraphFunction function, bool fuse = true, GpuDevice? device = null, bool profile = false, ArenaPool? arenas = null)
    {
        // Operators whose kernel could not be compiled, and why: they are computed by the library, one by one, and the function is cut anew.
        Dictionary<OpNode, string> failed = [];
        while (true)
        {
            List<PlanGroup> groups = Grouper.Group(function, fuse && KernelCompiler.IsAvailable, failed, onDevice: device is not null);
            HashSet<GraphNode> written = Materialised(function, groups);
            if (Launches(function, groups, written, failed, device is not null) is not { } steps) continue;
            EarlyUpdates.Apply(function, groups, steps);
            PartPlacement parts = PartPlacement.Plan(function, device is null ? steps : []);
            HorizontalFusion.Apply(groups, steps, function.Leaves, parts);
            parts.Finish(groups, steps);
            return new Plan(function, groups, written, steps, Placement.Plan(function, steps, parts), device, profile, arenas ?? new ArenaPool());
        }
    }

    // Null when a kernel failed: its operators are in the list then.
    private static List<PlanStep>? Launches(GraphFunction function, List<PlanGroup> groups, HashSet<GraphNode> written, Dictionary<OpNode, string> failed, bool onDevice)
    {
        PlanStep?[] steps = new PlanStep?[groups.Count];
        KernelFailedException?[] failures = new KernelFailedException?[groups.Count];

        // What takes its time is machine code; kernels for accelerators are compiled at their first launch.
        if (!onDevice && groups.Sum(static g => Kernels(g).Sum(static k => k.ExpandedWeight)) >= ManyOperators && KernelCompiler.FaultOfThread is null) KernelCompiler.ForEach(groups.Count, Make);
        else
            for (int i = 0; i < steps.Length; i++) Make(i);

        int failure = Array.FindIndex(failures, static f => f is not null);
        if (failure < 0) return [.. steps.OfType<PlanStep>()];
        string message = failures[failure]!.Message;
        OpNode[] members = [.. Kernels(groups[failure]).SelectMany(static k => k.Members).Where(static m => m.Op.Element is not null)];
        if (members.Length == 0) throw failures[failure]!; // another cut would have the same kernel
        foreach (OpNode member in members) failed.Add(member, message);
        Diagnostics.Warn($"A kernel could not be compiled, its operators run one by one: {message}");
        return null;

        void Make(int i)
        {
            try
            {
                steps[i] = PlanStep.Of(groups[i], function, written, onDevice);
            }
            catch (KernelFailedException e)
            {
                failures[i] = e;
            }
        }
    }

    private static List<PlanGroup> Kernels(PlanGroup group) => group.Parts.Count == 0 ? [group] : group.Parts.FindAll(static p => p.Kind == GroupKind.Elementwise);

    /// <summary>The values that exist in memory after a run: what leaves its group, and the results of library calls.</summary>
    public static HashSet<GraphNode> Materialised(GraphFunction function, List<PlanGroup> groups)
    {
        Dictionary<GraphNode, PlanGroup> home = [];
        foreach (PlanGroup group in groups)
            foreach (OpNode member in group.Members) home[member] = group;
        HashSet<GraphNode> written = [];
        foreach (GraphNode output in function.Outputs) Write(output);
        foreach (PlanGroup group in groups)
        {
            if (group.Kind is GroupKind.Library or GroupKind.View) written.UnionWith(group.Members);
            written.UnionWith(group.Kept);
            foreach (OpNode member in group.Members)
                foreach (GraphNode input in member.Inputs)
                    if (home.TryGetValue(input, out PlanGroup? producer) && !ReferenceEquals(producer, group) && !group.Members.Contains(input)) Write(input);
        }

        // What is seen through a view is written, too.
        void Write(GraphNode node)
        {
            while (home.ContainsKey(node) && written.Add(node) && node is OpNode { IsView: true } view) node = view.Inputs[0];
        }

        return written;
    }

    /// <summary>What a launch does not write to memory, since only its own operators read it.</summary>
    public long BytesSaved(PlanGroup group) => group.Members.Where(m => m.Op.View is null && !Written.Contains(m)).Sum(static m => m.Shape.Size * m.DType.Size);

    /// <summary>Runs the plan. Results are arrays of the caller; results that are views of arguments share their storage, as eagerly.</summary>
    /// <param name="arguments">The function's arguments.</param>
    /// <param name="numbers">What its host program has read.</param>
    public NDArray[] Run(ReadOnlySpan<NDArray?> arguments, ReadOnlySpan<double> numbers = default)
    {
        PlanState state = Interlocked.Exchange(ref _ready, null) ?? Take();
        try
        {
            return state.Run(arguments, numbers);
        }
        catch (Exception e) when (DeviceFailures.Of(e, Device) is { } failure)
        {
            throw failure;
        }
        finally
        {
            state.Unbind();
            if (Interlocked.CompareExchange(ref _ready, state, null) is not null)
                lock (_idle) _idle.Push(state);
        }
    }

    private PlanState Take()
    {
        lock (_idle)
            if (_idle.TryPop(out PlanState? state)) return state;
        return new PlanState(this);
    }
}
