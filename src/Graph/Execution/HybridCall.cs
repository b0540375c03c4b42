using System.Diagnostics;
using Fusion.Kernels;

namespace Fusion;

/// <summary>One call of a variant: the plan, and while recording one node on the tape whose gradient is the compiled backward.</summary>
internal static class HybridCall
{
    public static NDArray[] Run(HybridEngine engine, HybridVariant variant, NDArray[] inputs, ExecutionState state)
    {
        (int, long) compiled = DeviceCompilation.OfThread;
        bool records = state.Recording || variant.Trace.HasHistory;
        RandomDraws? draws = records && variant.Trace.Effects.Count > 0 && variant.HasGradients ? RandomDraws.Begin(state) : null;
        NDArray[] results;
        try
        {
            results = StatefulCall.Run(engine, variant, inputs);
        }
        finally
        {
            draws?.End(state);
        }

        engine.CountSince(compiled);
        int count = variant.Trace.Outputs.Length;
        NDArray[] outputs = results.Length == count ? results : results[..count];
        if (records) Record(engine, variant, draws, inputs, state, results, outputs);
        return outputs;
    }

    private static void Record(
        HybridEngine engine, HybridVariant variant, RandomDraws? draws, NDArray[] inputs, ExecutionState state, NDArray[] results, NDArray[] outputs)
    {
        FunctionTrace trace = variant.Trace;
        TapeNode? node = variant.HasGradients ? RecordCall(engine, variant, draws, inputs, state, outputs) : null;
        if (node is not null)
        {
            node.OutputTypes = Array.ConvertAll(outputs, static o => o.Type);
            Keep(node, variant, inputs, results.AsSpan(outputs.Length));
        }

        for (int i = 0; i < outputs.Length; i++)
        {
            if (trace.HasGradients && trace.Aliases[i] is { } alias) Alias(outputs, i, alias.IsTarget ? Target(variant, inputs, alias.Index) : outputs[alias.Index]);
            else if (node is null || trace.Heads[i] is null) Detach(variant, state, inputs, outputs[i], i);
        }
    }

    private static TapeNode? RecordCall(HybridEngine engine, HybridVariant variant, RandomDraws? draws, NDArray[] inputs, ExecutionState state, NDArray[] outputs)
    {
        NDArray[] arguments = new NDArray[inputs.Length + variant.Trace.CapturedVariables.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = Target(variant, inputs, i);
        SequenceRange? numbers = null;
        Op op = new()
        {
            Name = "Hybrid",
            Arity = arguments.Length,
            Outputs = outputs.Length,
            Infer = static (_, _, _) => throw new InvalidOperationException("A compiled function is not inferred."),
            Run = static (_, _, _) => throw new InvalidOperationException("A compiled function is not run by the table."),
            Backward = (node, gradients, results, pass) => Backward(engine, variant, draws, node, gradients, results, pass),
            Reach = variant.Trace.Reach,
            Makers = variant.Trace.EndOps,
            Expansion = node => Replay.Run(engine, variant, draws, node, numbers!),
            OutputGradients = (node, gradients, asked, pass) => VectorJacobian.OfOutputs(engine, variant, draws, node, gradients, asked, OtherMode(variant, pass)),
        };
        numbers = TapeNode.Reserve(Replay.Calls(variant.Trace));
        return Tape.Record(state, op, null, arguments, outputs);
    }

    // An input or a captured variable.
    private static NDArray Target(HybridVariant variant, NDArray[] inputs, int index) =>
        index < inputs.Length ? inputs[index] : variant.Trace.CapturedVariables[index - inputs.Length].Array;

    // Eagerly it is the same array: gradients arrive where they belong, in the order of the tape.
    private static void Alias(NDArray[] outputs, int index, NDArray same)
    {
        if (same.Source is null) outputs[index].ClearSource();
        else outputs[index].SetSource(same.Source, same.SourceIndex);
    }

    // An output without a gradient says why, as eagerly: nothing flows, or a backward inside the function has consumed its history.
    private static void Detach(HybridVariant variant, ExecutionState state, NDArray[] inputs, NDArray output, int index)
    {
        HeadEnd end = variant.Trace.Ends[index];

        // Another handle of an input: what that is.
        if (end == HeadEnd.NeverRecorded && variant.Trace.Outputs[index] is InputNode { Index: var input } && input < inputs.Length && inputs[input].Source is null) end = inputs[input].End;
        output.ClearSource(end);

        // A history that ends inside the function, at a variable of its own or at a backward.
        if (end is HeadEnd.Released or HeadEnd.None) output.SetSource(variant.EndOf(index, state), 0);
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
        HybridEngine engine,
        HybridVariant variant,
        RandomDraws? draws,
        TapeNode node,
        ReadOnlySpan<NDArray?> gradients,
        Span<NDArray?> results,
        BackwardPass pass)
    {
        using Activity? activity = Telemetry.Run("backward", engine.Name);
        GradientSums? sums = GradientSums.Of(variant.Trace, node, pass);
        NDArray[] pending = sums is null ? [] : sums.Take(node, pass);
        bool allHeads = true;
        for (int i = 0; i < gradients.Length; i++) allHeads &= variant.Trace.Heads[i] is null || gradients[i] is not null;
        bool? trainMode = OtherMode(variant, pass);
        if (Autograd.IsRecording || !allHeads || trainMode is not null)
        {
            VectorJacobian.OfInputs(engine, variant, draws, node, gradients, results, sums, pending, trainMode);
            return;
        }

        int inputs = variant.Trace.Inputs.Length;
        NDArray?[] arguments = new NDArray?[variant.BackwardFunction!.Arguments.Count + pending.Length];
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
        pending.CopyTo(arguments, at);
        CompiledBackward backward = variant.GetBackward(engine, sums);
        (int, long) compiled = DeviceCompilation.OfThread;
        NDArray[] computed = backward.Plan.Run(arguments);
        engine.CountSince(compiled);
        HybridVerifier.Gradients(engine, variant, backward.Plan, arguments, computed);
        backward.Distribute(computed, results);
        pass.HandOver();
    }

    // The training flag that backward was given, where the compiled gradient is one of the other mode.
    private static bool? OtherMode(HybridVariant variant, BackwardPass pass) => pass.TrainMode is { } mode && variant.Trace.GradientIsOf(!mode) ? mode : null;

    /// <summary>The inputs and captured arrays of the call, unless a gradient needs one that was overwritten.</summary>
    public static NDArray[] Operands(TapeNode node, HybridVariant variant)
    {
        NDArray[] operands = new NDArray[variant.Operands.Length];
        for (int i = 0; i < operands.Length; i++) operands[i] = variant.Operands[i].Needed ? Read(node, variant, i) : node.ExtraSaved[i].Array;
        return operands;
    }

    private static NDArray Read(TapeNode node, HybridVariant variant, int operand) =>
        node.ExtraSaved[operand].Read(node, operand < variant.Trace.Inputs.Length ? $"input {operand}" : "captured array");
}
