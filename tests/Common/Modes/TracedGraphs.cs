namespace Fusion.Tests;

/// <summary>Functions executed by way of their graph.</summary>
internal static class TracedGraphs
{
    /// <summary>Traced at each call and executed node by node.</summary>
    public static ArrayFunction Interpret(ArrayFunction f) => inputs =>
    {
        FunctionTrace trace = FunctionTrace.Run(x => f([.. x]), Array.ConvertAll(inputs, static x => x.Type), null, Autograd.IsTraining);
        return Interpreter.Run(new GraphFunction(trace.Inputs, trace.Outputs, trace.Effects), inputs);
    };

    /// <summary>Hybridized; a function that cannot be traced is an error.</summary>
    public static ArrayFunction Compile(ArrayFunction f)
    {
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> function = x => f([.. x]);
        HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>> hybrid = function.Hybridize(new HybridOptions { FallbackToEager = false });
        return inputs => [.. hybrid.Invoke(inputs)];
    }

    /// <summary>The operators that a function calls, in order, and the types of their results.</summary>
    public static IReadOnlyList<Op> OperatorsOf(ArrayFunction f, NDArray[] inputs)
    {
        GraphBuilder graph = new();
        OperatorList list = new(new GraphTracer(graph));
        ExecutionState state = ExecutionState.Current;
        NDArray[] symbols = [.. inputs.Select((x, i) => list.Inner.Symbol(graph.Input(x.Type, i, $"x{i}")))];
        state.Tracer = list;
        try
        {
            f(symbols);
        }
        finally
        {
            state.Tracer = null;
        }

        return list.Operators;
    }

    private sealed class OperatorList(GraphTracer inner) : Tracer
    {
        public GraphTracer Inner => inner;

        public List<Op> Operators { get; } = [];

        public override void Apply(Op op, ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
        {
            Operators.Add(op);
            inner.Apply(op, inputs, attributes, outputs);
        }

        public override Exception ValueRead(string operation) => inner.ValueRead(operation);

        public override Exception SideEffect(string operation) => inner.SideEffect(operation);
    }
}
