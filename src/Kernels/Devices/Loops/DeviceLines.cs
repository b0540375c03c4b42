using ILGPU;

namespace Fusion.Kernels;

/// <summary>A contiguous array of a device seen as (outer, n, inner), whose lines along the middle axis become something else.</summary>
internal readonly record struct DeviceLines(
    GpuDevice Device, DeviceBlock Input, long InputOffset, DeviceBlock Output, long OutputOffset, long Outer, long Count, long Inner)
{
    public ArrayView<T> From<T>() where T : unmanaged => Input.View<T>(InputOffset, DeviceGrid.Index(Outer * Count * Inner));

    /// <summary>The output, with so many elements a line.</summary>
    public ArrayView<T> To<T>(long perLine = 1) where T : unmanaged => Output.View<T>(OutputOffset, DeviceGrid.Index(Outer * perLine * Inner));
}
