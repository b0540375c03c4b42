using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Floating-point reductions along an inner axis: (outer, reduced, inner) → (outer, inner) with inner &gt; 1. Every output takes its elements in order within
/// chunks of <see cref="RowChunk"/>, and the chunks' results in order; neither depends on the number of threads or the vector width.
/// </summary>
internal static unsafe class ReduceColumns<TOp, L, T>
    where TOp : IReduceOp
    where L : struct, IVectorLane<L, T>
    where T : unmanaged
{
    public const int RowChunk = 256;

    // Columns worked on together: the partial results and eight rows of them stay in L1.
    private const int Strip = 512;
    private const long ParallelElements = 128 * 1024;

    public static void Run(T* input, T* output, long outer, long reduced, long inner)
    {
        var rowChunks = (reduced + RowChunk - 1) / RowChunk;
        var strips = (inner + Strip - 1) / Strip;
        using var scratch = new NativeScratch(rowChunks == 1 ? 0 : outer * rowChunks * inner * sizeof(T));
        var job = new Job
        {
            Input = input,
            Output = rowChunks == 1 ? output : (T*)scratch.Pointer,
            Reduced = reduced,
            Inner = inner,
            RowChunks = rowChunks,
            Strips = strips,
            Items = outer * rowChunks * strips,
        };
        var elements = outer * reduced * inner;
        if (WorkerPool.Threads > 1 && job.Items > 1 && elements >= ParallelElements)
        {
            var chunks = Math.Min(job.Items, 8L * WorkerPool.Threads);
            job.PerChunk = (job.Items + chunks - 1) / chunks;
            WorkerPool.Run((int)((job.Items + job.PerChunk - 1) / job.PerChunk), &Chunk, &job);
        }
        else
        {
            Range(&job, 0, job.Items);
        }

        if (rowChunks > 1) Join(job.Output, output, outer, rowChunks, inner);
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (Job*)context;
        Range(job, chunk * job->PerChunk, Math.Min(job->Items, (chunk + 1) * job->PerChunk));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Range(Job* job, long start, long end)
    {
        T* lanes = stackalloc T[Strip + 64];
        long inner = job->Inner;
        for (var item = start; item < end; item++)
        {
            var (part, strip) = Math.DivRem(item, job->Strips);
            var (o, rowChunk) = Math.DivRem(part, job->RowChunks);
            var row = rowChunk * RowChunk;
            var rows = Math.Min(RowChunk, job->Reduced - row);
            var column = strip * Strip;
            var width = Math.Min(Strip, inner - column);
            T* x = job->Input + (o * job->Reduced + row) * inner + column;
            T* y = job->Output + part * inner + column;
            if (width <= 4 * L.Count) Narrow(x, y, rows, inner, width);
            else Wide(x, y, rows, inner, width, lanes);
        }
    }

    /// <summary>Up to four registers of columns, held while the rows go by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow(T* x, T* y, long rows, long stride, long width)
    {
        L a0 = L.Const(TOp.Identity), a1 = a0, a2 = a0, a3 = a0;
        if (width <= L.Count)
        {
            for (; rows > 0; rows--, x += stride) a0 = TOp.Accumulate(a0, L.Load(x));
            LaneTail.Store<L, T>(a0, y, width);
            return;
        }

        if (width <= 2 * L.Count)
        {
            // The last register overlaps the one before it instead of reading past the row.
            var last = width - L.Count;
            for (; rows > 0; rows--, x += stride)
            {
                a0 = TOp.Accumulate(a0, L.Load(x));
                a1 = TOp.Accumulate(a1, L.Load(x + last));
            }

            L.Store(a0, y);
            L.Store(a1, y + last);
            return;
        }

        var end = width - L.Count;
        var third = Math.Min(2 * L.Count, end);
        for (; rows > 0; rows--, x += stride)
        {
            a0 = TOp.Accumulate(a0, L.Load(x));
            a1 = TOp.Accumulate(a1, L.Load(x + L.Count));
            a2 = TOp.Accumulate(a2, L.Load(x + third));
            a3 = TOp.Accumulate(a3, L.Load(x + end));
        }

        L.Store(a0, y);
        L.Store(a1, y + L.Count);
        L.Store(a2, y + third);
        L.Store(a3, y + end);
    }

    /// <summary>The partial results wait in <paramref name="lanes"/>; four rows at a time pass through registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Wide(T* x, T* y, long rows, long stride, long width, T* lanes)
    {
        var identity = L.Const(TOp.Identity);
        for (long i = 0; i < width; i += L.Count) L.Store(identity, lanes + i);
        for (; rows >= 4; rows -= 4, x += 4 * stride)
        {
            T* x1 = x + stride, x2 = x1 + stride, x3 = x2 + stride;
            for (long i = 0; i < width; i += L.Count)
            {
                var lane = TOp.Accumulate(TOp.Accumulate(L.Load(lanes + i), L.Load(x + i)), L.Load(x1 + i));
                L.Store(TOp.Accumulate(TOp.Accumulate(lane, L.Load(x2 + i)), L.Load(x3 + i)), lanes + i);
            }
        }

        for (; rows > 0; rows--, x += stride)
        {
            for (long i = 0; i < width; i += L.Count) L.Store(TOp.Accumulate(L.Load(lanes + i), L.Load(x + i)), lanes + i);
        }

        Unsafe.CopyBlockUnaligned(y, lanes, (uint)(width * sizeof(T)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Join(T* partials, T* output, long outer, long rowChunks, long inner)
    {
        for (long o = 0; o < outer; o++, output += inner, partials += rowChunks * inner)
        {
            for (long i = 0; i < inner; i += L.Count)
            {
                var sum = L.Load(partials + i);
                for (long c = 1; c < rowChunks; c++) sum = TOp.Combine(sum, L.Load(partials + c * inner + i));
                LaneTail.Store<L, T>(sum, output + i, inner - i);
            }
        }
    }

    /// <summary>An item is a strip of columns of one chunk of rows.</summary>
    private struct Job
    {
        public T* Input;
        public T* Output;
        public long Reduced;
        public long Inner;
        public long RowChunks;
        public long Strips;
        public long Items;
        public long PerChunk;
    }
}
