using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// How a window meets the border of its input: a number of elements for all sides, one per dimension (<c>(1, 2)</c>, <c>[1, 2]</c>), one before and one after
/// per dimension (<see cref="Pairs"/>), <see cref="Same"/> or <see cref="Valid"/>. Padded elements are 0, or −∞ in a max pooling.
/// </summary>
[CollectionBuilder(typeof(Padding), nameof(Create))]
public readonly struct Padding : IEquatable<Padding>
{
    private readonly bool _same;
    private readonly int[]? _before;
    private readonly int[]? _after;

    private Padding(int[]? before, int[]? after, bool same = false) => (_before, _after, _same) = (before, after, same);

    /// <summary>As much as makes the output's size ⌈input/stride⌉; of an odd number, the larger half comes after (TensorFlow's SAME).</summary>
    public static Padding Same { get; } = new(null, null, true);

    /// <summary>None.</summary>
    public static Padding Valid { get; }

    /// <summary>The elements before and after the input, per dimension.</summary>
    public static Padding Pairs(params ReadOnlySpan<(int Before, int After)> sides)
    {
        int[] before = new int[sides.Length], after = new int[sides.Length];
        for (int i = 0; i < sides.Length; i++) (before[i], after[i]) = sides[i];
        return new Padding(before, after);
    }

    /// <summary>One number per dimension; what a collection expression calls.</summary>
    public static Padding Create(ReadOnlySpan<int> sizes)
    {
        int[] both = sizes.ToArray();
        return new Padding(both, both);
    }

    /// <summary>The same number on every side.</summary>
    public static implicit operator Padding(int size) => Create([size]);

    /// <summary>One number per dimension.</summary>
    public static implicit operator Padding((int, int) sizes) => Create([sizes.Item1, sizes.Item2]);

    /// <summary>One number per dimension.</summary>
    public static implicit operator Padding((int, int, int) sizes) => Create([sizes.Item1, sizes.Item2, sizes.Item3]);

    /// <summary>One number per dimension.</summary>
    public static implicit operator Padding(int[] sizes) => Create(sizes);

    /// <summary>The numbers per dimension, enumerated for collection expressions.</summary>
    public ReadOnlySpan<int>.Enumerator GetEnumerator() => new ReadOnlySpan<int>(_before).GetEnumerator();

    /// <summary>The same rule with the same numbers.</summary>
    public bool Equals(Padding other) =>
        _same == other._same && _before.AsSpan().SequenceEqual(other._before) && _after.AsSpan().SequenceEqual(other._after);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Padding other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_same, _before?.Length, _before is { Length: > 0 } ? _before[0] : 0);

    /// <summary>The same rule with the same numbers.</summary>
    public static bool operator ==(Padding left, Padding right) => left.Equals(right);

    /// <summary>Another rule or other numbers.</summary>
    public static bool operator !=(Padding left, Padding right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => _same ? "Same" : $"[{IntegerList.Text(_before ?? [])}]";

    internal bool IsSame => _same;

    /// <summary>The elements before and after along one dimension; not for <see cref="Same"/>.</summary>
    internal (int Before, int After) Along(string op, int dimension, int dimensions)
    {
        if (_before is null) return (0, 0);
        if (_before.Length != 1 && _before.Length != dimensions) throw new ShapeException($"{op}: padding {this} must be one number or one per dimension, {dimensions}.");
        int i = _before.Length == 1 ? 0 : dimension;
        if (_before[i] < 0 || _after![i] < 0) throw Negative(op, this);
        return (_before[i], _after[i]);

        static ArgumentOutOfRangeException Negative(string op, Padding padding) =>
            new(nameof(padding), $"{op}: padding {padding} is negative. Slice the input instead.");
    }
}
