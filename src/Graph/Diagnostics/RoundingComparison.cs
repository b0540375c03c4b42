namespace Fusion;

/// <summary>Compares elements that were computed with <see cref="HybridOptions.FastMath"/> with the eager ones.</summary>
internal static class RoundingComparison
{
    // Of the largest element of an array: the error of a sum or product is in proportion to what was added up.
    private const double Tolerance = 1e-3;
    private const double HalfTolerance = 1e-2;

    /// <summary>
    /// The first element that differs by more than rounding, or −1. Where the eager number is not finite, nothing is asked of the other one. Integers and masks
    /// are not compared: what they were made of may have been rounded to the other side.
    /// </summary>
    public static long FirstDifference(NDArray expected, NDArray actual)
    {
        if (!expected.DType.IsFloat) return -1;
        double[] a = Movement.Cast(expected.OnHost().Contiguous(), DType.Float64).ToArray<double>();
        double[] b = Movement.Cast(actual.OnHost().Contiguous(), DType.Float64).ToArray<double>();
        double allowed = a.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max() * (expected.DType.IsHalf ? HalfTolerance : Tolerance);
        for (int i = 0; i < a.Length; i++)
            if (double.IsFinite(a[i]) && !(Math.Abs(a[i] - b[i]) <= allowed)) return i;
        return -1;
    }
}
