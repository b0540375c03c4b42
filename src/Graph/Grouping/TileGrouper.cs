using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The second level of fusion: kernels and library calls that work on the same rows are run together, tile by tile, so that what passes between them
/// stays in the cache. The parts remain the kernels they are; hence the same bits.
/// </summary>
internal sealed class TileGrouper
{
    private readonly GroupGraph _graph;
    private readonly List<PlanGroup> _order;
    private readonly HashSet<GraphNode> _leaves;

    private TileGrouper(GraphFunction function, GroupGraph graph)
    {
        _graph = graph;
        _order = graph.Schedule();
        _leaves = [.. function.Arguments];
    }

    public static void Merge(GraphFunction function, GroupGraph graph)
    {
        TileGrouper grouper = new(function, graph);
        foreach (PlanGroup group in grouper._order)
            if (group.Kind == GroupKind.Elementwise) grouper.JoinProduct(group);
    }

    /// <summary>A kernel joins the matrix product that it reads.</summary>
    private void JoinProduct(PlanGroup kernel)
    {
        foreach (OpNode member in kernel.Members)
        {
            foreach (GraphNode input in member.Inputs)
            {
                List<OpNode> views = [];
                if (!_graph.TryGetHome(Source(input, views), out PlanGroup? product) || product is not { Kind: GroupKind.Library, Members: [{ Op.Product: not null } node] }) continue;
                if (ProductRefusal(kernel, node, input, views) is { } reason)
                {
                    product.Reason = reason;
                    continue;
                }

                Combine(GroupKind.MatMul, [product, kernel], views, "its kernel runs on every finished part of the product");
                return;
            }
        }
    }

    private string? ProductRefusal(PlanGroup kernel, OpNode product, GraphNode seen, List<OpNode> views)
    {
        RowFrame frame = new(product.Shape.Size / Math.Max(1, product.Shape[-1]), product.Shape[-1]);
        if (product.Shape.Size == 0) return "its result is empty";
        int axis = frame.Split(kernel.Shape);
        if (axis < 0 || RowAccess.Of(seen, kernel.Shape, axis, _leaves)?.IsOwn(frame, perRow: frame.Columns == 1) != true) return $"its consumer has another shape, {kernel.Shape}";
        if (kernel.LaneType != product.DType) return $"its consumer computes in {kernel.LaneType}";
        if (!kernel.Members.Exists(m => m.DType == product.DType)) return "its consumer writes only masks";
        if (Inputs(kernel).Any(i => RowAccess.Of(i, kernel.Shape, axis, _leaves) is null)) return "another operand of its consumer is strided";
        return _graph.HasCycle([product, .. views, .. kernel.Members], [product, .. views, .. kernel.Members]) ? "its consumer also needs a value that is computed from it elsewhere" : null;
    }

    private void Combine(GroupKind kind, List<PlanGroup> parts, List<OpNode> views, string reason)
    {
        PlanGroup group = new(parts[^1].Shape, parts[^1].LaneType) { Kind = kind, Parts = parts, Reason = reason };
        group.Members.AddRange(parts.SelectMany(static p => p.Members).Concat(views).OrderBy(static m => m.Id));
        _graph.Place(group);
    }

    /// <summary>The value behind reshapes and broadcasts that cost nothing, and these.</summary>
    private GraphNode Source(GraphNode node, List<OpNode> views)
    {
        while (node is OpNode view && _graph.TryGetHome(view, out PlanGroup? home) && home.Kind == GroupKind.View)
        {
            views.Add(view);
            node = view.Inputs[0];
        }

        return node;
    }

    /// <summary>What a kernel reads from memory.</summary>
    private static IEnumerable<GraphNode> Inputs(PlanGroup kernel) =>
        kernel.Members.SelectMany(static m => m.Inputs).Where(i => i is not ConstantNode && !(i is OpNode op && kernel.Members.Contains(op))).Distinct();
}
