using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>A theory that needs an accelerator.</summary>
internal sealed class AcceleratorTheoryAttribute : TheoryAttribute
{
    public AcceleratorTheoryAttribute()
    {
        if (GpuDevices.Count == 0) Skip = GpuDevices.Failure ?? "no accelerator was found";
    }
}

/// <summary>A fact that needs an accelerator.</summary>
internal sealed class AcceleratorFactAttribute : FactAttribute
{
    public AcceleratorFactAttribute()
    {
        if (GpuDevices.Count == 0) Skip = GpuDevices.Failure ?? "no accelerator was found";
    }
}
