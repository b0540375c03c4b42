namespace Fusion;

/// <summary>One call of a variant: the plan, and while recording one node on the tape whose gradient is the compiled backward.</summary>
internal static class HybridCall
{
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs, ExecutionState state)
    {
        NDArray[] results = StatefulCall.Run(engine, variant, inputs);
        int count = variant.Trace.Outputs.Length;
        NDArray[] outputs = results.Length == count ? results : results[..count];
        if (!state.Recording) return outputs;
        if (!variant.HasGradients)
        {
            for (int i = 0; i < count; i++) Detach(variant, state, outputs[i], i);
            return outputs;
        }

        Record(engine, variant, inputs, state, results, outputs);
        return outputs;
    }

    private static void Record(HybridEngine engine, HybridVariant variant, NDArray[] inputs, ExecutionState state, NDArray[] results, NDArray[] outputs)
    {
        int count = outputs.Length;
        CapturedNode[] captured = variant.Trace.CapturedVariables;
        NDArray[] arguments = [.. inputs, .. captured.Select(static c => c.Array)];
        Op op = new()
        {
            Name = "Hybrid",
            Arity = arguments.Length,
            Outputs = count,
            Infer = static (_, _, _) => throw new InvalidOperationException("A compiled function is not inferred."),
            Run = static (_, _, _) => throw new InvalidOperationException("A compiled function is not run by the table."),
            Backward = (node, gradients, results) => Backward(engine, variant, node, gradients, results),
        };
        TapeNode? node = Tape.Record(state, op, null, arguments, outputs);
        if (node is null) return;
        node.OutputTypes = Array.ConvertAll(outputs, static o => o.Type);
        Keep(node, variant, inputs, results.AsSpan(count));
        for (int i = 0; i < count; i++)
            if (variant.Trace.Heads[i] is null) Detach(variant, state, outputs[i], i);
    }

    // An output without a gradient says why, as eagerly: nothing flows, or a backward inside the function has consumed its history.
    private static void Detach(HybridVariant variant, ExecutionState state, NDArray output, int index)
    {
        output.ClearSource();
        if (variant.Trace.Released[index]) Tape.RecordReleased(state, output);
    }

    // Saved: the inputs, then captured arrays that backward reads, then the values that forward left for it.
    private static void Keep(TapeNode node, HybridVariant variant, NDArray[] inputs, ReadOnlySpan<NDArray> values)
    {
        IReadOnlyList<CapturedNode> captured = variant.BackwardFunction!.Captured;
        SavedArray[] saved = new SavedArray[inputs.Length + captured.Count + values.Length];
        int at = 0;
        foreach (NDArray input in inputs) saved[at++] = new SavedArray(input);
        foreach (CapturedNode capture in captured) saved[at++] = new SavedArray(capture.Array);
        foreach (NDArray value in values) saved[at++] = new SavedArray(value);
        node.ExtraSaved = saved;
    }

    private static void Backward(HybridEngine engine, HybridVariant variant, TapeNode node, ReadOnlySpan<NDArray?> gradients, Span<NDArray?> results)
    {
        int inputs = variant.Trace.Inputs.Length;
        bool allHeads = true;
        for (int i = 0; i < gradients.Length; i++) allHeads &= variant.Trace.Heads[i] is null || gradients[i] is not null;
        if (Autograd.IsRecording || !allHeads || ExecutionState.Current.Tracer is not null)
        {
            NDArray[] xs = new NDArray[inputs];
            for (int i = 0; i < inputs; i++) xs[i] = node.ExtraSaved[i].Read(node, $"input {i}");
            VectorJacobian.Run(engine, variant, node, xs, gradients, results);
            return;
        }

        int captured = variant.BackwardFunction!.Captured.Count;
        for (int i = inputs; i < inputs + captured; i++) node.ExtraSaved[i].Read(node, "captured array");
        int values = node.ExtraSaved.Length - inputs - captured;
        NDArray?[] arguments = new NDArray?[variant.BackwardFunction.Arguments.Count];
        for (int i = 0; i < inputs; i++) arguments[i] = node.ExtraSaved[i].Read(node, $"input {i}");
        for (int i = 0; i < values; i++) arguments[inputs + i] = node.ExtraSaved[inputs + captured + i].Read(node, "saved value");
        int at = inputs + values;
        for (int i = 0; i < gradients.Length; i++)
            if (variant.Trace.Heads[i] is not null) arguments[at++] = gradients[i];
        Plan plan = variant.Backward ?? engine.Timed(variant.GetBackward);
        variant.BackwardHasRun = true;
        Distribute(variant, plan, plan.Run(arguments), results);
    }

    private static void Distribute(HybridVariant variant, Plan plan, NDArray[] computed, Span<NDArray?> results)
    {
        for (int i = 0; i < results.Length; i++)
        {
            if (variant.Trace.Gradients[i] is not { } gradient) continue;
            for (int k = 0; k < computed.Length; k++)
                if (ReferenceEquals(plan.Function.Outputs[k], gradient)) results[i] = computed[k];
        }
    }
}
