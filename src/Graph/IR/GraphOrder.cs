namespace Fusion;

/// <summary>The nodes that outputs need, in an order in which every node follows its inputs. Nothing else is alive: this is dead-code elimination.</summary>
internal static class GraphOrder
{
    /// <param name="outputs">The roots.</param>
    /// <param name="effects">Random draws, alive in any case: dropping one would shift the numbers of all later ones.</param>
    /// <param name="leaves">Where to stop: values that are given.</param>
    public static List<GraphNode> Sort(IEnumerable<GraphNode> outputs, IEnumerable<GraphNode>? effects = null, HashSet<GraphNode>? leaves = null)
    {
        HashSet<GraphNode> seen = [];
        Stack<GraphNode> open = new();
        foreach (GraphNode output in outputs)
            if (seen.Add(output)) open.Push(output);
        foreach (GraphNode effect in effects ?? [])
            if (seen.Add(effect)) open.Push(effect);
        List<GraphNode> nodes = [];
        while (open.TryPop(out GraphNode? node))
        {
            nodes.Add(node);
            if (leaves is not null && leaves.Contains(node)) continue;
            foreach (GraphNode input in node.Inputs)
                if (seen.Add(input)) open.Push(input);
        }

        nodes.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        return nodes;
    }
}
