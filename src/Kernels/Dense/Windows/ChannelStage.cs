using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Planes of neighbouring channels laid side by side, sixteen at a time, whatever a register holds: [z, y, x, channel], with columns of padding. What windows over
/// one channel (depthwise) do to an element they then do to sixteen, however few elements a row has and however far the windows step.
/// </summary>
/// <param name="size">Of a plane.</param>
/// <param name="first">The first column that is laid out; before 0 there is padding.</param>
/// <param name="end">Behind the last column that is laid out; from the width on there is padding.</param>
internal readonly unsafe struct ChannelStage<T>(Triple size, int first, int end)
    where T : unmanaged
{
    /// <summary>Channels side by side.</summary>
    public const int Channels = 16;

    /// <summary>With fewer channels than this too many places are empty.</summary>
    public const int LeastChannels = 8;

    // Positions that are transposed at a time, before they go to their places among the padding; they stay in the first-level cache.
    private const int Positions = 256;

    private readonly Triple _size = size;

    /// <summary>The first column that is laid out.</summary>
    public nint First { get; } = first;

    /// <summary>Positions of a row.</summary>
    public nint RowLength { get; } = end - first;

    /// <summary>Lays out some rows of the planes; nothing is written to where padding is.</summary>
    /// <param name="planes">The first of the planes.</param>
    /// <param name="count">At most <see cref="Channels"/>; what lies in the place of others is finite if the planes are.</param>
    /// <param name="row0">The first row.</param>
    /// <param name="row1">Behind the last row.</param>
    /// <param name="staged">For row <paramref name="row0"/>, its padding before it.</param>
    /// <param name="layerStep">Elements from one layer to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(T* planes, nint count, nint row0, nint row1, T* staged, nint layerStep)
    {
        nint width = _size[2], plane = (nint)_size.Product, rows = row1 - row0;
        var transpose = MicroKernels.For<T>().Transpose;
        for (nint z = 0; z < _size[0]; z++, staged += layerStep)
        {
            T* source = planes + (z * _size[1] + row0) * width;
            if (RowLength == width)
            {
                transpose(source, plane, count, rows * width, staged, Channels);
                continue;
            }

            nint together = Math.Max(1, Positions / width), bytes = width * Channels * sizeof(T);
            using var scratch = new NativeScratch(together * bytes);
            T* to = staged - First * Channels;
            for (nint row = 0; row < rows; row += together)
            {
                nint some = Math.Min(together, rows - row);
                transpose(source + row * width, plane, count, some * width, (T*)scratch.Pointer, Channels);
                for (nint r = 0; r < some; r++, to += RowLength * Channels) Copy(scratch.Pointer + r * bytes, (byte*)to, bytes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(byte* from, byte* to, nint bytes)
    {
        for (nint i = 0; i < bytes; i += 64) Vector512.Store(Vector512.Load(from + i), to + i);
    }
}
