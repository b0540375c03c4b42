using System.Diagnostics;
using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(nameof(ProcessState))]
public sealed unsafe class WorkerPoolTests : IDisposable
{
    private readonly int _threads = WorkerPool.Threads;

    public void Dispose() => WorkerPool.Threads = _threads;

    [Theory]
    [InlineData(1, 7)]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(2, 1000)]
    [InlineData(5, 3)]
    [InlineData(5, 64)]
    public void EveryChunkRunsExactlyOnce(int threads, int chunks)
    {
        WorkerPool.Threads = threads;
        for (int repeat = 0; repeat < 200; repeat++)
        {
            int[] counts = new int[chunks + 1];
            fixed (int* p = counts) WorkerPool.Run(chunks, &Count, p);
            Assert.Equal(Enumerable.Repeat(1, chunks), counts.Take(chunks));
            Assert.Equal(0, counts[chunks]);
        }
    }

    [Fact]
    public void WorkersTakePart()
    {
        WorkerPool.Threads = 2;
        int* state = stackalloc int[3] { 0, 0, Environment.CurrentManagedThreadId };
        WorkerPool.Run(2, &Meet, state);
        Assert.Equal(2, state[0]);
        Assert.Equal(1, state[1]);
    }

    [Fact]
    public void NestedRunIsSerialAndComplete()
    {
        WorkerPool.Threads = 3;
        int[] counts = new int[100];
        fixed (int* p = counts) WorkerPool.Run(10, &Nest, p);
        Assert.All(counts, c => Assert.Equal(1, c));
    }

    [Fact]
    public void ConcurrentCallersEachGetTheirOwnChunks()
    {
        WorkerPool.Threads = 3;
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, caller =>
        {
            for (int repeat = 0; repeat < 300; repeat++)
            {
                int[] counts = new int[17 + caller];
                fixed (int* p = counts) WorkerPool.Run(counts.Length, &Count, p);
                Assert.All(counts, c => Assert.Equal(1, c));
            }
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void TheFirstExceptionIsRethrownAfterAllChunks(int threads)
    {
        WorkerPool.Threads = threads;
        int[] counts = new int[50];
        fixed (int* p = counts)
        {
            int* pinned = p;
            var e = Assert.Throws<InvalidOperationException>(() => WorkerPool.Run(50, &CountAndThrow, pinned));
            Assert.Equal("chunk 13", e.Message);
            Assert.All(counts, c => Assert.Equal(1, c));
            WorkerPool.Run(50, &Count, pinned); // the error is gone
            Assert.All(counts, c => Assert.Equal(2, c));
        }
    }

    [Fact]
    public void WorkersEndWhenTheCountShrinksAndReturnWhenItGrows()
    {
        int[] counts = new int[32];
        fixed (int* p = counts)
        {
            WorkerPool.Threads = 6;
            WorkerPool.Run(32, &Count, p);
            Assert.Equal(5, Workers.Alive);
            WorkerPool.Threads = 2;
            var watch = Stopwatch.StartNew();
            while (Workers.Alive > 1 && watch.ElapsedMilliseconds < 5000) Thread.Sleep(1);
            Assert.Equal(1, Workers.Alive);
            WorkerPool.Threads = 4;
            WorkerPool.Run(32, &Count, p);
            Assert.Equal(3, Workers.Alive);
        }
        Assert.All(counts, c => Assert.Equal(2, c));
    }

    /// <summary>A limit of the system on threads: the work is done by those that there are, and when there is room again by more.</summary>
    [Fact]
    public void AThreadThatCannotBeStartedIsDoneWithout()
    {
        Action<Thread> start = Workers.StartThread;
        int[] counts = new int[32];
        int* state = stackalloc int[3] { 0, 0, Environment.CurrentManagedThreadId };
        WorkerPool.Threads = 1;
        while (Workers.Alive > 0) Thread.Sleep(1);
        try
        {
            int starts = 0;
            Workers.StartThread = _ => throw (starts++ % 2 == 0 ? new InsufficientMemoryException() : new InvalidOperationException("another"));
            WorkerPool.Threads = 2;
            fixed (int* p = counts)
            {
                WorkerPool.Run(32, &Count, p);
                WorkerPool.Run(32, &Count, p);
            }

            Assert.All(counts, c => Assert.Equal(2, c));
            Assert.Equal((0, 1), (Workers.Alive, starts)); // not asked for again at once
            Thread.Sleep(1100);
            int* pinned = state;
            Assert.Throws<InvalidOperationException>(() => WorkerPool.Run(2, &Meet, pinned));
            Assert.Equal((0, 0), (state[0], Workers.Alive));
        }
        finally
        {
            Workers.StartThread = start;
        }

        WorkerPool.Run(2, &Meet, state);
        Assert.Equal((2, 1), (state[0], state[1]));
    }

    [Fact]
    public void ARunAllocatesNothing()
    {
        WorkerPool.Threads = 2;
        int* counts = stackalloc int[16];
        WorkerPool.Run(16, &Count, counts);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) WorkerPool.Run(16, &Count, counts);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void ThreadCountsBelowOneAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => FusionRuntime.NumThreads = 0);
        FusionRuntime.NumThreads = 3;
        Assert.Equal(3, WorkerPool.Threads);
    }

    private static void Count(void* context, int chunk) => Interlocked.Increment(ref ((int*)context)[chunk]);

    private static void CountAndThrow(void* context, int chunk)
    {
        Count(context, chunk);
        if (chunk == 13) throw new InvalidOperationException("chunk 13");
    }

    private static void Nest(void* context, int chunk) => WorkerPool.Run(10, &Count, (int*)context + (10 * chunk));

    /// <summary>Ends only when both chunks have begun, which takes two threads; counts those not on the caller.</summary>
    private static void Meet(void* context, int chunk)
    {
        int* state = (int*)context;
        if (Environment.CurrentManagedThreadId != state[2]) Interlocked.Increment(ref state[1]);
        Interlocked.Increment(ref state[0]);
        var watch = Stopwatch.StartNew();
        while (Volatile.Read(ref state[0]) < 2 && watch.ElapsedMilliseconds < 5000) Thread.Yield();
    }
}
