using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Floating-point reductions along the last axis: (rows, n) → (rows).</summary>
internal static unsafe class ReduceRows<TOp, L, T>
    where TOp : IReduceOp
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Below this many elements a second thread costs more than it brings; a chunk of work is about a block.
    private const long ParallelElements = 128 * 1024;

    public static void Run(T* input, T* output, long rows, long n)
    {
        var blocks = ReduceTree.BlockCount(n);
        if (blocks == 1)
        {
            var perChunk = Math.Max(1, ReduceTree.Block / Math.Max(1, n));
            Each(new Job { Input = input, Output = output, N = n, Blocks = 1, Items = rows, PerChunk = perChunk });
            return;
        }

        using var scratch = new NativeScratch(rows * blocks * sizeof(T));
        var partials = (T*)scratch.Pointer;
        Each(new Job { Input = input, Output = partials, N = n, Blocks = blocks, Items = rows * blocks, PerChunk = 1 });
        for (long r = 0; r < rows; r++) output[r] = ReduceTree.ReducePartials<TOp, L, T>(partials + r * blocks, blocks);
    }

    private static void Each(Job job)
    {
        var chunks = (job.Items + job.PerChunk - 1) / job.PerChunk;
        if (WorkerPool.Threads > 1 && chunks > 1 && job.Items * Math.Min(job.N, ReduceTree.Block) >= ParallelElements)
        {
            var limit = 8L * WorkerPool.Threads;
            if (chunks > limit)
            {
                job.PerChunk = (job.Items + limit - 1) / limit;
                chunks = (job.Items + job.PerChunk - 1) / job.PerChunk;
            }

            WorkerPool.Run((int)chunks, &Chunk, &job);
        }
        else
        {
            Range(&job, 0, job.Items);
        }
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (Job*)context;
        Range(job, chunk * job->PerChunk, Math.Min(job->Items, (chunk + 1) * job->PerChunk));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Range(Job* job, long start, long end)
    {
        long n = job->N, blocks = job->Blocks;
        if (blocks == 1)
        {
            for (var i = start; i < end; i++) job->Output[i] = ReduceTree.ReduceBlock<TOp, L, T>(job->Input + i * n, n);
            return;
        }

        for (var i = start; i < end; i++)
        {
            var (row, block) = Math.DivRem(i, blocks);
            var from = block * ReduceTree.Block;
            job->Output[i] = ReduceTree.ReduceBlock<TOp, L, T>(job->Input + row * n + from, Math.Min(ReduceTree.Block, n - from));
        }
    }

    /// <summary>An item is one block of one row.</summary>
    private struct Job
    {
        public T* Input;
        public T* Output;
        public long N;
        public long Blocks;
        public long Items;
        public long PerChunk;
    }
}
