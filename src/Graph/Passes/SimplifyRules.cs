namespace Fusion;

/// <summary>
/// Rewrites applied when a node is made. All are exact: the same bits for every input, NaN, infinities and −0 included (that is why x + 0 and x·0
/// stay). One line per rule, its algebra beside it.
/// </summary>
internal static class SimplifyRules
{
    public static GraphNode? Apply(GraphBuilder graph, Op op, GraphNode[] x, object? attributes, TensorType type)
    {
        if (Terms(graph, op, x, attributes) is { } terms) return terms;
        if (op.Element is not null) DropBroadcasts(x, type.Shape);
        if (Algebra(op, x, type) is { } simpler) return simpler;
        if (op == OpTable.Cast && Conversion(graph, x[0], type) is { } converted) return converted;
        if (MovementRules.Apply(graph, op, x, attributes, type) is { } moved) return moved;
        if (attributes is ReduceAttributes reduced && StretchRules.Apply(graph, op, x[0], reduced, type) is { } unstretched) return unstretched;
        return op.Element is not null ? Fold(graph, op, x, type) : null;
    }

    private static GraphNode? Algebra(Op op, GraphNode[] x, TensorType type) => (op.Name, x) switch
    {
        ("Multiply", [var a, ConstantNode { Value: 1 }]) when a.Type == type => a,                     // x·1 = x
        ("Multiply", [ConstantNode { Value: 1 }, var a]) when a.Type == type => a,                     // 1·x = x
        ("Divide", [var a, ConstantNode { Value: 1 }]) when a.Type == type => a,                       // x/1 = x
        ("Subtract", [var a, ConstantNode { Value: 0 } zero]) when a.Type == type && !IsNegativeZero(zero) => a,    // x − (+0) = x, −0 too
        ("Add", [var a, ConstantNode zero]) when a.Type == type && IsNegativeZero(zero) => a,          // x + (−0) = x
        ("Negate", [OpNode { Op.Name: "Negate", Inputs: [var a] }]) => a,                              // −(−x) = x
        ("Where", [_, var a, var b]) when ReferenceEquals(a, b) && a.Type == type => a,                // c ? x : x = x
        ("StopGradient" or "Copy", [var a]) => a,                                                      // identities without a tape
        ("Constant", [var a, _]) => a,                                                                 // the same
        ("Cast", [var a]) when a.Type == type => a,                                                    // cast to the same type
        _ => null,
    };

    // Rows that save the processor a pass over memory: a kernel that computes the terms beside others saves it as well.
    private static GraphNode? Terms(GraphBuilder graph, Op op, GraphNode[] x, object? attributes) => op.Name switch
    {
        "SumOfSquares" => graph.Call(OpTable.Sum, [graph.Call(OpTable.Square, x)], attributes),        // Σ x², squares rounded
        "SumOfProducts" => graph.Call(OpTable.Sum, [graph.Call(OpTable.Multiply, x)], attributes),     // Σ x·y, products rounded
        "SumOfSquaredDifferences" =>                                                                   // Σ (x − y)², differences and squares rounded
            graph.Call(OpTable.Sum, [graph.Call(OpTable.Square, [graph.Call(OpTable.Subtract, x)])], attributes),
        "ScaledDifference" => graph.Call(OpTable.Multiply, [graph.Call(OpTable.Subtract, x[..2]), x[2]]),    // (x − y)·s, rounded twice
        "MultiplyAdd" => graph.Call(OpTable.Add, [graph.Call(OpTable.Multiply, x[..2]), x[2]]),        // x·y + z, rounded twice
        _ => op.Terms is { } terms ? graph.Call(OpTable.Sum, [graph.Call(terms, x)], attributes) : null,
    };

    // Between operators on half precision a result is rounded and widened again: one element-wise operator, which fuses with both.
    private static GraphNode? Conversion(GraphBuilder graph, GraphNode x, TensorType type) => (x, type.DType) switch
    {
        (ConstantNode number, _) when number.DType.IsFloat && type.DType.IsFloat => Convert(graph, number, type.DType),
        (OpNode { Op.Name: "Cast", DType: DType.Float16, Inputs: [{ DType: DType.Float32 } a] }, DType.Float32) => graph.Make(OpTable.RoundToFloat16, [a], null, type),
        (OpNode { Op.Name: "Cast", DType: DType.BFloat16, Inputs: [{ DType: DType.Float32 } a] }, DType.Float32) => graph.Make(OpTable.RoundToBFloat16, [a], null, type),
        (OpNode { Op.Name: "Cast", DType: DType.Float32, Inputs: [{ DType.IsHalf: true } a] }, _) when a.DType == type.DType => a,     // widened and back
        (OpNode { Op.Name: "RoundToFloat16", Inputs: [var a] }, DType.Float16) => graph.Make(OpTable.Cast, [a], DType.Float16, type),  // rounded twice alike
        (OpNode { Op.Name: "RoundToBFloat16", Inputs: [var a] }, DType.BFloat16) => graph.Make(OpTable.Cast, [a], DType.BFloat16, type),
        (OpNode { Op.Name: "BroadcastTo", DType.IsHalf: true, Inputs: [var a] } stretched, _) =>                                       // fewer elements
            graph.Make(OpTable.BroadcastTo, [graph.Make(OpTable.Cast, [a], type.DType, a.Type with { DType = type.DType })], stretched.Attributes, type),
        _ => null,
    };

    /// <summary>An element-wise operator on numbers only is computed now, by the same kernel that would run later.</summary>
    private static ConstantNode? Fold(GraphBuilder graph, Op op, GraphNode[] x, TensorType type)
    {
        if (type.Shape.Rank != 0 || !type.DType.IsFloat) return null;
        NDArray[] values = new NDArray[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            if (x[i] is not ConstantNode constant) return null;
            values[i] = Elements.Scalar(constant.Value, constant.DType);
        }

        NDArray result = null!;
        Dispatcher.Execute(op, values, null, new Span<NDArray>(ref result));
        return graph.Constant(Movement.Cast(result, DType.Float64).ScalarDouble(), type.DType);
    }

    private static ConstantNode Convert(GraphBuilder graph, ConstantNode number, DType dtype)
    {
        NDArray converted = Movement.Cast(Elements.Scalar(number.Value, number.DType), dtype);
        return graph.Constant(Movement.Cast(converted, DType.Float64).ScalarDouble(), dtype);
    }

    /// <summary>An operand need not be stretched first when the other operands give the shape anyway.</summary>
    private static void DropBroadcasts(GraphNode[] x, Shape result)
    {
        for (int i = 0; i < x.Length; i++)
        {
            if (x[i] is not OpNode { Op.Name: "BroadcastTo", Inputs: [var inner] }) continue;
            Shape shape = inner.Shape;
            for (int k = 0; k < x.Length; k++)
                if (k != i) shape = Broadcasting.Infer("BroadcastTo", shape, x[k].Shape);
            if (shape == result) x[i] = inner;
        }
    }

    private static bool IsNegativeZero(ConstantNode node) => node.Value == 0 && double.IsNegative(node.Value);
}
