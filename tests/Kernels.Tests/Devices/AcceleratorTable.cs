using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>
/// How much of a table runs on the accelerator. OpenCL's compilers take up to a second a kernel: there it is one of each kind, and the whole table with
/// <c>FUSION_ACCELERATOR=all</c>. CUDA compiles in milliseconds and runs all of it. The debug device runs the whole tables everywhere.
/// </summary>
internal static class AcceleratorTable
{
    public const string Partial = "one kernel of each kind runs on OpenCL; FUSION_ACCELERATOR=all runs the whole table";

    /// <summary>Whether every row runs.</summary>
    public static bool IsWhole { get; } =
        Environment.GetEnvironmentVariable("FUSION_ACCELERATOR") == "all" || (GpuDevices.Count > 0 && GpuDevices.Open(0).Backend == GpuBackend.Cuda);
}
