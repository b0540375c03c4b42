namespace Fusion;

/// <summary>
/// A part of a graph to be executed: outputs computed from leaves. Every input, captured or saved value is a leaf; nodes between leaves and outputs
/// are listed in a topological order.
/// </summary>
internal sealed class GraphFunction
{
    /// <param name="arguments">Leaves given by the caller, in order: function inputs, saved values, head gradients.</param>
    /// <param name="outputs">What to compute; entries may repeat or be leaves.</param>
    /// <param name="effects">Impure nodes that must run although no output needs them.</param>
    public GraphFunction(IReadOnlyList<GraphNode> arguments, IReadOnlyList<GraphNode> outputs, IReadOnlyList<GraphNode> effects)
    {
        Arguments = [.. arguments];
        Outputs = [.. outputs];
        HashSet<GraphNode> leaves = [.. arguments];
        Order = GraphOrder.Sort(outputs, effects, leaves);
        Captured = [.. Order.OfType<CapturedNode>().Where(c => !leaves.Contains(c))];
        Operators = [.. Order.OfType<OpNode>().Where(n => !leaves.Contains(n))];
    }

    public IReadOnlyList<GraphNode> Arguments { get; }

    public IReadOnlyList<GraphNode> Outputs { get; }

    /// <summary>Everything reachable, leaves included.</summary>
    public IReadOnlyList<GraphNode> Order { get; }

    public IReadOnlyList<CapturedNode> Captured { get; }

    /// <summary>What has to be computed.</summary>
    public IReadOnlyList<OpNode> Operators { get; }
}
