namespace Fusion.Tests;

/// <summary>Short words for tests of functions: arrays of Float64, their values, comparison, gradients.</summary>
internal static class FunctionChecks
{
    public static NDArray Doubles(params double[] values) => Nd.Array(values);

    public static NDArray Shaped(Shape shape, params double[] values) => Nd.Array(values, shape);

    /// <summary>Fixed numbers in (−1, 1).</summary>
    public static NDArray Random(Shape shape, int seed = 1)
    {
        Random random = new(seed);
        double[] values = new double[shape.Size];
        for (int i = 0; i < values.Length; i++) values[i] = random.NextDouble() * 2 - 1;
        return Nd.Array(values, shape);
    }

    public static double[] Values(this NDArray x) => x.AsType(DType.Float64).ToArray<double>();

    public static void Close(double[] expected, NDArray actual, double tolerance = 1e-12)
    {
        double[] values = Values(actual);
        Assert.Equal(expected.Length, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            bool same = expected[i].Equals(values[i]) || Math.Abs(expected[i] - values[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i]));
            if (!same) Assert.Fail($"element {i}: expected {expected[i]}, got {values[i]}");
        }
    }

    public static void Close(Shape shape, double[] expected, NDArray actual, double tolerance = 1e-12)
    {
        Assert.Equal(shape, actual.Shape);
        Close(expected, actual, tolerance);
    }

    public static void Close(NDArray expected, NDArray actual, double tolerance = 1e-12) => Close(expected.Shape, Values(expected), actual, tolerance);

    public static void Gradients(Func<IReadOnlyList<NDArray>, NDArray> f, params NDArray[] inputs)
    {
        GradientCheckReport report = Autograd.CheckGradients(x => Nd.Square(f(x)) + f(x), inputs, order: 2);
        Assert.True(report.Passed, report.ToString());
    }
}
