namespace Fusion;

/// <summary>
/// Launches in an order in which they could run, kept while they are merged: a list with numbers that grow along it, so that two are compared at once
/// (Dietz and Sleator, "Two algorithms for maintaining order in a list", 1987, in its simplest form: when a gap is used up, all are numbered anew).
/// </summary>
internal sealed class GroupOrder
{
    private const long Gap = 1L << 32;

    private readonly LinkedList<PlanGroup> _list = [];
    private readonly Dictionary<PlanGroup, (LinkedListNode<PlanGroup> Node, long At)> _places = [];

    /// <summary>The number of a launch's place.</summary>
    public long At(PlanGroup group) => _places[group].At;

    public void Append(PlanGroup group) => _places.Add(group, (_list.AddLast(group), _list.Last!.Previous is { } last ? At(last.Value) + Gap : 0));

    public void Remove(PlanGroup group)
    {
        _places.Remove(group, out (LinkedListNode<PlanGroup> Node, long At) place);
        _list.Remove(place.Node);
    }

    /// <summary>Gives a launch's place to another, or to itself.</summary>
    public void Replace(PlanGroup old, PlanGroup group)
    {
        if (ReferenceEquals(old, group)) return;
        if (_places.ContainsKey(group)) Remove(group);
        _places.Remove(old, out (LinkedListNode<PlanGroup> Node, long At) place);
        place.Node.Value = group;
        _places.Add(group, place);
    }

    public void MoveBefore(PlanGroup group, PlanGroup next)
    {
        Remove(group);
        LinkedListNode<PlanGroup> behind = _places[next].Node;
        if (behind.Previous is { } ahead && At(next) - At(ahead.Value) < 2) Renumber();
        long at = behind.Previous is { } before ? At(before.Value) + ((At(next) - At(before.Value)) / 2) : At(next) - Gap;
        _places.Add(group, (_list.AddBefore(behind, group), at));
    }

    private void Renumber()
    {
        long at = 0;
        for (LinkedListNode<PlanGroup>? node = _list.First; node is not null; node = node.Next) _places[node.Value] = (node, at += Gap);
    }
}
