using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Philox4x32-10, a counter-based generator: block n of a stream is a keyed bijection of n, so any part can be computed by anyone in any order.
/// J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11, section 4.3 and table 2.
/// </summary>
internal static unsafe class Philox
{
    /// <summary>Blocks that are computed together, whatever the register width: the unit of the order of words.</summary>
    public const int GroupBlocks = 16;

    /// <summary>Words of one group.</summary>
    public const int GroupWords = 4 * GroupBlocks;

    private const uint M0 = 0xD2511F53, M1 = 0xCD9E8D57, W0 = 0x9E3779B9, W1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>One block, computed alone: the definition that the vector code is tested against.</summary>
    public static (uint W0, uint W1, uint W2, uint W3) Block((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        (uint c0, uint c1, uint c2, uint c3) = counter;
        for (uint round = 0; round < Rounds; round++)
        {
            ulong p0 = (ulong)M0 * c0, p1 = (ulong)M1 * c2;
            uint k0 = unchecked(key.K0 + (round * W0)), k1 = unchecked(key.K1 + (round * W1));
            (c0, c1, c2, c3) = ((uint)(p1 >> 32) ^ c1 ^ k0, (uint)p1, (uint)(p0 >> 32) ^ c3 ^ k1, (uint)p0);
        }

        return (c0, c1, c2, c3);
    }

    /// <summary>
    /// The words of whole groups, from block <paramref name="firstBlock"/> of the stream on: word w of the group's block b is at 16·w + b.
    /// The counter is (block, 0); the order is the same at every register width.
    /// </summary>
    public static void Fill(ulong key, ulong firstBlock, uint* words, int groups)
    {
        if (SimdWidth.Current == 512) Fill<PhiloxLane512>(key, firstBlock, words, groups);
        else if (SimdWidth.Current == 256) Fill<PhiloxLane256>(key, firstBlock, words, groups);
        else Fill<PhiloxLane128>(key, firstBlock, words, groups);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    [SkipLocalsInit]
    private static void Fill<V>(ulong key, ulong firstBlock, uint* words, int groups)
        where V : struct, IPhiloxLane<V>
    {
        ulong* keys = stackalloc ulong[2 * Rounds];
        for (uint round = 0; round < Rounds; round++)
        {
            keys[2 * round] = unchecked((uint)key + (round * W0));
            keys[(2 * round) + 1] = unchecked((uint)(key >> 32) + (round * W1));
        }

        // Two units at a time: the rounds of one follow one another, and the multiplications of four chains fill the time that one would wait for.
        V m0 = V.Broadcast(M0), m1 = V.Broadcast(M1), zero = V.Broadcast(0);
        uint* spare = stackalloc uint[GroupWords];
        int unit = 2 * V.Count, units = groups * GroupBlocks / unit;
        for (int u = 0; u < units; u += 2)
        {
            ulong counter = unchecked(firstBlock + ((ulong)u * (ulong)unit));
            V a0 = V.EverySecond(counter), a1 = V.High(a0), a2 = zero, a3 = zero;
            V b0 = V.EverySecond(unchecked(counter + 1)), b1 = V.High(b0), b2 = zero, b3 = zero;
            counter = unchecked(counter + (ulong)unit);
            V c0 = V.EverySecond(counter), c1 = V.High(c0), c2 = zero, c3 = zero;
            V d0 = V.EverySecond(unchecked(counter + 1)), d1 = V.High(d0), d2 = zero, d3 = zero;
            for (int round = 0; round < Rounds; round++)
            {
                V k0 = V.Broadcast(keys[2 * round]), k1 = V.Broadcast(keys[(2 * round) + 1]);
                Round(m0, m1, k0, k1, ref a0, ref a1, ref a2, ref a3);
                Round(m0, m1, k0, k1, ref b0, ref b1, ref b2, ref b3);
                Round(m0, m1, k0, k1, ref c0, ref c1, ref c2, ref c3);
                Round(m0, m1, k0, k1, ref d0, ref d1, ref d2, ref d3);
            }

            Store(a0, a1, a2, a3, b0, b1, b2, b3, Place(u));
            Store(c0, c1, c2, c3, d0, d1, d2, d3, u + 1 < units ? Place(u + 1) : spare);
        }

        uint* Place(int u) => words + ((long)u * unit / GroupBlocks * GroupWords) + (u * unit % GroupBlocks);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<V>(V m0, V m1, V k0, V k1, ref V x0, ref V x1, ref V x2, ref V x3)
        where V : struct, IPhiloxLane<V>
    {
        V p = V.Multiply(m0, x0), q = V.Multiply(m1, x2);
        x0 = V.Xor(V.High(q), x1, k0);
        x2 = V.Xor(V.High(p), x3, k1);
        (x1, x3) = (q, p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V>(V a0, V a1, V a2, V a3, V b0, V b1, V b2, V b3, uint* words)
        where V : struct, IPhiloxLane<V>
    {
        V.Store(a0, b0, words);
        V.Store(a1, b1, words + GroupBlocks);
        V.Store(a2, b2, words + (2 * GroupBlocks));
        V.Store(a3, b3, words + (3 * GroupBlocks));
    }
}
