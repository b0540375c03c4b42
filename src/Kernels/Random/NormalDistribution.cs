using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The normal distribution by the transform of G. Box and M. Muller (Ann. Math. Stat. 29, 1958, p. 610): two uniform numbers give two normal ones,
/// r·cos φ and r·sin φ with r = √(−2 ln u). The first half of a group's words makes the radii, the second the angles.
/// </summary>
internal readonly unsafe struct NormalDistribution<T>(T mean, T deviation) : IDistribution<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _mean = mean;
    private readonly T _deviation = deviation;

    public static int WordsPerElement => sizeof(T) / sizeof(uint);

    public void Transform(uint* words, T* output, int groups)
    {
        switch (SimdWidth.Current)
        {
            case 512: Transform<Lane512<T>>((T*)words, output, groups); break;
            case 256: Transform<Lane256<T>>((T*)words, output, groups); break;
            default: Transform<Lane128<T>>((T*)words, output, groups); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform<L>(T* words, T* output, int groups)
        where L : struct, IVectorLane<L, T>
    {
        L mean = L.Broadcast(_mean), deviation = L.Broadcast(_deviation);
        int half = Philox.GroupWords / WordsPerElement / 2;
        for (int group = 0; group < groups; group++, words += 2 * half, output += 2 * half)
        {
            for (int i = 0; i < half; i += L.Count)
            {
                L radius = BoxMuller.Radius(L.Load(words + i));
                BoxMuller.Direction(L.Load(words + half + i), out L x, out L y);
                L.Store(L.Fma(radius * x, deviation, mean), output + i);
                L.Store(L.Fma(radius * y, deviation, mean), output + half + i);
            }
        }
    }
}
