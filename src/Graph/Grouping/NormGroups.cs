using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The norms of many tensors on an accelerator: the sums of squares that are added up in Float64, as clipping the gradients by their norm does. Each is a
/// group of its own here; <see cref="HorizontalFusion"/> makes one launch of them.
/// </summary>
internal static class NormGroups
{
    // A sum alone is better computed with what makes its elements.
    private const int Least = 3;

    // Blocks of blocks are a third stage.
    private const long MaxSize = (long)ReduceTree.Block * ReduceTree.Block;

    public static void Place(GraphFunction function, GroupGraph graph, IReadOnlySet<GraphNode> required)
    {
        List<OpNode[]> norms = [];
        foreach (OpNode node in function.Operators)
            if (Of(node) is { } norm) norms.Add(norm);
        if (norms.Count < Least) return;
        foreach (OpNode[] norm in norms)
        {
            PlanGroup group = new(norm[^1].Shape, norm[0].DType) { Kind = GroupKind.Reduce, Reason = "a sum of squares" };
            group.Members.AddRange(norm);
            graph.Place(group);
        }

        // Square, sum of all, conversion to Float64 if it is not that already.
        OpNode[]? Of(OpNode square)
        {
            if (!ReferenceEquals(square.Op.Element, ElementOps.Square) || square.DType is not (DType.Float32 or DType.Float64) || square.Shape.Size is < 2 or > MaxSize) return null;
            if (Only(square) is not { Op.Rows.Fold: ReduceKind.Sum } sum || sum.Shape.Size != 1 || sum.DType != square.DType) return null;
            if (sum.DType == DType.Float64) return [square, sum];
            return Only(sum) is { DType: DType.Float64 } wide && ReferenceEquals(wide.Op, OpTable.Cast) ? [square, sum, wide] : null;
        }

        OpNode? Only(OpNode node) => !required.Contains(node) && graph.Users(node) is [var only] ? only : null;
    }
}
