using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Integers low, low + 1, … of which there are <c>range</c> (0: 2⁶⁴), each from 64 random bits by multiplication (D. Lemire, "Fast random integer
/// generation in an interval", ACM TOMACS 29, 2019) without rejection: no probability is off by more than 2⁻⁶⁴.
/// </summary>
internal readonly unsafe struct IntegerDistribution<T>(long low, ulong range) : IDistribution<T>
    where T : unmanaged, IBinaryInteger<T>
{
    private readonly long _low = low;
    private readonly ulong _range = range;

    public static int WordsPerElement => 2;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Transform(uint* words, T* output, int groups)
    {
        ulong* pairs = (ulong*)words;
        for (int i = 0; i < groups * Philox.GroupWords / 2; i++)
        {
            ulong offset = _range == 0 ? pairs[i] : Math.BigMul(pairs[i], _range, out _);
            output[i] = T.CreateTruncating(unchecked(_low + (long)offset));
        }
    }
}

/// <summary>1 with probability p, else 0. p counts in steps of 2⁻³².</summary>
internal readonly unsafe struct BernoulliDistribution<T>(double p, T one) : IDistribution<T>
    where T : unmanaged
{
    private readonly ulong _threshold = (ulong)Math.Round(p * (1UL << 32));
    private readonly T _one = one;

    public static int WordsPerElement => 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Transform(uint* words, T* output, int groups)
    {
        // Looked up, since a branch would be mispredicted: the difference is negative where the word is less.
        T* values = stackalloc T[2] { default, _one };
        for (int i = 0; i < groups * Philox.GroupWords; i++) output[i] = values[unchecked(words[i] - _threshold) >> 63];
    }
}
