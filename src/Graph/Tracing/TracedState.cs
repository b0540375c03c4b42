namespace Fusion;

/// <summary>What a traced function changes: captured arrays, its inputs, the gradient buffers of its inputs.</summary>
internal sealed class TracedState
{
    private TracedState(List<StateWrite> writes, TracedInput[] variables) => (Writes, Variables) = (writes, variables);

    public List<StateWrite> Writes { get; }

    /// <summary>The inputs whose gradient buffers are arguments.</summary>
    public TracedInput[] Variables { get; }

    public static TracedState Of(GraphTracer tracer, TracedInput[] inputs, GraphNode[] outputs, bool keepGradients)
    {
        List<StateWrite> writes = [.. tracer.Writes];
        foreach (TracedInput input in inputs)
            if (input.Symbol.Version > 0) writes.Add(new StateWrite(null, input.Index, tracer.NodeOf(input.Symbol), input.Symbol.Version));

        HashSet<GraphNode> read = [.. GraphOrder.Sort([.. outputs, .. writes.Select(static w => w.Value)])];
        TracedInput[] variables = Array.FindAll(inputs, i => i.Gradient is not null && (i.GradientSymbol!.Version > 0 || read.Contains(i.Gradient) || i.Symbol.Attachment?.FreshSet is not null));
        for (int i = 0; i < variables.Length; i++)
        {
            NDArray gradient = variables[i].GradientSymbol!;
            if (gradient.Version > 0) writes.Add(new StateWrite(null, inputs.Length + i, tracer.NodeOf(gradient), gradient.Version));
            variables[i].Fresh = variables[i].Symbol.Attachment?.FreshSet;
        }

        TracedState state = new(writes, variables);
        if (!keepGradients) state.DropGradients(tracer, outputs, inputs.Length);
        return state;
    }

    // A buffer whose old value the function reads (GradReq.Add) is state like any other and stays.
    private void DropGradients(GraphTracer tracer, GraphNode[] outputs, int inputs)
    {
        HashSet<GraphNode> read = [.. GraphOrder.Sort([.. outputs, .. Writes.Select(static w => w.Value)], tracer.Effects)];
        HashSet<NDArray> captured = new(read.OfType<CapturedNode>().Select(static c => c.Array), ReferenceEqualityComparer.Instance);
        Dictionary<Variable, bool> fresh = new(ReferenceEqualityComparer.Instance);
        foreach (FreshEffect effect in tracer.Host.Effects.OfType<FreshEffect>()) fresh[effect.Variable] = effect.Value;
        HashSet<Variable> dropped = new(ReferenceEqualityComparer.Instance);
        foreach (Variable variable in fresh.Keys)
            if (!captured.Contains(variable.Gradient) && Writes.RemoveAll(w => ReferenceEquals(w.Array, variable.Gradient)) > 0) dropped.Add(variable);
        tracer.Host.Remove(e => e is FreshEffect effect && dropped.Contains(effect.Variable) && fresh[effect.Variable]);
        for (int i = 0; i < Variables.Length; i++)
        {
            int argument = inputs + i;
            if (!read.Contains(Variables[i].Gradient!) && Writes.RemoveAll(w => w.Array is null && w.Argument == argument) > 0) Variables[i].Fresh = null;
        }
    }
}
