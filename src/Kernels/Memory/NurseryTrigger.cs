using System.Diagnostics;
using System.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Asks for collections on behalf of small arrays, which are ordinary objects of the garbage collector. That one waits for as much garbage as the last-level
/// cache holds, hundreds of megabytes on servers: results are then written to memory that no near cache holds any more. Here some megabytes are
/// enough, as few as the time of collections allows. Where these take long, since the program has many objects of its own, the budget grows until
/// the collector is left alone.
/// </summary>
/// <remarks>Collections are of generation 1, for the reason that <see cref="CollectionTrigger"/> gives.</remarks>
internal static class NurseryTrigger
{
    private const int MB = 1 << 20;

    // What a thread hands out before it adds it to what all did, and the objects around the memory of an array.
    private const int Share = 64 * 1024, Handles = 256;

    // The budget goes to where collections take between a sixteenth and an eighth of the time: each takes 50 to 150 µs. With 4 MB instead of the collector's own budget
    // (L3 of 300 MB) an addition of 64 floats whose result is dropped takes 0.75 of the time, one of 1,024 floats 0.7; 1 MB is as good as 4.
    private const long Least = 2 * MB, First = 4 * MB, Most = 1024 * MB;
    private const int Often = 8;

    private static readonly Lock s_lock = new();
    private static long s_handedOut;    // since the last collection
    private static long s_budget = First;
    private static long s_ended;        // when the last collection ended, or was noticed
    private static int s_collections;   // of the process until then

    [ThreadStatic]
    private static int t_handedOut;

    /// <summary>Bytes of small arrays between collections.</summary>
    public static long Budget => Volatile.Read(ref s_budget);

    /// <summary>Called for every small array, with the size of its memory.</summary>
    public static void Count(int bytes)
    {
        int sum = t_handedOut + bytes + Handles;
        t_handedOut = sum;
        if (sum >= Share) Report();
    }

    private static void Report()
    {
        long sum = Interlocked.Add(ref s_handedOut, t_handedOut);
        t_handedOut = 0;
        if (sum < Volatile.Read(ref s_budget) || !s_lock.TryEnter()) return; // another thread is at it
        try
        {
            CollectIfNoneWas();
        }
        finally
        {
            s_lock.Exit();
        }
    }

    // A collection for another reason has done the same.
    private static void CollectIfNoneWas()
    {
        long start = Stopwatch.GetTimestamp(), end = start;
        if (GC.CollectionCount(0) == s_collections && GCSettings.LatencyMode != GCLatencyMode.NoGCRegion)
        {
            GC.Collect(1, GCCollectionMode.Forced, blocking: true, compacting: false);
            end = Stopwatch.GetTimestamp();
            Volatile.Write(ref s_budget, Adapted(s_budget, since: start - s_ended, pause: end - start));
        }

        s_ended = end;
        s_collections = GC.CollectionCount(0);
        Volatile.Write(ref s_handedOut, 0);
    }

    /// <summary>The budget after a collection of this length, and so long after the one before.</summary>
    internal static long Adapted(long budget, long since, long pause) =>
        since < Often * pause ? Math.Min(budget + (budget / 4), Most) : since > 2 * Often * pause ? Math.Max(budget - (budget / 8), Least) : budget;
}
