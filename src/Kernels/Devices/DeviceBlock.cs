using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// The owner of one piece of a device's memory, as <see cref="NativeBlock"/> is of the processor's: it goes back to the pool exactly once, by
/// <see cref="Release"/> or when nobody can reach the owner (see <see cref="BlockOwners"/>).
/// </summary>
internal sealed class DeviceBlock
{
    private readonly BlockLease _lease;
    private MemoryBuffer1D<byte, Stride1D.Dense>? _buffer;

    public DeviceBlock(GpuDevice device, long bytes)
    {
        Device = device;
        _buffer = device.Pool.Rent(bytes);
        _lease = BlockOwners.Add(this, device.Pool, _buffer, 0, _buffer.Length, _buffer.Length);
    }

    public GpuDevice Device { get; }

    /// <summary>Usable bytes; 0 once released.</summary>
    public long Capacity => _buffer?.Length ?? 0;

    /// <summary>So many elements from an element on. Keep the owner alive until what uses them is queued.</summary>
    public ArrayView<T> View<T>(long offset, long length) where T : unmanaged =>
        (_buffer ?? throw new ObjectDisposedException(nameof(DeviceBlock))).View.BaseView.Cast<T>().SubView(offset, length);

    /// <summary>All of it as elements of a type.</summary>
    public ArrayView<T> View<T>() where T : unmanaged => (_buffer ?? throw new ObjectDisposedException(nameof(DeviceBlock))).View.BaseView.Cast<T>();

    /// <summary>Gives the memory back now; false if that has happened before.</summary>
    public bool Release()
    {
        if (Interlocked.Exchange(ref _buffer, null) is not { } buffer) return false;
        BlockOwners.Remove(_lease);
        Device.Pool.Return(buffer);
        GC.KeepAlive(this); // until its memory cannot be taken for that of a dead owner
        return true;
    }
}
