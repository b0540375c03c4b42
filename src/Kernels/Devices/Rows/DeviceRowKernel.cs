using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>A loaded row kernel. A launch reads <see cref="Arguments"/> and allocates nothing.</summary>
internal sealed class DeviceRowKernel
{
    private const int GroupsPerMultiprocessor = 16;

    private readonly Action<AcceleratorStream, KernelConfig, DeviceArguments> _launch;
    private readonly DeviceRowKey _key;
    private readonly int _maxGroups;

    public DeviceRowKernel(Accelerator accelerator, DeviceRowKey key)
    {
        DeviceRowTree tree = DeviceRowTree.Build(key);
        _key = key;
        _maxGroups = Math.Max(1, accelerator.NumMultiprocessors) * GroupsPerMultiprocessor;
        Arguments = new DeviceArguments(key.Spec.OperandCount);
        _launch = DeviceLauncher.Create(accelerator.LoadKernel(DeviceMethod.Create(tree.Parameters, tree.Statements)), tree.Parameters);
    }

    /// <summary>Filled by the caller, under the device's lock.</summary>
    public DeviceArguments Arguments { get; }

    /// <summary>Queues the kernel for so many rows.</summary>
    public void Launch(GpuDevice device, int rows)
    {
        int rowsPerGroup = _key.Long ? 1 : _key.Teams;
        int groups = (int)Math.Min(((long)rows + rowsPerGroup - 1) / rowsPerGroup, _maxGroups);
        _launch(device.Stream, new KernelConfig(groups, _key.Group), Arguments);
        device.LaunchCount++;
    }
}
