namespace Fusion;

/// <summary>
/// A part of a graph to be executed: outputs computed from leaves. Every input, captured or saved value is a leaf; nodes between leaves and outputs
/// are listed in a topological order.
/// </summary>
internal sealed class GraphFunction
{
    private readonly Dictionary<OpNode, ulong> _draws = [];

    /// <param name="arguments">Leaves given by the caller, in order: function inputs, saved values, head gradients.</param>
    /// <param name="outputs">What to compute; entries may repeat or be leaves.</param>
    /// <param name="effects">Random draws: they take their part of the stream although no output needs them.</param>
    /// <param name="states">Arrays that are written in place; their values follow the results among the outputs.</param>
    /// <param name="outcomes">Conditions that the function was traced for; they are the last of the results.</param>
    public GraphFunction(
        IReadOnlyList<GraphNode> arguments,
        IReadOnlyList<GraphNode> outputs,
        IReadOnlyList<GraphNode> effects,
        IReadOnlyList<StateWrite>? states = null,
        IReadOnlyList<BranchOutcome>? outcomes = null)
    {
        Arguments = [.. arguments];
        States = states ?? [];
        Outcomes = outcomes ?? [];
        ResultCount = outputs.Count + Outcomes.Count;
        Outputs = [.. outputs, .. Outcomes.Select(static o => o.Condition), .. States.Select(static s => s.Value)];
        HashSet<GraphNode> leaves = Leaves = [.. arguments];
        Order = GraphOrder.Sort(Outputs, effects, leaves);
        Captured = [.. Order.OfType<CapturedNode>().Where(c => !leaves.Contains(c))];
        HashSet<GraphNode> read = [.. Outputs, .. Order.Where(n => !leaves.Contains(n)).SelectMany(static n => n.Inputs)];
        List<OpNode> operators = [];
        foreach (OpNode node in Order.OfType<OpNode>().Where(n => !leaves.Contains(n)))
        {
            if (node.Op.Draw is { } draw)
            {
                _draws.Add(node, DrawnBlocks);
                DrawnBlocks = unchecked(DrawnBlocks + draw.Blocks(node.Type));
                if (!read.Contains(node)) continue;
            }

            operators.Add(node);
        }

        Operators = operators;
    }

    public IReadOnlyList<GraphNode> Arguments { get; }

    /// <summary>The arguments as a set, which nobody changes.</summary>
    public HashSet<GraphNode> Leaves { get; }

    public IReadOnlyList<GraphNode> Outputs { get; }

    /// <summary>Conditions that must turn out as they are here: a call in which one does not changes nothing.</summary>
    public IReadOnlyList<BranchOutcome> Outcomes { get; }

    /// <summary>The first of the outputs, which go to the caller, and the conditions.</summary>
    public int ResultCount { get; }

    /// <summary>The other outputs: where they are written.</summary>
    public IReadOnlyList<StateWrite> States { get; }

    /// <summary>Everything reachable, leaves included.</summary>
    public IReadOnlyList<GraphNode> Order { get; }

    public IReadOnlyList<CapturedNode> Captured { get; }

    /// <summary>What has to be computed.</summary>
    public IReadOnlyList<OpNode> Operators { get; }

    /// <summary>Blocks of the stream of random numbers that all draws take together.</summary>
    public ulong DrawnBlocks { get; }

    /// <summary>The blocks that the draws before <paramref name="draw"/>, in program order, take.</summary>
    public ulong BlocksBefore(OpNode draw) => _draws[draw];
}
