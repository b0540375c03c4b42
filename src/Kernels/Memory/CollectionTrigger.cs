using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ConstrainedExecution;

namespace Fusion.Kernels;

/// <summary>
/// Decides when dead arrays are looked for. The garbage collector sees an owner of some 40 bytes where a megabyte is held, so the pool asks for
/// collections itself: before it takes fresh memory from the system, if arrays hold more than they did after the last collection plus a budget.
/// What it finds in its cache costs no collection; a program in its steady state, or one that releases early, causes few or none.
/// </summary>
/// <remarks>
/// Blocks that outlive a collection are promoted, and a collection of generation 0 does not see them die. So the next collection is one of a
/// higher generation when what is left after this one has grown past what was left after the last of that generation.
/// </remarks>
internal static class CollectionTrigger
{
    private const long MB = 1 << 20;
    private static readonly long s_patience = Stopwatch.Frequency; // 1 s: on a busy machine the finalizer thread waits for a core

    private static readonly Lock s_lock = new();
    private static readonly long[] s_baseline = new long[3]; // live bytes after the last collection of each generation
    private static long s_threshold = Budget(0, 0);          // live bytes at which the next collection is due
    private static int s_generation;                         // and its generation
    private static int s_settled;                            // the collection whose finalizers have all run
    private static int s_started;
    private static long s_patienceEnds;
    private static long s_rentedBefore; // bytes ever handed out, when it began
    private static int s_finalizerThread;

    /// <summary>
    /// Called before fresh memory is taken from the system. Runs a collection if one is due, and while a collection's dead blocks are still on their
    /// way back, waits until <paramref name="isEnough"/> says that the caller has what it needs or all have come.
    /// </summary>
    public static void CollectIfDue<T>(T state, Func<T, bool> isEnough)
    {
        bool settled = Volatile.Read(ref s_settled) == Volatile.Read(ref s_started);
        if ((settled && MemoryCounters.Live < Volatile.Read(ref s_threshold)) || OnFinalizerThread) return;
        lock (s_lock)
        {
            Await(state, isEnough);
            if (isEnough(state) || MemoryCounters.Live < Volatile.Read(ref s_threshold)) return;
            Collect(s_generation);
            Await(state, isEnough);
        }
    }

    /// <summary>Runs a collection, and waits until <paramref name="isEnough"/> says that the caller has what it needs or all dead blocks have come back.</summary>
    public static void Collect<T>(int generation, T state, Func<T, bool> isEnough)
    {
        if (OnFinalizerThread) return;
        lock (s_lock)
        {
            Await(state, isEnough);
            if (isEnough(state)) return;
            Collect(generation);
            Await(state, isEnough);
        }
    }

    /// <summary>The last resort before an out-of-memory exception.</summary>
    public static void CollectEverything()
    {
        if (OnFinalizerThread) return;
        lock (s_lock)
        {
            Collect(2);
            Await(0, static _ => false);
        }
    }

    // Finalizers cannot wait for finalizers.
    private static bool OnFinalizerThread => Environment.CurrentManagedThreadId == Volatile.Read(ref s_finalizerThread);

    private static void Collect(int generation)
    {
        int number = s_started + 1;
        DropSentinel(number, generation);
        s_patienceEnds = Stopwatch.GetTimestamp() + s_patience;
        s_rentedBefore = MemoryCounters.Rented;
        Volatile.Write(ref s_started, number);
        GC.Collect(generation, GCCollectionMode.Forced, blocking: true, compacting: false);
    }

    // The dead blocks come back on the finalizer thread. The wait is bounded, unlike GC.WaitForPendingFinalizers: a finalizer of the program
    // may be waiting for a lock that this thread holds.
    private static void Await<T>(T state, Func<T, bool> isEnough)
    {
        for (int i = 0; Volatile.Read(ref s_settled) != s_started && !isEnough(state); i++)
        {
            if (i < 200) Thread.SpinWait(4);
            else if (i < 250) Thread.Yield();
            else Thread.Sleep(1); // a busy machine: the finalizer thread needs a core
            if (Stopwatch.GetTimestamp() <= s_patienceEnds) continue;
            Settle(s_started, 0);
            return;
        }
    }

    /// <summary>All blocks that a collection found dead have come back: what is held now is what was alive.</summary>
    private static void Settle(int number, int generation)
    {
        if (number != Volatile.Read(ref s_started)) return; // late: the collection was given up
        long live = MemoryCounters.LiveOf(s_rentedBefore); // what was handed out since is not known to be alive
        for (int g = 0; g < 3; g++) s_baseline[g] = g <= generation ? live : Math.Min(s_baseline[g], live);
        Volatile.Write(ref s_generation, live >= s_baseline[2] + Budget(2, live) ? 2 : live >= s_baseline[1] + Budget(1, live) ? 1 : 0);
        Volatile.Write(ref s_threshold, live + Budget(0, live));
        Volatile.Write(ref s_settled, number);
    }

    /// <summary>
    /// Growth, in bytes, over <paramref name="live"/> that makes a collection of a generation due. What dies between two collections of generation 0
    /// should fit into the last-level cache, so that results are written to memory that is still there: measured, 16 MB are faster than 64 MB by a
    /// third at 400 KB a result, and no slower elsewhere, although collections are four times as many.
    /// </summary>
    private static long Budget(int generation, long live) => generation switch
    {
        0 => Math.Max(16 * MB, live / 8),
        1 => Math.Max(32 * MB, live / 8),
        _ => Math.Max(64 * MB, live / 3),
    };

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropSentinel(int number, int generation) => _ = new Sentinel(number, generation);

    /// <summary>An object that dies with a collection. Critical finalizers run after all others of the same collection.</summary>
    private sealed class Sentinel(int number, int generation) : CriticalFinalizerObject
    {
        ~Sentinel()
        {
            Volatile.Write(ref s_finalizerThread, Environment.CurrentManagedThreadId);
            Settle(number, generation);
        }
    }
}
