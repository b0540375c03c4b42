using System.Collections.Immutable;

namespace Fusion;

/// <summary>
/// A value that is zero but for parts along one axis: the gradient of slices, or a sum of such. Immutable, in a tree that sums share: one more part costs the logarithm
/// of their number, and an array of all of them is made for sums that somebody reads.
/// </summary>
internal sealed class PlacedParts : IEquatable<PlacedParts>
{
    private static readonly Comparer<Piece> s_byStart = Comparer<Piece>.Create(static (a, b) => a.Start.CompareTo(b.Start));

    private readonly int _axis;
    private readonly ImmutableSortedSet<Piece> _pieces; // side by side, from one end of the axis to the other
    private readonly bool _isWhole; // the zeros are made
    private readonly int _hash;

    private PlacedParts(TensorType type, int axis, ImmutableSortedSet<Piece> pieces, bool isWhole, int hash) =>
        (Type, _axis, _pieces, _isWhole, _hash) = (type, axis, pieces, isWhole, hash);

    public TensorType Type { get; }

    public AxisAttributes Attributes => new(_axis);

    /// <summary>Parts and the zeros between them, in order: the operands of a concatenation.</summary>
    public GraphNode[] Operands => [.. _pieces.Select(static p => p.Value!)];

    /// <summary>The sum of two values whose parts lie where the other one is zero; null when they have another form.</summary>
    public static GraphNode? Sum(GraphBuilder graph, GraphNode x, GraphNode y)
    {
        if (x.Type != y.Type || Of(x) is not { } a || Of(y) is not { } b || a._axis != b._axis) return null;
        (PlacedParts sum, PlacedParts other) = a._pieces.Count >= b._pieces.Count ? (a, b) : (b, a);
        Piece[] parts = [.. other._pieces.Where(static p => !p.IsZeros)];
        if (!Array.TrueForAll(parts, sum.IsFree)) return null;
        if (!sum._isWhole) sum = sum.Filled(graph);
        foreach (Piece part in parts) sum = sum.With(graph, part);
        return graph.Make(sum);
    }

    public bool Equals(PlacedParts? other) =>
        other is not null && _hash == other._hash && Type == other.Type && _axis == other._axis && _pieces.SequenceEqual(other._pieces);

    public override bool Equals(object? obj) => Equals(obj as PlacedParts);

    public override int GetHashCode() => _hash;

    private static PlacedParts? Of(GraphNode node) => node switch
    {
        OpNode { Parts: { } parts } => parts,
        OpNode { Op.Name: "Unslice", Attributes: SliceAttributes place } call => OfSlice(call, place),
        _ => null,
    };

    // A slice of one axis, in steps of one; what lies around it is not made yet.
    private static PlacedParts? OfSlice(OpNode call, SliceAttributes place)
    {
        int axis = -1;
        for (int i = 0; i < place.Counts.Length; i++)
        {
            if (place.Steps[i] != 1) return null;
            if (place.Counts[i] == place.Full.Dimensions[i]) continue;
            if (axis >= 0) return null;
            axis = i;
        }

        if (axis < 0 || place.Counts[axis] == 0) return null;
        Piece whole = new(0, place.Full.Dimensions[axis], null, IsZeros: true);
        ImmutableSortedSet<Piece>.Builder pieces = ImmutableSortedSet.CreateBuilder(s_byStart);
        Split(pieces, whole, new Piece(place.Starts[axis], place.Counts[axis], call.Inputs[0], IsZeros: false), static _ => null);
        return new PlacedParts(call.Type, axis, pieces.ToImmutable(), isWhole: false, hash: 0);
    }

    private static void Split(ImmutableSortedSet<Piece>.Builder pieces, Piece zeros, Piece part, Func<int, GraphNode?> makeZeros)
    {
        pieces.Remove(zeros);
        pieces.Add(part);
        if (part.Start > zeros.Start) pieces.Add(new Piece(zeros.Start, part.Start - zeros.Start, makeZeros(part.Start - zeros.Start), IsZeros: true));
        if (part.End < zeros.End) pieces.Add(new Piece(part.End, zeros.End - part.End, makeZeros(zeros.End - part.End), IsZeros: true));
    }

    private bool IsFree(Piece part) => Around(part) is { IsZeros: true } zeros && part.End <= zeros.End;

    // The piece in which a part begins.
    private Piece Around(Piece part)
    {
        int at = _pieces.IndexOf(part);
        return _pieces[at < 0 ? ~at - 1 : at];
    }

    private PlacedParts With(GraphBuilder graph, Piece part)
    {
        Piece added = part with { Value = WithoutNegativeZero(graph, part.Value!) };
        ImmutableSortedSet<Piece>.Builder pieces = _pieces.ToBuilder();
        Split(pieces, Around(part), added, count => Zeros(graph, count));
        return new PlacedParts(Type, _axis, pieces.ToImmutable(), isWhole: true, Hash(_hash, added));
    }

    // The same with all its operands.
    private PlacedParts Filled(GraphBuilder graph)
    {
        ImmutableSortedSet<Piece> pieces = ImmutableSortedSet.CreateRange(
            s_byStart, _pieces.Select(p => p with { Value = p.IsZeros ? Zeros(graph, p.Count) : WithoutNegativeZero(graph, p.Value!) }));
        return new PlacedParts(Type, _axis, pieces, isWhole: true, pieces.Where(static p => !p.IsZeros).Aggregate(0, Hash));
    }

    // Does not depend on the order in which parts came.
    private static int Hash(int hash, Piece part) => unchecked(hash + HashCode.Combine(part.Start, part.Value));

    private GraphNode Zeros(GraphBuilder graph, int count)
    {
        int[] sizes = Type.Shape.ToArray();
        sizes[_axis] = count;
        Shape shape = Shape.Own(sizes);
        return graph.Make(OpTable.BroadcastTo, [graph.Constant(0, Type.DType)], new ShapeAttributes(shape), Type with { Shape = shape });
    }

    private static GraphNode WithoutNegativeZero(GraphBuilder graph, GraphNode value) =>
        IsAddedToZero(value) ? value : graph.Call(OpTable.Add, [value, graph.Constant(0, value.DType)]);

    private static bool IsAddedToZero(GraphNode node) => node switch
    {
        OpNode { Op.Name: "Add", Inputs: [_, ConstantNode { Value: 0 } zero] } => !double.IsNegative(zero.Value),
        OpNode { Op.Name: "Reshape" or "Transpose", Inputs: [var a] } => IsAddedToZero(a),
        _ => false,
    };

    /// <param name="Start">Where it begins on the axis.</param>
    /// <param name="Count">How long it is.</param>
    /// <param name="Value">What lies there; null: zeros that are not made yet.</param>
    /// <param name="IsZeros">No part lies there.</param>
    private readonly record struct Piece(int Start, int Count, GraphNode? Value, bool IsZeros)
    {
        public int End => Start + Count;
    }
}
