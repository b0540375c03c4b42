using Fusion.Kernels;

namespace Fusion;

/// <summary>A list of integers with value equality: operator attributes are compared and hashed when graphs are built.</summary>
internal readonly struct IntList(int[] values) : IEquatable<IntList>
{
    private readonly int[] _values = values;

    public ReadOnlySpan<int> Span => _values;

    public int Length => _values.Length;

    public int this[int i] => _values[i];

    public bool Equals(IntList other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? obj) => obj is IntList other && Equals(other);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int value in Span) hash.Add(value);
        return hash.ToHashCode();
    }

    public override string ToString() => $"[{IntegerList.Text(_values)}]";
}

/// <summary>Axes (sorted, not negative) of a reduction.</summary>
internal sealed record ReduceAttributes(IntList Axes, bool KeepDims);

/// <summary>One axis, not negative.</summary>
internal sealed record AxisAttributes(int Axis);

/// <summary>A target shape.</summary>
internal sealed record ShapeAttributes(Shape Shape);

/// <summary>A permutation of axes.</summary>
internal sealed record PermutationAttributes(IntList Axes);

/// <summary>First index, count and step (which may be negative) per axis; Full is the shape that is sliced.</summary>
internal sealed record SliceAttributes(IntList Starts, IntList Counts, IntList Steps, Shape Full)
{
    /// <summary>1 where there is at most one element: equal slices are equal attributes.</summary>
    public IntList Steps { get; } = Taken(Steps, Counts);

    /// <summary>All elements, as they are.</summary>
    public bool IsWhole => OnlyReverses && !Steps.Span.ContainsAnyExcept(1);

    /// <summary>All elements, some axes reversed: the same slice once more undoes it.</summary>
    public bool OnlyReverses
    {
        get
        {
            for (int i = 0; i < Counts.Length; i++)
                if (Counts[i] != Full.Dimensions[i] || Math.Abs(Steps[i]) != 1) return false;
            return true;
        }
    }

    private static IntList Taken(IntList steps, IntList counts)
    {
        int[]? taken = null;
        for (int i = 0; i < steps.Length; i++)
            if (counts[i] < 2 && steps[i] != 1) (taken ??= steps.Span.ToArray())[i] = 1;
        return taken is null ? steps : new IntList(taken);
    }
}

/// <summary>By how many places elements move along an axis, 0 to its size.</summary>
internal sealed record RollAttributes(int Axis, int Shift);

/// <summary>Where the input lies in the padded array, and what surrounds it.</summary>
internal sealed record PadAttributes(SliceAttributes Place, double Value);

/// <summary>Which of the two matrices are read transposed.</summary>
internal sealed record MatMulAttributes(bool TransposeA, bool TransposeB);

/// <summary>The axis that is indexed, the shape that has it, and the function that was called and its parameter: the ones that messages name.</summary>
internal sealed record TakeAttributes(int Axis, Shape Source, string Function = "Take", string Parameter = "indices");

/// <summary>The shape whose axes are indexed, and the function that was called: the one that messages name.</summary>
internal sealed record RavelAttributes(Shape Source, string Function = "Gather");

/// <summary>The function that was called and its parameter that holds the indices: what messages name.</summary>
internal sealed record CallerAttributes(string Function, string Parameter = "indices")
{
    /// <summary>The indices are classes: none counts from the end.</summary>
    public bool Classes { get; init; }

    private static readonly CallerAttributes s_pick = new("Pick"), s_crossEntropy = new("SoftmaxCrossEntropy", "labels");

    /// <summary>Those of <see cref="OpTable.Pick"/>, which has none when it is called by its own name.</summary>
    public static CallerAttributes OfPick(object? attributes) => attributes as CallerAttributes ?? s_pick;

    /// <summary>Those of <see cref="OpTable.CrossEntropy"/>, which has none when it is called by its own name.</summary>
    public static CallerAttributes OfCrossEntropy(object? attributes) => attributes as CallerAttributes ?? s_crossEntropy;
}

/// <summary>The number of classes of a one-hot encoding.</summary>
internal sealed record DepthAttributes(int Depth);

/// <summary>The direction of a running sum.</summary>
internal sealed record ScanAttributes(int Axis, bool Reverse);

/// <summary>The parameters, type and place of random numbers.</summary>
internal sealed record RandomAttributes(Shape Shape, DType DType, double First, double Second, Device? Device = null) : IPlacedAttributes;
