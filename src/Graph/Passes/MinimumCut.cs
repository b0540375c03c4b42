namespace Fusion;

/// <summary>
/// The cheapest set of vertices that separates sources from sinks, nearest to the sinks: by maximum flow, with every vertex an edge from its entry to its exit (Dinitz, 1970).
/// </summary>
internal sealed class MinimumCut
{
    /// <summary>For vertices and edges that are never cut.</summary>
    public const long Never = long.MaxValue / 4;

    private const int Source = 0, Sink = 1;

    // Edge e and e ^ 1 are each other's reverse; what is left of their capacity.
    private readonly List<int> _to = [];
    private readonly List<long> _left = [];
    private readonly List<List<int>> _edges = [[], []];

    /// <summary>Adds a vertex; returns its number, counted from 0.</summary>
    public int Add(long capacity)
    {
        int entry = _edges.Count;
        _edges.Add([]);
        _edges.Add([]);
        Edge(entry, entry + 1, capacity);
        return (entry / 2) - 1;
    }

    public void Connect(int from, int to) => Edge(Exit(from), Entry(to), Never);

    public void FromSource(int vertex) => Edge(Source, Entry(vertex), Never);

    public void ToSink(int vertex) => Edge(Exit(vertex), Sink, Never);

    /// <summary>For each vertex whether it is cut.</summary>
    public bool[] Solve()
    {
        int[] level = new int[_edges.Count], next = new int[_edges.Count];
        while (Levels(level))
        {
            Array.Clear(next);
            while (Push(level, next)) { }
        }

        bool[] sinkSide = SinkSide();
        bool[] cut = new bool[(_edges.Count / 2) - 1];
        for (int v = 0; v < cut.Length; v++) cut[v] = !sinkSide[Entry(v)] && sinkSide[Exit(v)];
        return cut;
    }

    private static int Entry(int vertex) => 2 * (vertex + 1);

    private static int Exit(int vertex) => Entry(vertex) + 1;

    private void Edge(int from, int to, long capacity)
    {
        _edges[from].Add(_to.Count);
        _to.Add(to);
        _left.Add(capacity);
        _edges[to].Add(_to.Count);
        _to.Add(from);
        _left.Add(0);
    }

    private bool Levels(int[] level)
    {
        Array.Fill(level, -1);
        level[Source] = 0;
        Queue<int> open = new([Source]);
        while (open.TryDequeue(out int at))
        {
            foreach (int e in _edges[at])
            {
                if (_left[e] == 0 || level[_to[e]] >= 0) continue;
                level[_to[e]] = level[at] + 1;
                open.Enqueue(_to[e]);
            }
        }

        return level[Sink] >= 0;
    }

    // One more path from source to sink, each step a level further; what leads nowhere is not tried again.
    private bool Push(int[] level, int[] next)
    {
        List<int> path = [];
        int at = Source;
        while (at != Sink)
        {
            if (next[at] == _edges[at].Count)
            {
                if (path.Count == 0) return false;
                at = _to[path[^1] ^ 1];
                path.RemoveAt(path.Count - 1);
                next[at]++;
                continue;
            }

            int e = _edges[at][next[at]];
            if (_left[e] == 0 || level[_to[e]] != level[at] + 1)
            {
                next[at]++;
                continue;
            }

            path.Add(e);
            at = _to[e];
        }

        long flow = Never;
        foreach (int e in path) flow = Math.Min(flow, _left[e]);
        foreach (int e in path)
        {
            _left[e] -= flow;
            _left[e ^ 1] += flow;
        }

        return true;
    }

    private bool[] SinkSide()
    {
        bool[] reaches = new bool[_edges.Count];
        reaches[Sink] = true;
        Stack<int> open = new([Sink]);
        while (open.TryPop(out int at))
        {
            foreach (int e in _edges[at])
            {
                if (_left[e ^ 1] == 0 || reaches[_to[e]]) continue;
                reaches[_to[e]] = true;
                open.Push(_to[e]);
            }
        }

        return reaches;
    }
}
