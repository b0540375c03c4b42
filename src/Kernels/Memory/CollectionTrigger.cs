using System.Diagnostics;

namespace Fusion.Kernels;

/// <summary>
/// Decides when dead arrays are looked for. The garbage collector sees an owner of some 40 bytes where a megabyte is held, so the pool asks for
/// collections itself: when arrays hold more than the least since the last collection plus a budget. That is a part of the last-level cache, as small
/// as the time of collections allows, and holds also while free blocks are left, so that results go to memory that is still there and not to the
/// coldest block of a large pool; only where collections find most blocks alive they wait for the free blocks to run out. A program that releases
/// early causes few collections or none.
/// </summary>
/// <remarks>
/// Collections are of generation 1 at least. Each one of generation 0 that is asked for leaves its survivors, be they a few hundred bytes, in
/// a region of their own, and every later collection visits all of these: .NET 10 takes 30 µs for the first and 1 ms for the eight-thousandth.
/// Blocks that outlive two collections are promoted, and those of generation 1 do not see them die. So the next collection is one of generation 2
/// when what is left after this one has grown past what was left after the last of that generation.
/// </remarks>
internal static class CollectionTrigger
{
    private const long MB = 1 << 20;

    // A collection takes 20 to 60 µs, some 150 where the program has driven its code from the caches: the fewer there are, the less it costs a result, and the colder is
    // the memory that results are written to. The budget goes to where collections take an eighth of the time or so, which is 1 to 2 MB for results of 40 KB, 4 MB for
    // those of 400 KB and at most 12 MB. Measured with dropped results of 40 KB to 4 MB and with chains and gradients of them: 1.02 to 1.2 times as fast as 12 MB always.
    private const long LeastWarm = MB / 2, Young = 12 * MB, MostYoung = 1024 * MB;
    private const int Often = 5; // a collection after five times its pause is too soon, none after ten times is late
    private const double Streaming = 4e9; // bytes of results a second: chains of single operators make 8 to 20 GB, eager training steps about one
    private const int Patience = 200; // what is alive in the midst of a step is promoted by early collections, and seen dead only by those of generation 2

    // Memory is taken from the system little by little: a page costs a quarter of a microsecond when it is touched for the first time, and 15 µs on some virtual
    // machines, where an addition of 10,000 floats took 170 µs instead of 3 until the pool had its 12 MB. So collections come earlier at first, and wait for a quarter
    // more each time that they take more than the sixteenth part of the time.
    private const long LeastFresh = 256 * 1024;
    private const int Seldom = 16;

    private static readonly Lock s_lock = new();
    private static long s_baseline;      // live bytes after the last collection of generation 2
    private static long s_least;         // the least that was held since the last collection
    private static long s_warm = Young;  // the budget while free blocks are left
    private static long s_fresh = LeastFresh; // and when there are none
    private static int s_successes;      // collections since the last that found most blocks alive
    private static long s_ended;         // when the last collection ended
    private static int s_generation = 1; // the generation of the next collection
    private static long s_old = 16 * MB; // the growth after which it is 2

    /// <summary>Called before memory is handed out: runs a collection if one is due. The memory of the dead is back afterwards.</summary>
    /// <param name="fresh">There is no free block: the memory would be taken from the system.</param>
    public static void CollectIfDue(bool fresh)
    {
        // What was given back early, or died in a collection of the program's own, makes no room for garbage: growth counts from the least.
        long live = MemoryCounters.Live;
        if (live < Volatile.Read(ref s_least)) Volatile.Write(ref s_least, live);
        if (!IsDue(live, fresh)) return;
        lock (s_lock)
        {
            if (IsDue(MemoryCounters.Live, fresh)) Collect(s_generation, fresh); // no other thread did meanwhile
        }
    }

    /// <summary>The last resort before an out-of-memory exception.</summary>
    public static void CollectEverything()
    {
        lock (s_lock) Collect(2);
    }

    /// <summary>Free blocks were given back to the system: it is asked for memory little by little again.</summary>
    public static void StartAgain() => Volatile.Write(ref s_fresh, LeastFresh);

    private static bool IsDue(long live, bool fresh)
    {
        long least = Volatile.Read(ref s_least);
        return live - least >= Math.Max(Volatile.Read(ref fresh ? ref s_fresh : ref s_warm), least / 8);
    }

    private static void Collect(int generation, bool fresh = false)
    {
        long rented = MemoryCounters.Rented, before = MemoryCounters.LiveOf(rented), grown = before - s_least;
        long start = Stopwatch.GetTimestamp();
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true, compacting: false);
        long end = Stopwatch.GetTimestamp(), pause = end - start;
        long since = start - s_ended;
        s_ended = end;
        if (generation == 2) s_old = Growth(Stopwatch.GetElapsedTime(start, end));
        BlockOwners.Reclaim();
        long live = MemoryCounters.LiveOf(rented); // what other threads were given since is not known to be alive
        s_baseline = generation == 2 ? live : Math.Min(s_baseline, live);
        s_generation = live >= s_baseline + Math.Min(s_old, Math.Max(64 * MB, live / 3)) ? 2 : 1;

        // Where most of what was handed out is still alive, as during a forward pass, it is no use to look again soon.
        bool died = before - live >= grown / 2;
        s_successes = died ? s_successes + 1 : 0;
        Volatile.Write(ref s_warm, died ? Adapted(s_warm, since, pause, IsStreaming(grown, since)) : s_warm < Young ? Young : Math.Min(s_warm * 2, MostYoung));
        if (fresh && !(died && since >= Seldom * pause)) Volatile.Write(ref s_fresh, Math.Min(died ? s_fresh + (s_fresh / 4) : s_fresh * 2, Young));
        Volatile.Write(ref s_least, live);
    }

    // The budget while free blocks are left, after a collection that found garbage. Earlier collections pay only where the time goes into writing results: a step of
    // training that takes a new batch every millisecond has no use for them.
    private static long Adapted(long budget, long since, long pause, bool streaming)
    {
        if (budget > Young) return Math.Max(budget / 2, Young);
        if (!streaming || since < Often * pause) return Math.Min(budget + (budget / 4), Young);
        return since > 2 * Often * pause && s_successes > Patience ? Math.Max(budget - (budget / 8), LeastWarm) : budget;
    }

    private static bool IsStreaming(long bytes, long ticks) => bytes > Streaming * Stopwatch.GetElapsedTime(0, ticks).TotalSeconds;

    // A collection of generation 2 takes 0.1 to 0.3 ms in a small program, which 16 MB are worth; with many objects of the program's own it takes longer.
    private static long Growth(TimeSpan pause) => Math.Max(16 * MB, (long)(pause.TotalMilliseconds * 48 * MB));
}
