namespace Fusion;

/// <summary>Makes nodes: infers types, merges equal ones, and simplifies at construction with the rules of <see cref="SimplifyRules"/>.</summary>
internal sealed class GraphBuilder
{
    private readonly FastRules? _fast;
    private readonly Dictionary<Key, OpNode> _operators = [];
    private readonly Dictionary<PlacedParts, OpNode> _placed = [];
    private readonly Dictionary<(long Bits, DType DType, bool IsRead), ConstantNode> _constants = [];
    private readonly Dictionary<NDArray, CapturedNode> _captured = new(ReferenceEqualityComparer.Instance);
    private readonly List<GraphNode> _nodes = [];

    /// <param name="fastMath">Rewrites that change rounding are permitted.</param>
    public GraphBuilder(bool fastMath = false) => _fast = fastMath ? new FastRules(this) : null;

    /// <summary>Rewrites that change rounding are permitted.</summary>
    public bool FastMath => _fast is not null;

    /// <summary>Every node, by id.</summary>
    public IReadOnlyList<GraphNode> Nodes => _nodes;

    /// <summary>Operator calls seen, before merging and simplification.</summary>
    public int CallCount { get; private set; }

    public IReadOnlyCollection<CapturedNode> Captured => _captured.Values;

    public InputNode Input(TensorType type, int index, string name)
    {
        InputNode node = new(_nodes.Count, type, index, name);
        _nodes.Add(node);
        return node;
    }

    public CapturedNode Capture(NDArray array, bool isMade = false)
    {
        if (_captured.TryGetValue(array, out CapturedNode? node)) return node;
        node = new CapturedNode(_nodes.Count, array, isMade);
        _nodes.Add(node);
        _captured.Add(array, node);
        return node;
    }

    public ConstantNode Constant(double value, DType dtype) => Constant(value, dtype, isRead: false);

    private ConstantNode Constant(double value, DType dtype, bool isRead)
    {
        (long, DType, bool) key = (BitConverter.DoubleToInt64Bits(value), dtype, isRead);
        if (_constants.TryGetValue(key, out ConstantNode? node)) return node;
        node = new ConstantNode(_nodes.Count, value, dtype, isRead);
        _nodes.Add(node);
        _constants.Add(key, node);
        return node;
    }

    public HostNode Host(DType dtype, int index)
    {
        HostNode node = new(_nodes.Count, dtype, index);
        _nodes.Add(node);
        return node;
    }

    public GraphNode Apply(Op op, ReadOnlySpan<GraphNode> inputs, object? attributes)
    {
        CallCount++;
        return Call(op, inputs.ToArray(), attributes);
    }

    /// <summary>A call that the compiler makes, not the function.</summary>
    public GraphNode Call(Op op, GraphNode[] inputs, object? attributes = null)
    {
        TensorType[] types = new TensorType[inputs.Length];
        for (int i = 0; i < types.Length; i++) types[i] = inputs[i].Type;
        TensorType[] result = new TensorType[1];
        op.Infer(types, attributes, result);
        return Make(op, inputs, attributes, result[0]);
    }

    /// <summary>The sum of two gradients, rounded as the tape rounds it.</summary>
    public GraphNode Sum(GraphNode a, GraphNode b)
    {
        if (!a.DType.IsHalf) return Apply(OpTable.Add, [a, b], null);
        GraphNode sum = Apply(OpTable.Add, [Apply(OpTable.Cast, [a], DType.Float32), Apply(OpTable.Cast, [b], DType.Float32)], null);
        return Apply(OpTable.Cast, [sum], a.DType);
    }

    /// <summary>A node of known type: simplified, or found, or new.</summary>
    public GraphNode Make(Op op, GraphNode[] inputs, object? attributes, TensorType type)
    {
        if (SimplifyRules.Apply(this, op, inputs, attributes, type) is { } simpler) return simpler;
        if (_fast?.Apply(op, inputs, type) is { } faster) return faster;
        if (ComparesNumbers(op) || (type.DType == DType.Bool && Array.TrueForAll(inputs, static x => x is ConstantNode)))
            inputs = Array.ConvertAll(inputs, x => x is ConstantNode { IsOperand: false } c ? Constant(c.Value, c.DType, isRead: true) : x);
        Key key = new(op, CanonicalOrder.Key(op, inputs), attributes);
        if (!op.Impure && _operators.TryGetValue(key, out OpNode? node)) return node;
        node = new OpNode(_nodes.Count, op, inputs, attributes, type);
        _nodes.Add(node);
        if (!op.Impure) _operators.Add(key, node);
        return node;
    }

    /// <summary>The value of parts and zeros side by side.</summary>
    public OpNode Make(PlacedParts parts)
    {
        if (_placed.TryGetValue(parts, out OpNode? node)) return node;
        node = new OpNode(_nodes.Count, parts);
        _nodes.Add(node);
        _placed.Add(parts, node);
        return node;
    }

    // Their formulas compare an operand with numbers, as a mask of numbers alone does: in code it would be a constant, see ConstantNode.IsOperand.
    private static bool ComparesNumbers(Op op) => op == OpTable.Pow || op == OpTable.Atan2 || op == OpTable.Hypot || op == OpTable.Mod || op == OpTable.LogAddExp;

    private readonly struct Key(Op op, GraphNode[] inputs, object? attributes) : IEquatable<Key>
    {
        private readonly Op _op = op;
        private readonly GraphNode[] _inputs = inputs;
        private readonly object? _attributes = attributes;

        public bool Equals(Key other) =>
            ReferenceEquals(_op, other._op) && _inputs.AsSpan().SequenceEqual(other._inputs) && Equals(_attributes, other._attributes);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            HashCode hash = default;
            hash.Add(_op);
            hash.Add(_attributes);
            foreach (GraphNode input in _inputs) hash.Add(input.Id);
            return hash.ToHashCode();
        }
    }
}
