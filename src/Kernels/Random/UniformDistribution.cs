using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Uniform on [low, high): multiples of 2⁻²⁴ (float) or 2⁻⁵³ (double), scaled with one rounding and never as large as high.</summary>
internal readonly unsafe struct UniformDistribution<T> : IDistribution<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _low;
    private readonly T _range;
    private readonly T _max;

    /// <summary>high − low is finite and not negative.</summary>
    public UniformDistribution(T low, T high)
    {
        _low = low;
        _range = high - low;
        _max = high > low ? T.BitDecrement(high) : low;
    }

    public static int WordsPerElement => sizeof(T) / sizeof(uint);

    public void Transform(uint* words, T* output, int groups)
    {
        int count = groups * Philox.GroupWords / WordsPerElement;
        switch (SimdWidth.Current)
        {
            case 512: Transform<Lane512<T>>((T*)words, output, count); break;
            case 256: Transform<Lane256<T>>((T*)words, output, count); break;
            default: Transform<Lane128<T>>((T*)words, output, count); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform<L>(T* words, T* output, int count)
        where L : struct, IVectorLane<L, T>
    {
        L low = L.Broadcast(_low), range = L.Broadcast(_range), max = L.Broadcast(_max);
        L unit = L.Const(L.Is64 ? 1.0 / (1L << 53) : 1.0 / (1 << 24));
        for (int i = 0; i < count; i += L.Count)
        {
            L fraction = L.FromInteger(L.ShiftRightLogical(L.Load(words + i), L.Is64 ? 11 : 8)) * unit;
            L.Store(L.MinNative(L.Fma(fraction, range, low), max), output + i);
        }
    }
}
