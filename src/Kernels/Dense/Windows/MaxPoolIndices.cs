using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Which element of its plane (flat index) each window of a max pooling took: the first of equal ones, the first NaN if there is one.</summary>
/// <remarks>
/// The index type is as wide as the element type: the taps' distances from a window's first element are found by registers of elements, in place, and become
/// indices when the place of the window is added.
/// </remarks>
internal unsafe struct MaxPoolIndices<T, TIndex>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TIndex : unmanaged, IBinaryInteger<TIndex>
{
    private TIndex* _indices;
    private TIndex* _windows;
    private TIndex* _inside;

    public static void Run(in WindowShape s, T* x, TIndex* indices)
    {
        nint taps = (nint)s.Taps, pixels = (nint)s.OutputSize;
        if (pixels == 0) return;
        using var scratch = new NativeScratch((taps + (2 * pixels)) * sizeof(TIndex));
        TIndex* distances = (TIndex*)scratch.Pointer;
        var job = new MaxPoolIndices<T, TIndex> { _indices = indices, _windows = distances + taps, _inside = distances + taps + pixels };
        for (nint t = 0; t < taps; t++)
        {
            var (line, tapX) = (t / s.Kernel[2], t % s.Kernel[2]);
            var (tapZ, tapY) = (line / s.Kernel[1], line % s.Kernel[1]);
            distances[t] = Place(s, tapZ * s.Dilation[0], tapY * s.Dilation[1], tapX * s.Dilation[2]);
        }

        nint window = 0;
        for (nint z = 0; z < s.Output[0]; z++)
        {
            for (nint y = 0; y < s.Output[1]; y++)
            {
                for (nint column = 0; column < s.Output[2]; column++, window++)
                {
                    nint fromZ = z * s.Stride[0] - s.Before[0], fromY = y * s.Stride[1] - s.Before[1], fromX = column * s.Stride[2] - s.Before[2];
                    job._windows[window] = Place(s, fromZ, fromY, fromX);
                    job._inside[window] = Place(s, Math.Max(0, fromZ), Math.Max(0, fromY), Math.Max(0, fromX));
                }
            }
        }

        Convolution.Pool<WindowArgMaxRow, T>(s, x, (T*)distances, (T*)indices, new GemmFinish(&AddWindows, &job));
    }

    private static TIndex Place(in WindowShape s, nint z, nint y, nint x) => TIndex.CreateTruncating((z * s.Input[1] + y) * s.Input[2] + x);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWindows(void* context, long plane, long planes, long first, long pixels)
    {
        var job = (MaxPoolIndices<T, TIndex>*)context;
        TIndex* indices = job->_indices + plane * pixels, windows = job->_windows, inside = job->_inside;
        long i = 0;
        for (; i + Vector<TIndex>.Count <= pixels; i += Vector<TIndex>.Count)
        {
            Vector<TIndex> distances = Vector.Load(indices + i), found = distances + Vector.Load(windows + i);
            Vector.Store(Vector.ConditionalSelect(Vector.LessThan(distances, Vector<TIndex>.Zero), Vector.Load(inside + i), found), indices + i);
        }

        for (; i < pixels; i++) indices[i] = TIndex.IsNegative(indices[i]) ? inside[i] : indices[i] + windows[i];
    }
}
