namespace Fusion;

/// <summary>
/// A traced function: its graph and, when gradients were asked for, the graph of the vector-Jacobian product, traced with the operators' own
/// gradient rules from the tape of symbolic arrays.
/// </summary>
internal sealed class FunctionTrace
{
    public required GraphBuilder Graph { get; init; }

    public required InputNode[] Inputs { get; init; }

    public required GraphNode[] Outputs { get; init; }

    public required IReadOnlyList<GraphNode> Effects { get; init; }

    public required int OpCount { get; init; }

    /// <summary>Captured arrays that carry a gradient, in order of first use; empty without gradients.</summary>
    public required CapturedNode[] CapturedVariables { get; init; }

    /// <summary>One head gradient per output; null where the output has none.</summary>
    public required InputNode?[] Heads { get; init; }

    /// <summary>Gradients of the inputs, then of the captured variables; null where none flows.</summary>
    public required GraphNode?[] Gradients { get; init; }

    public bool HasGradients => Gradients.Length > 0;

    /// <summary>Traces <paramref name="f"/> for inputs of these types.</summary>
    /// <param name="f">The function.</param>
    /// <param name="types">Types of the inputs.</param>
    /// <param name="wantsGradient">Per input; null: no gradients at all.</param>
    /// <param name="training">The training flag.</param>
    /// <param name="log">Where the calls are noted, for diagnostics.</param>
    public static FunctionTrace Run(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f, TensorType[] types, bool[]? wantsGradient, bool training, TraceLog? log = null)
    {
        GraphBuilder graph = new();
        GraphTracer tracer = new(graph, log);
        ExecutionState state = ExecutionState.Current;
        if (state.Tracer is not null) throw new InvalidOperationException("A trace inside a trace is inlined, never started.");
        InputNode[] inputs = new InputNode[types.Length];
        NDArray[] symbols = new NDArray[types.Length];
        for (int i = 0; i < types.Length; i++)
        {
            inputs[i] = graph.Input(types[i], i, $"x{i}");
            symbols[i] = tracer.Symbol(inputs[i]);
            if (wantsGradient is not null && wantsGradient[i]) symbols[i].Mark(symbols[i], GradReq.Write);
        }

        using RecordScope scope = new(wantsGradient is not null, training);
        state.Tracer = tracer;
        try
        {
            IReadOnlyList<NDArray> results = f(symbols) ?? throw new TraceFailedException("the function returned null");
            NDArray[] outputs = [.. results];
            GraphNode[] nodes = Array.ConvertAll(outputs, o => tracer.NodeOf(o ?? throw new TraceFailedException("the function returned a null array")));
            int opCount = graph.CallCount;
            FunctionTrace forward = new()
            {
                Graph = graph,
                Inputs = inputs,
                Outputs = nodes,
                Effects = tracer.Effects,
                OpCount = opCount,
                CapturedVariables = [],
                Heads = [],
                Gradients = [],
            };
            return wantsGradient is null ? forward : Differentiate(forward, tracer, symbols, outputs);
        }
        finally
        {
            state.Tracer = null;
        }
    }

    private static FunctionTrace Differentiate(FunctionTrace forward, GraphTracer tracer, NDArray[] symbols, NDArray[] outputs)
    {
        List<CapturedNode> captured = [];
        foreach (CapturedNode node in forward.Graph.Captured)
            if (node.Array.Source is not null && node.DType.IsFloat) captured.Add(node);
        List<NDArray> targets = [.. symbols, .. captured.Select(static c => c.Array)];
        List<NDArray> heads = [];
        List<NDArray?> headGradients = [];
        InputNode?[] headNodes = new InputNode?[outputs.Length];
        for (int i = 0; i < outputs.Length; i++)
        {
            // An output that is a captured array itself has its own history outside; only symbolic ones belong to this tape.
            if (outputs[i].Source is null || !outputs[i].DType.IsFloat) continue;
            headNodes[i] = forward.Graph.Input(outputs[i].Type, i, $"g{i}");
            heads.Add(outputs[i]);
            headGradients.Add(tracer.Symbol(headNodes[i]!));
        }

        GraphNode?[] gradients = new GraphNode?[targets.Count];
        if (heads.Count > 0)
        {
            BackwardPass pass = new(createGraph: false, retainGraph: true, trainMode: null);
            pass.AddHeads(heads, headGradients);
            NDArray[] differentiable = [.. targets.Where(static t => t.DType.IsFloat)];
            GradientTargets found = new(differentiable, stop: true);
            pass.Run(found);
            for (int i = 0, k = 0; i < gradients.Length; i++)
                if (targets[i].DType.IsFloat && found.Result(k++) is { } gradient) gradients[i] = tracer.NodeOf(gradient);
        }

        return new FunctionTrace
        {
            Graph = forward.Graph,
            Inputs = forward.Inputs,
            Outputs = forward.Outputs,
            Effects = [.. forward.Effects],
            OpCount = forward.OpCount,
            CapturedVariables = [.. captured],
            Heads = headNodes,
            Gradients = gradients,
        };
    }
}
