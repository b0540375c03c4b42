namespace Fusion;

/// <summary>Collects the operator calls of a function in a graph. Arrays that come from outside are captured by reference.</summary>
internal sealed class GraphTracer(GraphBuilder graph, TraceLog? log = null) : Tracer
{
    public List<GraphNode> Effects { get; } = [];

    public override void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        if (outputs.Length != 1) throw new TraceFailedException($"{op.Name} has {outputs.Length} outputs");
        GraphNode[] nodes = new GraphNode[inputs.Length];
        for (int i = 0; i < nodes.Length; i++) nodes[i] = NodeOf(inputs[i]);
        GraphNode node = graph.Apply(op, nodes, attributes);
        if (op.Impure) Effects.Add(node);
        log?.Add(op, nodes, attributes, node);
        outputs[0] = Symbol(node);
    }

    public override Exception ValueRead(string operation) =>
        new TraceFailedException($"{operation} reads a value while the function is traced: the result would be frozen into the compiled function");

    public override Exception InPlaceWrite(string operation) =>
        new TraceFailedException($"{operation} writes to an array in place while the function is traced");

    public NDArray Symbol(GraphNode node) => NDArray.Symbolic(new TracedValue(graph, node), node.Type);

    public GraphNode NodeOf(NDArray array)
    {
        if (array.Symbol is TracedValue traced)
            return ReferenceEquals(traced.Owner, graph) ? traced.Node : throw new TraceFailedException("an array of another trace is used");
        array.ThrowIfUnusable("Hybridize");
        return array.IsConstant ? graph.Constant(Movement.Cast(array, DType.Float64).ScalarDouble(), array.DType) : graph.Capture(array);
    }
}
