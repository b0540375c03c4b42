using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>The register width, in bits, that element loops and compiled kernels use. Results never depend on it.</summary>
internal static class SimdWidth
{
    /// <summary>The widest register this machine runs at full speed: 512, 256 or 128.</summary>
    public static int Hardware { get; } = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>The width in use: that of the hardware, or less when the environment says <c>FUSION_SIMD=128|256|512</c>.</summary>
    public static int Current
    {
        get;
        set
        {
            if (value is not (128 or 256 or 512) || value > Hardware)
                throw new ArgumentOutOfRangeException(nameof(value), value, $"SIMD width: 128, 256 or 512, and at most {Hardware} on this machine.");
            field = value;
        }
    } = FromEnvironment();

    private static int FromEnvironment() =>
        int.TryParse(Environment.GetEnvironmentVariable("FUSION_SIMD"), out int width) && width is 128 or 256 or 512 ? Math.Min(width, Hardware) : Hardware;
}
