namespace Fusion.Tests;

/// <summary>Comparison of a computed array with a reference, within the tolerance of a case.</summary>
internal static class Comparison
{
    /// <summary>The first element outside the tolerance, in words; null if there is none. Longer sums have more slack.</summary>
    public static string? Difference(OpCase test, NDArray actual, RefArray expected, double slack = 1)
    {
        if (actual.Shape != expected.Shape) return $"shape {actual.Shape}, expected {(Shape)expected.Shape}";
        double[] values = actual.AsType(DType.Float64).ToArray<double>();
        for (int i = 0; i < values.Length; i++)
        {
            if (!Agrees(test, actual.DType, values[i], expected.Values[i], slack))
                return $"{actual.Type}, element {i}: {values[i]:R}, expected {Round(expected.Values[i], actual.DType):R}";
        }

        return null;
    }

    /// <summary>One value, within the tolerance; NaN is NaN, infinities are exact.</summary>
    public static bool Agrees(OpCase test, DType dtype, double actual, double reference, double slack = 1)
    {
        double expected = Round(reference, dtype);
        if (double.IsNaN(expected)) return double.IsNaN(actual);
        if (actual == expected) return true;
        if (!dtype.IsFloat) return false;
        (double epsilon, double smallest, double ulps) =
            dtype == DType.Float32 ? (1.1920928955078125e-7, 1.17549435e-38, test.Ulps) : (2.220446049250313e-16, 2.2250738585072014e-308, test.Ulps64);
        return Math.Abs(actual - reference) <= ulps * epsilon * Math.Max(Math.Abs(reference), Math.Max(test.Scale * slack, smallest));
    }

    /// <summary>The number of an element type that stands for a reference value; integers wrap.</summary>
    public static double Round(double value, DType dtype) => dtype switch
    {
        DType.Float32 => (float)value,
        DType.Int32 => unchecked((int)(long)value),
        DType.Int64 => (long)value,
        DType.UInt8 => unchecked((byte)(long)value),
        DType.Bool => value != 0 ? 1 : 0,
        _ => value,
    };
}
