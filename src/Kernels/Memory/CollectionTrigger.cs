namespace Fusion.Kernels;

/// <summary>
/// Decides when dead arrays are looked for. The garbage collector sees an owner of some 40 bytes where a megabyte is held, so the pool asks for
/// collections itself: when arrays hold more than they did after the last collection plus a budget. That is a part of the last-level cache, and
/// holds also while free blocks are left, so that results go to memory that is still there and not to the coldest block of a large pool; only where
/// collections find most blocks alive they wait for the free blocks to run out. A program that releases early causes few collections or none.
/// </summary>
/// <remarks>
/// Blocks that outlive a collection are promoted, and a collection of generation 0 does not see them die. So the next collection is one of a
/// higher generation when what is left after this one has grown past what was left after the last of that generation.
/// </remarks>
internal static class CollectionTrigger
{
    private const long MB = 1 << 20;

    // A collection takes some 60 µs. Measured with results of 400 KB and 4 MB, 16 MB are as fast as 8 MB or faster, and twice as fast as a pool of 45 MB.
    private const long LeastWarm = 16 * MB, MostWarm = 1024 * MB;

    private static readonly Lock s_lock = new();
    private static readonly long[] s_baseline = new long[3]; // live bytes after the last collection of each generation
    private static long s_warm = LeastWarm;                  // the budget while free blocks are left
    private static long s_warmThreshold = LeastWarm;         // live bytes at which a collection is due, while free blocks are left
    private static long s_threshold = Budget(0, 0);          // and before fresh memory is taken
    private static int s_generation;                         // the generation of the next collection

    /// <summary>Called before memory is handed out: runs a collection if one is due. The memory of the dead is back afterwards.</summary>
    /// <param name="fresh">There is no free block: the memory would be taken from the system.</param>
    public static void CollectIfDue(bool fresh)
    {
        if (!IsDue(fresh)) return;
        lock (s_lock)
        {
            if (IsDue(fresh)) Collect(s_generation); // no other thread did meanwhile
        }
    }

    /// <summary>The last resort before an out-of-memory exception.</summary>
    public static void CollectEverything()
    {
        lock (s_lock) Collect(2);
    }

    private static bool IsDue(bool fresh) => MemoryCounters.Live >= (fresh ? Volatile.Read(ref s_threshold) : Volatile.Read(ref s_warmThreshold));

    private static void Collect(int generation)
    {
        long rented = MemoryCounters.Rented, before = MemoryCounters.LiveOf(rented), grown = before - s_baseline[0];
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true, compacting: false);
        BlockOwners.Reclaim();
        long live = MemoryCounters.LiveOf(rented); // what other threads were given since is not known to be alive
        for (int g = 0; g < 3; g++) s_baseline[g] = g <= generation ? live : Math.Min(s_baseline[g], live);
        s_generation = live >= s_baseline[2] + Budget(2, live) ? 2 : live >= s_baseline[1] + Budget(1, live) ? 1 : 0;

        // Where most of what was handed out is still alive, as during a forward pass, it is no use to look again soon.
        s_warm = before - live >= grown / 2 ? Math.Max(s_warm / 2, LeastWarm) : Math.Min(s_warm * 2, MostWarm);
        Volatile.Write(ref s_warmThreshold, live + Math.Max(s_warm, live / 8));
        Volatile.Write(ref s_threshold, live + Budget(0, live));
    }

    /// <summary>Growth, in bytes, over <paramref name="live"/> that makes a collection of a generation due before fresh memory is taken.</summary>
    private static long Budget(int generation, long live) => generation switch
    {
        0 => Math.Max(16 * MB, live / 8),
        1 => Math.Max(32 * MB, live / 8),
        _ => Math.Max(64 * MB, live / 3),
    };
}
