namespace Fusion.Peers.Table;

/// <summary>An input of a row of the table: two shapes, and where its values come from.</summary>
/// <param name="Shape">The shape when results are compared.</param>
/// <param name="Timed">The shape when they are timed.</param>
internal sealed record Operand(Shape Shape, Shape Timed)
{
    public double Low { get; init; } = -2;

    public double High { get; init; } = 2;

    /// <summary>The magnitude lies in [Low, High], the sign is random.</summary>
    public bool BothSigns { get; init; }

    /// <summary>No two values are alike, so that an order of them is one.</summary>
    public bool IsDistinct { get; init; }

    /// <summary>An element type other than that under test: indices, masks. Gradients are asked for the others.</summary>
    public DType? DType { get; init; }

    /// <summary>A number that is not differentiated, such as a running mean.</summary>
    public bool IsConstant { get; init; }

    public bool IsVariable => DType is null && !IsConstant;

    /// <summary>Numbers between two bounds.</summary>
    public static Operand Real(Shape shape, Shape timed, double low = -2, double high = 2) => new(shape, timed) { Low = low, High = high };

    /// <summary>Numbers of either sign that stay away from 0.</summary>
    public static Operand NonZero(Shape shape, Shape timed, double low, double high) => new(shape, timed) { Low = low, High = high, BothSigns = true };

    /// <summary>Numbers no two of which are alike.</summary>
    public static Operand Distinct(Shape shape, Shape timed) => new(shape, timed) { IsDistinct = true, High = 2.5 };

    /// <summary>Integers from 0 to <paramref name="count"/> − 1.</summary>
    public static Operand Index(Shape shape, Shape timed, int count) => new(shape, timed) { Low = 0, High = count, DType = Fusion.DType.Int64 };

    /// <summary>0, 1, … in a random order.</summary>
    public static Operand Permutation(Shape shape, Shape timed) => new(shape, timed) { IsDistinct = true, DType = Fusion.DType.Int64 };

    /// <summary>True and false.</summary>
    public static Operand Truth(Shape shape, Shape timed) => new(shape, timed) { Low = 0, High = 2, DType = Fusion.DType.Bool };

    /// <summary>An array of such values, the same for the same seed.</summary>
    public NDArray Draw(Random random, bool timed, DType dtype)
    {
        Shape shape = timed ? Timed : Shape;
        double[] values = new double[shape.Size];
        for (int i = 0; i < values.Length; i++) values[i] = IsDistinct ? Spread(i, values.Length) : Next(random);
        if (IsDistinct) random.Shuffle(values);
        return Nd.Array(values, shape).AsType(DType ?? dtype);
    }

    private double Spread(int i, int count) => DType is null ? Low + ((High - Low) * (i + 0.5) / count) : i;

    private double Next(Random random)
    {
        double value = Low + (random.NextDouble() * (High - Low));
        if (DType is not null) return Math.Floor(value);
        return BothSigns && random.Next(2) == 0 ? -value : value;
    }
}
