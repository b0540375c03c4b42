using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Implicit im2col: the matrix whose row (channel, tap) and column (image, position) is the element that the tap meets there, written straight into the panels
/// of a matrix product. It exists nowhere else.
/// </summary>
internal readonly unsafe struct PatchPacker<T>(in PatchMap map, nint* tapOffsets, T* planes, nint imageStride) : IPanelPacker<T>
    where T : unmanaged
{
    private readonly nint _taps = map.Taps;
    private readonly nint _pixels = map.Pixels;
    private readonly nint _planeSize = map.PlaneSize;
    private readonly nint _gridY = map.Y.Grid;
    private readonly nint _gridX = map.X.Grid;
    private readonly nint _stepZ = map.StepZ;
    private readonly nint _stepY = map.StepY;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Pack(nint k, nint depth, nint column, nint width, T* destination, nint stride)
    {
        Run* runs = stackalloc Run[(int)width];
        var count = FindRuns(column, width, runs);
        var (channel, tap) = (k / _taps, k % _taps);
        byte* row = (byte*)destination, end = row + depth * stride * sizeof(T);
        for (; depth > 0; depth--, row += stride * sizeof(T))
        {
            byte* d = row, source = (byte*)(planes + channel * _planeSize + tapOffsets[tap]);
            for (Run* run = runs; run < runs + count; run++)
            {
                // Whole registers: what spills over the run's end is overwritten by the next run or the next row.
                byte* s = source + run->Offset;
                for (nint i = 0; i < run->Length; i += 64)
                {
                    if (d + i + 64 <= end) Vector512.Store(Vector512.Load(s + i), d + i);
                    else Buffer.MemoryCopy(s + i, d + i, run->Length - i, run->Length - i);
                }

                d += run->Length;
            }

            if (++tap < _taps) continue;
            tap = 0;
            channel++;
        }
    }

    /// <summary>Columns whose elements are contiguous in the source, whatever the tap: rows of the grid, cut at the ends.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindRuns(nint column, nint width, Run* runs)
    {
        var count = 0;
        var (image, pixel) = (column / _pixels, column % _pixels);
        var (line, x) = (pixel / _gridX, pixel % _gridX);
        var (z, y) = (line / _gridY, line % _gridY);
        while (width > 0)
        {
            var length = Math.Min(_gridX - x, width);
            var offset = (image * imageStride + z * _stepZ + y * _stepY + x) * sizeof(T);
            if (count > 0 && runs[count - 1].Offset + runs[count - 1].Length == offset) runs[count - 1].Length += length * sizeof(T);
            else runs[count++] = new Run { Offset = offset, Length = length * sizeof(T) };
            width -= length;
            x = 0;
            if (++y < _gridY) continue;
            y = 0;
            if (++z * _gridY * _gridX < _pixels) continue;
            z = 0;
            image++;
        }

        return count;
    }

    /// <summary>In bytes.</summary>
    private struct Run
    {
        public nint Offset;
        public nint Length;
    }
}

/// <summary>The transpose of <see cref="PatchPacker{T}"/>: its row (image, position) and column (channel, tap), for the gradient of the weights.</summary>
internal readonly unsafe struct TransposedPatchPacker<T>(in PatchPacker<T> patches) : IPanelPacker<T>
    where T : unmanaged
{
    private readonly PatchPacker<T> _patches = patches;

    public void Pack(nint k, nint depth, nint column, nint width, T* destination, nint stride)
    {
        // The rows go through a piece of L2, where they are transposed by registers.
        var length = (depth + 15) & ~15;
        using var scratch = new NativeScratch((width + 1) * length * sizeof(T));
        var rows = (T*)scratch.Pointer;
        _patches.Pack(column, width, k, depth, rows, length);
        MicroKernels.For<T>().Transpose(rows, length, width, depth, destination, stride);
    }
}
