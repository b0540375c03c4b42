namespace Fusion;

/// <summary>A value that is zero but for parts along one axis: the gradient of slices, or a sum of such.</summary>
internal sealed class PlacedParts
{
    private readonly TensorType _type;
    private readonly int _axis;
    private readonly List<(int Start, int Count, GraphNode? Value)> _parts;

    private PlacedParts(TensorType type, int axis, List<(int Start, int Count, GraphNode? Value)> parts) => (_type, _axis, _parts) = (type, axis, parts);

    /// <summary>The parts of a value; null when it has another form.</summary>
    public static PlacedParts? Of(GraphNode node) => node switch
    {
        OpNode { Op.Name: "Unslice", Attributes: SliceAttributes place } call => OfSlice(call, place),
        OpNode { Op.Name: "Concat", Attributes: AxisAttributes { Axis: var axis } } call => OfSum(call, axis),
        _ => null,
    };

    /// <summary>The sum of both, if the parts of one lie where the other is zero.</summary>
    public PlacedParts? Join(PlacedParts other)
    {
        if (_axis != other._axis || _type != other._type) return null;
        List<(int Start, int Count, GraphNode? Value)> all = [.. _parts, .. other._parts];
        all.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        for (int i = 1; i < all.Count; i++)
            if (all[i - 1].Start + all[i - 1].Count > all[i].Start) return null;
        return new PlacedParts(_type, _axis, all);
    }

    /// <summary>The value: parts side by side, zeros between them.</summary>
    public GraphNode Build(GraphBuilder graph)
    {
        List<GraphNode> pieces = [];
        int at = 0;
        foreach ((int start, int count, GraphNode? value) in _parts)
        {
            Zeros(start - at);
            pieces.Add(WithoutNegativeZero(graph, value!));
            at = start + count;
        }

        Zeros(_type.Shape.Dimensions[_axis] - at);
        return graph.Make(OpTable.Concat, [.. pieces], new AxisAttributes(_axis), _type);

        void Zeros(int count)
        {
            if (count == 0) return;
            int[] sizes = _type.Shape.ToArray();
            sizes[_axis] = count;
            Shape shape = Shape.Own(sizes);
            pieces.Add(graph.Make(OpTable.BroadcastTo, [graph.Constant(0, _type.DType)], new ShapeAttributes(shape), _type with { Shape = shape }));
        }
    }

    // A slice of one axis, in steps of one.
    private static PlacedParts? OfSlice(OpNode call, SliceAttributes place)
    {
        int axis = -1;
        for (int i = 0; i < place.Counts.Length; i++)
        {
            if (place.Steps[i] != 1) return null;
            if (place.Counts[i] == place.Full.Dimensions[i]) continue;
            if (axis >= 0) return null;
            axis = i;
        }

        return axis < 0 || place.Counts[axis] == 0 ? null : new PlacedParts(call.Type, axis, [(place.Starts[axis], place.Counts[axis], call.Inputs[0])]);
    }

    // What Build has made: every piece is zeros or has been added to zeros.
    private static PlacedParts? OfSum(OpNode call, int axis)
    {
        List<(int, int, GraphNode?)> parts = [];
        int start = 0;
        foreach (GraphNode piece in call.Inputs)
        {
            int count = piece.Shape.Dimensions[axis];
            if (!IsZeros(piece))
            {
                if (!IsAddedToZero(piece)) return null;
                parts.Add((start, count, piece));
            }

            start += count;
        }

        return parts.Count == call.Inputs.Length ? null : new PlacedParts(call.Type, axis, parts);
    }

    private static GraphNode WithoutNegativeZero(GraphBuilder graph, GraphNode value) =>
        IsAddedToZero(value) ? value : graph.Call(OpTable.Add, [value, graph.Constant(0, value.DType)]);

    private static bool IsZeros(GraphNode node) => node is OpNode { Op.Name: "BroadcastTo", Inputs: [ConstantNode { Value: 0 } zero] } && !double.IsNegative(zero.Value);

    private static bool IsAddedToZero(GraphNode node) => node switch
    {
        OpNode { Op.Name: "Add", Inputs: [_, ConstantNode { Value: 0 } zero] } => !double.IsNegative(zero.Value),
        OpNode { Op.Name: "Reshape", Inputs: [var a] } => IsAddedToZero(a),
        _ => false,
    };
}
