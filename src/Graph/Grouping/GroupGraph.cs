using System.Diagnostics.CodeAnalysis;

namespace Fusion;

/// <summary>The launches of a function while they are being formed: who computes what, whether two may become one, and the order of all.</summary>
internal sealed class GroupGraph
{
    private static readonly List<OpNode> s_nobody = [];

    private readonly GraphFunction _function;
    private readonly bool _exact;
    private readonly PlanGroup?[] _home;
    private readonly List<OpNode>?[] _users;
    private readonly Stack<OpNode> _before = new(), _after = new();
    private int _searches;

    /// <param name="function">What is cut into launches.</param>
    /// <param name="exact">Cycles are looked for everywhere.</param>
    public GroupGraph(GraphFunction function, bool exact)
    {
        _function = function;
        _exact = exact;
        Ids = function.Order.Count == 0 ? 0 : function.Order[^1].Id + 1;
        _home = new PlanGroup?[Ids];
        _users = new List<OpNode>?[Ids];
        foreach (OpNode node in function.Operators)
        {
            foreach (GraphNode input in node.Inputs) (_users[input.Id] ??= []).Add(node);
        }
    }

    /// <summary>Greater than all ids of the function's values.</summary>
    public int Ids { get; }

    /// <summary>The operators that read a value, one for each time.</summary>
    public List<OpNode> Users(GraphNode node) => _users[node.Id] ?? s_nobody;

    /// <summary>The launch that computes a value; none for what is given.</summary>
    public bool TryGetHome(GraphNode node, [NotNullWhen(true)] out PlanGroup? group) => (group = _home[node.Id]) is not null;

    /// <summary>Makes <paramref name="group"/> the home of its members.</summary>
    public void Place(PlanGroup group)
    {
        foreach (OpNode member in group.Members) _home[member.Id] = group;
    }

    /// <summary>
    /// Some launch outside lies on a path from the set back into the set. It is looked for from both ends by turns, and the search ends where one of them does: for
    /// most that is near, however large the graph. Unless the graph is exact, it also ends at launches whose operators all come before the set's first one
    /// or after its last one. Ids are topological, so operators there cannot be in between; but a launch further on that reaches across can.
    /// </summary>
    /// <param name="union">The set as a list.</param>
    /// <param name="set">The set.</param>
    public bool HasCycle(List<OpNode> union, NodeSet set)
    {
        int first = 0, last = int.MaxValue, search = ++_searches;
        if (!_exact)
        {
            (first, last) = (int.MaxValue, 0);
            foreach (OpNode node in union) (first, last) = (Math.Min(first, node.Id), Math.Max(last, node.Id));
        }

        _before.Clear();
        _after.Clear();
        foreach (OpNode node in union)
        {
            _before.Push(node);
            _after.Push(node);
        }

        while (_before.TryPop(out OpNode? reader) && _after.TryPop(out OpNode? read))
        {
            foreach (GraphNode input in reader.Inputs)
                if (Visit(reader, input, before: true)) return true;
            foreach (OpNode user in Users(read))
                if (Visit(read, user, before: false)) return true;
        }

        return false;

        bool Visit(OpNode from, GraphNode to, bool before)
        {
            if (set.Contains(to)) return !set.Contains(from);
            if (_home[to.Id] is not { } outside || outside.LastId < first || outside.FirstId > last || !outside.SeenBy(search, before)) return false;
            Stack<OpNode> open = before ? _before : _after;
            foreach (OpNode member in outside.Members)
                if (!set.Contains(member)) open.Push(member);
            return false;
        }
    }

    /// <summary>Topological order of the groups; among those that are ready the one whose last operator came first in the program. Null: there is a cycle.</summary>
    public List<PlanGroup>? Schedule()
    {
        List<PlanGroup> groups = [];
        int search = ++_searches;
        foreach (OpNode node in _function.Operators)
        {
            PlanGroup group = _home[node.Id]!;
            if (!group.SeenBy(search, before: true)) continue;
            group.Waiting = 0;
            groups.Add(group);
        }

        // The groups that read each one, once for each time, as they wait for it.
        Dictionary<PlanGroup, List<PlanGroup>> next = new(groups.Count);
        foreach (OpNode node in _function.Operators)
        {
            PlanGroup group = _home[node.Id]!;
            foreach (GraphNode input in node.Inputs)
            {
                if (_home[input.Id] is not { } producer || ReferenceEquals(producer, group)) continue;
                if (!next.TryGetValue(producer, out List<PlanGroup>? successors)) next.Add(producer, successors = []);
                successors.Add(group);
                group.Waiting++;
            }
        }

        PriorityQueue<PlanGroup, int> ready = new();
        foreach (PlanGroup group in groups)
            if (group.Waiting == 0) ready.Enqueue(group, group.LastId);
        List<PlanGroup> order = new(groups.Count);
        while (ready.TryDequeue(out PlanGroup? group, out _))
        {
            order.Add(group);
            if (!next.TryGetValue(group, out List<PlanGroup>? successors)) continue;
            foreach (PlanGroup successor in successors)
                if (--successor.Waiting == 0) ready.Enqueue(successor, successor.LastId);
        }

        return order.Count == groups.Count ? order : null;
    }
}
