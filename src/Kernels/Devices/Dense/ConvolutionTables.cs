using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>The tables of a convolution in the memory of a device, until it is queued. See <see cref="PatchTables"/>.</summary>
internal readonly ref struct ConvolutionTables
{
    private readonly DeviceBlock _taps;
    private readonly DeviceBlock _phases;

    private ConvolutionTables(GpuDevice device, int phases, int pitch)
    {
        int count = checked(phases * pitch);
        Pitch = pitch;
        _taps = new DeviceBlock(device, (long)count * Unsafe.SizeOf<PatchEntry>());
        _phases = new DeviceBlock(device, (long)phases * Unsafe.SizeOf<PatchPhase>());
        Taps = _taps.View<PatchEntry>(0, count);
        Phases = _phases.View<PatchPhase>(0, phases);
    }

    /// <summary>Entries between phases.</summary>
    public int Pitch { get; }

    public ArrayView<PatchEntry> Taps { get; }

    public ArrayView<PatchPhase> Phases { get; }

    /// <summary>Tables of elements that lie along the depth of a product; tiles look ahead of it.</summary>
    public static ConvolutionTables ForDepth<TCheck>(GpuDevice device, in PatchRule rule, in PatchGrid grid, int channels)
        where TCheck : struct, IPatchCheck => Write<TCheck>(device, rule, grid, channels, checked(channels * rule.MaxTaps + TileKernels.Ahead));

    /// <summary>Tables of elements that are lines of a product; tiles are whole.</summary>
    public static ConvolutionTables ForLines<TCheck>(GpuDevice device, in PatchRule rule, in PatchGrid grid, int channels)
        where TCheck : struct, IPatchCheck =>
        Write<TCheck>(
            device, rule, grid, channels,
            checked((channels * rule.MaxTaps + TileKernels.LargeEdge - 1) / TileKernels.LargeEdge * TileKernels.LargeEdge));

    /// <summary>Queues <see cref="PatchTables.Turn"/>; rows have a multiple of four elements.</summary>
    public static DeviceBlock Turn<T>(GpuDevice device, in WindowShape s, in PatchRule rule, ArrayView<T> filters, int pitch, out ArrayView<Quartet<T>> turned)
        where T : unmanaged, INumber<T>
    {
        int count = checked(rule.Phases * s.Groups * s.InChannels * pitch);
        var block = new DeviceBlock(device, (long)count * Unsafe.SizeOf<T>());
        var kernel = device.Kernel(
            Keys<T>.Turn, static a => a.LoadKernel<ArrayView<T>, ArrayView<T>, PatchRule, int, int, int, int, int>(PatchTables.Turn));
        kernel(
            device.Stream, DeviceGrid.For(device, count), filters, block.View<T>(0, count), rule, s.Groups, s.InChannels, s.OutChannels, pitch,
            count);
        device.LaunchCount++;
        turned = block.View<Quartet<T>>(0, count / 4);
        return block;
    }

    /// <summary>Queues <see cref="PatchTables.Pixels"/>.</summary>
    public static DeviceBlock Pixels<TCheck>(GpuDevice device, in PatchGrid grid, PatchPhase first, out ArrayView<PatchEntry> pixels)
        where TCheck : struct, IPatchCheck
    {
        int count = grid.Pixels;
        var block = new DeviceBlock(device, (long)count * Unsafe.SizeOf<PatchEntry>());
        pixels = block.View<PatchEntry>(0, count);
        var kernel = device.Kernel(
            Keys<TCheck>.Pixels, static a => a.LoadKernel<ArrayView<PatchEntry>, PatchGrid, PatchPhase, int>(PatchTables.Pixels<TCheck>));
        kernel(device.Stream, DeviceGrid.For(device, count), pixels, grid, first, count);
        device.LaunchCount++;
        return block;
    }

    /// <summary>Gives the memory back: it is used again in the order of the stream.</summary>
    public void Dispose()
    {
        _taps.Release();
        _phases.Release();
    }

    private static ConvolutionTables Write<TCheck>(GpuDevice device, in PatchRule rule, in PatchGrid grid, int channels, int pitch)
        where TCheck : struct, IPatchCheck
    {
        var tables = new ConvolutionTables(device, rule.Phases, pitch);
        var kernel = device.Kernel(
            Keys<TCheck>.Taps,
            static a => a.LoadKernel<ArrayView<PatchEntry>, ArrayView<PatchPhase>, PatchRule, PatchGrid, int, int, int>(PatchTables.Taps<TCheck>));
        int count = (int)tables.Taps.Length;
        kernel(device.Stream, DeviceGrid.For(device, count), tables.Taps, tables.Phases, rule, grid, channels, pitch, count);
        device.LaunchCount++;
        return tables;
    }

    private static class Keys<TKind>
    {
        public static readonly object Turn = new();
        public static readonly object Taps = new();
        public static readonly object Pixels = new();
    }
}
