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

        V m0 = V.Broadcast(M0), m1 = V.Broadcast(M1);
        for (int group = 0; group < groups; group++, words += GroupWords)
        {
            for (int block = 0; block < GroupBlocks; block += 2 * V.Count)
            {
                ulong counter = unchecked(firstBlock + ((ulong)group * GroupBlocks) + (ulong)block);
                V a0 = V.EverySecond(counter), a1 = V.High(a0), a2 = V.Broadcast(0), a3 = a2;
                V b0 = V.EverySecond(unchecked(counter + 1)), b1 = V.High(b0), b2 = a2, b3 = a2;
                for (int round = 0; round < Rounds; round++)
                {
                    V k0 = V.Broadcast(keys[2 * round]), k1 = V.Broadcast(keys[(2 * round) + 1]);
                    V p = V.Multiply(m0, a0), q = V.Multiply(m1, a2);
                    V r = V.Multiply(m0, b0), s = V.Multiply(m1, b2);
                    a0 = V.Xor(V.Xor(V.High(q), a1), k0);
                    b0 = V.Xor(V.Xor(V.High(s), b1), k0);
                    a2 = V.Xor(V.Xor(V.High(p), a3), k1);
                    b2 = V.Xor(V.Xor(V.High(r), b3), k1);
                    (a1, a3, b1, b3) = (q, p, s, r);
                }

                V.Store(a0, b0, words + block);
                V.Store(a1, b1, words + GroupBlocks + block);
                V.Store(a2, b2, words + (2 * GroupBlocks) + block);
                V.Store(a3, b3, words + (3 * GroupBlocks) + block);
            }
        }
    }
}
