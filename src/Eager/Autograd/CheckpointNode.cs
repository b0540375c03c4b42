namespace Fusion;

/// <summary>
/// The tape node of a checkpointed call. Its inputs are x and everything with a gradient that the function captured: variables, and results that were
/// recorded before. It is differentiated on its own: the recomputation's tape ends at these inputs.
/// </summary>
internal static class CheckpointNode
{
    public static NDArray Apply(ExecutionState state, Func<NDArray, NDArray> f, NDArray x)
    {
        // A first recorded run finds what f reaches; its tape is dropped at once, so that only x and the captured arrays stay.
        RandomDraws draws = RandomDraws.Begin(state);
        List<bool> taken = [];
        KnownWays ways = new(taken, inlines: state.Sequences is not null || state.Ways is { Inlines: true });
        long start = TapeNode.LastSequence(state);
        NDArray input = new TapeEdge(x).RequiresGradient ? Leaf(x) : x, output;
        try
        {
            using (KnownWays.Enter(state, state.Ways, taken)) output = Returned(f(input));
        }
        finally
        {
            draws.End(state);
            state.TakenWays?.AddRange(taken);
        }

        if (output.Source is Variable unchanged && ReferenceEquals(unchanged, input.Source)) return x.Alias();
        if (output.Source is not TapeNode root || root.Sequence <= start) return output;

        List<TapeEdge> captured = Captured(root, output.SourceIndex, start, input.Source);
        NDArray result = output.Detach();
        TapeNode node = Record(state, (n, gradients, inputs, pass) => Recompute(n, f, draws, ways, gradients[0]!, inputs, pass), x, captured, result);
        node.ExtraSaved = Saved(x, captured, counted: true);
        return result;
    }

    /// <summary>
    /// In a trace the compiler repeats the calls, and is told which these are. The call is one node nevertheless, so that gradients are added up in the order, and
    /// to the bits, of eager execution.
    /// </summary>
    public static NDArray Trace(ExecutionState state, Func<NDArray, NDArray> f, NDArray x)
    {
        long start = TapeNode.LastSequence(state);
        NDArray input = new TapeEdge(x).RequiresGradient ? Leaf(x) : x, held = input.Detach();
        Tracer tracer = state.Tracer!;
        object? checkpoint = tracer.BeginCheckpoint();
        NDArray? output = null;
        try
        {
            output = Returned(f(input));
        }
        finally
        {
            tracer.EndCheckpoint(checkpoint, output);
        }

        if (output.Source is Variable unchanged && ReferenceEquals(unchanged, input.Source)) return x.Alias();
        if (output.Source is not TapeNode root || root.Sequence <= start) return output;
        List<TapeEdge> captured = Captured(root, output.SourceIndex, start, input.Source);
        NDArray result = output.Detach();
        Record(state, Gradient, x, captured, result).ExtraSaved = Saved(x, captured, counted: false);
        return result;

        void Gradient(TapeNode node, ReadOnlySpan<NDArray?> gradients, Span<NDArray?> inputs, BackwardPass pass)
        {
            object? before = tracer.BeginRepeat(checkpoint, gradients[0]!);
            try
            {
                bool createGraph = Autograd.IsRecording;
                (NDArray from, NDArray to) = tracer.IsOverwritten(checkpoint) || createGraph ? Replay(node, createGraph) : (input, output);
                Differentiate(node, from, to, gradients[0]!, retainGraph: true, inputs, pass);
            }
            finally
            {
                tracer.EndRepeat(before);
            }
        }

        // Where gradients are recorded the calls come once more on the tape, as eagerly: there gradients of several orders meet. And they read what was written since.
        (NDArray Input, NDArray Output) Replay(TapeNode node, bool createGraph)
        {
            CheckSaved(node);
            object? before = tracer.BeginReplay(checkpoint);
            try
            {
                return Repeat(node, f, held, createGraph);
            }
            finally
            {
                tracer.EndReplay(before);
            }
        }
    }

    /// <summary>What the user's function gave back, which must be there.</summary>
    public static NDArray Returned(NDArray? output) => output ?? throw new InvalidOperationException("Checkpoint: the function returned null; return its result.");

    private static TapeNode Record(ExecutionState state, BackwardRule backward, NDArray x, List<TapeEdge> captured, NDArray result)
    {
        Op op = new()
        {
            Name = "Checkpoint",
            Arity = captured.Count + 1,
            Infer = static (_, _, _) => throw new InvalidOperationException("A checkpoint is not inferred."),
            Run = static (_, _, _) => throw new InvalidOperationException("A checkpoint is not run by the table."),
            Backward = backward,
        };
        TapeNode node = new(op, null, state, captured.Count + 1);
        node.SetEdge(0, x);
        for (int i = 0; i < captured.Count; i++) node.SetEdge(i + 1, captured[i]);
        result.SetSource(node, 0);
        return node;
    }

    // What the function reads, x before all.
    private static SavedArray[] Saved(NDArray x, List<TapeEdge> captured, bool counted) =>
        [new SavedArray(x, counted), .. captured.Select(static c => c.Source).OfType<Variable>().Select(v => new SavedArray(v.Array, counted))];

    private static NDArray CheckSaved(TapeNode node)
    {
        for (int i = 1; i < node.ExtraSaved.Length; i++) node.ExtraSaved[i].Read(node, "captured variable");
        return node.ExtraSaved[0].Read(node, "input");
    }

    /// <summary>The same value as a place of its own on the tape, without a gradient buffer.</summary>
    private static NDArray Leaf(NDArray x)
    {
        NDArray leaf = x.Detach();
        leaf.Mark(leaf, GradReq.Null);
        return leaf;
    }

    /// <summary>Where the calls since <paramref name="start"/> read variables and earlier results, other than the input.</summary>
    private static List<TapeEdge> Captured(TapeNode root, int output, long start, object? input)
    {
        List<TapeEdge> captured = [];
        HashSet<(object Source, int Index)> seen = [(root, output)];
        Stack<(TapeNode Node, int Output)> open = new([(root, output)]);
        while (open.TryPop(out (TapeNode Node, int Output) place))
        {
            TapeNode node = place.Node;
            for (int i = 0; i < node.InputCount && !node.IsReleased; i++)
            {
                TapeEdge edge = node.Edge(i);
                if (!node.Reaches(place.Output, i) || !edge.RequiresGradient || ReferenceEquals(edge.Source, input) || !seen.Add((edge.Source, edge.Index))) continue;
                if (edge.Source is TapeNode inner && inner.Sequence > start) open.Push((inner, edge.Index));
                else captured.Add(edge);
            }
        }

        return captured;
    }

    private static void Recompute(
        TapeNode node, Func<NDArray, NDArray> f, RandomDraws draws, KnownWays ways, NDArray gradient, Span<NDArray?> inputs, BackwardPass pass)
    {
        bool createGraph = Autograd.IsRecording;
        NDArray x = CheckSaved(node);
        NDArray input, output;
        ExecutionState state = ExecutionState.Current;
        using (RandomReplay.Of(draws).Enter(state))
        using (KnownWays.Enter(state, ways.Again())) (input, output) = Repeat(node, f, x, createGraph);
        Differentiate(node, input, output, gradient, retainGraph: createGraph, inputs, pass);
    }

    /// <summary>
    /// The function once more, recorded, with an input of its own: in the mode in which it was called, whichever backward has asked for.
    /// </summary>
    private static (NDArray Input, NDArray Output) Repeat(TapeNode node, Func<NDArray, NDArray> f, NDArray x, bool createGraph)
    {
        ExecutionState state = ExecutionState.Current;
        bool repeats = state.Repeats;
        using RecordScope scope = Autograd.Record(node.TrainMode);
        NDArray input = Input(node.Edge(0), x, createGraph);
        state.Repeats = true;
        try
        {
            return (input, f(input));
        }
        finally
        {
            state.Repeats = repeats;
        }
    }

    /// <summary>The gradients of the function alone, with respect to its input and what it captured.</summary>
    private static void Differentiate(TapeNode node, NDArray input, NDArray output, NDArray gradient, bool retainGraph, Span<NDArray?> results, BackwardPass outer)
    {
        (object? Source, int Index)[] keys = new (object?, int)[results.Length];
        keys[0] = (input.Source, input.SourceIndex);
        for (int i = 1; i < keys.Length; i++) keys[i] = (node.Edge(i).Source, node.Edge(i).Index);
        GradientTargets targets = new(keys, stop: true);
        BackwardPass pass = new(createGraph: Autograd.IsRecording, retainGraph, outer.TrainMode);
        pass.AddHeads([output], [gradient]);
        pass.Run(targets);
        for (int i = 0; i < results.Length; i++) results[i] = targets.Result(i);
    }

    // For higher orders the recomputation hangs on x's own history, behind a node of its own: x may be among the captured arrays, too.
    private static NDArray Input(TapeEdge edge, NDArray x, bool createGraph)
    {
        if (!edge.RequiresGradient) return x;
        if (!createGraph) return Leaf(x);
        NDArray linked = x.Alias();
        linked.SetSource(edge.Source, edge.Index);
        return OpTable.Copy.Apply(linked);
    }
}
