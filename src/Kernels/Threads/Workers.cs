using System.Diagnostics;

namespace Fusion.Kernels;

/// <summary>
/// The threads of <see cref="WorkerPool"/>: started when first needed, spinning ~20 µs after a job, then parked, ended when there are too many.
/// </summary>
internal static class Workers
{
    private static readonly long s_spinTicks = Stopwatch.Frequency / 50_000;
    private static readonly long s_slice = Stopwatch.Frequency / 200; // that the system gives a thread
    private static readonly Lock s_lock = new();
    private static readonly SemaphoreSlim s_wake = new(0);
    private static volatile int s_alive;
    private static int s_parked;
    private static readonly List<CoreAffinity.CoreMask> s_masks = []; // of the workers that exist, as they were when they started; locked
    private static int s_callersCore = -1; // where no worker may run
    private static long s_staysUntil;      // when callers on several cores may move the workers again
    private static long s_retryAt;         // when threads may be asked for again after one could not be started; locked

    /// <summary>Starts a thread: what tests replace.</summary>
    internal static Action<Thread> StartThread { get; set; } = static thread => thread.Start();

    /// <summary>Threads that exist now.</summary>
    internal static int Alive => s_alive;

    /// <summary>At least <paramref name="count"/> workers exist, or as many as the system has threads for.</summary>
    public static void Ensure(int count)
    {
        if (s_alive < count) Start(count);
    }

    /// <summary>Wakes parked workers, at most <paramref name="count"/>, and keeps all off the core that this thread runs on.</summary>
    public static void Wake(int count)
    {
        int core = CoreAffinity.CurrentCore;
        if (core != s_callersCore && core >= 0) LeaveCore(core);
        int parked = Volatile.Read(ref s_parked);
        if (parked > 0) s_wake.Release(Math.Min(parked, count));
    }

    // Where the caller has moved, onto the core of a worker perhaps: a call of the system for each worker. One job at a time wakes them, so nobody else is here. Callers that
    // take turns on several cores spend a fiftieth of their time on it; one that lost its core meanwhile waits no longer than a time slice.
    private static void LeaveCore(int core)
    {
        long start = Stopwatch.GetTimestamp();
        if (start < s_staysUntil) return;
        lock (s_lock)
        {
            s_callersCore = core;
            foreach (CoreAffinity.CoreMask mask in s_masks) CoreAffinity.Forbid(mask, core);
        }

        long end = Stopwatch.GetTimestamp();
        s_staysUntil = end + Math.Min(50 * (end - start), s_slice);
    }

    /// <summary>Wakes as many parked workers as are now too many, so that they end.</summary>
    public static void Retire()
    {
        int excess = s_alive - (WorkerPool.Threads - 1);
        if (excess > 0) s_wake.Release(excess);
    }

    private static void Start(int count)
    {
        lock (s_lock)
        {
            if (s_retryAt != 0 && Stopwatch.GetTimestamp() < s_retryAt) return;
            s_retryAt = 0;
            while (s_alive < count)
            {
                s_alive++;
                bool started = false;
                try
                {
                    StartThread(new Thread(Loop) { IsBackground = true, Name = "Fusion worker" });
                    started = true;
                }
                catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
                {
                    // A limit of the system: the work is done by those that there are. In a second there may be room again.
                    s_retryAt = Stopwatch.GetTimestamp() + Stopwatch.Frequency;
                    return;
                }
                finally
                {
                    if (!started) s_alive--;
                }
            }
        }
    }

    private static void Loop()
    {
        CoreAffinity.CoreMask mask = CoreAffinity.Current;
        lock (s_lock)
        {
            s_masks.Add(mask);
            if (s_callersCore >= 0) CoreAffinity.Forbid(mask, s_callersCore);
        }

        while (!EndsAsExcess(mask.Thread))
        {
            if (!SpinForWork()) Park();
            WorkerPool.Work(isCaller: false);
        }
    }

    private static bool SpinForWork()
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            for (int i = 0; i < 16; i++)
            {
                if (WorkerPool.HasWork) return true;
                Thread.SpinWait(1);
            }
        }
        while (Stopwatch.GetTimestamp() - start < s_spinTicks);
        return false;
    }

    private static void Park()
    {
        // Increment is a full fence: either this sees the new job, or the caller sees this worker parked and releases it.
        Interlocked.Increment(ref s_parked);
        if (!WorkerPool.HasWork) s_wake.Wait();
        Interlocked.Decrement(ref s_parked);
    }

    private static bool EndsAsExcess(int thread)
    {
        if (s_alive < WorkerPool.Threads) return false;
        lock (s_lock)
        {
            if (s_alive < WorkerPool.Threads) return false;
            s_alive--;
            for (int i = 0; i < s_masks.Count; i++)
            {
                if (s_masks[i].Thread != thread) continue;
                s_masks.RemoveAt(i);
                break;
            }

            return true;
        }
    }
}
