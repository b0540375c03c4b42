using System.Diagnostics.CodeAnalysis;

namespace Fusion;

/// <summary>The launches of a function while they are being formed: who computes what, whether two may become one, and the order of all.</summary>
internal sealed class GroupGraph
{
    private readonly GraphFunction _function;
    private readonly Dictionary<GraphNode, PlanGroup> _home = [];

    // A Fenwick tree: at the id of its last operator, the id of the first operator of a launch. Launches only grow, so that what one was before does no harm.
    private readonly int[] _earliest;

    public GroupGraph(GraphFunction function)
    {
        _function = function;
        int ids = 0;
        foreach (OpNode node in function.Operators) ids = Math.Max(ids, node.Id + 1);
        _earliest = new int[ids + 1];
        Array.Fill(_earliest, int.MaxValue);
    }

    /// <summary>The launch that computes a value; none for what is given.</summary>
    public bool TryGetHome(GraphNode node, [NotNullWhen(true)] out PlanGroup? group) => _home.TryGetValue(node, out group);

    /// <summary>Makes <paramref name="group"/> the home of its members.</summary>
    public void Place(PlanGroup group)
    {
        foreach (OpNode member in group.Members) _home[member] = group;
        for (int i = _earliest.Length - 1 - group.LastId; i < _earliest.Length; i += i & -i) _earliest[i] = Math.Min(_earliest[i], group.FirstId);
    }

    /// <summary>
    /// Some launch outside lies on a path from the set back into the set. Ids are topological: an operator before the set's first one does not depend on
    /// it, but its launch does when it needs another that has operators on both sides. What comes before the first operator of all those launches need
    /// not be looked at.
    /// </summary>
    public bool HasCycle(List<OpNode> union, HashSet<GraphNode> set)
    {
        int first = int.MaxValue;
        foreach (OpNode node in union) first = Math.Min(first, node.Id);
        first = Math.Min(first, EarliestOfThoseEndingAt(first));
        HashSet<PlanGroup> seen = [];
        Stack<OpNode> open = new(union);
        while (open.TryPop(out OpNode? node))
        {
            foreach (GraphNode input in node.Inputs)
            {
                if (set.Contains(input))
                {
                    if (set.Contains(node)) continue;
                    return true;
                }

                if (!_home.TryGetValue(input, out PlanGroup? outside) || outside.LastId < first || !seen.Add(outside)) continue;
                foreach (OpNode member in outside.Members)
                    if (!set.Contains(member)) open.Push(member);
            }
        }

        return false;
    }

    /// <summary>The smallest id of all launches whose last operator has at least this id.</summary>
    private int EarliestOfThoseEndingAt(int id)
    {
        int earliest = int.MaxValue;
        for (int i = _earliest.Length - 1 - id; i > 0; i -= i & -i) earliest = Math.Min(earliest, _earliest[i]);
        return earliest;
    }

    /// <summary>Topological order of the groups; among those that are ready the one whose last operator came first in the program.</summary>
    public List<PlanGroup> Schedule()
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

        return order.Count == waiting.Count ? order : throw new InvalidOperationException("The fusion groups form a cycle.");

        void Edge(PlanGroup from, PlanGroup to)
        {
            if (ReferenceEquals(from, to)) return;
            if (!next.TryGetValue(from, out HashSet<PlanGroup>? successors)) next.Add(from, successors = []);
            if (successors.Add(to)) waiting[to]++;
        }
    }
}
