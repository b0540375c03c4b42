using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>A theory that needs an accelerator; <c>whole</c>: about further types or shapes of kernels that other tests run (<see cref="AcceleratorTable"/>).</summary>
internal sealed class AcceleratorTheoryAttribute : TheoryAttribute
{
    public AcceleratorTheoryAttribute(bool whole = false)
    {
        if (GpuDevices.Count == 0) Skip = GpuDevices.Failure ?? "no accelerator was found";
        else if (whole && !AcceleratorTable.IsWhole) Skip = AcceleratorTable.Partial;
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
