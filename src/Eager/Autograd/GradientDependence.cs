namespace Fusion;

/// <summary>Which arrays are functions of which places on the tape: one walk for up to 64 places, which are bits of a mask.</summary>
internal sealed class GradientDependence
{
    /// <summary>How many variables one walk tells apart.</summary>
    public const int Most = 64;

    // Most gradients read their variable within a few calls.
    private const int Nearby = 32;

    private readonly Dictionary<(object Source, int Index), ulong> _targets = [];
    private readonly Dictionary<(TapeNode Node, int Output), ulong> _behind = [];
    private readonly ulong _all;

    /// <param name="values">Arrays whose history is walked.</param>
    /// <param name="variables">At most <see cref="Most"/>, in the order of the bits.</param>
    public GradientDependence(ReadOnlySpan<NDArray> values, ReadOnlySpan<NDArray> variables)
    {
        for (int i = 0; i < variables.Length; i++)
        {
            if (Place(variables[i]) is not { } place) continue;
            _targets[place] = _targets.GetValueOrDefault(place) | (1UL << i);
            _all |= 1UL << i;
        }

        foreach (TapeNode node in Order(values))
            for (int i = 0; i < OutputsToldApart(node); i++) _behind[(node, i)] = Behind(node, i);
    }

    /// <summary>
    /// Gradients of the array reach the variable of this bit. What lies behind a part of the graph that was released is not known, and taken to be.
    /// </summary>
    public bool Reaches(NDArray value, int variable) => Place(value) is { } place && (At(place.Source, place.Index) >> variable & 1) != 0;

    /// <summary>The same of one array and one variable.</summary>
    public static bool Reaches(NDArray value, NDArray variable) => ReachesNearby(value, variable) ?? new GradientDependence([value], [variable]).Reaches(value, 0);

    private static (object Source, int Index)? Place(NDArray array)
    {
        (object? source, int index) = TapeNode.Resolve(array.Source, array.SourceIndex);
        return source is null ? null : (source, index);
    }

    /// <summary>The same of one array and one variable, if it is found among the calls next to the array, or these are all: null otherwise.</summary>
    public static bool? ReachesNearby(NDArray value, NDArray variable)
    {
        if (Place(variable) is not { } target || Place(value) is not { } place) return false;
        if (place == target) return true;
        if (place.Source is not TapeNode head) return false;
        List<(TapeNode Node, int Output)> open = [(head, Told(head, place.Index))];
        for (int at = 0; at < open.Count; at++)
        {
            (TapeNode node, int output) = open[at];
            if (node.IsReleased || open.Count > Nearby) return null;
            for (int i = 0; i < node.InputCount; i++)
            {
                if (!node.Reaches(output, i) || node.Edge(i) is not { RequiresGradient: true } edge) continue;
                if (ReferenceEquals(edge.Source, target.Source) && edge.Index == target.Index) return true;
                if (edge.Source is TapeNode input && (input, Told(input, edge.Index)) is var next && !open.Contains(next)) open.Add(next);
            }
        }

        return false;
    }

    // Without recursion: a tape may be a million nodes deep. Inputs come first.
    private static List<TapeNode> Order(ReadOnlySpan<NDArray> values)
    {
        HashSet<TapeNode> seen = new(ReferenceEqualityComparer.Instance);
        List<TapeNode> order = [];
        foreach (NDArray value in values)
            if (Place(value)?.Source is TapeNode head && seen.Add(head)) order.Add(head);
        for (int at = 0; at < order.Count; at++)
        {
            TapeNode node = order[at];
            for (int i = 0; i < node.InputCount && !node.IsReleased; i++)
                if (node.Edge(i) is { RequiresGradient: true, Source: TapeNode input } && seen.Add(input)) order.Add(input);
        }

        order.Sort(static (a, b) => a.Sequence.CompareTo(b.Sequence));
        return order;
    }

    // Of most nodes any output reaches any input: one mask is enough.
    private static int OutputsToldApart(TapeNode node) => node.Op.Reach?.Length ?? 1;

    private static int Told(TapeNode node, int output) => node.Op.Reach is null ? 0 : output;

    private ulong Behind(TapeNode node, int output)
    {
        if (node.IsReleased) return _all;
        ulong result = 0;
        for (int i = 0; i < node.InputCount && result != _all; i++)
            if (node.Reaches(output, i) && node.Edge(i) is { RequiresGradient: true } edge) result |= At(edge.Source, edge.Index);
        return result;
    }

    private ulong At(object source, int index) =>
        _targets.GetValueOrDefault((source, index)) | (source is TapeNode node ? _behind.GetValueOrDefault((node, Told(node, index))) : 0);
}
