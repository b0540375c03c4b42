using System.Linq.Expressions;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>A loaded element-wise kernel. A launch reads <see cref="Arguments"/> and allocates nothing.</summary>
internal sealed class DeviceElementKernel
{
    // Enough groups to fill every multiprocessor several times over; the kernel's loop does the rest.
    private const int GroupsPerMultiprocessor = 16, MaxGroup = 256;

    private readonly Action<AcceleratorStream, KernelConfig, DeviceArguments> _launch;
    private readonly int _perThread, _group, _maxGroups;

    public DeviceElementKernel(Accelerator accelerator, DeviceElementKey key)
    {
        DeviceElementTree tree = DeviceElementTree.Build(key);
        Arguments = new DeviceArguments(key.Tensors * (key.Spec.Inputs.Length + key.Spec.Outputs.Length));
        _perThread = tree.PerThread;
        _group = Math.Min(MaxGroup, accelerator.MaxNumThreadsPerGroup);
        _maxGroups = Math.Max(1, accelerator.NumMultiprocessors) * GroupsPerMultiprocessor;
        Kernel kernel = accelerator.LoadKernel(DeviceMethod.Create(tree.Parameters, tree.Statements));
        _launch = DeviceLauncher.Create(kernel, tree.Parameters);
    }

    /// <summary>Filled by the caller, under the device's lock.</summary>
    public DeviceArguments Arguments { get; }

    /// <summary>Groups of threads for so many elements.</summary>
    public int Groups(int size) => (int)Math.Min(((long)size + ((long)_group * _perThread) - 1) / ((long)_group * _perThread), _maxGroups);

    /// <summary>Queues the kernel for so many elements.</summary>
    public void Launch(GpuDevice device, int size) => LaunchGroups(device, Groups(size));

    /// <summary>Queues the kernel on so many groups of threads.</summary>
    public void LaunchGroups(GpuDevice device, int groups)
    {
        _launch(device.Stream, new KernelConfig(groups, _group), Arguments);
        device.LaunchCount++;
    }
}
