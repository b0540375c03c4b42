namespace Fusion;

/// <summary>
/// How the gradients of one call join those that are on the tape already. Eager execution adds everything that arrives at an array one by one, in the order
/// of the tape: ((pending + a) + b) + later. A compiled backward that knows only its own paths would add pending + (a + b), with other bits. So where a
/// place has several paths inside, and others have arrived or two arguments are the same place, a backward is compiled that goes on from what is pending.
/// </summary>
internal sealed class GradientSums : IEquatable<GradientSums>
{
    private readonly int[] _owners;
    private readonly bool[] _pending;
    private readonly int _hash;

    private GradientSums(int[] owners, bool[] pending)
    {
        (_owners, _pending) = (owners, pending);
        HashCode hash = default;
        foreach (int owner in owners) hash.Add(owner);
        foreach (bool seed in pending) hash.Add(seed);
        _hash = hash.ToHashCode();
    }

    /// <summary>Null where the sums inside may be made first: the bits are the same.</summary>
    public static GradientSums? Of(FunctionTrace trace, TapeNode node, BackwardPass pass)
    {
        bool matters = false;
        for (int i = 0; i < node.InputCount && !matters; i++)
        {
            if (trace.Gradients[i] is null) continue;
            int owner = OwnerOf(trace, node, i);
            matters = (owner != i && IsOnTape(node.Edge(i))) || (trace.PathCounts[i] > 1 && pass.HasPending(node.Edge(i)));
        }

        if (!matters) return null;
        int[] owners = new int[node.InputCount];
        bool[] pending = new bool[node.InputCount];
        for (int i = 0; i < owners.Length; i++)
        {
            owners[i] = trace.Gradients[i] is null ? i : OwnerOf(trace, node, i);
            pending[i] = owners[i] == i && trace.Gradients[i] is not null && pass.HasPending(node.Edge(i));
        }

        return new GradientSums(owners, pending);
    }

    /// <summary>The first argument at the same place of the tape.</summary>
    public int Owner(int argument) => _owners[argument];

    public bool IsPending(int argument) => _pending[argument];

    /// <summary>Arguments to whose place something has come before.</summary>
    public IEnumerable<int> Pending => Enumerable.Range(0, _pending.Length).Where(IsPending);

    /// <summary>Takes what is pending away from a pass; the sums replace it.</summary>
    public NDArray[] Take(TapeNode node, BackwardPass pass) => [.. Pending.Select(i => pass.TakePending(node.Edge(i)))];

    public bool Equals(GradientSums? other) =>
        other is not null && _hash == other._hash && _owners.AsSpan().SequenceEqual(other._owners) && _pending.AsSpan().SequenceEqual(other._pending);

    public override bool Equals(object? obj) => Equals(obj as GradientSums);

    public override int GetHashCode() => _hash;

    // Captured variables are different places: only inputs repeat one another, or are captured too.
    private static int OwnerOf(FunctionTrace trace, TapeNode node, int argument)
    {
        TapeEdge edge = node.Edge(argument);
        for (int i = 0; i < trace.Inputs.Length && i < argument; i++)
            if (trace.Gradients[i] is not null && ReferenceEquals(node.Edge(i).Source, edge.Source) && node.Edge(i).Index == edge.Index) return i;
        return argument;
    }

    private static bool IsOnTape(TapeEdge edge) => edge.Source is not NDArray;
}
