using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>How the elements of a window are joined, on devices; see <see cref="IWindowOp"/>.</summary>
internal interface IPoolOp<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    static abstract T Start { get; }

    static abstract T Step(T result, T element);
}

/// <summary>Σ x.</summary>
internal readonly struct PoolSum<T> : IPoolOp<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Start
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Zero;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step(T result, T element) => result + element;
}

/// <summary>The largest element; NaN if there is one.</summary>
internal readonly struct PoolMax<T> : IPoolOp<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Start
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.NegativeInfinity;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Step(T result, T element) => (element > result) | T.IsNaN(element) ? element : result;
}

/// <summary>
/// Poolings and their gradients, a thread an element of the result. The order of operations is that of the processor's kernels, and so are the bits. What
/// limits them is memory: neighbours read neighbours, and what windows share comes from caches.
/// </summary>
internal static class PoolKernels
{
    /// <summary>Joins the elements of every window in the order of the taps; padding is left out.</summary>
    public static void Join<T, TOp>(ArrayView<T> x, ArrayView<T> y, PoolWindow window, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOp : struct, IPoolOp<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        PoolPlace place = window.Window(i);
        T result = TOp.Start;
        for (int tapZ = 0; tapZ < window.Z.Taps; tapZ++)
        {
            int z = window.Z.Input(place.Z, tapZ), layer = place.Plane * window.Z.Inputs + z;
            for (int tapY = 0; tapY < window.Y.Taps; tapY++)
            {
                int y0 = window.Y.Input(place.Y, tapY), line = (layer * window.Y.Inputs + y0) * window.X.Inputs;
                bool inside = window.Z.Contains(z) & window.Y.Contains(y0);
                for (int tapX = 0; tapX < window.X.Taps; tapX++)
                {
                    int x0 = window.X.Input(place.X, tapX);
                    if (inside & window.X.Contains(x0)) result = TOp.Step(result, x[line + x0]);
                }
            }
        }

        y[i] = result;
    }

    /// <summary>
    /// Where in its plane each window finds its largest element: the first of equal ones, the first NaN; where all are −∞, the first that is not padding.
    /// </summary>
    /// <param name="x">The planes.</param>
    /// <param name="indices">Integers of so many words, of which all but the first are 0.</param>
    /// <param name="window">The windows.</param>
    /// <param name="words">1 or 2.</param>
    /// <param name="count">Windows.</param>
    public static void MaxIndices<T>(ArrayView<T> x, ArrayView<int> indices, PoolWindow window, int words, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        PoolPlace place = window.Window(i);
        int start = place.Plane * window.Plane;
        int index = ((place.Z > 0 ? place.Z : 0) * window.Y.Inputs + (place.Y > 0 ? place.Y : 0)) * window.X.Inputs + (place.X > 0 ? place.X : 0);
        T max = T.NegativeInfinity;
        for (int tapZ = 0; tapZ < window.Z.Taps; tapZ++)
        {
            int z = window.Z.Input(place.Z, tapZ);
            for (int tapY = 0; tapY < window.Y.Taps; tapY++)
            {
                int y0 = window.Y.Input(place.Y, tapY), line = (z * window.Y.Inputs + y0) * window.X.Inputs;
                bool inside = window.Z.Contains(z) & window.Y.Contains(y0);
                for (int tapX = 0; tapX < window.X.Taps; tapX++)
                {
                    int x0 = window.X.Input(place.X, tapX);
                    if (!(inside & window.X.Contains(x0))) continue;
                    T element = x[start + line + x0];
                    bool better = (element > max) | (T.IsNaN(element) & !T.IsNaN(max));
                    max = better ? element : max;
                    index = better ? line + x0 : index;
                }
            }
        }

        indices[i * words] = index;
        if (words == 2) indices[i * words + 1] = 0;
    }

    /// <summary>The gradient of the sums: an input adds up the gradients of the windows that it is in, in the order of the taps that it is met by.</summary>
    public static void SumGradient<T>(ArrayView<T> dy, ArrayView<T> dx, PoolWindow window, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        PoolPlace place = window.Input(i);
        int firstZ = window.Z.FirstOutput(place.Z), firstY = window.Y.FirstOutput(place.Y), firstX = window.X.FirstOutput(place.X);
        T sum = T.Zero;
        for (int z = window.Z.LastOutput(place.Z); z >= firstZ; z--)
        {
            if (!window.Z.Meets(z, place.Z)) continue;
            for (int y = window.Y.LastOutput(place.Y); y >= firstY; y--)
            {
                if (!window.Y.Meets(y, place.Y)) continue;
                int line = ((place.Plane * window.Z.Outputs + z) * window.Y.Outputs + y) * window.X.Outputs;
                for (int x = window.X.LastOutput(place.X); x >= firstX; x--)
                    if (window.X.Meets(x, place.X)) sum += dy[line + x];
            }
        }

        dx[i] = sum;
    }
}
