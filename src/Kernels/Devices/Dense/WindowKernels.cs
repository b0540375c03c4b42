using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>
/// Convolutions without tiles, for groups of any size: channels that are too few for a tile (depthwise convolutions), and devices with small groups. A thread
/// has one element of the result and walks through its window in the order of (channel, taps); a group has one element of a filter's gradient.
/// </summary>
internal static class WindowKernels
{
    /// <summary>y = x ⋆ w, + bias.</summary>
    public static void Forward<T, TBody>(ArrayView<T> x, ArrayView<T> w, ArrayView<T> y, TileFinish<T, TBody> finish, DeviceWindow window, int count)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int pixels = window.Grid.Pixels, plane = i / pixels, filters = window.Groups * window.OutChannels, image = plane / filters;
        int filter = plane - image * filters, tap = filter * window.InChannels * window.First.Taps;
        PatchEntry patch = PatchCoordinates.Place(window.Grid, window.First, i - plane * pixels);
        int source = (image * window.Groups + filter / window.OutChannels) * window.InChannels * window.Grid.Plane;
        T sum = T.Zero;
        for (int c = 0; c < window.InChannels; c++, source += window.Grid.Plane)
        {
            for (int z = 0; z < window.First.TapsZ; z++)
            {
                for (int y0 = 0; y0 < window.First.TapsY; y0++)
                {
                    for (int x0 = 0; x0 < window.First.TapsX; x0++, tap++)
                    {
                        int atZ = patch.A + z * window.Grid.TapZ, atY = patch.B + y0 * window.Grid.TapY, atX = patch.C + x0 * window.Grid.TapX;
                        if (window.Grid.Contains(atZ, atY, atX)) sum += w[tap] * x[source + window.Grid.Offset(atZ, atY, atX)];
                    }
                }
            }
        }

        finish.Store(y, i, filter, 0, sum);
    }

    /// <summary>The gradient of x: an input gathers from the outputs that it contributed to.</summary>
    public static void InputGradient<T, TBody>(ArrayView<T> dy, ArrayView<T> w, ArrayView<T> dx, TBody body, DeviceWindow window, int count)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int size = window.Grid.Plane, plane = i / size, channels = window.Groups * window.InChannels, image = plane / channels;
        int channel = plane - image * channels;
        int group = channel / window.InChannels, pixels = window.Grid.Pixels;
        PatchEntry input = window.Input(i - plane * size);
        T sum = T.Zero;
        for (int o = 0; o < window.OutChannels; o++)
        {
            int filter = group * window.OutChannels + o, tap = (filter * window.InChannels + channel - group * window.InChannels) * window.First.Taps;
            int from = (image * window.Groups * window.OutChannels + filter) * pixels;
            for (int z = 0; z < window.First.TapsZ; z++)
            {
                for (int y0 = 0; y0 < window.First.TapsY; y0++)
                {
                    for (int x0 = 0; x0 < window.First.TapsX; x0++, tap++)
                    {
                        int output = window.Output(input, z, y0, x0);
                        if (output >= 0) sum += w[tap] * dy[from + output];
                    }
                }
            }
        }

        body.Store(dx, i, sum);
    }

    /// <summary>
    /// The gradient of the filters, or a piece of the sum over (image, position): every thread of a group sums its share in order, then shares are folded by
    /// halves. Results are [piece, filter element].
    /// </summary>
    public static void WeightGradient<T>(ArrayView<T> x, ArrayView<T> dy, ArrayView<T> dw, DeviceWindow window, int elements, int piece, int depth)
        where T : unmanaged, INumber<T>
    {
        ArrayView<T> shared = SharedMemory.Allocate1D<T>(DeviceGrid.MaxGroup);
        int thread = Group.IdxX, split = Grid.IdxX / elements, element = Grid.IdxX - split * elements;
        int row = element / window.First.Taps, tap = element - row * window.First.Taps;
        int filter = row / window.InChannels, channel = row - filter * window.InChannels, group = filter / window.OutChannels;
        int pixels = window.Grid.Pixels;
        PatchEntry place = PatchCoordinates.Element(window.Grid, window.First, tap);
        int end = (split + 1) * piece;
        end = end < depth ? end : depth;
        T sum = T.Zero;
        for (int k = split * piece + thread; k < end; k += Group.DimX)
        {
            int image = k / pixels, pixel = k - image * pixels;
            PatchEntry patch = PatchCoordinates.Place(window.Grid, window.First, pixel);
            int source = ((image * window.Groups + group) * window.InChannels + channel) * window.Grid.Plane;
            if (PatchCoordinates.Contains(window.Grid, patch, place))
                sum += dy[(image * window.Groups * window.OutChannels + filter) * pixels + pixel] * x[source + patch.Offset + place.Offset];
        }

        shared[thread] = sum;
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            Group.Barrier();
            if (thread < half) shared[thread] += shared[thread + half];
        }

        if (thread == 0) dw[Grid.IdxX] = shared[0];
    }
}
