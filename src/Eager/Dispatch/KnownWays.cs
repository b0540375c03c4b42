namespace Fusion;

/// <summary>
/// The ways that work went at its conditions, in order, for when it is done again: what they were computed of may have been written since.
/// </summary>
/// <param name="ways">Whether each condition held.</param>
/// <param name="inlines">Those of compiled functions inside are among them; else each of these decides for itself.</param>
internal sealed class KnownWays(IReadOnlyList<bool> ways, bool inlines)
{
    private int _next;

    /// <summary>Functions inside that are compiled elsewhere are part of the work.</summary>
    public bool Inlines => inlines;

    /// <summary>From the first one on.</summary>
    public KnownWays Again() => new(ways, inlines);

    /// <summary>The way to go at the next condition; null beyond the last one.</summary>
    public bool? Next() => _next < ways.Count ? ways[_next++] : null;

    /// <summary>The conditions of this thread are these until the scope ends; null: they are new ones.</summary>
    /// <param name="state">The thread's.</param>
    /// <param name="ways">What they are.</param>
    /// <param name="taken">Where the ways are noted that are taken meanwhile; null: nowhere.</param>
    public static Scope Enter(ExecutionState state, KnownWays? ways, List<bool>? taken = null) => new(state, ways, taken);

    /// <summary>See <see cref="Enter"/>.</summary>
    public readonly ref struct Scope
    {
        private readonly ExecutionState _state;
        private readonly KnownWays? _ways;
        private readonly List<bool>? _taken;

        public Scope(ExecutionState state, KnownWays? ways, List<bool>? taken)
        {
            (_state, _ways, _taken) = (state, state.Ways, state.TakenWays);
            (state.Ways, state.TakenWays) = (ways, taken);
        }

        public void Dispose() => (_state.Ways, _state.TakenWays) = (_ways, _taken);
    }
}
