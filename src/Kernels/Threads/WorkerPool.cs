using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>
/// Fork and join over a few threads that spin briefly between jobs and then park. A job is a number of chunks; the caller and the workers
/// claim them one by one, so a worker that wakes late finds nothing left and costs nothing, and nobody waits for it.
/// </summary>
/// <remarks>
/// One job at a time: a <see cref="Run"/> that finds the pool busy (nested in a body, or on a second user thread) runs its chunks serially.
/// </remarks>
internal static unsafe class WorkerPool
{
    private const int MaxThreads = 1024;

    private static Job s_job;
    private static ExceptionDispatchInfo? s_error;
    private static volatile int s_threads = DefaultThreads();

    /// <summary>Threads that work on a job, the caller counted. Holds from the next <see cref="Run"/> on.</summary>
    public static int Threads
    {
        get => s_threads;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            s_threads = Math.Min(value, MaxThreads);
            Workers.Retire();
        }
    }

    /// <summary>
    /// Calls <paramref name="body"/>(context, i) exactly once for every i in [0, chunks), on the caller and up to <see cref="Threads"/> − 1 workers,
    /// in no fixed order, and returns when all calls have ended. The first exception of a body is rethrown then. Allocates nothing.
    /// </summary>
    public static void Run(int chunks, delegate*<void*, int, void> body, void* context)
    {
        int helpers = Math.Min(s_threads, chunks) - 1;
        if (helpers <= 0 || Interlocked.CompareExchange(ref s_job.Busy, 1, 0) != 0)
        {
            RunSerially(chunks, body, context);
            return;
        }
        try
        {
            Workers.Ensure(s_threads - 1);
        }
        catch
        {
            Volatile.Write(ref s_job.Busy, 0); // interrupted while it waited for a lock, for one
            throw;
        }

        s_job.Body = body;
        s_job.Context = context;
        s_job.Pending = chunks;
        Interlocked.Exchange(ref s_job.Unclaimed, (long)chunks << 32); // publishes the fields above; a full fence before the parked workers are counted
        try
        {
            Workers.Wake(helpers);
        }
        catch (Exception e)
        {
            // Workers may be at the job already: it has to end before its context goes.
            Interlocked.CompareExchange(ref s_error, ExceptionDispatchInfo.Capture(e), null);
        }

        Work(isCaller: true);
        for (int i = 0; Volatile.Read(ref s_job.Pending) != 0; i++)
        {
            // Somebody still runs a claimed chunk, perhaps on this very core: spin for a moment, then leave the core to others.
            if (i < 2000 && (i & 63) != 63) Thread.SpinWait(1);
            else Thread.Yield();
        }
        ExceptionDispatchInfo? error = s_error;
        s_error = null;
        Volatile.Write(ref s_job.Busy, 0);
        error?.Throw();
    }

    /// <summary>There are chunks that nobody has claimed.</summary>
    internal static bool HasWork => Volatile.Read(ref s_job.Unclaimed) >> 32 > 0;

    /// <summary>
    /// Claims and runs chunks until none is left: the caller from the first one on, workers from the last one down. So in one job after the other a core
    /// has much the same part of the arrays, which is in its own caches.
    /// </summary>
    internal static void Work(bool isCaller)
    {
        // A claim that succeeds holds the job open until Pending is lowered, so the fields read after it belong to the same job even if
        // the thread slept since it last looked; a claim that fails touches nothing. Each of the two counters is a cache line that moves between
        // cores: one access a chunk to the one, one a thread to the other, and none to find out that there is nothing left where the last claim said so.
        if (!HasWork) return;
        long claim = isCaller ? 1 - (1L << 32) : -(1L << 32), unclaimed;
        int ended = 0;
        do
        {
            unclaimed = Interlocked.Add(ref s_job.Unclaimed, claim);
            if (unclaimed < 0) break;
            int left = (int)(unclaimed >> 32), callers = (int)unclaimed;
            try
            {
                s_job.Body(s_job.Context, isCaller ? callers - 1 : left + callers);
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref s_error, ExceptionDispatchInfo.Capture(e), null);
            }
            ended++;
        }
        while (unclaimed >> 32 > 0);
        if (ended > 0) Interlocked.Add(ref s_job.Pending, -ended);
    }

    private static void RunSerially(int chunks, delegate*<void*, int, void> body, void* context)
    {
        if (chunks == 1)
        {
            body(context, 0);
            return;
        }
        ExceptionDispatchInfo? error = null;
        for (int i = 0; i < chunks; i++)
        {
            try
            {
                body(context, i);
            }
            catch (Exception e)
            {
                error ??= ExceptionDispatchInfo.Capture(e);
            }
        }
        error?.Throw();
    }

    private static int DefaultThreads() =>
        int.TryParse(Environment.GetEnvironmentVariable("FUSION_NUM_THREADS"), out int threads) && threads > 0
            ? Math.Min(threads, MaxThreads)
            : Math.Min(Environment.ProcessorCount, MaxThreads);

    /// <summary>
    /// The current job. What all threads write has cache lines of its own (two each: lines are prefetched in pairs); what a worker reads behind its
    /// claim lies in the line that the claim has fetched.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 512)]
    private struct Job
    {
        [FieldOffset(0)] public int Busy;

        /// <summary>Upper half: chunks not yet claimed; zero or less when there is no job. Lower half: those that the caller has claimed.</summary>
        [FieldOffset(128)] public long Unclaimed;

        [FieldOffset(136)] public delegate*<void*, int, void> Body;
        [FieldOffset(144)] public void* Context;

        /// <summary>Chunks not yet ended.</summary>
        [FieldOffset(256)] public int Pending;
    }
}
