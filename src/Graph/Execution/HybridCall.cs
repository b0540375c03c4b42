namespace Fusion;

/// <summary>One call of a variant: the plan, and while recording one node on the tape whose gradient is the compiled backward.</summary>
internal static class HybridCall
{
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs, ExecutionState state)
    {
        RandomState random = Nd.Random.State;
        NDArray[] results = StatefulCall.Run(engine, variant, inputs);
        int count = variant.Trace.Outputs.Length;
        NDArray[] outputs = results.Length == count ? results : results[..count];
        if (!state.Recording) return outputs;
        if (!variant.HasGradients)
        {
            for (int i = 0; i < count; i++) Detach(variant, state, outputs[i], i);
            return outputs;
        }

        Record(engine, variant, random, inputs, state, results, outputs);
        return outputs;
    }

    private static void Record(
        HybridEngine engine, HybridVariant variant, RandomState random, NDArray[] inputs, ExecutionState state, NDArray[] results, NDArray[] outputs)
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
            Backward = (node, gradients, results) => Backward(engine, variant, random, node, gradients, results),
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

    // Saved: the inputs and captured arrays that gradients depend on, then the values that forward left for backward. An input whose value no
    // gradient depends on may be overwritten: it is kept for its place in the list.
    private static void Keep(TapeNode node, HybridVariant variant, NDArray[] inputs, ReadOnlySpan<NDArray> values)
    {
        BackwardOperand[] operands = variant.Operands;
        SavedArray[] saved = new SavedArray[operands.Length + values.Length];
        for (int i = 0; i < operands.Length; i++)
            saved[i] = new SavedArray(i < inputs.Length ? inputs[i] : ((CapturedNode)operands[i].Node).Array, counted: operands[i].Needed);
        for (int i = 0; i < values.Length; i++) saved[operands.Length + i] = new SavedArray(values[i]);
        node.ExtraSaved = saved;
    }

    private static void Backward(
        HybridEngine engine, HybridVariant variant, RandomState random, TapeNode node, ReadOnlySpan<NDArray?> gradients, Span<NDArray?> results)
    {
        int inputs = variant.Trace.Inputs.Length;
        bool allHeads = true;
        for (int i = 0; i < gradients.Length; i++) allHeads &= variant.Trace.Heads[i] is null || gradients[i] is not null;
        if (Autograd.IsRecording || !allHeads || ExecutionState.Current.Tracer is not null)
        {
            NDArray[] all = new NDArray[variant.Operands.Length];
            for (int i = 0; i < all.Length; i++) all[i] = variant.Operands[i].Needed ? Read(node, variant, i) : node.ExtraSaved[i].Array;
            VectorJacobian.Run(engine, variant, random, node, all[..inputs], gradients, results);
            return;
        }

        NDArray?[] arguments = new NDArray?[variant.BackwardFunction!.Arguments.Count];
        for (int i = 0; i < variant.Operands.Length; i++)
        {
            if (!variant.Operands[i].Read) continue;
            NDArray array = Read(node, variant, i);
            if (i < inputs) arguments[i] = array;
        }

        int operands = variant.Operands.Length;
        int values = node.ExtraSaved.Length - operands;
        for (int i = 0; i < values; i++) arguments[inputs + i] = node.ExtraSaved[operands + i].Read(node, "saved value");
        int at = inputs + values;
        for (int i = 0; i < gradients.Length; i++)
            if (variant.Trace.Heads[i] is not null) arguments[at++] = gradients[i];
        Plan plan = variant.Backward ?? engine.Timed(variant.GetBackward);
        variant.BackwardHasRun = true;
        NDArray[] computed = plan.Run(arguments);
        HybridVerifier.Gradients(engine, variant, arguments, computed);
        Distribute(variant, plan, computed, results);
    }

    private static NDArray Read(TapeNode node, HybridVariant variant, int operand) =>
        node.ExtraSaved[operand].Read(node, operand < variant.Trace.Inputs.Length ? $"input {operand}" : "captured array");

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
