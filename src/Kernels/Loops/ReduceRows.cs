using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>What the rows of one or two arrays are reduced with.</summary>
internal unsafe interface IRowFold<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>At most <see cref="ReduceTree.Block"/> elements of each; the shift belongs to their row.</summary>
    static abstract T Block(T* x, T* second, T shift, long n);

    /// <summary>The results of the blocks of a row, which are overwritten.</summary>
    static abstract T Join(T* partials, long n);
}

/// <summary>The elements of one array.</summary>
internal readonly unsafe struct ElementFold<TOp, L, T> : IRowFold<L, T>
    where TOp : IReduceOp
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Block(T* x, T* second, T shift, long n) => ReduceTree.ReduceBlock<TOp, L, T>(x, n);

    public static T Join(T* partials, long n) => ReduceTree.ReducePartials<TOp, L, T>(partials, n);
}

/// <summary>The sum of terms: the bits of <see cref="ElementFold{TOp, L, T}"/> over the terms, which are nowhere in memory.</summary>
internal readonly unsafe struct TermFold<TTerm, L, T> : IRowFold<L, T>
    where TTerm : IRowTerm
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static T Block(T* x, T* second, T shift, long n) => RowSum<TTerm, L, T>.Sum(x, second, L.Broadcast(shift), n);

    public static T Join(T* partials, long n) => ReduceTree.ReducePartials<SumReduction, L, T>(partials, n);
}

/// <summary>Floating-point reductions along the last axis: (rows, n) → (rows).</summary>
internal static unsafe class ReduceRows<TFold, L, T>
    where TFold : IRowFold<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Below this many elements a second thread costs more than it brings; a chunk of work is about a block.
    private const long ParallelElements = 128 * 1024;

    public static void Run(T* input, T* output, long rows, long n) => Run(input, input, null, output, rows, n);

    /// <summary>Of two arrays of the same shape.</summary>
    /// <param name="input">The first one.</param>
    /// <param name="second">The second one.</param>
    /// <param name="shifts">A value for each row, or null: 0.</param>
    /// <param name="output">The results; may be the shifts.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="n">Elements of a row.</param>
    public static void Run(T* input, T* second, T* shifts, T* output, long rows, long n)
    {
        var blocks = ReduceTree.BlockCount(n);
        Job job = new() { Input = input, Second = second, Shifts = shifts, Output = output, N = n, Blocks = blocks, Items = rows * blocks, PerChunk = 1 };
        if (blocks == 1)
        {
            job.PerChunk = Math.Max(1, ReduceTree.Block / Math.Max(1, n));
            Each(job);
            return;
        }

        using var scratch = new NativeScratch(rows * blocks * sizeof(T));
        job.Output = (T*)scratch.Pointer;
        Each(job);
        for (long r = 0; r < rows; r++) output[r] = TFold.Join(job.Output + r * blocks, blocks);
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
            for (var i = start; i < end; i++)
                job->Output[i] = TFold.Block(job->Input + i * n, job->Second + i * n, job->Shifts == null ? T.Zero : job->Shifts[i], n);
            return;
        }

        for (var i = start; i < end; i++)
        {
            var (row, block) = Math.DivRem(i, blocks);
            var from = row * n + block * ReduceTree.Block;
            var length = Math.Min(ReduceTree.Block, n - block * ReduceTree.Block);
            job->Output[i] = TFold.Block(job->Input + from, job->Second + from, job->Shifts == null ? T.Zero : job->Shifts[row], length);
        }
    }

    /// <summary>An item is one block of one row.</summary>
    private struct Job
    {
        public T* Input;
        public T* Second;
        public T* Shifts;
        public T* Output;
        public long N;
        public long Blocks;
        public long Items;
        public long PerChunk;
    }
}
