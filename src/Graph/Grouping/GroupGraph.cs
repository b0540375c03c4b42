using System.Diagnostics.CodeAnalysis;

namespace Fusion;

/// <summary>The launches of a function while they are being formed: who computes what, whether two may become one, and the order of all.</summary>
internal sealed class GroupGraph
{
    private static readonly List<OpNode> s_nobody = [];

    private readonly GraphFunction _function;
    private readonly bool _exact;
    private readonly Dictionary<GraphNode, PlanGroup> _home = [];
    private readonly Dictionary<GraphNode, List<OpNode>> _users = [];

    /// <param name="function">What is cut into launches.</param>
    /// <param name="exact">Cycles are looked for everywhere.</param>
    public GroupGraph(GraphFunction function, bool exact)
    {
        _function = function;
        _exact = exact;
        foreach (OpNode node in function.Operators)
        {
            foreach (GraphNode input in node.Inputs)
            {
                if (!_users.TryGetValue(input, out List<OpNode>? users)) _users.Add(input, users = []);
                users.Add(node);
            }
        }
    }

    /// <summary>The operators that read a value, one for each time.</summary>
    public List<OpNode> Users(GraphNode node) => _users.GetValueOrDefault(node, s_nobody);

    /// <summary>The launch that computes a value; none for what is given.</summary>
    public bool TryGetHome(GraphNode node, [NotNullWhen(true)] out PlanGroup? group) => _home.TryGetValue(node, out group);

    /// <summary>Makes <paramref name="group"/> the home of its members.</summary>
    public void Place(PlanGroup group)
    {
        foreach (OpNode member in group.Members) _home[member] = group;
    }

    /// <summary>
    /// Some launch outside lies on a path from the set back into the set. It is looked for from both ends by turns, and the search ends where one of them does: for
    /// most that is near, however large the graph. Unless the graph is exact, it also ends at launches whose operators all come before the set's first one
    /// or after its last one. Ids are topological, so operators there cannot be in between; but a launch further on that reaches across can.
    /// </summary>
    public bool HasCycle(List<OpNode> union, HashSet<GraphNode> set)
    {
        int first = 0, last = int.MaxValue;
        if (!_exact) (first, last) = (union.Min(static n => n.Id), union.Max(static n => n.Id));
        HashSet<PlanGroup> seenBefore = [], seenAfter = [];
        Stack<OpNode> before = new(union), after = new(union);
        while (before.TryPop(out OpNode? reader) && after.TryPop(out OpNode? read))
        {
            foreach (GraphNode input in reader.Inputs)
                if (Visit(reader, input, seenBefore, before)) return true;
            foreach (OpNode user in Users(read))
                if (Visit(read, user, seenAfter, after)) return true;
        }

        return false;

        bool Visit(OpNode from, GraphNode to, HashSet<PlanGroup> seen, Stack<OpNode> open)
        {
            if (set.Contains(to)) return !set.Contains(from);
            if (!_home.TryGetValue(to, out PlanGroup? outside) || outside.LastId < first || outside.FirstId > last || !seen.Add(outside)) return false;
            foreach (OpNode member in outside.Members)
                if (!set.Contains(member)) open.Push(member);
            return false;
        }
    }

    /// <summary>Topological order of the groups; among those that are ready the one whose last operator came first in the program. Null: there is a cycle.</summary>
    public List<PlanGroup>? Schedule()
    {
        Dictionary<PlanGroup, HashSet<PlanGroup>> next = [];
        Dictionary<PlanGroup, int> waiting = [];
        foreach (PlanGroup group in _home.Values) waiting.TryAdd(group, 0);
        foreach (OpNode node in _function.Operators)
        {
            PlanGroup group = _home[node];
            foreach (GraphNode input in node.Inputs)
                if (_home.TryGetValue(input, out PlanGroup? producer)) Edge(producer, group);
        }

        PriorityQueue<PlanGroup, int> ready = new();
        foreach ((PlanGroup group, int count) in waiting)
            if (count == 0) ready.Enqueue(group, group.LastId);
        List<PlanGroup> order = [];
        while (ready.TryDequeue(out PlanGroup? group, out _))
        {
            order.Add(group);
            if (!next.TryGetValue(group, out HashSet<PlanGroup>? successors)) continue;
            foreach (PlanGroup successor in successors)
                if (--waiting[successor] == 0) ready.Enqueue(successor, successor.LastId);
        }

        return order.Count == waiting.Count ? order : null;

        void Edge(PlanGroup from, PlanGroup to)
        {
            if (ReferenceEquals(from, to)) return;
            if (!next.TryGetValue(from, out HashSet<PlanGroup>? successors)) next.Add(from, successors = []);
            if (successors.Add(to)) waiting[to]++;
        }
    }
}
