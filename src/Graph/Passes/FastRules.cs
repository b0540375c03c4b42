namespace Fusion;

/// <summary>
/// Rewrites for <see cref="HybridOptions.FastMath"/>, applied when a node is made, after the exact ones. One line per rule, its algebra and its class beside it.
/// <c>rounding</c>: the same number but for rounding, and for overflow on the way. <c>fast</c>: for finite numbers, and the sign of a zero may change.
/// </summary>
internal sealed class FastRules(GraphBuilder graph)
{
    public GraphNode? Apply(Op op, GraphNode[] x, TensorType type) =>
        type.DType is DType.Float32 or DType.Float64 ? Constants(op, x, type) ?? Stability(op, x) ?? Inverses(op, x, type) : null;

    private GraphNode? Constants(Op op, GraphNode[] x, TensorType type) => (op.Name, x) switch
    {
        ("Multiply", [ConstantNode c, OpNode { Op.Name: "Multiply" } a]) => Multiply(a, c),                                         // c·(…) = (…)·c: exact
        ("Multiply", [OpNode { Op.Name: "Multiply", Inputs: [var a, ConstantNode c] }, ConstantNode d]) => Multiply(a, Multiply(c, d)),     // rounding: (x·c)·d = x·(c·d)
        ("Multiply", [OpNode { Op.Name: "Multiply", Inputs: [ConstantNode c, var a] }, ConstantNode d]) => Multiply(a, Multiply(c, d)),     // rounding: likewise
        ("Divide", [var a, ConstantNode c]) when HasReciprocal(c) => Multiply(a, Divide(One(c.DType), c)),                          // rounding: x/c = x·(1/c)
        ("Add", [OpNode { Op.Name: "Add", Inputs: [var a, ConstantNode c] }, ConstantNode d]) => Add(a, Add(c, d)),                 // rounding: (x + c) + d = x + (c + d)
        ("Add", [OpNode { Op.Name: "Subtract", Inputs: [var a, ConstantNode c] }, ConstantNode d]) => Add(a, Subtract(d, c)),       // rounding: likewise
        ("Subtract", [OpNode { Op.Name: "Add", Inputs: [var a, ConstantNode c] }, ConstantNode d]) => Add(a, Subtract(c, d)),       // rounding: likewise
        ("Subtract", [OpNode { Op.Name: "Subtract", Inputs: [var a, ConstantNode c] }, ConstantNode d]) => Subtract(a, Add(c, d)),  // rounding: likewise
        ("Add", [var a, ConstantNode { Value: 0 }]) when a.Type == type => a,                                                       // fast: x + 0 = x
        ("Add", [ConstantNode { Value: 0 }, var a]) when a.Type == type => a,                                                       // fast: 0 + x = x
        ("Subtract", [ConstantNode { Value: 0 }, var a]) when a.Type == type => graph.Call(OpTable.Negate, [a]),                    // fast: 0 − x = −x
        ("Multiply", [var a, ConstantNode { Value: -1 }]) when a.Type == type => graph.Call(OpTable.Negate, [a]),                   // fast: x·(−1) = −x
        ("Multiply", [_, ConstantNode { Value: 0 }] or [ConstantNode { Value: 0 }, _]) => Filled(0, type),                          // fast: x·0 = 0
        _ => null,
    };

    private GraphNode? Stability(Op op, GraphNode[] x) => (op.Name, x) switch
    {
        ("Log", [OpNode { Op.Name: "Softmax", Inputs: [var a] }]) => graph.Call(OpTable.LogSoftmax, [a]),                           // rounding: log softmax x
        ("Log", [OpNode { Op.Name: "Sigmoid", Inputs: [var a] }]) => Negate(graph.Call(OpTable.Softplus, [Negate(a)])),             // rounding: log σ(x) = −softplus(−x)
        ("Log", [OpNode { Op.Name: "Add", Inputs: [var a, ConstantNode { Value: 1 }] }]) => graph.Call(OpTable.LogP1, [a]),         // rounding: log(x + 1)
        ("Log", [OpNode { Op.Name: "Add", Inputs: [ConstantNode { Value: 1 }, var a] }]) => graph.Call(OpTable.LogP1, [a]),         // rounding: log(1 + x)
        ("LogP1", [OpNode { Op.Name: "Exp", Inputs: [var a] }]) => graph.Call(OpTable.Softplus, [a]),                               // rounding: log(1 + exp x)
        ("Subtract", [OpNode { Op.Name: "Exp", Inputs: [var a] }, ConstantNode { Value: 1 }]) => graph.Call(OpTable.ExpM1, [a]),    // rounding: exp x − 1
        ("Divide", [ConstantNode { Value: 1 }, OpNode { Op.Name: "Add", Inputs: var sum }]) when NegativeExponent(sum) is { } a =>
            graph.Call(OpTable.Sigmoid, [a]),                                                                                       // rounding: 1/(1 + exp(−x)) = σ(x)
        _ => null,
    };

    private GraphNode? Inverses(Op op, GraphNode[] x, TensorType type) => (op.Name, x) switch
    {
        ("Exp", [OpNode { Op.Name: "Log", Inputs: [var a] }]) => a,                                                                 // fast: exp(log x) = x
        ("Log", [OpNode { Op.Name: "Exp", Inputs: [var a] }]) => a,                                                                 // fast: log(exp x) = x
        ("Square", [OpNode { Op.Name: "Sqrt", Inputs: [var a] }]) => a,                                                             // fast: (√x)² = x
        ("Sqrt", [OpNode { Op.Name: "Square", Inputs: [var a] }]) => graph.Call(OpTable.Abs, [a]),                                  // fast: √(x²) = |x|
        ("Subtract", [var a, var b]) when ReferenceEquals(a, b) => Filled(0, type),                                                 // fast: x − x = 0
        ("Divide", [var a, var b]) when ReferenceEquals(a, b) => Filled(1, type),                                                   // fast: x/x = 1
        ("Multiply", [OpNode { Op.Name: "Divide", Inputs: [var a, var b] }, var c]) when ReferenceEquals(b, c) && a.Type == type => a,      // fast: (x/y)·y = x
        ("Divide", [OpNode { Op.Name: "Multiply", Inputs: [var a, var b] }, var c]) when ReferenceEquals(b, c) && a.Type == type => a,      // fast: (x·y)/y = x
        _ => null,
    };

    private static GraphNode? NegativeExponent(IReadOnlyList<GraphNode> sum) => sum switch
    {
        [ConstantNode { Value: 1 }, OpNode { Op.Name: "Exp", Inputs: [OpNode { Op.Name: "Negate", Inputs: [var a] }] }] => a,
        [OpNode { Op.Name: "Exp", Inputs: [OpNode { Op.Name: "Negate", Inputs: [var a] }] }, ConstantNode { Value: 1 }] => a,
        _ => null,
    };

    // The reciprocal is neither infinite nor a number with fewer bits.
    private static bool HasReciprocal(ConstantNode c) => Math.Abs(c.Value) is > 1e-30 and < 1e30;

    private GraphNode Add(GraphNode a, GraphNode b) => graph.Call(OpTable.Add, [a, b]);

    private GraphNode Subtract(GraphNode a, GraphNode b) => graph.Call(OpTable.Subtract, [a, b]);

    private GraphNode Multiply(GraphNode a, GraphNode b) => graph.Call(OpTable.Multiply, [a, b]);

    private GraphNode Divide(GraphNode a, GraphNode b) => graph.Call(OpTable.Divide, [a, b]);

    private GraphNode Negate(GraphNode a) => graph.Call(OpTable.Negate, [a]);

    private ConstantNode One(DType dtype) => graph.Constant(1, dtype);

    private GraphNode Filled(double value, TensorType type) => graph.Make(OpTable.BroadcastTo, [graph.Constant(value, type.DType)], new ShapeAttributes(type.Shape), type);
}
