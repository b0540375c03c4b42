namespace Fusion;

/// <summary>A number in a part of a value, or outside of it.</summary>
internal readonly record struct Fill(SliceAttributes Where, double Value, bool Outside)
{
    /// <summary>What is not to be filled is not written either; elements between those of a part are filled with it.</summary>
    public bool KeepsTheRest => !Outside || !Where.Steps.Span.ContainsAnyExcept(1);

    public void Run(NDArray whole)
    {
        if (Outside) ArrayParts.Surround(null, whole, Where, Value);
        else Movement.FillInside(whole, Where, Value);
    }
}

/// <summary>Copies to their places the parts of a value that no launch has computed there.</summary>
internal sealed class AssemblyStep(PlanGroup group, OpNode whole, List<(GraphNode Source, SliceAttributes Where)> copied, List<Fill> fills)
    : PlanStep(group, [.. copied.Select(static c => c.Source)], [whole])
{
    public override bool CannotFail => true;

    private readonly SliceAttributes[] _places = [.. copied.Select(static c => c.Where)];
    private readonly Fill[] _fills = [.. fills];

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        foreach (Fill fill in _fills) fill.Run(outputs[0]);
        for (int i = 0; i < inputs.Length; i++) Movement.CopyIntoView(inputs[i], outputs[0], _places[i]);
    }
}

/// <summary>A launch that computes a part of a larger value, after what surrounds the part has been filled.</summary>
internal sealed class FilledStep(PlanStep inner, OpNode whole, List<Fill> fills) : PlanStep(inner.Group, inner.Inputs, [.. inner.Outputs, whole])
{
    private readonly Fill[] _fills = [.. fills];

    /// <summary>The launch alone.</summary>
    public PlanStep Inner => inner is FilledStep filled ? filled.Inner : inner;

    public override IEnumerable<LoweredKernel> Kernels => inner.Kernels;

    public override bool CannotFail => inner.CannotFail;

    /// <summary>An operand may only lie where the result goes if filling leaves that as it is.</summary>
    public override bool CanOverwrite(GraphNode old, OpNode output, HashSet<GraphNode> leaves) =>
        Array.TrueForAll(_fills, static f => f.KeepsTheRest) && inner.CanOverwrite(old, output, leaves);

    public override IEnumerable<string> Ptx(int capability = 80) => inner.Ptx(capability);

    public override void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        foreach (Fill fill in _fills) fill.Run(outputs[^1]);
        inner.Run(inputs, outputs[..^1]);
    }
}
