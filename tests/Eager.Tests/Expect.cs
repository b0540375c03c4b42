namespace Fusion.Tests;

/// <summary>What tests say about the elements of an array.</summary>
internal static class Expect
{
    /// <summary>Exactly these elements, in row-major order (rounded to the array's type).</summary>
    public static void Elements(NDArray? actual, params double[] expected) => Assert.Equal(Rounded(actual, expected), Doubles(actual!));

    /// <summary>These elements to an error of <paramref name="tolerance"/>·max(1, |expected|).</summary>
    public static void Near(double tolerance, NDArray? actual, params double[] expected)
    {
        Assert.NotNull(actual);
        double[] values = Doubles(actual);
        Assert.Equal(expected.Length, values.Length);
        for (int i = 0; i < values.Length; i++)
        {
            double error = Math.Abs(values[i] - expected[i]) / Math.Max(1, Math.Abs(expected[i]));
            if (!(error <= tolerance)) Assert.Fail($"element {i}: {values[i]:R}, expected {expected[i]:R}");
        }
    }

    /// <summary>The message of the exception that <paramref name="action"/> throws contains every part.</summary>
    public static T Throws<T>(Action action, params string[] parts)
        where T : Exception
    {
        T error = Assert.Throws<T>(action);
        foreach (string part in parts) Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.False(Autograd.IsRecording, "recording was left on");
        Assert.False(Autograd.IsTraining, "training was left on");
        return error;
    }

    public static double[] Doubles(NDArray array) => array.AsType(DType.Float64).ToArray<double>();

    private static double[] Rounded(NDArray? actual, double[] expected)
    {
        Assert.NotNull(actual);
        return actual.DType == DType.Float32 ? Array.ConvertAll(expected, static v => (double)(float)v) : expected;
    }
}

/// <summary>Arrays with gradients attached.</summary>
internal static class Leaf
{
    /// <summary>A Float32 vector.</summary>
    public static NDArray Of(params double[] values) => Attached(Nd.Array(values).AsType(DType.Float32), GradReq.Write);

    /// <summary>A Float64 vector.</summary>
    public static NDArray Doubles(params double[] values) => Attached(Nd.Array(values), GradReq.Write);

    /// <summary>A Float32 vector whose gradients add up.</summary>
    public static NDArray Adding(params double[] values) => Attached(Nd.Array(values).AsType(DType.Float32), GradReq.Add);

    public static NDArray Attached(NDArray array, GradReq request = GradReq.Write)
    {
        array.AttachGrad(request);
        return array;
    }
}
