namespace Fusion.Tests;

/// <summary>The numbers at which formulas go wrong, and all their pairs and triples.</summary>
internal static class SpecialValues
{
    private static readonly double[] s_common = [0, -0.0, 1, -1, 0.5, -0.5, 2.5, -3, 1e-3, double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    /// <summary>One list of values per input: every combination, in each element type with its own smallest and largest numbers.</summary>
    public static double[][] Of(OpCase test, DType dtype)
    {
        double[] own = dtype == DType.Float32
            ? [1.401298464324817e-45, -1.401298464324817e-45, 1.17549435e-38, 3.4028234663852886e38, -3.4028234663852886e38, 1e30, -88, 88]
            : [5e-324, -5e-324, 2.2250738585072014e-308, double.MaxValue, double.MinValue, 1e200, -709, 709];
        double[] values = test.InputCount > 2 ? s_common : [.. s_common, .. own];
        int n = values.Length;
        int count = (int)Math.Pow(n, test.InputCount);
        double[][] inputs = new double[test.InputCount][];
        for (int i = 0, step = 1; i < inputs.Length; i++, step *= n)
        {
            int stride = step;
            inputs[i] = [.. Enumerable.Range(0, count).Select(k => values[k / stride % n])];
        }

        return inputs;
    }

    /// <summary>The same as arrays; where an input is a mask, its truth values.</summary>
    public static NDArray[] Arrays(OpCase test, DType dtype, double[][] values) =>
        [.. values.Select((v, i) => Nd.Array(v).AsType(test.DomainOf(i).DType ?? dtype))];
}
