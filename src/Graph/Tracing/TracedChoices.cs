namespace Fusion;

/// <summary>What a trace took from outside, in order: random draws, and the ways that it went at conditions. What is traced once more takes the same again.</summary>
internal sealed class TracedChoices
{
    private readonly List<GraphNode> _draws = [];
    private readonly List<bool> _ways = [], _found = [];
    private Position? _next;

    /// <summary>A place among the draws and the ways.</summary>
    public readonly record struct Position(int Draw, int Way);

    /// <summary>The ways that were not taken again, in order.</summary>
    public IReadOnlyList<bool> Found => _found;

    /// <summary>Where the next ones will be.</summary>
    public Position Place => new(_draws.Count, _ways.Count);

    /// <summary>From here on what was taken from <paramref name="start"/> on is taken again. Returns what to give to <see cref="Resume"/>.</summary>
    public Position? Return(Position start)
    {
        Position? before = _next;
        _next = start;
        return before;
    }

    /// <summary>As before <see cref="Return"/>.</summary>
    public void Resume(Position? before) => _next = before;

    /// <summary>A draw: a new one, which is among the <paramref name="effects"/> from now on, or the next of those that are taken again.</summary>
    public GraphNode Draw(Func<GraphNode> make, List<GraphNode> effects)
    {
        GraphNode draw;
        if (_next is { } next)
        {
            draw = _draws[next.Draw];
            _next = next with { Draw = next.Draw + 1 };
        }
        else
        {
            effects.Add(draw = make());
        }

        _draws.Add(draw);
        return draw;
    }

    /// <summary>A way, likewise.</summary>
    public bool Decide(Func<bool> find)
    {
        bool way;
        if (_next is { } next)
        {
            way = _ways[next.Way];
            _next = next with { Way = next.Way + 1 };
        }
        else
        {
            _found.Add(way = find());
        }

        _ways.Add(way);
        return way;
    }
}
