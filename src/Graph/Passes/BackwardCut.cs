using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// Divides a traced function with gradients into a forward and a backward part, by a minimum cut of the values that do not depend on a head gradient: as few bytes as
/// possible are kept, and everything that backward reads follows from them and from the inputs by cheap element-wise work. Never computed again are contractions, reductions,
/// row operators and random numbers (but for those of a <see cref="Autograd.Checkpoint"/>, which asks for it), nor what forward leaves in memory anyway and
/// is expensive, or read by an operator that no kernel could compute it for. Saving what forward would not write costs twice
/// its bytes, what it would not compute thrice.
/// </summary>
/// <remarks>The network is that of He and Yu, "Transcending Runtime-Memory Tradeoffs in Checkpointing by Being Fusion Aware", MLSys 2023.</remarks>
internal static class BackwardCut
{
    // Expanded operations of an element-wise operator from which computing it again costs more than reading it.
    private const int ExpensiveWeight = 12;

    /// <param name="trace">The traced function.</param>
    /// <param name="materialised">Values that the forward plan writes to memory.</param>
    /// <param name="saved">The values that forward keeps and backward reads.</param>
    public static GraphFunction Backward(FunctionTrace trace, HashSet<GraphNode> materialised, out List<GraphNode> saved)
    {
        HashSet<GraphNode> heads = [.. trace.Heads.OfType<InputNode>()];
        HashSet<GraphNode> forward = [.. GraphOrder.Sort([.. trace.Outputs, .. trace.States.Select(static s => s.Value)], trace.Effects)];
        HashSet<(Op, GraphNode)> unary = [.. forward.OfType<OpNode>().Where(static n => n.Op.Element is { Arity: 1 }).Select(static n => (n.Op, n.Inputs[0]))];
        HashSet<GraphNode> inputs = [.. trace.Inputs];
        HashSet<NDArray?> written = new(trace.States.Select(static s => s.Array), ReferenceEqualityComparer.Instance);
        List<GraphNode> targets = [.. trace.Gradients.OfType<GraphNode>().Distinct()];

        // Values that depend on a head gradient belong to backward by nature; the others that they read are what it needs.
        HashSet<GraphNode> downstream = [];
        HashSet<GraphNode> needed = [];
        HashSet<GraphNode> operands = [];
        foreach (GraphNode node in GraphOrder.Sort(targets))
        {
            if (!heads.Contains(node) && !node.Inputs.Any(downstream.Contains)) continue;
            downstream.Add(node);
            foreach (GraphNode input in node.Inputs.Where(i => !downstream.Contains(i)))
            {
                needed.Add(input);
                if (node is not OpNode { Op.Element: not null }) operands.Add(input);
            }
        }

        needed.UnionWith(targets.Where(t => !downstream.Contains(t)));
        saved = Cut(needed);
        return Backward(trace, trace.Gradients, saved, []);

        List<GraphNode> Cut(HashSet<GraphNode> sinks)
        {
            MinimumCut network = new();
            Dictionary<GraphNode, int> vertices = [];
            Stack<GraphNode> open = new(sinks.OrderByDescending(static n => n.Id));
            List<GraphNode> order = [];
            while (open.TryPop(out GraphNode? node))
            {
                if (vertices.ContainsKey(node) || heads.Contains(node) || IsAtHand(node)) continue;
                order.Add(node);
                vertices.Add(node, network.Add(Capacity(node)));
                if (!IsGiven(node))
                    foreach (GraphNode input in node.Inputs) open.Push(input);
            }

            foreach (GraphNode node in order)
            {
                if (sinks.Contains(node)) network.ToSink(vertices[node]);
                if (IsGiven(node)) network.FromSource(vertices[node]);
                else
                    foreach (GraphNode input in node.Inputs)
                        if (vertices.TryGetValue(input, out int from)) network.Connect(from, vertices[node]);
            }

            bool[] cut = network.Solve();
            return [.. order.Where(n => cut[vertices[n]]).OrderBy(static n => n.Id)];
        }

        // Backward finds it without keeping it: an input, or an array that nobody overwrites meanwhile.
        bool IsAtHand(GraphNode node) =>
            node is ConstantNode || (node is InputNode && inputs.Contains(node)) || (node is CapturedNode captured && !written.Contains(captured.Array));

        // Kept as it is, or after work that may be repeated, but never computed again.
        bool IsGiven(GraphNode node)
        {
            if (node is not OpNode call) return true;
            if (!forward.Contains(node)) return false;
            if (call.Op.Impure) return true;
            if (call.IsView) return false;
            if (trace.IsCheckpointed(node)) return false;
            if (call.Op.Element is not { } element) return call.Op.Cost == Cost.ComputeBound || materialised.Contains(node);
            return materialised.Contains(node) && (KernelCompiler.Weight(element) >= ExpensiveWeight || operands.Contains(node));
        }

        // A view keeps what it sees; what forward does not compute, or an operator that is no kernel's, is none of forward's work.
        long Capacity(GraphNode node)
        {
            long bytes = Math.Max(1, node.Shape.Size * node.DType.Size);
            if (node is not OpNode call) return bytes;
            if (call.IsView || (!forward.Contains(node) && call.Op.Element is null)) return MinimumCut.Never;
            if (IsBesideForward(call)) return (2 * bytes) - 1;
            return materialised.Contains(node) ? bytes : forward.Contains(node) ? 2 * bytes : 3 * bytes;
        }

        // Nearly all of its work is forward's, too: rather kept than its operand, if that is not in memory anyway.
        bool IsBesideForward(OpNode call) => call.Op.Kin is { } kin && unary.Contains((kin, call.Inputs[0]));
    }

    /// <summary>The same with other sums of the same gradients, which go on from pending ones.</summary>
    public static GraphFunction Backward(FunctionTrace trace, GraphNode?[] gradients, IReadOnlyList<GraphNode> saved, IReadOnlyList<InputNode> pending) =>
        new([.. trace.Inputs, .. saved, .. trace.Heads.OfType<InputNode>().OrderBy(static h => h.Id), .. pending], [.. gradients.OfType<GraphNode>().Distinct()], []);
}
