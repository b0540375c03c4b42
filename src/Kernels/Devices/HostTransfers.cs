using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Fusion.Kernels;

/// <summary>
/// Copies between arrays of the processor and a device through page-locked memory, which the device reads and writes by itself: while one piece is
/// carried over the bus, the next one is copied to or from the array. An upload has been read, not carried over, when its call returns, and the launches that
/// are queued before it need not have finished: a program waits only when it is as many pieces ahead of the device as there are slots.
/// </summary>
/// <param name="device">The device; the caller has entered it.</param>
/// <param name="piece">Bytes of a slot.</param>
internal sealed class HostTransfers(GpuDevice device, int piece = 1 << 20)
{
    private const int Slots = 8;

    private readonly PageLockedArray1D<byte>?[] _slots = new PageLockedArray1D<byte>?[Slots];
    private readonly nint[] _events = new nint[Slots];
    private int _next;

    /// <summary>Queues a copy to the device.</summary>
    public void Upload(ReadOnlySpan<byte> source, ArrayView<byte> target)
    {
        for (long start = 0; start < source.Length; start += piece)
        {
            int slot = Take(), length = (int)Math.Min(piece, source.Length - start);
            source.Slice((int)start, length).CopyTo(_slots[slot]!.Span);
            _slots[slot]!.ArrayView.SubView(0, length).CopyTo(device.Stream, target.SubView(start, length));
            Mark(slot);
        }
    }

    /// <summary>Copies from the device, when what writes there has finished.</summary>
    public void Download(ArrayView<byte> source, Span<byte> target)
    {
        // Half of the slots are on their way while the others are read.
        int pieces = (int)(((long)target.Length + piece - 1) / piece);
        Span<int> slots = stackalloc int[Slots / 2];
        for (int i = 0; i < pieces + slots.Length; i++)
        {
            int arrived = i - slots.Length;
            if (arrived >= 0)
            {
                int slot = slots[arrived % slots.Length];
                Wait(slot);
                Span<byte> part = target.Slice(arrived * piece, Math.Min(piece, target.Length - (arrived * piece)));
                _slots[slot]!.Span[..part.Length].CopyTo(part);
            }

            if (i >= pieces) continue;
            int free = slots[i % slots.Length] = Take(), length = Math.Min(piece, target.Length - (i * piece));
            source.SubView((long)i * piece, length).CopyTo(device.Stream, _slots[free]!.ArrayView.SubView(0, length));
            Mark(free);
        }
    }

    // The slot that was used longest ago, free.
    private int Take()
    {
        int slot = _next;
        _next = (_next + 1) % Slots;
        if (_slots[slot] is null)
        {
            _slots[slot] = device.Accelerator.AllocatePageLocked1D<byte>(piece);
            if (device.Stream is CudaStream) CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.CreateEvent(out _events[slot], CudaEventFlags.CU_EVENT_DISABLE_TIMING));
        }
        else
        {
            Wait(slot);
        }

        return slot;
    }

    private void Mark(int slot)
    {
        if (device.Stream is CudaStream stream) CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.RecordEvent(_events[slot], stream.StreamPtr));
    }

    private void Wait(int slot)
    {
        if (device.Stream is CudaStream) CudaException.ThrowIfFailed(CudaAPI.CurrentAPI.SynchronizeEvent(_events[slot]));
        else device.Stream.Synchronize();
    }
}
