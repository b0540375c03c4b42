namespace Fusion.Kernels;

/// <summary>What <see cref="WinogradProduct"/> and <see cref="WinogradWeights"/> have in common.</summary>
internal static class Winograd
{
    /// <summary>Matrix products for each tile: one for each element of a transformed tile.</summary>
    public const int Products = 16;

    /// <summary>Multiplications for each element of an operand that its transform is worth (loads, additions, stores).</summary>
    public const double TransformWork = 100;

    // An odd number of lines, so that the sixteen products do not meet in few sets of a cache.
    private const nint Skew = 16;

    /// <summary>Off with <c>FUSION_WINOGRAD=0</c>: every result is then the rounded sum in its own order.</summary>
    public static bool Enabled { get; set; } = Environment.GetEnvironmentVariable("FUSION_WINOGRAD") != "0";

    /// <summary>Elements from one product's operand to the next one's, of <paramref name="elements"/> each.</summary>
    public static nint Step(nint elements) => elements | Skew;

    /// <summary>
    /// No sum of transformed values can overflow, the largest magnitude of its terms growing by <paramref name="growth"/> all in all; both operands are finite, and so are their
    /// transforms.
    /// </summary>
    public static bool IsSafe(in LargestMagnitudes largest, double growth)
        => growth * largest.First * largest.Second < float.MaxValue && Math.Max(largest.First, largest.Second) < float.MaxValue / 16;
}
