using System.Collections;
using System.Runtime.CompilerServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>
/// The sizes of an array's axes, outermost first; immutable. Written <c>[2, 3]</c>, <c>(2, 3)</c>, <c>new[] { 2, 3 }</c> or, for rank 1, <c>5</c>;
/// printed <c>(2, 3)</c>, <c>(5,)</c>, <c>()</c>. <see langword="default"/> is the shape of a scalar, rank 0.
/// </summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IEnumerable<int>
{
    /// <summary>The most axes, as in NumPy and PyTorch: what kernels keep of every axis has a place on the stack.</summary>
    internal const int MaxRank = 64;

    // Shared, never written after construction: arrays of one shape hold one int[].
    private readonly int[]? _dimensions;

    /// <summary>A shape with these sizes (copied).</summary>
    /// <exception cref="ShapeException">A size is negative, there are more than 64 axes, or the number of elements exceeds <see cref="long.MaxValue"/>.</exception>
    public Shape(params ReadOnlySpan<int> dimensions)
    {
        _dimensions = dimensions.IsEmpty ? null : dimensions.ToArray();
        _sizeMinusOne = Count(dimensions) - 1;
    }

    private Shape(int[] owned, bool _)
    {
        _dimensions = owned.Length == 0 ? null : owned;
        _sizeMinusOne = Count(owned) - 1;
    }

    /// <summary>A shape with these sizes (copied); what a collection expression calls.</summary>
    public static Shape Create(ReadOnlySpan<int> dimensions) => new(dimensions);

    /// <summary>A shape that takes over <paramref name="dimensions"/> without a copy: the caller must not write to it again.</summary>
    internal static Shape Own(int[] dimensions) => new(dimensions, true);

    // The stored number is Size − 1, so that default(Shape), all bits zero, is the scalar shape with one element.
    private readonly long _sizeMinusOne;

    /// <summary>The number of axes.</summary>
    public int Rank => _dimensions is null ? 0 : _dimensions.Length;

    /// <summary>The number of elements, the product of the sizes; 1 for rank 0.</summary>
    public long Size => _sizeMinusOne + 1;

    /// <summary>The size of an axis; negative axes count from the end.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such axis.</exception>
    public int this[int axis]
    {
        get
        {
            int[] dimensions = _dimensions ?? [];
            int i = axis < 0 ? axis + dimensions.Length : axis;
            if ((uint)i >= (uint)dimensions.Length) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"The shape {this} has {Rank} axes.");
            return dimensions[i];
        }
    }

    /// <summary>The size of an axis: <c>shape[^1]</c> is that of the last.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such axis.</exception>
    public int this[Index axis]
    {
        get
        {
            int i = axis.GetOffset(Rank);
            if ((uint)i >= (uint)Rank) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"The shape {this} has {Rank} axes.");
            return Dimensions[i];
        }
    }

    /// <summary>The shape of some axes: <c>shape[1..]</c> is that without the first.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the axes.</exception>
    public Shape this[Range axes]
    {
        get
        {
            int start = axes.Start.GetOffset(Rank), end = axes.End.GetOffset(Rank);
            if (start < 0 || end > Rank || start > end) throw new ArgumentOutOfRangeException(nameof(axes), axes, $"The shape {this} has {Rank} axes.");
            return new(Dimensions[start..end]);
        }
    }

    /// <summary>The sizes, outermost first.</summary>
    public ReadOnlySpan<int> Dimensions => _dimensions;

    /// <summary>Converts a tuple of sizes.</summary>
    public static implicit operator Shape((int, int) sizes) => new(sizes.Item1, sizes.Item2);

    /// <summary>Converts a tuple of sizes.</summary>
    public static implicit operator Shape((int, int, int) sizes) => new(sizes.Item1, sizes.Item2, sizes.Item3);

    /// <summary>Converts a tuple of sizes.</summary>
    public static implicit operator Shape((int, int, int, int) sizes) => new(sizes.Item1, sizes.Item2, sizes.Item3, sizes.Item4);

    /// <summary>Converts a tuple of sizes.</summary>
    public static implicit operator Shape((int, int, int, int, int) sizes) => new(sizes.Item1, sizes.Item2, sizes.Item3, sizes.Item4, sizes.Item5);

    /// <summary>Converts an array of sizes (copied).</summary>
    public static implicit operator Shape(int[] sizes)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        return new(sizes);
    }

    /// <summary>A shape of rank 1.</summary>
    public static implicit operator Shape(int size) => new(size);

    /// <summary>Same rank and same sizes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Equals(Shape other) =>
        ReferenceEquals(_dimensions, other._dimensions) || (_sizeMinusOne == other._sizeMinusOne && Dimensions.SequenceEqual(other.Dimensions));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int size in Dimensions) hash.Add(size);
        return hash.ToHashCode();
    }

    /// <summary>Same rank and same sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Another rank or another size.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary><c>(2, 3)</c>, <c>(5,)</c>, <c>()</c>.</summary>
    public override string ToString() => Rank == 1 ? $"({Dimensions[0]},)" : $"({string.Join(", ", _dimensions ?? [])})";

    /// <summary>The sizes of two axes.</summary>
    /// <exception cref="ShapeException">The number of axes is another.</exception>
    public void Deconstruct(out int size0, out int size1) => (size0, size1) = (Of(2)[0], Dimensions[1]);

    /// <summary>The sizes of three axes.</summary>
    /// <exception cref="ShapeException">The number of axes is another.</exception>
    public void Deconstruct(out int size0, out int size1, out int size2) => (size0, size1, size2) = (Of(3)[0], Dimensions[1], Dimensions[2]);

    /// <summary>The sizes of four axes.</summary>
    /// <exception cref="ShapeException">The number of axes is another.</exception>
    public void Deconstruct(out int size0, out int size1, out int size2, out int size3) => (size0, size1, size2, size3) = (Of(4)[0], Dimensions[1], Dimensions[2], Dimensions[3]);

    /// <summary>The sizes of five axes.</summary>
    /// <exception cref="ShapeException">The number of axes is another.</exception>
    public void Deconstruct(out int size0, out int size1, out int size2, out int size3, out int size4) => (size0, size1, size2, size3, size4) = (Of(5)[0], Dimensions[1], Dimensions[2], Dimensions[3], Dimensions[4]);

    private ReadOnlySpan<int> Of(int rank) => Rank == rank ? Dimensions : throw new ShapeException($"The shape {this} has {Rank} axes and cannot be taken apart into {rank} sizes.");

    /// <summary>The sizes as a new array.</summary>
    public int[] ToArray() => Dimensions.ToArray();

    /// <summary>Enumerates the sizes, outermost first.</summary>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)(_dimensions ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The index of an axis that may be negative.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such axis; the message names the operator.</exception>
    internal int Axis(int axis, string op, string argument = "axis")
    {
        int i = axis < 0 ? axis + Rank : axis;
        if ((uint)i < (uint)Rank) return i;
        string axes = Rank == 0 ? "which has none. Reshape or ExpandDims first" : $"whose axes are {-Rank} to {Rank - 1}";
        throw new ArgumentOutOfRangeException(argument, axis, $"{op}: axis {axis} is out of range for the shape {this}, {axes}.");
    }

    private static long Count(ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Length > MaxRank) throw new ShapeException($"A shape of {dimensions.Length} axes: there are {MaxRank} at most. Join some of them.");
        UInt128 size = 1;
        bool empty = false;
        foreach (int d in dimensions)
        {
            if (d < 0) throw new ShapeException($"A size is negative: ({IntegerList.Text(dimensions.ToArray())}). Sizes are 0 or more.");
            empty |= d == 0;
            if (d > 0 && size <= long.MaxValue) size *= (uint)d;
        }
        if (empty) return 0;
        return size <= long.MaxValue ? (long)size : throw new ShapeException($"({IntegerList.Text(dimensions.ToArray())}) has more than 2^63 elements.");
    }
}
