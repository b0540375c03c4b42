namespace Fusion;

/// <summary>
/// What an index expression says about one axis: one position (an <see cref="int"/>, negative from the end, or an <see cref="Index"/>), a
/// <see cref="Range"/>, or one of the marks <see cref="Ellipsis"/> and <see cref="NewAxis"/>.
/// </summary>
public readonly struct AxisIndex : IEquatable<AxisIndex>
{
    private readonly Range _range;
    private readonly AxisIndexKind _kind;

    private AxisIndex(AxisIndexKind kind, Range range)
    {
        _kind = kind;
        _range = range;
    }

    /// <summary>All axes that the other indices do not name.</summary>
    public static AxisIndex Ellipsis => new(AxisIndexKind.Ellipsis, default);

    /// <summary>A new axis of size 1.</summary>
    public static AxisIndex NewAxis => new(AxisIndexKind.NewAxis, default);

    internal AxisIndexKind Kind => _kind;

    /// <summary>The position, when <see cref="Kind"/> says so.</summary>
    internal Index Position => _range.Start;

    internal Range Range => _range;

    /// <summary>One position; the axis disappears. −1 is the last.</summary>
    public static implicit operator AxisIndex(int position) => position < 0 ? new Index(-position, true) : new Index(position);

    /// <summary>One position; the axis disappears.</summary>
    public static implicit operator AxisIndex(Index position) => new(AxisIndexKind.Position, new Range(position, default));

    /// <summary>A range of positions.</summary>
    public static implicit operator AxisIndex(Range range) => new(AxisIndexKind.Range, range);

    /// <inheritdoc/>
    public bool Equals(AxisIndex other) => _kind == other._kind && _range.Equals(other._range);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AxisIndex other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_kind, _range);

    /// <summary>The same index.</summary>
    public static bool operator ==(AxisIndex left, AxisIndex right) => left.Equals(right);

    /// <summary>Another index.</summary>
    public static bool operator !=(AxisIndex left, AxisIndex right) => !left.Equals(right);

    /// <summary>As it is written in C#.</summary>
    public override string ToString() => _kind switch
    {
        AxisIndexKind.Position => Position.ToString(),
        AxisIndexKind.Range => _range.ToString(),
        _ => _kind.ToString(),
    };
}

/// <summary>The kinds of <see cref="AxisIndex"/>; <see langword="default"/> is position 0.</summary>
internal enum AxisIndexKind
{
    Position,
    Range,
    Ellipsis,
    NewAxis,
}
