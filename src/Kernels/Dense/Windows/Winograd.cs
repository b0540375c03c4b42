using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Work in parts that share nothing.</summary>
internal interface IWinogradJob
{
    void Part<L>(int part) where L : struct, IVectorLane<L, float>;
}

/// <summary>What <see cref="WinogradProduct"/> and <see cref="WinogradWeights"/> have in common.</summary>
internal static unsafe class Winograd
{
    /// <summary>Matrix products for each tile: one for each element of a transformed tile.</summary>
    public const int Products = 16;

    /// <summary>Multiplications for each element of an operand that its transform is worth (loads, additions, stores).</summary>
    public const double TransformWork = 100;

    // An odd number of lines, so that the sixteen products do not meet in few sets of a cache.
    private const nint Skew = 16;

    /// <summary>Off with <c>FUSION_WINOGRAD=0</c>: every result is then the rounded sum in its own order.</summary>
    public static bool Enabled { get; set; } = Environment.GetEnvironmentVariable("FUSION_WINOGRAD") != "0";

    /// <summary>Runs the parts of a job, at the current vector width.</summary>
    public static void Run<TJob>(ref TJob job, int parts)
        where TJob : unmanaged, IWinogradJob
        => WorkerPool.Run(parts, &Part<TJob>, Unsafe.AsPointer(ref job));

    /// <summary>Elements from one product's operand to the next one's, of <paramref name="elements"/> each.</summary>
    public static nint Step(nint elements) => elements | Skew;

    /// <summary>
    /// No sum of transformed values can overflow, the largest magnitude of its terms growing by <paramref name="growth"/> all in all; both operands are finite, and so are their
    /// transforms.
    /// </summary>
    public static bool IsSafe(in LargestMagnitudes largest, double growth)
        => growth * largest.First * largest.Second < float.MaxValue && Math.Max(largest.First, largest.Second) < float.MaxValue / 16;

    private static void Part<TJob>(void* context, int part)
        where TJob : unmanaged, IWinogradJob
    {
        // A copy: what other threads write may lie beside the original.
        var job = Unsafe.AsRef<TJob>(context);
        switch (SimdWidth.Current)
        {
            case 512:
                job.Part<Lane512<float>>(part);
                break;
            case 256:
                job.Part<Lane256<float>>(part);
                break;
            default:
                job.Part<Lane128<float>>(part);
                break;
        }
    }
}
