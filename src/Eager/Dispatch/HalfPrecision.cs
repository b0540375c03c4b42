namespace Fusion;

/// <summary>
/// Operators on Float16 and BFloat16: the operands become Float32, the row runs as it is, and what is half precision of its results is rounded, once. The
/// conversions are rows like any other, on the tape and in a graph: gradients of every order, traces and fusion follow.
/// </summary>
internal static class HalfPrecision
{
    /// <summary>The row computes with these elements; rows that only move them take them as they are.</summary>
    public static bool Concerns(Op op, NDArray x) => x.DType.IsHalf && !op.Moves;

    public static bool Concerns(Op op, ReadOnlySpan<NDArray> inputs)
    {
        if (op.Moves) return false;
        foreach (NDArray input in inputs)
            if (input.DType.IsHalf) return true;
        return false;
    }

    public static void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is null)
            foreach (NDArray input in inputs) input.ThrowIfUnusable(op.Name);
        TensorType[] results = Infer(op, inputs, attributes, outputs.Length);
        NDArray[] wide = new NDArray[inputs.Length], saved = inputs.ToArray();
        for (int i = 0; i < wide.Length; i++)
        {
            wide[i] = inputs[i].DType.IsHalf ? OpTable.Cast.Apply(inputs[i], DType.Float32) : inputs[i];

            // Of an operand with a history the tape keeps the half as many bytes, and widens them again in backward; that of a constant is on the edge anyway.
            if (wide[i].Source is null) saved[i] = wide[i];
        }

        if (state.Tracer is { } tracer) tracer.Apply(op, wide, attributes, outputs);
        else Dispatcher.Execute(op, wide, attributes, outputs);
        if (state.Recording) Tape.Record(state, op, attributes, wide, saved, outputs);
        for (int i = 0; i < wide.Length; i++)
        {
            // An edge to a constant operand holds the array itself.
            bool held = state.Recording && outputs[0].Source is not null && wide[i].Source is null;
            if (!ReferenceEquals(wide[i], inputs[i]) && !held) wide[i].ReleaseIfUnshared();
        }

        for (int i = 0; i < outputs.Length; i++)
        {
            if (!results[i].DType.IsHalf) continue;
            NDArray unrounded = outputs[i];
            outputs[i] = OpTable.Cast.Apply(unrounded, results[i].DType);
            unrounded.ReleaseIfUnshared();
        }
    }

    /// <summary>In the types that the caller sees; a number of Float32 is weak beside them (see <see cref="Elements.Weak"/>).</summary>
    private static TensorType[] Infer(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, int outputs)
    {
        DType half = DType.Float32;
        foreach (NDArray input in inputs)
            if (input.DType.IsHalf) half = input.DType;
        TensorType[] types = new TensorType[inputs.Length], results = new TensorType[outputs];
        for (int i = 0; i < types.Length; i++)
            types[i] = inputs[i].IsConstant && inputs[i].DType == DType.Float32 ? inputs[i].Type with { DType = half } : inputs[i].Type;
        op.Infer(types, attributes, results);
        return results;
    }
}
