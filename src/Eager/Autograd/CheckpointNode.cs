namespace Fusion;

/// <summary>The tape node of a checkpointed call: its inputs are x and the variables that the function captured.</summary>
internal static class CheckpointNode
{
    /// <summary>The marked leaves under <paramref name="root"/> other than <paramref name="input"/>, and intermediates recorded outside.</summary>
    public static NDArray[] Leaves(TapeNode root, NDArray input)
    {
        List<NDArray> leaves = [];
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance) { root, input.Source! };
        Stack<TapeNode> open = new([root]);
        while (open.TryPop(out TapeNode? node))
        {
            for (int i = 0; i < node.InputCount && !node.IsReleased; i++)
            {
                object source = node.Edge(i).Source;
                if (!seen.Add(source)) continue;
                if (source is TapeNode inner) open.Push(inner);
                else if (source is Variable variable && !ReferenceEquals(variable.Array, input)) leaves.Add(variable.Array);
            }
        }

        return [.. leaves];
    }

    public static void Record(ExecutionState state, Func<NDArray, NDArray> f, NDArray x, NDArray[] captured, RandomState random, NDArray result)
    {
        TapeNode? node = Record(state, x, captured, (node, gradients, inputs) => Recompute(node, f, captured, random, gradients[0]!, inputs), result);
        if (node is not null) node.ExtraSaved = [new SavedArray(x)];
    }

    /// <summary>
    /// In a trace nothing need be computed twice: the compiler decides what to keep. The call is one node nevertheless, so that gradients are added up in
    /// the order, and to the bits, of eager execution.
    /// </summary>
    public static NDArray Trace(ExecutionState state, Func<NDArray, NDArray> f, NDArray x)
    {
        NDArray input = OpTable.Copy.Apply(x);
        if (input.Source is null) input.Mark(input, GradReq.Write);
        NDArray output = f(input);
        if (output.Source is not TapeNode root) return output;
        NDArray[] captured = Leaves(root, input);
        NDArray result = output.Detach();
        Record(state, x, captured, (_, gradients, inputs) => Differentiate(output, gradients[0]!, [input, .. captured], inputs), result);
        return result;
    }

    private static TapeNode? Record(ExecutionState state, NDArray x, NDArray[] captured, BackwardRule backward, NDArray result)
    {
        Op op = new()
        {
            Name = "Checkpoint",
            Arity = captured.Length + 1,
            Infer = static (_, _, _) => throw new InvalidOperationException("A checkpoint is not inferred."),
            Run = static (_, _, _) => throw new InvalidOperationException("A checkpoint is not run by the table."),
            Backward = backward,
        };
        return Tape.Record(state, op, null, [x, .. captured], [result]);
    }

    private static void Differentiate(NDArray output, NDArray gradient, NDArray[] variables, Span<NDArray?> results)
    {
        GradientTargets found = new(variables, stop: true);
        BackwardPass pass = new(createGraph: Autograd.IsRecording, retainGraph: true, trainMode: null);
        pass.AddHeads([output], [gradient]);
        pass.Run(found);
        for (int i = 0; i < variables.Length; i++) results[i] = found.Result(i);
    }

    private static void Recompute(TapeNode node, Func<NDArray, NDArray> f, NDArray[] captured, RandomState random, NDArray gradient, Span<NDArray?> inputs)
    {
        bool higherOrder = Autograd.IsRecording;
        NDArray x = node.ExtraSaved[0].Read(node, "input");

        // For higher orders the recomputation hangs on the caller's own x, so that its history goes on.
        NDArray input = x;
        if (!higherOrder || x.Source is null)
        {
            input = x.Detach();
            if (x.DType.IsFloat) input.Mark(Nd.ZerosLike(input), GradReq.Write);
        }

        RandomState now = Nd.Random.State;
        NDArray output;
        using (Autograd.Record(Autograd.IsTraining))
        {
            Nd.Random.State = random;
            try
            {
                output = f(input);
            }
            finally
            {
                Nd.Random.State = now;
            }
        }

        NDArray[] gradients = Autograd.Grad([output], [input, .. captured], [gradient], createGraph: higherOrder, allowUnused: true);
        for (int i = 0; i < gradients.Length; i++) inputs[i] = gradients[i];
    }
}
