namespace Fusion;

/// <summary>Puts operator calls on the tape: a node when gradients can flow through the call, a mark on the output otherwise.</summary>
internal static class Tape
{
    public static void Record(ExecutionState state, Op op, object? attributes, NDArray x, NDArray output)
    {
        if (x.Source is null)
        {
            output.MarkRecordedWithoutGradient();
            return;
        }

        TapeNode node = new(op, attributes, state, 1);
        node.SetEdge(0, x);
        if ((op.Saves & Saved.Input0) != 0) node.Save(0, x);
        Finish(node, op.Saves, output);
    }

    public static void Record(ExecutionState state, Op op, object? attributes, NDArray x, NDArray y, NDArray output)
    {
        if (x.Source is null && y.Source is null)
        {
            output.MarkRecordedWithoutGradient();
            return;
        }

        TapeNode node = new(op, attributes, state, 2);
        node.SetEdge(0, x);
        node.SetEdge(1, y);
        Saved saves = op.SavesPerInput is { } needed ? Needed(needed[0], x) | Needed(needed[1], y) : op.Saves;
        if ((saves & Saved.Input0) != 0) node.Save(0, x);
        if ((saves & Saved.Input1) != 0) node.Save(1, y);
        Finish(node, saves, output);
    }

    public static TapeNode? Record(ExecutionState state, Op op, object? attributes, ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> outputs) =>
        Record(state, op, attributes, inputs, inputs, outputs);

    /// <summary>What is kept of an input may be its value in another type, from which <see cref="GradientContext"/> makes it again.</summary>
    public static TapeNode? Record(
        ExecutionState state, Op op, object? attributes, ReadOnlySpan<NDArray> inputs, ReadOnlySpan<NDArray> kept, ReadOnlySpan<NDArray> outputs)
    {
        bool flows = false;
        foreach (NDArray input in inputs) flows |= input.Source is not null;
        if (!flows)
        {
            foreach (NDArray output in outputs) output.MarkRecordedWithoutGradient();
            return null;
        }

        TapeNode node = new(op, attributes, state, inputs.Length);
        Saved saves = op.Saves;
        if (op.SavesPerInput is { } needed)
        {
            saves = Saved.None;
            for (int i = 0; i < inputs.Length; i++) saves |= Needed(needed[i], inputs[i]);
        }

        for (int i = 0; i < inputs.Length; i++)
        {
            node.SetEdge(i, inputs[i]);
            if (((int)saves & 0xFFFF & (1 << Math.Min(i, 15))) != 0) node.Save(i, kept[i]);
        }

        if ((saves & Saved.Output) != 0) node.SaveOutput(outputs[0]);
        if (outputs.Length > 1)
        {
            node.OutputTypes = new TensorType[outputs.Length];
            for (int i = 0; i < outputs.Length; i++) node.OutputTypes[i] = outputs[i].Type;
        }

        for (int i = 0; i < outputs.Length; i++) outputs[i].SetSource(node, i);
        return node;
    }

    /// <summary>A history that leads nowhere, or that a backward has already consumed.</summary>
    public static TapeNode End(ExecutionState state, Op op, bool isReleased)
    {
        TapeNode node = new(op, null, state, 0);
        if (isReleased) node.Release();
        return node;
    }

    private static Saved Needed(Saved saves, NDArray input) => input.Source is not null && input.DType.IsFloat ? saves : Saved.None;

    private static void Finish(TapeNode node, Saved saves, NDArray output)
    {
        if ((saves & Saved.Output) != 0) node.SaveOutput(output);
        output.SetSource(node, 0);
    }
}
