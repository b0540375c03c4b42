namespace Fusion.Kernels;

/// <summary>Bytes of native memory that live arrays hold, and the most they ever held.</summary>
internal static class MemoryCounters
{
    private static long s_rented;
    private static long s_returned;
    private static long s_peak;

    /// <summary>All bytes ever handed out.</summary>
    public static long Rented => Volatile.Read(ref s_rented);

    public static long Live => LiveOf(Rented);

    public static long Peak => Math.Max(Volatile.Read(ref s_peak), Live);

    /// <summary>Of the first <paramref name="rented"/> bytes handed out, those not given back (a little less if later ones were given back).</summary>
    public static long LiveOf(long rented) => Math.Max(0, rented - Volatile.Read(ref s_returned));

    public static void ResetPeak() => Volatile.Write(ref s_peak, Live);

    public static void Add(long bytes)
    {
        long live = LiveOf(Interlocked.Add(ref s_rented, bytes));
        long peak = Volatile.Read(ref s_peak);
        while (live > peak)
        {
            long seen = Interlocked.CompareExchange(ref s_peak, live, peak);
            if (seen == peak) return;
            peak = seen;
        }
    }

    public static void Remove(long bytes) => Interlocked.Add(ref s_returned, bytes);
}
