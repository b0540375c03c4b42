using System.Diagnostics.CodeAnalysis;

namespace Fusion;

/// <summary>The launches of a function while they are being formed: who computes what, whether two may become one, and the order of all.</summary>
internal sealed class GroupGraph
{
    private readonly GraphFunction _function;
    private readonly Dictionary<GraphNode, PlanGroup> _home = [];
    private readonly GroupOrder _order = new();

    // Some launch came before those that it reads: the order says nothing.
    private bool _isOrdered = true;

    public GroupGraph(GraphFunction function) => _function = function;

    /// <summary>The launch that computes a value; none for what is given.</summary>
    public bool TryGetHome(GraphNode node, [NotNullWhen(true)] out PlanGroup? group) => _home.TryGetValue(node, out group);

    /// <summary>Makes <paramref name="group"/> the home of its members, which come from launches that form no cycle with it (see <see cref="HasCycle"/>).</summary>
    public void Place(PlanGroup group)
    {
        HashSet<GraphNode> set = [.. group.Members];
        if (_isOrdered && group.Members.TrueForAll(m => m.Inputs.All(i => i is not OpNode || set.Contains(i) || _home.ContainsKey(i) || _function.Leaves.Contains(i))))
        {
            // It goes where the first of its launches was; what it needs of those behind that one, before it.
            HashSet<PlanGroup> homes = Homes(group.Members);
            PlanGroup? first = homes.MinBy(_order.At);
            HashSet<PlanGroup> needed = [];
            if (first is null) _order.Append(group);
            else FindsWayBack(group.Members, set, _order.At(first), needed);
            foreach (PlanGroup other in needed.OrderBy(_order.At)) _order.MoveBefore(other, first!);
            if (first is not null) _order.Replace(first, group);
            foreach (PlanGroup old in homes)
                if (!ReferenceEquals(old, first) && !ReferenceEquals(old, group)) _order.Remove(old);
        }
        else
        {
            _isOrdered = false;
        }

        foreach (OpNode member in group.Members) _home[member] = group;
    }

    /// <summary>Some launch outside lies on a path from the set back into the set.</summary>
    public bool HasCycle(List<OpNode> union, HashSet<GraphNode> set)
    {
        PlanGroup? first = _isOrdered ? Homes(union).MinBy(_order.At) : null;
        return FindsWayBack(union, set, first is null ? long.MinValue : _order.At(first), []);
    }

    private HashSet<PlanGroup> Homes(List<OpNode> members)
    {
        HashSet<PlanGroup> homes = [];
        foreach (OpNode member in members)
            if (_home.TryGetValue(member, out PlanGroup? home)) homes.Add(home);
        return homes;
    }

    // Launches before the first one of the set cannot depend on it; the others that it needs are seen.
    private bool FindsWayBack(List<OpNode> members, HashSet<GraphNode> set, long first, HashSet<PlanGroup> seen)
    {
        Stack<OpNode> open = new(members);
        while (open.TryPop(out OpNode? node))
        {
            foreach (GraphNode input in node.Inputs)
            {
                if (set.Contains(input))
                {
                    if (set.Contains(node)) continue;
                    return true;
                }

                if (!_home.TryGetValue(input, out PlanGroup? outside) || (_isOrdered && _order.At(outside) < first) || !seen.Add(outside)) continue;
                foreach (OpNode member in outside.Members)
                    if (!set.Contains(member)) open.Push(member);
            }
        }

        return false;
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
