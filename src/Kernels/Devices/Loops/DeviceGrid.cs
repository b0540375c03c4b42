using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>How many threads a kernel is launched with. What a kernel computes never depends on it.</summary>
internal static class DeviceGrid
{
    /// <summary>The largest group: shared memory of a fixed size is made for it.</summary>
    public const int MaxGroup = 256;

    /// <summary>Elements that one thread moves at a time: their loads are under way together.</summary>
    public const int PerThread = 4;

    /// <summary>Threads of a group, a power of two: 256, or what a small device has.</summary>
    public static int GroupSize(GpuDevice device) => Math.Min(MaxGroup, 1 << BitOperations.Log2((uint)device.Accelerator.MaxNumThreadsPerGroup));

    /// <summary>Whole groups for a number of items, so many a thread; there is at least one group.</summary>
    public static KernelConfig For(GpuDevice device, long items, int perThread = 1)
    {
        int group = GroupSize(device);
        return Groups(Math.Max(1, Divide(items, (long)group * perThread)), group);
    }

    /// <summary>A number of groups of a size.</summary>
    public static KernelConfig Groups(long groups, int size) => new(checked((int)groups), size);

    /// <summary>a / b, rounded up.</summary>
    public static long Divide(long a, long b) => (a + b - 1) / b;

    /// <summary>An element count or a distance as kernels count: in 32 bits.</summary>
    /// <exception cref="DeviceException">It is larger.</exception>
    public static int Index(long value) =>
        value is >= 0 and <= int.MaxValue
            ? (int)value
            : throw DeviceFailures.TooLarge("An array", value, int.MaxValue);
}
