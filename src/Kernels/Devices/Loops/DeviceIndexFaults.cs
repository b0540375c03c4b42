using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// What kernels report about indices that are out of range. To ask after each call would stop the stream, so a call is recorded here, its kernel leaves
/// elements with a bad index out (gathers give 0, scatters add nothing; nothing outside is read or written), notes the least position of one, and the error
/// is raised by who next reads from the device: <see cref="ThrowIfAny"/>.
/// </summary>
internal sealed class DeviceIndexFaults
{
    /// <summary>What a slot holds as long as every index is in range.</summary>
    public const int None = int.MaxValue;

    private const int Slots = 256;
    private static readonly ConditionalWeakTable<GpuDevice, DeviceIndexFaults> s_faults = [];
    private readonly GpuDevice _device;
    private readonly DeviceBlock _positions;
    private readonly Call[] _calls = new Call[Slots];
    private int _used;

    private DeviceIndexFaults(GpuDevice device)
    {
        _device = device;
        _positions = new DeviceBlock(device, Slots * sizeof(int));
        DeviceFill.Run(device, _positions, 0, Slots, sizeof(int), None);
    }

    /// <summary>The least bad position of each call.</summary>
    public ArrayView<int> Positions => _positions.View<int>(0, Slots);

    public static DeviceIndexFaults Of(GpuDevice device) => s_faults.GetValue(device, static d => new DeviceIndexFaults(d));

    /// <summary>
    /// A slot for a call that is about to be queued; the device's lock is held. When all slots are taken, calls so far are looked at first.
    /// </summary>
    /// <param name="op">The operator, for the message.</param>
    /// <param name="size">The axis has so many positions.</param>
    /// <param name="allowNegative">Negative indices count from its end; else it is classes that are named.</param>
    public int Begin(string op, int size, bool allowNegative)
    {
        if (_used == Slots) ThrowIfAny();
        _calls[_used] = new Call(op, size, allowNegative);
        return _used++;
    }

    /// <summary>
    /// Throws for the first call since the last time with an index out of range. Waits for the device if there were calls, and costs nothing else.
    /// </summary>
    public void ThrowIfAny()
    {
        if (Volatile.Read(ref _used) == 0) return;
        using (_device.Enter())
        {
            Span<int> positions = stackalloc int[_used];
            _device.Download(_positions, 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(positions));
            _used = 0;
            int first = positions.IndexOfAnyExcept(None);
            if (first < 0) return;
            DeviceFill.Run(_device, _positions, 0, Slots, sizeof(int), None);
            throw _calls[first].Error(positions[first]);
        }
    }

    private readonly record struct Call(string Op, int Size, bool AllowNegative)
    {
        public ArgumentOutOfRangeException Error(int position) => new(
            null,
            AllowNegative
                ? $"{Op}: the index at position {position} is out of range for an axis of size {Size}: {-Size} to {Size - 1}. It was found when the device was read."
                : $"{Op}: the class at position {position} is out of range for {Size} classes, 0 to {Size - 1}. It was found when the device was read.");
    }
}
