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

    /// <summary>In a part of a larger value.</summary>
    Part,
}

/// <summary>The place of one value.</summary>
/// <param name="Node">The value.</param>
/// <param name="Kind">Where it lives.</param>
/// <param name="Index">Argument index, byte offset in the arena, or as the kind says.</param>
internal readonly record struct Place(GraphNode Node, Residence Kind, long Index);

/// <summary>
/// The memory plan: lifetimes from the order of the launches, arena offsets from <see cref="ArenaLayout"/>. Blocks are multiples of 64 bytes, so
/// that kernels may work in whole registers; results of the function never lie in the arena.
/// </summary>
internal sealed class Placement
{
    private const int Alignment = 64;

    public required IReadOnlyList<Place> Places { get; init; }

    /// <summary>Which values lie in larger ones.</summary>
    public required PartPlacement Parts { get; init; }

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
        while (node is OpNode { IsView: true } view && !leaves.Contains(node)) node = view.Inputs[0];
        return node;
    }

    public static Placement Plan(GraphFunction function, List<PlanStep> steps, PartPlacement parts)
    {
        HashSet<GraphNode> leaves = function.Leaves;
        HashSet<GraphNode> escaping = [.. function.Outputs.Take(function.ResultCount).Select(o => Root(o, leaves))];
        StatePlace[] states = StatePlacement.Plan(function, steps, escaping, leaves);
        Dictionary<GraphNode, int> stateOf = [];
        Dictionary<GraphNode, int> lastUse = [];
        for (int i = 0; i < steps.Count; i++)
            foreach (GraphNode value in steps[i].Inputs.Concat(steps[i].Outputs)) lastUse[parts.Home(value)] = i;
        for (int k = 0; k < states.Length; k++)
        {
            if (states[k].Owned is { } owned) stateOf.Add(owned, k);
            else lastUse[parts.Home(states[k].Write.Value)] = steps.Count;
        }

        List<Place> places = [];
        for (int i = 0; i < function.Arguments.Count; i++) places.Add(new Place(function.Arguments[i], Residence.Argument, i));
        foreach (CapturedNode captured in function.Captured) places.Add(new Place(captured, Residence.Captured, 0));
        foreach (ConstantNode constant in function.Order.OfType<ConstantNode>()) places.Add(new Place(constant, Residence.Constant, 0));
        foreach (HostNode host in function.Order.OfType<HostNode>().Where(h => !leaves.Contains(h))) places.Add(new Place(host, Residence.Host, host.Index));

        foreach (StreamNode stream in steps.SelectMany(static s => s.Inputs).OfType<StreamNode>()) places.Add(new Place(stream, Residence.Stream, 0));

        List<ArenaBlock> blocks = [];
        Dictionary<GraphNode, int> blockOf = [];
        HashSet<GraphNode> overwritten = [];
        long unplanned = 0;
        HashSet<GraphNode> placed = [.. places.Select(static p => p.Node)];
        HashSet<OpNode> outputs = [];
        ILookup<TensorType, GraphNode> ending = Array.Empty<GraphNode>().ToLookup(static n => n.Type);
        for (int i = 0; i < steps.Count; i++)
        {
            outputs = [.. steps[i].Outputs];
            ending = steps[i].Inputs.Where(n => blockOf.ContainsKey(n) && lastUse[n] == i).Distinct().ToLookup(static n => n.Type);
            foreach (OpNode output in steps[i].Outputs) Put(output, i);
        }

        long[] offsets = ArenaLayout.Plan(blocks, out long arena);
        for (int i = 0; i < places.Count; i++)
            if (places[i].Kind == Residence.Arena) places[i] = places[i] with { Index = offsets[places[i].Index] };

        // A view of what stays inside a launch is not needed, nor one of rows that lie apart: it stands for them in the larger value.
        foreach (OpNode view in function.Operators)
        {
            if (!view.IsView || Root(view, leaves) is not { } root || !placed.Contains(root)) continue;
            if (!parts.Parts.TryGetValue(root, out Part? part) || part.Strides is null) places.Add(new Place(view, Residence.View, 0));
        }

        long spare = states.Where(static s => !s.Direct).Sum(static s => Bytes(s.Write.Value.Type));
        return new Placement { Places = places, States = states, SpareBytes = spare, ArenaBytes = arena, UnplannedBytes = unplanned, Parts = parts };

        void Put(OpNode value, int step)
        {
            if (!placed.Add(value)) return;
            if (parts.Parts.TryGetValue(value, out Part? part))
            {
                Put(part.Whole, step);
                places.Add(new Place(value, Residence.Part, 0));
                return;
            }

            long size = Bytes(value.Type);
            unplanned += size;
            if (escaping.Contains(value))
            {
                places.Add(new Place(value, Residence.Fresh, 0));
                return;
            }

            if (stateOf.TryGetValue(value, out int state))
            {
                places.Add(new Place(value, Residence.State, state));
                return;
            }

            int last = Math.Max(step, lastUse.GetValueOrDefault(value, -1));
            if (Overwritten(value, step) is { } old)
            {
                // Its memory lives on as the result's.
                int block = blockOf[old];
                blocks[block] = blocks[block] with { Last = last };
                blockOf.Add(value, block);
            }
            else
            {
                blockOf.Add(value, blocks.Count);
                blocks.Add(new ArenaBlock(size, step, last));
            }

            places.Add(new Place(value, Residence.Arena, blockOf[value]));
        }

        // An operand in the arena of which this is the last use (they are in the table), read only where the result is written.
        GraphNode? Overwritten(OpNode value, int step)
        {
            if (!outputs.Contains(value)) return null;
            foreach (GraphNode input in ending[value.Type])
            {
                if (overwritten.Contains(input) || blocks[blockOf[input]].Last != step) continue;
                if (steps[step].CanOverwrite(input, value, leaves) && overwritten.Add(input)) return input;
            }

            return null;
        }
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

        return TakeEnd(size);
    }

    /// <summary>Memory that nothing has been in before.</summary>
    public long TakeEnd(long size)
    {
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
