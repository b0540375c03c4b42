using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

// ILGPU's own assembly passes arguments to kernels on the debug device.
[assembly: InternalsVisibleTo("ILGPURuntime")]

namespace Fusion.Kernels;

/// <summary>Launches of kernels with one thread an element.</summary>
internal static class DeviceLaunch
{
    /// <summary>No group has more threads.</summary>
    public const int MaxGroupSize = 256;

    /// <summary>Threads of a group on this device: 256, or the largest power of two that it has.</summary>
    public static int GroupSize(GpuDevice device) => Math.Min(MaxGroupSize, 1 << BitOperations.Log2((uint)device.Accelerator.MaxNumThreadsPerGroup));

    /// <summary>Groups with a thread for each of so many elements.</summary>
    public static KernelConfig PerElement(GpuDevice device, int count)
    {
        int size = GroupSize(device);
        return new KernelConfig((count - 1) / size + 1, size);
    }
}
