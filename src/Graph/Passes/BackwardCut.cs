namespace Fusion;

/// <summary>
/// Divides a traced function with gradients into a forward and a backward part. Backward reads what forward leaves in memory anyway (inputs, outputs
/// of kernels and library calls) and recomputes the cheap element-wise values in between: nothing is stored only for backward, but for values that a
/// later call could not find again: arrays that the function overwrites, numbers of the host, and random ones.
/// </summary>
internal static class BackwardCut
{
    /// <param name="trace">The traced function.</param>
    /// <param name="materialised">Values that the forward plan writes to memory.</param>
    /// <param name="saved">Of these, the ones that backward reads.</param>
    public static GraphFunction Backward(FunctionTrace trace, HashSet<GraphNode> materialised, out List<GraphNode> saved)
    {
        HashSet<GraphNode> heads = [.. trace.Heads.OfType<InputNode>()];
        HashSet<GraphNode> forward = [.. GraphOrder.Sort([.. trace.Outputs, .. trace.States.Select(static s => s.Value)], trace.Effects)];
        HashSet<GraphNode> inputs = [.. trace.Inputs];
        HashSet<NDArray?> written = new(trace.States.Select(static s => s.Array), ReferenceEqualityComparer.Instance);
        List<GraphNode> targets = [.. trace.Gradients.OfType<GraphNode>().Distinct()];

        // Values that depend on a head gradient belong to backward by nature.
        HashSet<GraphNode> downstream = [];
        foreach (GraphNode node in GraphOrder.Sort(targets))
            if (heads.Contains(node) || node.Inputs.Any(downstream.Contains)) downstream.Add(node);

        // Made from random numbers that exist only inside a kernel, and smaller, such as the mask of a dropout: kept instead of them.
        bool ReplacesDraw(OpNode node)
        {
            long bytes = 0;
            foreach (GraphNode input in node.Inputs)
                if (input is OpNode { Op.Draw: not null } && !materialised.Contains(input)) bytes += input.Shape.Size * input.DType.Size;
            return node.Shape.Size * node.DType.Size < bytes;
        }

        saved = [];
        HashSet<GraphNode> seen = [];
        Stack<GraphNode> open = new(targets);
        while (open.TryPop(out GraphNode? node))
        {
            if (!seen.Add(node) || heads.Contains(node) || node is ConstantNode) continue;
            if (node is not OpNode)
            {
                bool passes = node is HostNode || (node is InputNode && !inputs.Contains(node)) || (node is CapturedNode captured && written.Contains(captured.Array));
                if (passes) saved.Add(node);
                continue;
            }

            bool keep = !downstream.Contains(node) && forward.Contains(node) && node is OpNode call &&
                        (materialised.Contains(node) || call.Op.Impure || ReplacesDraw(call) || (call.Op.Cost == Cost.ComputeBound && call.Op.View is null));
            if (keep) saved.Add(node);
            else foreach (GraphNode input in node.Inputs) open.Push(input);
        }

        saved.Sort(static (a, b) => a.Id.CompareTo(b.Id));
        return Backward(trace, trace.Gradients, saved, []);
    }

    /// <summary>The same with other sums of the same gradients, which go on from pending ones.</summary>
    public static GraphFunction Backward(FunctionTrace trace, GraphNode?[] gradients, IReadOnlyList<GraphNode> saved, IReadOnlyList<InputNode> pending) =>
        new([.. trace.Inputs, .. saved, .. trace.Heads.OfType<InputNode>().OrderBy(static h => h.Id), .. pending], [.. gradients.OfType<GraphNode>().Distinct()], []);
}
