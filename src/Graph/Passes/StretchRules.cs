namespace Fusion;

/// <summary>Reductions of what was stretched: along a stretched axis all elements are the same, and nothing need be read more than once.</summary>
internal static class StretchRules
{
    /// <param name="graph">Where nodes are made.</param>
    /// <param name="op">A reduction.</param>
    /// <param name="x">Its operand.</param>
    /// <param name="attributes">Its axes.</param>
    /// <param name="type">The type of its result.</param>
    public static GraphNode? Apply(GraphBuilder graph, Op op, GraphNode x, ReduceAttributes attributes, TensorType type)
    {
        bool isSum = op == OpTable.Sum;
        if (x is not OpNode { Op.Name: "BroadcastTo", Inputs: [var inner] } || x.Shape.Size == 0 || (isSum && !(graph.FastMath && IsLane(type.DType)))) return null;
        if (!isSum && op != OpTable.Max && op != OpTable.Min && op != OpTable.Any && op != OpTable.All) return null;

        // max over a stretched axis = the element (exact, so are min, any, all); Σ over n of them = n·x (rounding)
        int missing = x.Shape.Rank - inner.Shape.Rank;
        List<int> left = [];
        long repeated = 1;
        foreach (int axis in attributes.Axes.Span)
        {
            if (axis >= missing && inner.Shape[axis - missing] == x.Shape[axis]) left.Add(axis - missing);
            else repeated *= x.Shape[axis];
        }

        if (repeated == 1) return null;
        GraphNode result = inner;
        if (left.Count > 0 || inner.DType != type.DType) result = graph.Call(op, [inner], new ReduceAttributes(new IntList([.. left]), true));

        // Axes that are kept may have been stretched, too; those that are reduced have one element now.
        int[] before = [.. Enumerable.Repeat(1, missing), .. result.Shape.Dimensions];
        int[] kept = [.. before.Select((size, i) => attributes.Axes.Span.Contains(i) ? 1 : x.Shape[i])];
        result = Shaped(graph, OpTable.BroadcastTo, Shaped(graph, OpTable.Reshape, result, new Shape(before)), new Shape(kept));
        result = Shaped(graph, OpTable.Reshape, result, type.Shape);
        return isSum ? graph.Call(OpTable.Multiply, [result, graph.Constant(repeated, type.DType)]) : result;
    }

    private static GraphNode Shaped(GraphBuilder graph, Op op, GraphNode x, Shape shape) =>
        graph.Make(op, [x], new ShapeAttributes(shape), new TensorType(x.DType, shape));

    private static bool IsLane(DType dtype) => dtype is DType.Float32 or DType.Float64;
}
