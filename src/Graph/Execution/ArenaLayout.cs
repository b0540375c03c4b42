namespace Fusion;

/// <summary>A block of an arena.</summary>
/// <param name="Size">Bytes.</param>
/// <param name="First">The launch that writes it.</param>
/// <param name="Last">The last launch that reads it.</param>
internal readonly record struct ArenaBlock(long Size, int First, int Last);

/// <summary>
/// Offsets of blocks whose lives are known. Two orders are tried, and the smaller arena is taken: as they come, into the first gap that is free then; and the largest
/// first, each as low as the blocks allow that live when it does (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
/// </summary>
internal static class ArenaLayout
{
    // Blocks are compared with each other.
    private const int MostBlocks = 4096;

    public static long[] Plan(IReadOnlyList<ArenaBlock> blocks, out long bytes)
    {
        long[] offsets = InOrder(blocks, out bytes);
        if (blocks.Count > MostBlocks || bytes == Peak(blocks)) return offsets;
        long[] other = LargestFirst(blocks, out long otherBytes);
        if (otherBytes >= bytes) return offsets;
        bytes = otherBytes;
        return other;
    }

    /// <summary>What is alive at once, at most: no arena is smaller.</summary>
    public static long Peak(IReadOnlyList<ArenaBlock> blocks)
    {
        int launches = 0;
        foreach (ArenaBlock block in blocks) launches = Math.Max(launches, block.Last + 1);
        long[] changes = new long[launches + 1];
        foreach (ArenaBlock block in blocks)
        {
            changes[block.First] += block.Size;
            changes[block.Last + 1] -= block.Size;
        }

        long alive = 0, peak = 0;
        foreach (long change in changes) peak = Math.Max(peak, alive += change);
        return peak;
    }

    private static long[] InOrder(IReadOnlyList<ArenaBlock> blocks, out long bytes)
    {
        long[] offsets = new long[blocks.Count];
        PriorityQueue<int, int> alive = new();
        GapList gaps = new();
        for (int i = 0; i < offsets.Length; i++)
        {
            while (alive.TryPeek(out int dead, out int last) && last < blocks[i].First)
            {
                alive.Dequeue();
                gaps.Give(offsets[dead], blocks[dead].Size);
            }

            offsets[i] = gaps.Take(blocks[i].Size);
            alive.Enqueue(i, blocks[i].Last);
        }

        bytes = gaps.Peak;
        return offsets;
    }

    private static long[] LargestFirst(IReadOnlyList<ArenaBlock> blocks, out long bytes)
    {
        long[] offsets = new long[blocks.Count];
        List<int> placed = [];      // by offset
        bytes = 0;
        foreach (int i in Enumerable.Range(0, offsets.Length).OrderByDescending(k => blocks[k].Size))
        {
            long offset = 0;
            foreach (int other in placed)
            {
                if (blocks[other].Last < blocks[i].First || blocks[i].Last < blocks[other].First) continue;
                if (offsets[other] - offset >= blocks[i].Size) break;
                offset = Math.Max(offset, offsets[other] + blocks[other].Size);
            }

            offsets[i] = offset;
            int at = placed.FindIndex(k => offsets[k] > offset);
            placed.Insert(at < 0 ? placed.Count : at, i);
            bytes = Math.Max(bytes, offset + blocks[i].Size);
        }

        return offsets;
    }
}
