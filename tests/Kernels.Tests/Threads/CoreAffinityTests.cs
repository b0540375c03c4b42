using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Workers keep off the core of their caller. On systems without such masks there is nothing to test.</summary>
[Collection(nameof(ProcessState))]
public sealed unsafe class CoreAffinityTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    [Fact]
    public void OneCoreIsForbiddenAndTheLastIsNot() => OnThread(static () =>
    {
        CoreAffinity.CoreMask mask = CoreAffinity.Current;
        int[] cores = Cores(mask);
        if (cores.Length < 2) return;
        CoreAffinity.Forbid(mask, cores[0]);
        if (CoreAffinity.CurrentCore < 0) return; // it is not permitted here
        Assert.Equal(cores[1..], Cores(CoreAffinity.Current));
        Assert.Contains(CoreAffinity.CurrentCore, cores[1..]);

        StayOn(mask, cores[^1]);
        CoreAffinity.Forbid(CoreAffinity.Current, cores[^1]);
        Assert.Equal(cores[^1..], Cores(CoreAffinity.Current));
    });

    [Fact]
    public void ParkedWorkersWakeOnAnotherCore()
    {
        WorkerPool.Threads = 2;
        int* state = stackalloc int[2];
        WorkerPool.Run(2, &Meet, state); // the worker is made here, before the caller has one core
        OnThread(static () =>
        {
            CoreAffinity.CoreMask mask = CoreAffinity.Current;
            int[] cores = Cores(mask);
            if (cores.Length < 2) return;
            int* state = stackalloc int[2];
            foreach (int core in cores.Take(4))
            {
                StayOn(mask, core);
                if (CoreAffinity.CurrentCore < 0) return;
                for (int repeat = 0; repeat < 5; repeat++)
                {
                    Thread.Sleep(10); // longer than workers spin, and stay where they are
                    (state[0], state[1]) = (0, 0);
                    WorkerPool.Run(2, &Meet, state);
                    Assert.Equal(1, state[1]);
                }
            }
        });
    }

    // Both threads at once, and how many of them are on a core of their own.
    private static void Meet(void* context, int chunk)
    {
        int* state = (int*)context;
        Interlocked.Increment(ref state[0]);
        while (Volatile.Read(ref state[0]) < 2) Thread.Yield();
        int core = CoreAffinity.CurrentCore + 1, other = Interlocked.CompareExchange(ref state[1], -core, 0);
        if (other != 0) Volatile.Write(ref state[1], -other != core ? 1 : 2);
        while (Volatile.Read(ref state[1]) < 0) Thread.Yield();
    }

    private static void StayOn(CoreAffinity.CoreMask mask, int core)
    {
        foreach (int other in Cores(mask))
        {
            if (other != core) mask.Allowed[other >> 6] &= ~(1UL << (other & 63));
        }

        // The last one is not forbidden, so that the call sets the mask as it is.
        int none = Enumerable.Range(0, 1024).First(i => (mask.Allowed[i >> 6] >> (i & 63) & 1) == 0);
        CoreAffinity.Forbid(mask, none);
    }

    private static int[] Cores(CoreAffinity.CoreMask mask)
    {
        List<int> cores = [];
        for (int word = 0; mask.Thread != 0 && word < 16; word++)
            for (ulong bits = mask.Allowed[word]; bits != 0; bits &= bits - 1) cores.Add((word * 64) + BitOperations.TrailingZeroCount(bits));
        return [.. cores];
    }

    private static void OnThread(Action body)
    {
        Exception? failure = null;
        Thread thread = new(() => failure = Record.Exception(body));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
