namespace Fusion.Kernels;

/// <summary>Every two seconds, while blocks lie idle, gives those back to the system that were not needed meanwhile; a small rest stays.</summary>
internal static class CacheTrimmer
{
    private const int PeriodMilliseconds = 2000;
    private const long KeptBytes = 32L << 20;

    private static readonly Timer s_timer = CreateTimer();
    private static int s_running;

    /// <summary>Starts the clock if it stands still.</summary>
    public static void Start()
    {
        if (Volatile.Read(ref s_running) != 0 || BlockCache.IdleBytes <= KeptBytes || Interlocked.Exchange(ref s_running, 1) != 0) return;
        s_timer.Change(PeriodMilliseconds, PeriodMilliseconds);
    }

    private static void Tick()
    {
        if (BlockCache.IdleBytes > KeptBytes)
        {
            BlockCache.Trim(all: false);
            return;
        }
        s_timer.Change(Timeout.Infinite, Timeout.Infinite);
        Volatile.Write(ref s_running, 0);
    }

    private static Timer CreateTimer()
    {
        using (ExecutionContext.SuppressFlow()) return new Timer(_ => Tick(), null, Timeout.Infinite, Timeout.Infinite);
    }
}
