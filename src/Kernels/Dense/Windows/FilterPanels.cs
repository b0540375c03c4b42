using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// The filters of a <see cref="DirectProduct{T}"/> as panels of the micro-kernels: tiles of rows, in a panel the rows side by side for each k = (channel, tap).
/// Rows are the filters themselves, or, for the gradient of the input, the channels of the input over (filter, tap), with the taps of one phase of the stride.
/// </summary>
internal unsafe struct FilterPanels<T>
    where T : unmanaged
{
    /// <summary>Groups of [filters, channels, kernel].</summary>
    public T* Filters;

    /// <summary>Rows of the product in a group.</summary>
    public nint Rows;

    /// <summary>Planes of the source in a group.</summary>
    public nint Channels;

    /// <summary>Elements of a kernel.</summary>
    public nint KernelTaps;

    /// <summary>How many of them are used.</summary>
    public nint Taps;

    /// <summary>Their numbers; null: rows are the filters, with all taps.</summary>
    public nint* TapNumbers;

    /// <summary>Rows of a tile; the last one may have fewer.</summary>
    public nint TileRows;

    public readonly nint Inner => Channels * Taps;

    public readonly nint Tiles => (Rows + TileRows - 1) / TileRows;

    /// <summary>Writes the panels of the tiles from <paramref name="tile0"/> to <paramref name="tile1"/>, the filters read once from the first to the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Pack(nint group, nint tile0, nint tile1, T* panels)
    {
        var kernels = MicroKernels.For<T>();
        nint stride = kernels.PackedStride;
        if (TapNumbers == null)
        {
            for (var tile = tile0; tile < tile1; tile++, panels += Inner * stride)
            {
                var first = tile * TileRows;
                kernels.Transpose(Filters + (group * Rows + first) * Inner, Inner, Math.Min(TileRows, Rows - first), Inner, panels, stride);
            }

            return;
        }

        using var scratch = new NativeScratch(KernelTaps * stride * sizeof(T) + Taps * sizeof(nint));
        T* all = (T*)scratch.Pointer;
        var numbers = (nint*)(all + KernelTaps * stride);
        Buffer.MemoryCopy(TapNumbers, numbers, Taps * sizeof(nint), Taps * sizeof(nint));
        for (nint channel = 0; channel < Channels; channel++, panels += Taps * stride)
        {
            for (var tile = tile0; tile < tile1; tile++)
            {
                var first = tile * TileRows;
                T* filters = Filters + ((group * Channels + channel) * Rows + first) * KernelTaps;
                kernels.Transpose(filters, KernelTaps, Math.Min(TileRows, Rows - first), KernelTaps, all, stride);
                byte* to = (byte*)(panels + (tile - tile0) * Inner * stride);
                for (nint t = 0; t < Taps; t++)
                {
                    byte* from = (byte*)(all + numbers[t] * stride);
                    for (nint i = 0; i < stride * sizeof(T); i += 32, to += 32) Vector256.Store(Vector256.Load(from + i), to);
                }
            }
        }
    }
}
