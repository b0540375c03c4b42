namespace Fusion;

/// <summary>
/// Puts the calls of a compiled function on the tape after all, at the place where they would be: for gradients that are differentiated again. Values
/// inside the function are then where gradients of several orders meet, as eagerly, and every order has the eager bits. To have higher orders compiled,
/// hybridize the function that takes the gradient.
/// </summary>
internal static class Replay
{
    // Calls that a checkpoint makes twice, in a few levels.
    private const int Repetitions = 64;

    /// <summary>Sequence numbers to keep free.</summary>
    public static long Calls(FunctionTrace trace) => (trace.TapeLength + 1) * Repetitions;

    /// <summary>
    /// Null for a function that cannot be repeated: it changes state of the host or gradients, or needs values that it has overwritten. Other arrays that it
    /// writes are left as they are.
    /// </summary>
    /// <param name="engine">The function.</param>
    /// <param name="variant">Its variant that ran forward.</param>
    /// <param name="draws">What forward drew; null: nothing.</param>
    /// <param name="node">The tape node of the call.</param>
    /// <param name="numbers">The sequence numbers that were kept free for the call.</param>
    public static IReadOnlyList<NDArray>? Run(HybridEngine engine, HybridVariant variant, RandomDraws? draws, TapeNode node, SequenceRange numbers)
    {
        FunctionTrace trace = variant.Trace;
        ExecutionState state = ExecutionState.Current;
        if (!trace.Host.IsEmpty || trace.Variables.Length > 0 || trace.GradientsNeedOldState()) return null;
        if (state.Tracer is not null || trace.Thawed is not null || !CapturedAreTheSame(trace, node)) return null;
        NDArray[] inputs = HybridCall.Operands(node, variant)[..trace.Inputs.Length];
        for (int i = 0; i < inputs.Length; i++) inputs[i] = At(node.Edge(i), inputs[i]);
        StateSnapshot before = new([.. trace.States.Select(s => s.Target(inputs))]);
        using RecordScope scope = new(variant.Signature.Recording, node.TrainMode);
        using RandomReplay.Scope again = RandomReplay.Of(draws ?? new RandomDraws()).Enter(state);
        using KnownWays.Scope ways = KnownWays.Enter(state, new KnownWays(trace.Ways, inlines: true));
        SequenceRange? outer = state.Sequences;
        state.Sequences = numbers;
        try
        {
            long start = TapeNode.LastSequence(state);
            IReadOnlyList<NDArray> outputs;
            lock (engine.StateLock) outputs = engine.Function(inputs);
            trace.Calls?.CheckRepeated(outputs, start);
            return outputs;
        }
        finally
        {
            before.Restore();
            state.Sequences = outer;
        }
    }

    // The array may have become another variable since.
    private static NDArray At(TapeEdge edge, NDArray input)
    {
        if (!input.DType.IsFloat) return input;
        NDArray linked = input.Alias();
        bool constant = edge.Source is NDArray;
        linked.SetSource(constant ? null : edge.Source, constant ? 0 : edge.Index);
        return linked;
    }

    private static bool CapturedAreTheSame(FunctionTrace trace, TapeNode node)
    {
        for (int i = 0; i < trace.CapturedVariables.Length; i++)
        {
            NDArray captured = trace.CapturedVariables[i].Array;
            TapeEdge edge = node.Edge(trace.Inputs.Length + i);
            if (TapeNode.Resolve(captured.Source, captured.SourceIndex) != (edge.Source, edge.Index)) return false;
        }

        return true;
    }
}
