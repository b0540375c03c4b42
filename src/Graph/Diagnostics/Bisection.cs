namespace Fusion;

/// <summary>
/// Finds where a compiled function leaves the eager one. Four suspects, in this order: the function is no longer the one that was traced; a simplification
/// changed a value; a launch computes something else than its operators; launches are right and the memory plan is not.
/// </summary>
internal sealed class Bisection(TraceLog? log, GraphFunction function, IReadOnlyList<NDArray?> arguments, double[]? numbers = null)
{
    // The reference values: every node by the eager operators.
    private readonly Dictionary<GraphNode, NDArray> _values = Interpreter.Evaluate(function, arguments, numbers);

    /// <summary>Names the first operator that diverges in a plan.</summary>
    public string Explain(Plan plan)
    {
        if (FirstSimplification() is { } call)
            return $"The first operator that diverges is {call}: simplified to {log!.Describe(call.Result)}, which has another value.";
        foreach (PlanStep step in plan.Steps.Select(static s => s is FilledStep filled ? filled.Inner : s).SelectMany(static s => s is ManyTensorStep many ? many.Members : (IEnumerable<PlanStep>)[s]))
        {
            if (step is AssemblyStep || Agrees(step)) continue;
            string ops = string.Join(" · ", step.Group.Members.Select(static m => m.Op.Name));
            return $"The first operator that diverges is {Describe(FirstMember(step))}, in the launch {ops} over {step.Group.Shape}.";
        }

        return "Every launch gives the eager bits on its own: the memory plan lets values overlap, or the function is not deterministic.";
    }

    /// <summary>The first call in which a function differs from what was traced before, as text; null when it does not.</summary>
    public static string? Change(TraceLog before, TraceLog now)
    {
        Dictionary<GraphNode, GraphNode> same = [];
        for (int i = 0; i < before.Calls.Count && i < now.Calls.Count; i++)
        {
            TracedCall a = before.Calls[i];
            TracedCall b = now.Calls[i];
            string? what = a.Op != b.Op ? $"was {a.Op.Name}" : null;
            if (what is null && !Equals(a.Attributes, b.Attributes)) what = $"had the attributes {a.Attributes}, now {b.Attributes}";
            for (int k = 0; k < a.Inputs.Length && what is null; k++)
                if (!Same(a.Inputs[k], b.Inputs[k])) what = $"had the operand {a.Inputs[k]}, now {b.Inputs[k]}";
            if (what is not null) return $"operator {i}, {b}, {what}";
            same[a.Result] = b.Result;
        }

        return before.Calls.Count == now.Calls.Count ? null : $"it calls {now.Calls.Count} operators, {before.Calls.Count} before";

        bool Same(GraphNode a, GraphNode b) => (a, b) switch
        {
            (ConstantNode x, ConstantNode y) => x.DType == y.DType && BitConverter.DoubleToInt64Bits(x.Value) == BitConverter.DoubleToInt64Bits(y.Value),
            (CapturedNode x, CapturedNode y) => ReferenceEquals(x.Array, y.Array),
            (InputNode x, InputNode y) => x.Name == y.Name,
            (HostNode x, HostNode y) => x.Index == y.Index,
            _ => same.TryGetValue(a, out GraphNode? known) && ReferenceEquals(known, b),
        };
    }

    private TracedCall? FirstSimplification()
    {
        foreach (TracedCall call in log?.Calls ?? [])
        {
            if (call.Op.Impure || !TryValue(call.Result, out NDArray? expected) || expected.Type != call.Result.Type) continue;
            NDArray[] inputs = new NDArray[call.Inputs.Length];
            bool known = true;
            for (int i = 0; i < inputs.Length && known; i++) known = TryValue(call.Inputs[i], out inputs[i]!);
            if (!known) continue;
            NDArray value = null!;
            Dispatcher.Execute(call.Op, inputs, call.Attributes, new Span<NDArray>(ref value));
            if (BitComparison.FirstDifference(value, expected) >= 0) return call;
        }

        return null;
    }

    // A node that the function does not need has no value here, a number always has one.
    private bool TryValue(GraphNode node, out NDArray value)
    {
        if (node is ConstantNode constant) value = Elements.Scalar(constant.Value, constant.DType);
        else if (!_values.TryGetValue(node, out value!)) return false;
        return true;
    }

    private bool Agrees(PlanStep step)
    {
        if (step.Group.Members.Exists(static m => m.Op.Impure)) return true;
        NDArray[] outputs = [.. step.Outputs.Select(o => NDArray.Allocate(o.DType, o.Shape, _values[o].Accelerator))];
        step.Run([.. step.Inputs.Select(i => TryValue(i, out NDArray value) ? value.Contiguous() : null!)], outputs);
        for (int i = 0; i < outputs.Length; i++)
            if (BitComparison.FirstDifference(_values[step.Outputs[i]], outputs[i]) >= 0) return false;
        return true;
    }

    // Ever longer beginnings of the kernel, each with its last operator as the only result.
    private OpNode FirstMember(PlanStep step)
    {
        if (step.Group.Kind != GroupKind.Elementwise) return step.Outputs[^1];
        PlanGroup part = new(step.Group.Shape, step.Group.LaneType) { Kind = GroupKind.Elementwise };
        foreach (OpNode member in step.Group.Members)
        {
            part.Members.Add(member);
            if (!Agrees(new FusedStep(part, LoweredKernel.Lower(part, n => ReferenceEquals(n, member))))) return member;
        }

        return step.Outputs[^1];
    }

    private string Describe(OpNode node) => log?.Describe(node) ?? node.Op.Name;
}
