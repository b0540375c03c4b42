using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The gradient of a filter that sees one plane: for every tap Σ over the grid of dy[p] · plane[p + tap]. Each sum has 16 chains of fused multiply-adds, chain l over
/// the columns x ≡ l mod 16, row by row; then they are added by halves. Nothing depends on the width of a register.
/// </summary>
internal static unsafe class TapSums
{
    private const int Chains = 16;

    /// <summary>Taps at a time: nine chains hide the latency of a multiply-add, and fit into the registers of AVX2.</summary>
    public const int Together = 9;

    /// <summary>Elements of the chains.</summary>
    public static nint Size(nint taps) => RoundUp(taps) * Chains;

    /// <summary>Taps with those that fill up the last nine, for the table of offsets.</summary>
    public static nint RoundUp(nint taps) => (taps + Together - 1) / Together * Together;

    /// <summary>Adds one plane to the chains.</summary>
    /// <param name="map">The grid.</param>
    /// <param name="offsets">Of every tap, and of others, at whose sums nobody looks, up to <see cref="RoundUp"/>.</param>
    /// <param name="plane">As the map reads it.</param>
    /// <param name="dy">An element for every position of the grid.</param>
    /// <param name="chains">Of all taps, one after the other.</param>
    public static void Add<T>(in PatchMap map, nint* offsets, T* plane, T* dy, T* chains)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        switch (SimdWidth.Current)
        {
            case 512:
                AddAll<Lane512<T>, T>(map, offsets, plane, dy, chains);
                break;
            case 256:
                AddAll<Lane256<T>, T>(map, offsets, plane, dy, chains);
                break;
            default:
                AddAll<Lane128<T>, T>(map, offsets, plane, dy, chains);
                break;
        }
    }

    /// <summary>Writes the sums of all taps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish<T>(T* chains, nint taps, T* sums)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (nint t = 0; t < taps; t++, chains += Chains)
        {
            for (nint half = Chains / 2; half > 0; half /= 2)
            {
                for (nint i = 0; i < half; i++) chains[i] += chains[i + half];
            }

            sums[t] = chains[0];
        }
    }

    private static void AddAll<L, T>(in PatchMap map, nint* offsets, T* plane, T* dy, T* chains)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (nint t = 0; t < map.Taps; t += Together)
        {
            for (nint chain = 0; chain < Math.Min(Chains, map.X.Grid); chain += L.Count)
                Some<L, T>(map, offsets + t, plane + chain, dy + chain, map.X.Grid - chain, chains + t * Chains + chain);
        }
    }

    /// <summary>The chains of one register, of nine taps.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Some<L, T>(in PatchMap map, nint* offsets, T* plane, T* dy, nint columns, T* chains)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        nint o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3], o4 = offsets[4], o5 = offsets[5], o6 = offsets[6], o7 = offsets[7], o8 = offsets[8];
        L a0 = L.Load(chains), a1 = L.Load(chains + Chains), a2 = L.Load(chains + 2 * Chains), a3 = L.Load(chains + 3 * Chains), a4 = L.Load(chains + 4 * Chains);
        L a5 = L.Load(chains + 5 * Chains), a6 = L.Load(chains + 6 * Chains), a7 = L.Load(chains + 7 * Chains), a8 = L.Load(chains + 8 * Chains);
        for (nint z = 0; z < map.Z.Grid; z++)
        {
            for (nint y = 0; y < map.Y.Grid; y++, dy += map.X.Grid)
            {
                T* x = plane + z * map.StepZ + y * map.StepY, d = dy;
                nint rest = columns;
                for (; rest >= L.Count; rest -= Chains, x += Chains, d += Chains)
                {
                    L g = L.Load(d);
                    a0 = L.Fma(g, L.Load(x + o0), a0);
                    a1 = L.Fma(g, L.Load(x + o1), a1);
                    a2 = L.Fma(g, L.Load(x + o2), a2);
                    a3 = L.Fma(g, L.Load(x + o3), a3);
                    a4 = L.Fma(g, L.Load(x + o4), a4);
                    a5 = L.Fma(g, L.Load(x + o5), a5);
                    a6 = L.Fma(g, L.Load(x + o6), a6);
                    a7 = L.Fma(g, L.Load(x + o7), a7);
                    a8 = L.Fma(g, L.Load(x + o8), a8);
                }

                if (rest <= 0) continue;
                L mask = LaneTail.Mask<L, T>(rest), last = L.Load(d);
                a0 = L.Select(mask, L.Fma(last, L.Load(x + o0), a0), a0);
                a1 = L.Select(mask, L.Fma(last, L.Load(x + o1), a1), a1);
                a2 = L.Select(mask, L.Fma(last, L.Load(x + o2), a2), a2);
                a3 = L.Select(mask, L.Fma(last, L.Load(x + o3), a3), a3);
                a4 = L.Select(mask, L.Fma(last, L.Load(x + o4), a4), a4);
                a5 = L.Select(mask, L.Fma(last, L.Load(x + o5), a5), a5);
                a6 = L.Select(mask, L.Fma(last, L.Load(x + o6), a6), a6);
                a7 = L.Select(mask, L.Fma(last, L.Load(x + o7), a7), a7);
                a8 = L.Select(mask, L.Fma(last, L.Load(x + o8), a8), a8);
            }
        }

        L.Store(a0, chains);
        L.Store(a1, chains + Chains);
        L.Store(a2, chains + 2 * Chains);
        L.Store(a3, chains + 3 * Chains);
        L.Store(a4, chains + 4 * Chains);
        L.Store(a5, chains + 5 * Chains);
        L.Store(a6, chains + 6 * Chains);
        L.Store(a7, chains + 7 * Chains);
        L.Store(a8, chains + 8 * Chains);
    }
}
