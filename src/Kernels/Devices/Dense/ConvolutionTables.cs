using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>The tables of a convolution in the memory of a device, until it is queued.</summary>
internal readonly ref struct ConvolutionTables
{
    private static readonly object s_tapsKey = new();
    private static readonly object s_pixelsKey = new();

    private readonly DeviceBlock _taps;
    private readonly DeviceBlock _phases;

    /// <param name="device">Where they are written.</param>
    /// <param name="rule">The patches.</param>
    /// <param name="channels">Channels of a patch.</param>
    /// <param name="multiple">The entries of a phase are filled up to a multiple of this.</param>
    public ConvolutionTables(GpuDevice device, in PatchRule rule, int channels, int multiple)
    {
        int depth = checked(channels * rule.MaxTaps), phases = rule.Phases;
        Pitch = checked((depth + multiple - 1) / multiple * multiple);
        int count = checked(phases * Pitch);
        _taps = new DeviceBlock(device, (long)count * Unsafe.SizeOf<PatchEntry>());
        _phases = new DeviceBlock(device, (long)phases * Unsafe.SizeOf<PatchPhase>());
        Taps = _taps.View<PatchEntry>(0, count);
        Phases = _phases.View<PatchPhase>(0, phases);
        var kernel = device.Kernel(s_tapsKey, static a => a.LoadKernel<ArrayView<PatchEntry>, ArrayView<PatchPhase>, PatchRule, int, int, int>(PatchTables.Taps));
        kernel(device.Stream, DeviceLaunch.PerElement(device, count), Taps, Phases, rule, channels, Pitch, count);
        device.LaunchCount++;
    }

    /// <summary>Entries between phases.</summary>
    public int Pitch { get; }

    public ArrayView<PatchEntry> Taps { get; }

    public ArrayView<PatchPhase> Phases { get; }

    /// <summary>Queues <see cref="PatchTables.Turn"/>.</summary>
    public static DeviceBlock Turn<T>(GpuDevice device, in WindowShape s, in PatchRule rule, ArrayView<T> filters, int pitch, out ArrayView<Quartet<T>> turned)
        where T : unmanaged, INumber<T>
    {
        int count = checked(rule.Phases * s.Groups * s.InChannels * pitch);
        var block = new DeviceBlock(device, (long)count * Unsafe.SizeOf<T>());
        var kernel = device.Kernel(
            Keys<T>.Turn, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, PatchRule, int, int, int, int, int>(PatchTables.Turn));
        kernel(device.Stream, DeviceLaunch.PerElement(device, count), filters, block.View<T>(0, count), rule, s.Groups, s.InChannels, s.OutChannels, pitch, count);
        device.LaunchCount++;
        turned = block.View<Quartet<T>>(0, count / 4);
        return block;
    }

    /// <summary>Queues <see cref="PatchTables.Pixels"/>.</summary>
    public static DeviceBlock Pixels(GpuDevice device, in PatchGrid grid, PatchPhase first, out ArrayView<PatchEntry> pixels)
    {
        int count = grid.Pixels;
        var block = new DeviceBlock(device, (long)count * Unsafe.SizeOf<PatchEntry>());
        pixels = block.View<PatchEntry>(0, count);
        var kernel = device.Kernel(s_pixelsKey, static a => a.LoadKernel<ArrayView<PatchEntry>, PatchGrid, PatchPhase, int>(PatchTables.Pixels));
        kernel(device.Stream, DeviceLaunch.PerElement(device, count), pixels, grid, first, count);
        device.LaunchCount++;
        return block;
    }

    /// <summary>Gives the memory back: it is used again in the order of the stream.</summary>
    public void Dispose()
    {
        _taps.Release();
        _phases.Release();
    }

    private static class Keys<T>
    {
        public static readonly object Turn = new();
    }
}
