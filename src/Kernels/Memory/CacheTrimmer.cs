namespace Fusion.Kernels;

/// <summary>
/// Every two seconds, while there are many blocks, takes those back whose owners the program's own collections found dead, and gives those that were not
/// needed meanwhile back to the system; a small rest stays.
/// </summary>
internal static class CacheTrimmer
{
    private const int PeriodMilliseconds = 2000;
    private const long KeptBytes = 32L << 20;

    private static readonly Timer s_timer = CreateTimer();
    private static int s_running;

    /// <summary>Starts the clock if it stands still.</summary>
    public static void Start()
    {
        if (Volatile.Read(ref s_running) != 0 || !HasMuch || Interlocked.Exchange(ref s_running, 1) != 0) return;
        s_timer.Change(PeriodMilliseconds, PeriodMilliseconds);
    }

    private static void Tick()
    {
        BlockOwners.Reclaim();
        if (BlockCache.IdleBytes > KeptBytes) BlockCache.Trim(all: false);
        if (HasMuch) return;
        s_timer.Change(Timeout.Infinite, Timeout.Infinite);
        Volatile.Write(ref s_running, 0);
    }

    private static bool HasMuch => MemoryCounters.Live + BlockCache.IdleBytes > KeptBytes;

    private static Timer CreateTimer()
    {
        using (ExecutionContext.SuppressFlow()) return new Timer(_ => Tick(), null, Timeout.Infinite, Timeout.Infinite);
    }
}
