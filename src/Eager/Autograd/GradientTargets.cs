namespace Fusion;

/// <summary>The arrays that <c>Grad</c> was asked for, and the nodes on a path from the heads to one of them.</summary>
internal sealed class GradientTargets
{
    private readonly (object? Source, int Index)[] _keys;
    private readonly NDArray?[] _results;
    private readonly HashSet<object> _sources = new(ReferenceEqualityComparer.Instance);
    private HashSet<TapeNode> _path = [];

    public GradientTargets(IReadOnlyList<NDArray> variables)
    {
        _keys = new (object?, int)[variables.Count];
        _results = new NDArray?[variables.Count];
        for (int i = 0; i < _keys.Length; i++)
        {
            NDArray variable = variables[i] ?? throw new ArgumentNullException(nameof(variables), $"Grad: variable {i} is null.");
            variable.ThrowIfUnattachable("Grad");
            _keys[i] = (variable.Source, variable.SourceIndex);
            if (variable.Source is not null) _sources.Add(variable.Source);
        }
    }

    public NDArray? Result(int i) => _results[i];

    public bool IsTarget(object source) => _sources.Contains(source);

    /// <summary>A gradient is worth computing: the source is a target, or one lies behind it.</summary>
    public bool Leads(object source) => source is TapeNode node ? _path.Contains(node) : _sources.Contains(source);

    public void Deliver(object source, int index, NDArray value)
    {
        for (int i = 0; i < _keys.Length; i++)
            if (ReferenceEquals(_keys[i].Source, source) && _keys[i].Index == index) _results[i] = value;
    }

    /// <summary>Finds the nodes between the heads and the targets, without recursion: a tape may be a million nodes deep.</summary>
    public void FindPath(IEnumerable<TapeNode> heads)
    {
        HashSet<TapeNode> seen = [];
        Stack<TapeNode> open = new();
        foreach (TapeNode head in heads)
            if (seen.Add(head)) open.Push(head);
        while (open.TryPop(out TapeNode? node))
            for (int i = 0; i < node.InputCount && !node.IsReleased; i++)
                if (node.Edge(i).Source is TapeNode input && seen.Add(input)) open.Push(input);

        TapeNode[] order = [.. seen];
        Array.Sort(order, static (a, b) => a.Sequence.CompareTo(b.Sequence));
        _path = [];
        foreach (TapeNode node in order)
        {
            bool leads = _sources.Contains(node);
            for (int i = 0; i < node.InputCount && !leads && !node.IsReleased; i++)
            {
                TapeEdge edge = node.Edge(i);
                leads = edge.RequiresGradient && Leads(edge.Source);
            }

            if (leads) _path.Add(node);
        }
    }
}
