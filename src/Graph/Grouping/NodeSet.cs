namespace Fusion;

/// <summary>A set of nodes of one graph that is emptied and filled over and over: a mark for each id, so that neither is more than a store.</summary>
/// <param name="size">Greater than all ids.</param>
internal sealed class NodeSet(int size)
{
    private readonly int[] _marks = new int[size];
    private int _mark = 1;

    public int Count { get; private set; }

    /// <summary>Empties the set, then adds the nodes.</summary>
    public NodeSet Fill(List<OpNode> nodes)
    {
        Clear();
        foreach (OpNode node in nodes) Add(node);
        return this;
    }

    public void Clear()
    {
        _mark++;
        Count = 0;
    }

    /// <summary>False: it was there.</summary>
    public bool Add(GraphNode node)
    {
        ref int mark = ref _marks[node.Id];
        if (mark == _mark) return false;
        mark = _mark;
        Count++;
        return true;
    }

    public bool Contains(GraphNode node) => _marks[node.Id] == _mark;
}
