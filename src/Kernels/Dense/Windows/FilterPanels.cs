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

    /// <summary>Writes the panel of one tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Pack(nint group, nint tile, T* panel)
    {
        var kernels = MicroKernels.For<T>();
        nint first = tile * TileRows, count = Math.Min(TileRows, Rows - first), stride = kernels.PackedStride;
        if (TapNumbers == null)
        {
            kernels.Transpose(Filters + (group * Rows + first) * Inner, Inner, count, Inner, panel, stride);
            return;
        }

        using var scratch = new NativeScratch(KernelTaps * stride * sizeof(T));
        T* all = (T*)scratch.Pointer;
        for (nint channel = 0; channel < Channels; channel++)
        {
            kernels.Transpose(Filters + ((group * Channels + channel) * Rows + first) * KernelTaps, KernelTaps, count, KernelTaps, all, stride);
            for (nint t = 0; t < Taps; t++, panel += stride)
            {
                byte* from = (byte*)(all + TapNumbers[t] * stride), to = (byte*)panel;
                for (nint i = 0; i < stride * sizeof(T); i += 32) Vector256.Store(Vector256.Load(from + i), to + i);
            }
        }
    }
}
