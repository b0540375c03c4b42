namespace Fusion.Tests;

/// <summary>Where the values of an input come from.</summary>
internal sealed record Domain(double Low, double High)
{
    /// <summary>The magnitude lies in [Low, High], the sign is random.</summary>
    public bool BothSigns { get; init; }

    /// <summary>No two values are equal, or nearly so: the order of the elements survives a finite difference.</summary>
    public bool IsDistinct { get; init; }

    /// <summary>An element type other than that under test: indices, masks.</summary>
    public DType? DType { get; init; }

    /// <summary>These values instead of random ones.</summary>
    public double[]? Values { get; init; }

    /// <summary>Values that gradients are asked for.</summary>
    public bool IsDifferentiable => DType is null;

    /// <summary>Numbers between two bounds.</summary>
    public static Domain Real(double low, double high) => new(low, high);

    /// <summary>Numbers of either sign that stay away from 0.</summary>
    public static Domain NonZero(double low, double high) => new(low, high) { BothSigns = true };

    /// <summary>Numbers between two bounds, no two alike.</summary>
    public static Domain Distinct(double low, double high) => new(low, high) { IsDistinct = true };

    /// <summary>Integers from low to high, both included.</summary>
    public static Domain Index(int low, int high, DType dtype = Fusion.DType.Int64) => new(low, high) { DType = dtype };

    /// <summary>These values, in turn; integers of the given type if there is one.</summary>
    public static Domain Fixed(DType? dtype, params double[] values) => new(0, 0) { Values = values, DType = dtype };

    /// <summary>True and false.</summary>
    public static Domain Truth { get; } = new(0, 1) { DType = Fusion.DType.Bool };

    /// <summary>An array of such values.</summary>
    public NDArray Draw(Random random, Shape shape, DType dtype)
    {
        dtype = DType ?? dtype;
        double[] values = new double[shape.Size];
        for (int i = 0; i < values.Length; i++)
            values[i] = Values is not null ? Values[i % Values.Length] : IsDistinct ? Spread(i, values.Length) : Next(random, dtype);
        if (IsDistinct) random.Shuffle(values);
        return Nd.Array(values, shape).AsType(dtype);
    }

    private double Spread(int i, int count) => Low + ((High - Low) * (i + 0.5) / count);

    private double Next(Random random, DType dtype)
    {
        if (dtype.IsFloat)
        {
            double value = Low + (random.NextDouble() * (High - Low));
            return BothSigns && random.Next(2) == 0 ? -value : value;
        }

        bool signed = dtype is Fusion.DType.Int32 or Fusion.DType.Int64;
        int low = (int)Math.Ceiling(BothSigns || signed ? Math.Max(Low, -20) : Math.Max(Low, 0));
        int high = (int)Math.Floor(Math.Min(High, dtype == Fusion.DType.Bool ? 1 : 20));
        int whole = random.Next(low, Math.Max(low, high) + 1);
        return BothSigns && signed && random.Next(2) == 0 ? -whole : whole;
    }
}
