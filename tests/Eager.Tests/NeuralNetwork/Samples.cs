namespace Fusion.Tests;

/// <summary>Repeatable numbers for references, and comparisons with them.</summary>
internal static class Samples
{
    /// <summary>Normally distributed, the same for the same seed, without touching the library's own stream.</summary>
    public static double[] Numbers(int count, int seed)
    {
        Random random = new(seed);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    public static NDArray Normal(Shape shape, int seed, DType dtype = DType.Float64) => Array(Numbers((int)shape.Size, seed), shape, dtype);

    public static NDArray Array(double[] values, Shape shape, DType dtype)
    {
        NDArray result = Nd.Array(values, shape);
        return dtype == DType.Float64 ? result : result.AsType(dtype);
    }

    public static double[] Values(NDArray x) => (x.DType == DType.Float64 ? x : x.AsType(DType.Float64)).ToArray<double>();

    /// <summary>Equal up to a part of the largest value, 1e-12 or 2e-5 by the type.</summary>
    public static void Close(double[] expected, NDArray actual, string what = "")
    {
        double[] values = Values(actual);
        Assert.Equal(expected.Length, values.Length);
        double scale = Math.Max(1, expected.Select(Math.Abs).DefaultIfEmpty().Max()) * (actual.DType == DType.Float64 ? 1e-12 : 2e-5);
        for (int i = 0; i < values.Length; i++)
        {
            if (Math.Abs(expected[i] - values[i]) <= scale || expected[i].Equals(values[i])) continue;
            Assert.Fail($"{what} [{i}] of {actual.Shape}: expected {expected[i]}, got {values[i]}");
        }
    }

    public static void PassesGradientCheck(Func<IReadOnlyList<NDArray>, NDArray> f, IReadOnlyList<NDArray> inputs, string what, int order = 2)
    {
        GradientCheckReport report = Autograd.CheckGradients(f, inputs, order);
        Assert.True(report.Passed, $"{what}: {report}");
    }
}
