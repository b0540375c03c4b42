namespace Fusion;

/// <summary>Turns a tape that was recorded eagerly into a function that makes the same operator calls, so that tracing it gives the same graph.</summary>
internal static class TapeLift
{
    public static Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> Lift(NDArray head, ReadOnlySpan<NDArray> inputs)
    {
        if (head.Source is not TapeNode root)
            throw new HybridizeException("FromTape: the head was not recorded. Compute it inside Autograd.Record() from an array with AttachGrad().");
        (object Source, int Index)[] keys = new (object, int)[inputs.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(inputs[i]);
            keys[i] = (inputs[i].Source ?? inputs[i], inputs[i].SourceIndex);
        }

        List<TapeNode> order = Collect(root, keys);
        bool[] used = new bool[keys.Length];
        List<Call> calls = [];
        Dictionary<TapeNode, int> positions = new(ReferenceEqualityComparer.Instance);
        foreach (TapeNode node in order)
        {
            Operand[] operands = new Operand[node.InputCount];
            for (int i = 0; i < operands.Length; i++) operands[i] = Resolve(node.Edge(i), keys, used, positions);
            positions.Add(node, calls.Count);
            calls.Add(new Call(node.Op, node.Attributes, operands));
        }

        int missing = Array.IndexOf(used, false);
        if (missing >= 0 && !ReferenceEquals(keys[missing].Source, root))
            throw new HybridizeException($"FromTape: the head does not depend on input {missing}, {inputs[missing].Type}. Call AttachGrad() on it before recording.");
        int output = head.SourceIndex;
        int count = keys.Length;
        return arguments => arguments.Count == count
            ? [Replay(calls, output, arguments)]
            : throw new ArgumentException($"FromTape: the function has {count} inputs, and was given {arguments.Count}.", nameof(inputs));
    }

    private static NDArray Replay(List<Call> calls, int output, IReadOnlyList<NDArray> arguments)
    {
        IReadOnlyList<NDArray>[] values = new IReadOnlyList<NDArray>[calls.Count];
        for (int i = 0; i < values.Length; i++)
        {
            Call call = calls[i];
            NDArray[] inputs = Array.ConvertAll(call.Inputs, o => o.Captured ?? (o.IsArgument ? arguments[o.Index] : values[o.Index][o.Output]));
            values[i] = call.Op.Repeat is { } repeat ? repeat(inputs) : [call.Op.Apply(inputs, call.Attributes)];
        }

        return values[^1][output];
    }

    private static List<TapeNode> Collect(TapeNode root, (object Source, int Index)[] keys)
    {
        HashSet<TapeNode> seen = [root];
        Stack<TapeNode> open = new([root]);
        while (open.TryPop(out TapeNode? node))
        {
            if (node.IsReleased) throw Errors.GraphReleased(node);
            if (node.Op.Backward is not null && node.Op.Repeat is null)
                throw new HybridizeException($"FromTape: {node.Op.Name} is a function with a gradient of its own, which a tape cannot replay. Hybridize the C# function instead.");
            for (int i = 0; i < node.InputCount; i++)
            {
                TapeEdge edge = node.Edge(i);
                if (edge.Source is TapeNode input && IndexOf(keys, edge) < 0 && seen.Add(input)) open.Push(input);
            }
        }

        List<TapeNode> order = [.. seen];
        order.Sort(static (a, b) => a.Sequence.CompareTo(b.Sequence));
        return order;
    }

    private static Operand Resolve(TapeEdge edge, (object Source, int Index)[] keys, bool[] used, Dictionary<TapeNode, int> positions)
    {
        int argument = IndexOf(keys, edge);
        if (argument >= 0)
        {
            used[argument] = true;
            return new Operand(argument, 0, IsArgument: true, null);
        }

        return edge.Source switch
        {
            TapeNode node => new Operand(positions[node], edge.Index, IsArgument: false, null),
            Variable variable => new Operand(0, 0, IsArgument: false, variable.Array),
            _ => new Operand(0, 0, IsArgument: false, (NDArray)edge.Source),
        };
    }

    private static int IndexOf((object Source, int Index)[] keys, TapeEdge edge)
    {
        for (int i = 0; i < keys.Length; i++)
            if (ReferenceEquals(keys[i].Source, edge.Source) && keys[i].Index == edge.Index) return i;
        return -1;
    }

    private readonly record struct Operand(int Index, int Output, bool IsArgument, NDArray? Captured);

    private sealed record Call(Op Op, object? Attributes, Operand[] Inputs);
}
