namespace Fusion;

/// <summary>
/// What a compiled function does on the host before its launches, in program order: changes of state that are no arrays (step counts, flags), and
/// numbers that it reads in between (learning rates, bias corrections).
/// </summary>
internal sealed class HostProgram
{
    private readonly List<Entry> _entries = [];

    public bool IsEmpty => _entries.Count == 0;

    /// <summary>Numbers that the program reads, over all entries.</summary>
    public int NumberCount { get; private set; }

    public IEnumerable<HostEffect> Effects => _entries.Select(static e => e.Effect).OfType<HostEffect>();

    public void Add(HostEffect effect) => _entries.Add(new Entry(effect, null, 0, 0, 0));

    /// <summary>Returns the position of the first of <paramref name="count"/> numbers.</summary>
    public int Add(HostNumbers read, int index, int count)
    {
        int start = NumberCount;
        _entries.Add(new Entry(null, read, index, start, count));
        NumberCount += count;
        return start;
    }

    /// <summary>Leaves out the effects that <paramref name="drop"/> names.</summary>
    public void Remove(Predicate<HostEffect> drop) => _entries.RemoveAll(e => e.Effect is { } effect && drop(effect));

    /// <summary>Leaves out the effects that later ones of the same owner overwrite.</summary>
    public void DropOverwritten()
    {
        HashSet<object> owners = new(ReferenceEqualityComparer.Instance);
        List<Entry> kept = new(_entries.Count);
        for (int i = _entries.Count - 1; i >= 0; i--)
            if (_entries[i].Effect is not { Overwrites: true } effect || owners.Add(effect.Owner)) kept.Add(_entries[i]);
        _entries.Clear();
        for (int i = kept.Count - 1; i >= 0; i--) _entries.Add(kept[i]);
    }

    /// <summary>Makes the effects and reads the numbers. <paramref name="done"/> counts the entries, for <see cref="Undo"/>, also when one throws.</summary>
    public void Run(Span<double> numbers, ref int done)
    {
        for (; done < _entries.Count; done++)
        {
            Entry entry = _entries[done];
            if (entry.Effect is { } effect) effect.Make();
            else entry.Read!(entry.Index, numbers.Slice(entry.Start, entry.Count));
        }
    }

    /// <summary>Takes the effects of the first entries back, the last one first.</summary>
    public void Undo(int done)
    {
        for (int i = done - 1; i >= 0; i--) _entries[i].Effect?.Undo();
    }

    private readonly record struct Entry(HostEffect? Effect, HostNumbers? Read, int Index, int Start, int Count);
}
