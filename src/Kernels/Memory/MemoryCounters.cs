namespace Fusion.Kernels;

/// <summary>Bytes that live arrays hold, and the most they ever held.</summary>
internal static class MemoryCounters
{
    private static long s_live;
    private static long s_peak;

    public static long Live => Volatile.Read(ref s_live);

    public static long Peak => Math.Max(Volatile.Read(ref s_peak), Live);

    public static void ResetPeak() => Volatile.Write(ref s_peak, Live);

    public static void Add(long bytes)
    {
        long live = Interlocked.Add(ref s_live, bytes);
        long peak = Volatile.Read(ref s_peak);
        while (live > peak)
        {
            long seen = Interlocked.CompareExchange(ref s_peak, live, peak);
            if (seen == peak) return;
            peak = seen;
        }
    }

    public static void Remove(long bytes) => Interlocked.Add(ref s_live, -bytes);
}
