namespace Fusion;

/// <summary>The arrays of a launch of several parts, by number: its outputs come first, then what it reads.</summary>
internal sealed class LaunchArrays
{
    private readonly Dictionary<GraphNode, int> _numbers = [];
    private readonly List<GraphNode> _inputs = [];

    public LaunchArrays(PlanGroup group, HashSet<GraphNode> written)
    {
        Outputs = [.. group.Parts.SelectMany(static p => p.Members).Where(written.Contains).OrderBy(static m => m.Id)];
        foreach (OpNode output in Outputs) _numbers.Add(output, _numbers.Count);
    }

    public OpNode[] Outputs { get; }

    public IReadOnlyList<GraphNode> Inputs => _inputs;

    public static NDArray Get(int number, ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs) =>
        number < outputs.Length ? outputs[number] : inputs[number - outputs.Length];

    public bool IsOutput(GraphNode node) => _numbers.TryGetValue(node, out int number) && number < Outputs.Length;

    /// <summary>The number of an array; what is not an output becomes an input.</summary>
    public int Of(GraphNode node)
    {
        if (_numbers.TryGetValue(node, out int number)) return number;
        _inputs.Add(node);
        _numbers.Add(node, _numbers.Count);
        return _numbers.Count - 1;
    }

    /// <summary>A part that runs as a launch of its own.</summary>
    public NestedStep Nest(PlanGroup part, GraphFunction function, HashSet<GraphNode> written)
    {
        PlanStep step = PlanStep.Of(part, function, written)!;
        return new NestedStep(step, [.. step.Inputs.Select(Of)], [.. step.Outputs.Select(Of)]);
    }
}

/// <summary>A launch inside another one, and the numbers of the arrays that it reads and writes.</summary>
internal sealed record NestedStep(PlanStep Step, int[] Inputs, int[] Outputs)
{
    public void Run(ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        ArrayBuffer buffer = default;
        Span<NDArray> arrays = buffer;
        int count = Inputs.Length + Outputs.Length;
        for (int i = 0; i < count; i++) arrays[i] = LaunchArrays.Get(i < Inputs.Length ? Inputs[i] : Outputs[i - Inputs.Length], inputs, outputs);
        Step.Run(arrays[..Inputs.Length], arrays[Inputs.Length..count]);
    }
}
