using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Functions of the elements of planes that lie one behind the other, with a few values for each plane. The memory of the next result is asked for.</summary>
internal static unsafe class PlaneMaps<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>(x − mean)·slope + shift of planes of n elements.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Forward(T* x, T* y, T* means, T* slopes, T* shifts, long n, long planes)
    {
        var ahead = RowAhead.Distance<T>(n);
        for (long p = 0; p < planes; p++, x += n, y += n)
        {
            L mean = L.Broadcast(means[p]), slope = L.Broadcast(slopes[p]), shift = L.Broadcast(shifts[p]);
            long i = 0;
            for (; i + L.Count <= n; i += L.Count)
            {
                L.Store((L.Load(x + i) - mean) * slope + shift, y + i);
                RowAhead.Fetch(y + i + ahead);
            }
            if (i < n) LaneTail.Store<L, T>((L.Load(x + i) - mean) * slope + shift, y + i, n - i);
        }
    }

    /// <summary>(g·gamma − shift − (x − mean)·slope)·scale of planes of n elements.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Gradient(T* x, T* g, T* dx, T* means, T* slopes, T* gammas, T* shifts, T* scales, long n, long planes)
    {
        var ahead = RowAhead.Distance<T>(n);
        for (long p = 0; p < planes; p++, x += n, g += n, dx += n)
        {
            L mean = L.Broadcast(means[p]), slope = L.Broadcast(slopes[p]), gamma = L.Broadcast(gammas[p]), shift = L.Broadcast(shifts[p]), scale = L.Broadcast(scales[p]);
            long i = 0;
            for (; i + L.Count <= n; i += L.Count)
            {
                L.Store((L.Load(g + i) * gamma - shift - (L.Load(x + i) - mean) * slope) * scale, dx + i);
                RowAhead.Fetch(dx + i + ahead);
            }
            if (i < n) LaneTail.Store<L, T>((L.Load(g + i) * gamma - shift - (L.Load(x + i) - mean) * slope) * scale, dx + i, n - i);
        }
    }
}
