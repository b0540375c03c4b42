namespace Fusion;

/// <summary>
/// Movement operators composed with each other and pushed out of the way, when a node is made. All rules are exact. One line per rule, its algebra beside it.
/// </summary>
internal static class MovementRules
{
    /// <summary>Shorter rows are moved as fast by a copy as by the launch that computes them.</summary>
    public const int LeastMovedRow = 16;

    public static GraphNode? Apply(GraphBuilder graph, Op op, GraphNode[] x, object? attributes, TensorType type) => op.Element is not null
        ? Placed(graph, op, x) ?? Reshaped(graph, op, x, attributes, type) ?? Transposed(graph, op, x, attributes, type)
        : (op.Name, x) switch
        {
            ("Reshape" or "BroadcastTo", [var a]) when a.Shape == type.Shape => a,                                              // no change
            ("Reshape", [OpNode { Op.Name: "Reshape", Inputs: [var a] }]) => graph.Make(op, [a], attributes, type),             // composed
            ("BroadcastTo", [OpNode { Op.Name: "BroadcastTo", Inputs: [var a] }]) => graph.Make(op, [a], attributes, type),     // composed
            ("Transpose", [var a]) when IsIdentity((PermutationAttributes)attributes!) => a,
            ("Transpose", [OpNode { Op.Name: "Transpose", Inputs: [var a], Attributes: PermutationAttributes inner }]) =>
                graph.Make(op, [a], Compose(inner, (PermutationAttributes)attributes!), type),                                  // composed
            ("Slice", [var a]) => Sliced(graph, a, (SliceAttributes)attributes!, type),
            ("Concat", _) => Joined(graph, x, ((AxisAttributes)attributes!).Axis, type),
            ("Unslice", [var a]) when a.Shape == type.Shape && ((SliceAttributes)attributes!).IsWhole => a,                     // nothing around it
            ("Pad", [var a]) when a.Shape == type.Shape && ((PadAttributes)attributes!).Place.IsWhole => a,                     // likewise
            _ => null,
        };

    private static GraphNode? Sliced(GraphBuilder graph, GraphNode x, SliceAttributes slice, TensorType type) => x switch
    {
        _ when slice.IsWhole => x,                                                                                              // x[:] = x
        OpNode { Op.Name: "Slice", Inputs: [var a], Attributes: SliceAttributes inner } => Slice(graph, a, Compose(inner, slice), type),      // composed
        OpNode { Op.Name: "Unslice", Inputs: [var a], Attributes: SliceAttributes place } when place.Equals(slice) => a,        // back where it came from
        OpNode { Op.Name: "Pad", Inputs: [var a], Attributes: PadAttributes pad } when pad.Place.Equals(slice) => a,            // likewise
        OpNode { Op.Name: "Concat", Attributes: AxisAttributes { Axis: var axis } } joined => PartOf(graph, joined, axis, slice, type),       // of one of the parts
        _ => null,
    };

    private static GraphNode? Joined(GraphBuilder graph, GraphNode[] x, int axis, TensorType type)
    {
        if (x.Length == 1) return x[0];                                                                                         // [x] = x
        List<GraphNode> parts = [];
        foreach (GraphNode part in x)
        {
            if (part is OpNode { Op.Name: "Concat", Attributes: AxisAttributes inner } && inner.Axis == axis) parts.AddRange(part.Inputs);    // [[x, y], z] = [x, y, z]
            else if (part.Shape.Dimensions[axis] > 0) parts.Add(part);                                                          // [x, [], y] = [x, y]
        }

        return parts.Count == 0 || parts.SequenceEqual(x) ? null : graph.Make(OpTable.Concat, [.. parts], new AxisAttributes(axis), type);
    }

    private static GraphNode? PartOf(GraphBuilder graph, OpNode joined, int axis, SliceAttributes slice, TensorType type)
    {
        if (type.Shape.Size == 0) return null;
        int last = slice.Starts[axis] + (slice.Steps[axis] * (slice.Counts[axis] - 1));
        int start = 0;
        foreach (GraphNode part in joined.Inputs)
        {
            int end = start + part.Shape.Dimensions[axis];
            if (Math.Min(slice.Starts[axis], last) >= start && Math.Max(slice.Starts[axis], last) < end)
            {
                int[] starts = slice.Starts.Span.ToArray();
                starts[axis] -= start;
                return Slice(graph, part, slice with { Starts = new IntList(starts), Full = part.Shape }, type);
            }

            start = end;
        }

        return null;
    }

    // The sum of gradients of parts that do not overlap: each is added to zeros only. −0 + 0 = 0, hence the additions that stay.
    private static GraphNode? Placed(GraphBuilder graph, Op op, GraphNode[] x)
    {
        if (!ReferenceEquals(op, OpTable.Add) || x[0].DType is not (DType.Float32 or DType.Float64)) return null;
        return PlacedParts.Sum(graph, x[0], x[1]);
    }

    // f(reshape x, reshape y) = reshape f(x, y): where a reshape copies x, f reads it where it lies; and f stays beside what computes x.
    private static GraphNode? Reshaped(GraphBuilder graph, Op op, GraphNode[] x, object? attributes, TensorType type)
    {
        GraphNode? source = null;
        bool pays = false;
        GraphNode[] inner = [.. x];
        for (int i = 0; i < x.Length; i++)
        {
            if (x[i].Shape.Rank == 0) continue;
            if (x[i] is not OpNode { Op.Name: "Reshape", Inputs: [var from] } reshape || reshape.Shape != type.Shape || (source ?? from).Shape != from.Shape) return null;
            inner[i] = source = from;
            pays |= !reshape.IsView || from is OpNode { Op.Element: not null };
        }

        if (!pays) return null;
        GraphNode value = graph.Make(op, inner, attributes, type with { Shape = source!.Shape });
        return graph.Make(OpTable.Reshape, [value], new ShapeAttributes(type.Shape), type);
    }

    // f(transpose x, numbers) = transpose f(x, numbers) where x is a product, whose kernel f joins, and whose rows stay rows.
    private static GraphNode? Transposed(GraphBuilder graph, Op op, GraphNode[] x, object? attributes, TensorType type)
    {
        if (Array.Find(x, static i => i.Shape.Rank > 0) is not OpNode { Op.Name: "Transpose", Inputs: [var from] } moved || moved.Shape != type.Shape) return null;
        if (Array.Exists(x, i => i.Shape.Rank > 0 && !ReferenceEquals(i, moved)) || !IsOfProduct(from)) return null;
        if (from.Shape[-1] < LeastMovedRow || ((PermutationAttributes)moved.Attributes!).Axes[^1] != from.Shape.Rank - 1) return null;
        GraphNode value = graph.Make(op, Array.ConvertAll(x, i => ReferenceEquals(i, moved) ? from : i), attributes, type with { Shape = from.Shape });
        return graph.Make(OpTable.Transpose, [value], moved.Attributes, type);
    }

    // A product, or element-wise work on one and on numbers.
    private static bool IsOfProduct(GraphNode node)
    {
        while (node is OpNode { Op.Element: not null } call && Array.FindAll(call.Inputs, static i => i.Shape.Rank > 0) is [var only]) node = only;
        return node is OpNode { Op.Product: not null };
    }

    private static GraphNode Slice(GraphBuilder graph, GraphNode x, SliceAttributes slice, TensorType type) => graph.Make(OpTable.Slice, [x], slice, type);

    private static SliceAttributes Compose(SliceAttributes first, SliceAttributes second)
    {
        int[] starts = new int[first.Starts.Length], steps = new int[starts.Length];
        for (int i = 0; i < starts.Length; i++)
        {
            starts[i] = first.Starts[i] + (second.Starts[i] * first.Steps[i]);
            steps[i] = first.Steps[i] * second.Steps[i];
        }

        return new SliceAttributes(new IntList(starts), second.Counts, new IntList(steps), first.Full);
    }

    private static bool IsIdentity(PermutationAttributes permutation)
    {
        for (int i = 0; i < permutation.Axes.Length; i++)
            if (permutation.Axes[i] != i) return false;
        return true;
    }

    private static PermutationAttributes Compose(PermutationAttributes first, PermutationAttributes second)
    {
        int[] axes = new int[first.Axes.Length];
        for (int i = 0; i < axes.Length; i++) axes[i] = first.Axes[second.Axes[i]];
        return new PermutationAttributes(new IntList(axes));
    }
}
