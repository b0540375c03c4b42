namespace Fusion;

/// <summary>Where a value lives while a plan runs.</summary>
internal enum Residence
{
    /// <summary>Given by the caller (index into the arguments).</summary>
    Argument,

    /// <summary>A captured array, read by reference.</summary>
    Captured,

    /// <summary>A number.</summary>
    Constant,

    /// <summary>In the arena, at a byte offset, during part of the run.</summary>
    Arena,

    /// <summary>In a block of its own that leaves with the result.</summary>
    Fresh,

    /// <summary>In the memory of an array that the function writes in place (index into the states).</summary>
    State,

    /// <summary>A number read from the host at every call (index into the numbers).</summary>
    Host,

    /// <summary>The place in the stream of random numbers at which the call begins.</summary>
    Stream,

    /// <summary>Other shape or strides over another value.</summary>
    View,
}

/// <summary>The place of one value.</summary>
/// <param name="Node">The value.</param>
/// <param name="Kind">Where it lives.</param>
/// <param name="Index">Argument index, byte offset in the arena, or as the kind says.</param>
internal readonly record struct Place(GraphNode Node, Residence Kind, long Index);

/// <summary>
/// The memory plan: lifetimes from the order of the launches, arena offsets by first fit over the free gaps. Blocks are multiples of 64 bytes, so
/// that kernels may work in whole registers; results of the function never lie in the arena.
/// </summary>
internal sealed class Placement
{
    private const int Alignment = 64;

    public required IReadOnlyList<Place> Places { get; init; }

    /// <summary>How arrays are written in place.</summary>
    public required StatePlace[] States { get; init; }

    /// <summary>Bytes of spare memory for arrays that change places with it.</summary>
    public required long SpareBytes { get; init; }

    /// <summary>Bytes of the arena: the peak of everything alive at once.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Bytes that all buffers would take without reuse.</summary>
    public required long UnplannedBytes { get; init; }

    /// <summary>The value whose memory <paramref name="node"/> sees.</summary>
    public static GraphNode Root(GraphNode node, HashSet<GraphNode> leaves)
    {
        while (node is OpNode { Op.View: not null } view && !leaves.Contains(node) && IsTrueView(view)) node = view.Inputs[0];
        return node;
    }

    /// <summary>Reshaping a strided value copies; every other view is one.</summary>
    public static bool IsTrueView(OpNode node) => node.Op.View is not null && !(node.Op.Name == "Reshape" && node.Inputs[0] is OpNode { Op: { View: not null, Name: not "Reshape" } });

    public static Placement Plan(GraphFunction function, List<PlanGroup> groups, List<PlanStep> steps)
    {
        HashSet<GraphNode> leaves = function.Leaves;
        HashSet<GraphNode> escaping = [.. function.Outputs.Take(function.ResultCount).Select(o => Root(o, leaves))];
        StatePlace[] states = StatePlacement.Plan(function, steps, escaping, leaves);
        Dictionary<GraphNode, int> stateOf = [];
        Dictionary<GraphNode, int> lastUse = [];
        for (int i = 0; i < steps.Count; i++)
            foreach (GraphNode input in steps[i].Inputs) lastUse[Root(input, leaves)] = i;
        for (int k = 0; k < states.Length; k++)
        {
            if (states[k].Owned is { } owned) stateOf.Add(owned, k);
            else lastUse[Root(states[k].Write.Value, leaves)] = steps.Count;
        }

        List<Place> places = [];
        for (int i = 0; i < function.Arguments.Count; i++) places.Add(new Place(function.Arguments[i], Residence.Argument, i));
        foreach (CapturedNode captured in function.Captured) places.Add(new Place(captured, Residence.Captured, 0));
        foreach (ConstantNode constant in function.Order.OfType<ConstantNode>()) places.Add(new Place(constant, Residence.Constant, 0));
        foreach (HostNode host in function.Order.OfType<HostNode>().Where(h => !leaves.Contains(h))) places.Add(new Place(host, Residence.Host, host.Index));

        foreach (StreamNode stream in steps.SelectMany(static s => s.Inputs).OfType<StreamNode>()) places.Add(new Place(stream, Residence.Stream, 0));

        GapList arena = new();
        long unplanned = 0;
        Dictionary<GraphNode, (long Offset, long Size)> alive = [];
        for (int i = 0; i < steps.Count; i++)
        {
            foreach (OpNode output in steps[i].Outputs)
            {
                long size = Bytes(output.Type);
                unplanned += size;
                if (escaping.Contains(output))
                {
                    places.Add(new Place(output, Residence.Fresh, 0));
                    continue;
                }

                if (stateOf.TryGetValue(output, out int state))
                {
                    places.Add(new Place(output, Residence.State, state));
                    continue;
                }

                long offset = arena.Take(size);
                places.Add(new Place(output, Residence.Arena, offset));
                alive.Add(output, (offset, size));
            }

            foreach (GraphNode dead in alive.Keys.Where(n => lastUse.GetValueOrDefault(n, -1) <= i).ToArray())
            {
                arena.Give(alive[dead].Offset, alive[dead].Size);
                alive.Remove(dead);
            }
        }

        // A view of what stays inside a launch is not needed.
        HashSet<GraphNode> placed = [.. places.Select(static p => p.Node)];
        foreach (OpNode view in function.Operators.Where(n => IsTrueView(n) && placed.Contains(Root(n, leaves))))
            places.Add(new Place(view, Residence.View, 0));
        long spare = states.Where(static s => !s.Direct).Sum(static s => Bytes(s.Write.Value.Type));
        return new Placement { Places = places, States = states, SpareBytes = spare, ArenaBytes = arena.Peak, UnplannedBytes = unplanned };
    }

    private static long Bytes(TensorType type) => (type.Shape.Size * type.DType.Size + Alignment - 1) / Alignment * Alignment;
}

/// <summary>Free gaps of an arena that grows at its end.</summary>
internal sealed class GapList
{
    private readonly List<(long Start, long Size)> _gaps = [];

    public long Peak { get; private set; }

    public long Take(long size)
    {
        for (int i = 0; i < _gaps.Count; i++)
        {
            (long start, long free) = _gaps[i];
            if (free < size) continue;
            if (free == size) _gaps.RemoveAt(i);
            else _gaps[i] = (start + size, free - size);
            return start;
        }

        // A gap at the very end is extended.
        if (_gaps.Count > 0 && _gaps[^1].Start + _gaps[^1].Size == Peak)
        {
            long start = _gaps[^1].Start;
            _gaps.RemoveAt(_gaps.Count - 1);
            Peak = start + size;
            return start;
        }

        long end = Peak;
        Peak += size;
        return end;
    }

    public void Give(long start, long size)
    {
        if (size == 0) return;
        int at = 0;
        while (at < _gaps.Count && _gaps[at].Start < start) at++;
        _gaps.Insert(at, (start, size));
        if (at + 1 < _gaps.Count && start + size == _gaps[at + 1].Start)
        {
            _gaps[at] = (start, size + _gaps[at + 1].Size);
            _gaps.RemoveAt(at + 1);
        }

        if (at > 0 && _gaps[at - 1].Start + _gaps[at - 1].Size == start)
        {
            _gaps[at - 1] = (_gaps[at - 1].Start, _gaps[at - 1].Size + _gaps[at].Size);
            _gaps.RemoveAt(at);
        }
    }
}
