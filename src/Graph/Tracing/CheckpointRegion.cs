namespace Fusion;

/// <summary>
/// What was traced inside a checkpoint. While the checkpoint's gradient is traced, its values are computed again from what went into them, once the gradient has
/// arrived: nothing of them need be kept until then. What depends on numbers and random draws only (such as the mask of a dropout) stays as it is, and so does the result.
/// </summary>
/// <param name="graph">Where its calls are.</param>
/// <remarks>Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.</remarks>
internal sealed class CheckpointRegion(GraphBuilder graph)
{
    /// <summary>The first operand, at a place in the order that follows the second one: nothing is computed.</summary>
    private static readonly Op s_after = new()
    {
        Name = "After",
        Arity = 2,
        IsTotal = true,
        Moves = true,
        Infer = static (x, _, y) => y[0] = x[0],
        Run = static (x, _, y) => Movement.CopyTo(x[0], y[0]),
        View = static (x, _) => x.View(x.Shape, x.Offset, Views.Strides(x)),
        Cost = Cost.MemoryBound,
    };

    private readonly Dictionary<GraphNode, GraphNode> _again = [];
    private GraphNode? _result;
    private GraphNode? _gradient;

    /// <summary>The id of its first value.</summary>
    public int First { get; } = graph.Nodes.Count;

    /// <summary>The id after that of its last value.</summary>
    public int End { get; private set; }

    /// <summary>Ends the region.</summary>
    /// <param name="result">What leaves it.</param>
    public void Close(GraphNode? result) => (End, _result) = (graph.Nodes.Count, result);

    /// <summary>From here on values are computed again after this one.</summary>
    public void Repeat(GraphNode gradient)
    {
        _gradient = gradient;
        _again.Clear();
    }

    /// <summary>A value of the region, computed again; any other as it is.</summary>
    public GraphNode Again(GraphNode node)
    {
        if (!IsRepeated(node)) return node;
        HashSet<GraphNode> needed = [];
        Stack<GraphNode> open = new([node]);
        while (open.TryPop(out GraphNode? next))
        {
            if (_again.ContainsKey(next) || !needed.Add(next) || !IsRepeated(next)) continue;
            foreach (GraphNode input in next.Inputs) open.Push(input);
        }

        foreach (GraphNode next in needed.OrderBy(static n => n.Id)) _again.Add(next, IsRepeated(next) ? Repeated((OpNode)next) : Delayed(next));
        return _again[node];
    }

    private bool IsRepeated(GraphNode node) => node is OpNode { Op.Impure: false } && node.Id >= First && node.Id < End && !ReferenceEquals(node, _result);

    private GraphNode Repeated(OpNode call)
    {
        GraphNode[] inputs = [.. call.Inputs.Select(i => _again[i])];
        return inputs.SequenceEqual(call.Inputs) ? call : graph.Make(call.Op, inputs, call.Attributes, call.Type);
    }

    private GraphNode Delayed(GraphNode node) =>
        node is InputNode or CapturedNode or OpNode { Op.Impure: false } ? graph.Make(s_after, [node, _gradient!], null, node.Type) : node;
}
