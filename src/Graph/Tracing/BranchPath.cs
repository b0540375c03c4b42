namespace Fusion;

/// <summary>A condition of <c>Nd.Cond</c> or <c>Nd.WhileLoop</c> and what it was while the function was traced.</summary>
/// <param name="Condition">One element; it holds unless it is zero.</param>
/// <param name="Operation">Who asked.</param>
/// <param name="Holds">The way that the trace went.</param>
internal readonly record struct BranchOutcome(GraphNode Condition, string Operation, bool Holds);

/// <summary>
/// The way of one trace through the branches and loops of a function. A condition is computed for the arrays of the call that is being traced; the trace follows
/// it, and the variant is good for calls that go the same way: the plan computes its conditions too and says where they turn out otherwise.
/// </summary>
internal sealed class BranchPath
{
    private readonly IReadOnlyList<NDArray>? _arrays;
    private readonly Dictionary<GraphNode, NDArray> _values = [];
    private readonly Dictionary<GraphNode, double> _numbers = [];
    private readonly List<BranchOutcome> _outcomes = [];
    private RandomReplay? _ahead; // what the function will draw

    /// <param name="arrays">The inputs of the call; null: conditions must not depend on them.</param>
    public BranchPath(IReadOnlyList<NDArray>? arrays) => _arrays = arrays;

    public IReadOnlyList<BranchOutcome> Outcomes => _outcomes;

    /// <summary>An array that holds a condition, as eagerly.</summary>
    public static bool Holds(NDArray condition) => Elements.To(condition.OnHost(), DType.Bool).Item<bool>();

    /// <summary>Numbers of the host, such as a learning rate, as they are at this place of the program: conditions may depend on them.</summary>
    public void Read(IReadOnlyList<GraphNode> nodes, HostNumbers read, int index)
    {
        if (_arrays is null) return;
        Span<double> numbers = stackalloc double[nodes.Count];
        read(index, numbers);
        for (int i = 0; i < nodes.Count; i++) _numbers[nodes[i]] = numbers[i];
    }

    /// <summary>The way to go at the next condition.</summary>
    /// <param name="condition">One element.</param>
    /// <param name="operation">Who asks.</param>
    /// <param name="effects">The random draws before it.</param>
    public bool Decide(GraphNode condition, string operation, IEnumerable<GraphNode> effects)
    {
        int earlier = _outcomes.FindIndex(o => ReferenceEquals(o.Condition, condition));
        if (earlier >= 0) return _outcomes[earlier].Holds;
        bool holds = Evaluate(condition, operation, effects);
        if (condition is not ConstantNode) _outcomes.Add(new BranchOutcome(condition, operation, holds));
        return holds;
    }

    // With the eager operators, outside of the trace, which goes on afterwards as if nothing had been computed.
    private bool Evaluate(GraphNode condition, string operation, IEnumerable<GraphNode> effects)
    {
        ExecutionState state = ExecutionState.Current;
        Tracer? tracer = state.Tracer;
        using RecordScope pause = new(false, null);
        using RandomReplay.Scope ahead = (_ahead ??= RandomReplay.Ahead(state)).Enter(state);
        state.Tracer = null;
        try
        {
            foreach (GraphNode node in GraphOrder.Sort([condition], effects))
                if (!_values.ContainsKey(node)) _values.Add(node, Evaluate(node, operation));
            return Holds(_values[condition]);
        }
        finally
        {
            state.Tracer = tracer;
        }
    }

    private NDArray Evaluate(GraphNode node, string operation) => node switch
    {
        OpNode call => Interpreter.Apply(call, _values),
        ConstantNode constant => Elements.Scalar(constant.Value, constant.DType),
        CapturedNode captured => captured.Array,
        HostNode host when _numbers.TryGetValue(host, out double number) => Elements.Scalar(number, host.DType),
        InputNode input when _arrays is not null && input.Index < _arrays.Count && input.Name == $"x{input.Index}" => _arrays[input.Index],
        _ => throw new TraceFailedException($"{operation} reads {node}, which has no value while the function is traced"),
    };
}

/// <summary>A call has left the way that its variant was traced for: nothing that it changes has been changed.</summary>
/// <param name="index">The first condition that turned out otherwise.</param>
internal sealed class OtherBranchException(int index) : Exception("A condition of a compiled function turned out otherwise.")
{
    public int Index => index;
}
