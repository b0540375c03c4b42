using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ConstrainedExecution;

namespace Fusion.Kernels;

/// <summary>Collections on behalf of a <see cref="DevicePool"/>, whose dead blocks come back on the finalizer thread.</summary>
internal static class DeviceCollection
{
    private static readonly long s_patience = Stopwatch.Frequency; // 1 s: on a busy machine the finalizer thread waits for a core

    private static readonly Lock s_lock = new();
    private static int s_started;
    private static int s_settled; // the collection whose finalizers have all run
    private static long s_patienceEnds;
    private static int s_finalizerThread;

    /// <summary>Runs a collection, and waits until <paramref name="isEnough"/> says that the caller has what it needs or all dead blocks have come back.</summary>
    public static void Run<T>(int generation, T state, Func<T, bool> isEnough)
    {
        // Finalizers cannot wait for finalizers.
        if (Environment.CurrentManagedThreadId == Volatile.Read(ref s_finalizerThread)) return;
        lock (s_lock)
        {
            Await(state, isEnough);
            if (isEnough(state)) return;
            int number = s_started + 1;
            DropSentinel(number);
            s_patienceEnds = Stopwatch.GetTimestamp() + s_patience;
            Volatile.Write(ref s_started, number);
            GC.Collect(generation, GCCollectionMode.Forced, blocking: true, compacting: false);
            Await(state, isEnough);
        }
    }

    // The wait is bounded, unlike GC.WaitForPendingFinalizers: a finalizer of the program may be waiting for a lock that this thread holds.
    private static void Await<T>(T state, Func<T, bool> isEnough)
    {
        for (int i = 0; Volatile.Read(ref s_settled) != s_started && !isEnough(state); i++)
        {
            if (i < 200) Thread.SpinWait(4);
            else if (i < 250) Thread.Yield();
            else Thread.Sleep(1); // a busy machine: the finalizer thread needs a core
            if (Stopwatch.GetTimestamp() <= s_patienceEnds) continue;
            Volatile.Write(ref s_settled, s_started);
            return;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DropSentinel(int number) => _ = new Sentinel(number);

    /// <summary>An object that dies with a collection. Critical finalizers run after all others of the same collection.</summary>
    private sealed class Sentinel(int number) : CriticalFinalizerObject
    {
        ~Sentinel()
        {
            Volatile.Write(ref s_finalizerThread, Environment.CurrentManagedThreadId);
            if (number == Volatile.Read(ref s_started)) Volatile.Write(ref s_settled, number); // else late: the collection was given up
        }
    }
}
