namespace Fusion;

/// <summary>The arrays that <c>Grad</c> was asked for, and the nodes on a path from the heads to one of them.</summary>
internal sealed class GradientTargets
{
    private readonly (object? Source, int Index)[] _keys;
    private readonly NDArray?[] _results;
    private readonly HashSet<object> _sources = new(ReferenceEqualityComparer.Instance);
    private readonly bool _stop;
    private readonly HashSet<TapeNode> _seen = [];
    private readonly HashSet<TapeNode> _behind = [];

    /// <param name="variables">The targets.</param>
    /// <param name="stop">Nothing behind a target is visited: the targets are the inputs of a function that is differentiated on its own.</param>
    public GradientTargets(IReadOnlyList<NDArray> variables, bool stop = false)
        : this(Keys(variables), stop)
    {
    }

    /// <summary>Targets by their place on the tape.</summary>
    public GradientTargets((object? Source, int Index)[] keys, bool stop)
    {
        _stop = stop;
        _keys = Array.ConvertAll(keys, static k => TapeNode.Resolve(k.Source, k.Index));
        _results = new NDArray?[keys.Length];
        Collect();
    }

    /// <summary>Nothing behind a target is visited.</summary>
    public bool Stops => _stop;

    public NDArray? Result(int i) => _results[i];

    /// <summary>Where asked for: what is added up at the targets, in order, each with the first target of its place.</summary>
    public List<(int Target, NDArray Gradient)>? Contributions { get; init; }

    public bool IsTarget(object source) => _sources.Contains(source);

    public bool IsTarget(object source, int index) => IsTarget(source) && Array.IndexOf(_keys, (source, index)) >= 0;

    /// <summary>A node gave way to the calls that it stands for: targets that were its outputs are theirs.</summary>
    public void Follow()
    {
        for (int i = 0; i < _keys.Length; i++) _keys[i] = TapeNode.Resolve(_keys[i].Source, _keys[i].Index);
        Collect();
    }

    /// <summary>A gradient is worth computing: the source is a target, or one lies behind it.</summary>
    public bool Leads(object source) => _sources.Contains(source) || (source is TapeNode node && _behind.Contains(node));

    /// <summary>A target lies behind this node: its gradient rules must run.</summary>
    public bool LiesBehind(TapeNode node) => _behind.Contains(node);

    /// <summary>A gradient arrives at a place on the tape.</summary>
    public void Note(object source, int index, NDArray gradient)
    {
        if (Contributions is null || !_sources.Contains(source)) return;
        int target = Array.IndexOf(_keys, (source, index));
        if (target >= 0) Contributions.Add((target, gradient));
    }

    public void Deliver(object source, int index, NDArray value)
    {
        for (int i = 0; i < _keys.Length; i++)
            if (ReferenceEquals(_keys[i].Source, source) && _keys[i].Index == index) _results[i] = value;
    }

    /// <summary>Finds the nodes between the heads and the targets, without recursion: a tape may be a million nodes deep. Further heads may follow.</summary>
    /// <exception cref="AutogradException">A part of the graph was released, and a target may lie behind it.</exception>
    public void FindPath(IEnumerable<object?> heads)
    {
        List<TapeNode> order = [];
        Stack<TapeNode> open = new();
        Tracer? tracer = _stop ? null : ExecutionState.Current.Tracer;
        foreach (object? head in heads) Meet(head);
        while (open.TryPop(out TapeNode? node))
        {
            order.Add(node);
            if (_stop && IsTarget(node)) continue;
            if (node.IsReleased && MayHideTarget(node)) throw Errors.GraphReleased(node);
            if (node.IsReleased) continue;
            for (int i = 0; i < node.InputCount; i++) Meet(node.Edge(i).Source);
        }

        order.Sort(static (a, b) => a.Sequence.CompareTo(b.Sequence));
        foreach (TapeNode node in order)
        {
            if (node.IsReleased || (_stop && IsTarget(node))) continue;
            for (int i = 0; i < node.InputCount; i++)
            {
                TapeEdge edge = node.Edge(i);
                if (!edge.RequiresGradient || !Leads(edge.Source)) continue;
                _behind.Add(node);
                break;
            }
        }

        void Meet(object? source)
        {
            if (source is Variable { StandsForAnother: true } || (source is TapeNode { IsTraced: false } && tracer is not null)) tracer?.Pass(source, _keys);
            if (source is TapeNode node && _seen.Add(node)) open.Push(node);
        }
    }

    private void Collect()
    {
        _sources.Clear();
        foreach ((object? source, _) in _keys)
            if (source is not null) _sources.Add(source);
    }

    private static (object? Source, int Index)[] Keys(IReadOnlyList<NDArray> variables)
    {
        (object? Source, int Index)[] keys = new (object?, int)[variables.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            NDArray variable = variables[i] ?? throw new ArgumentNullException(nameof(variables), $"Grad: variable {i} is null.");
            variable.ThrowIfUnattachable("Grad");
            keys[i] = (variable.Source, variable.SourceIndex);
        }

        return keys;
    }

    // A released node no longer knows its inputs; only what was recorded later is certainly not among them.
    private bool MayHideTarget(TapeNode released)
    {
        foreach ((object? source, _) in _keys)
            if (source is Variable || (source is TapeNode node && node.Sequence < released.Sequence)) return true;
        return false;
    }
}
