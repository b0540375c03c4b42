namespace Fusion.Tests.Scalars;

/// <summary>Distances between numbers, in units in the last place of the expected one; a denormal's unit is that of the smallest normal.</summary>
internal static class Ulp
{
    public static double Of(float actual, double expected)
    {
        if (SameWithoutUnits(actual, expected, (float)expected)) return 0;
        if (!float.IsFinite(actual)) return Math.Abs(expected) >= OverflowSingle ? 0 : double.PositiveInfinity;
        double unit = Math.ScaleB(1, Math.Max(Math.ILogB(expected), -126) - 23);
        return Math.Abs(actual - expected) / unit;
    }

    public static double Of(double actual, double expected)
    {
        if (SameWithoutUnits(actual, expected, expected)) return 0;
        if (!double.IsFinite(actual) || !double.IsFinite(expected)) return double.PositiveInfinity;
        double unit = Math.ScaleB(1, Math.Max(Math.ILogB(expected), -1022) - 52);
        return Math.Abs(actual - expected) / unit;
    }

    // Halfway between the largest float and the next power of two: from here on rounding gives infinity.
    private const double OverflowSingle = 3.4028235677973366e38;

    // NaN for NaN, infinity for infinity of the same sign, zero for zero of the same sign.
    private static bool SameWithoutUnits(double actual, double expected, double rounded) =>
        double.IsNaN(expected) ? double.IsNaN(actual) : actual == rounded && double.IsNegative(actual) == double.IsNegative(rounded);
}
