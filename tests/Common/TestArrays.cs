namespace Fusion.Tests;

/// <summary>Deterministic contents for tests, independent of the library's own random numbers.</summary>
public static class TestArrays
{
    private static readonly double[] s_special = [0, -0.0, 1, -1, double.PositiveInfinity, double.NegativeInfinity, double.NaN, 1e-40, 1e30];

    /// <summary>Numbers in [−2, 2), the same for the same seed.</summary>
    public static NDArray Uniform(Shape shape, int seed = 1, DType dtype = DType.Float32) => Make(shape, dtype, new Random(seed), special: false);

    /// <summary>A quarter of the numbers are zeros of both signs, infinities, NaN, denormal or large.</summary>
    public static NDArray Special(Shape shape, int seed = 1, DType dtype = DType.Float32) => Make(shape, dtype, new Random(seed), special: true);

    /// <summary>Integers in [0, <paramref name="limit"/>).</summary>
    public static NDArray Indices(Shape shape, int limit, int seed = 1)
    {
        Random random = new(seed);
        int[] values = new int[shape.Size];
        for (int i = 0; i < values.Length; i++) values[i] = random.Next(limit);
        return Nd.Array(values, shape);
    }

    private static NDArray Make(Shape shape, DType dtype, Random random, bool special)
    {
        double[] values = new double[shape.Size];
        for (int i = 0; i < values.Length; i++)
            values[i] = special && random.Next(4) == 0 ? s_special[random.Next(s_special.Length)] : random.NextDouble() * 4 - 2;
        NDArray array = Nd.Array(values, shape);
        return dtype == DType.Float64 ? array : array.AsType(dtype);
    }
}
