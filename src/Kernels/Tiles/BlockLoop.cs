using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A reduction of one output of a loop to a number or a row.</summary>
internal struct BlockSink
{
    public BlockFold Fold;

    /// <summary>The output, counted among all operands.</summary>
    public int Operand;

    /// <summary>Where the result goes.</summary>
    public nint Result;
}

/// <summary>
/// Runs an element-wise kernel and reduces its outputs to numbers, or their rows to one: block by block of <see cref="BlockFold"/>, a piece of each at a time,
/// so that outputs that nobody else reads exist only in the first-level cache.
/// </summary>
internal static unsafe class BlockLoop
{
    private const long Piece = 1024;
    private const long GatheredPiece = 4096; // a multiple of the chunks of a DriverPlan, which costs as much as some hundred elements to set up
    private const int ElementSize = 8;

    // From this many elements on a second thread pays.
    private const long ParallelElements = 16 * 1024;
    private const long Slack = 64;
    private const long RowGrain = 16; // so many rows end where registers do

    /// <summary>Runs <paramref name="kernel"/> over all elements of <paramref name="shape"/>.</summary>
    /// <param name="kernel">The loop; its table gets the inputs first, then the outputs.</param>
    /// <param name="count">All operands.</param>
    /// <param name="operands">Inputs, then outputs (contiguous); an output without an address is only reduced.</param>
    /// <param name="shape">The iteration space, not empty.</param>
    /// <param name="columns">The length of the rows, at least 2, which are reduced to one; 1: all elements are reduced to a number.</param>
    /// <param name="sinks">The reductions.</param>
    /// <param name="sinkCount">How many.</param>
    [SkipLocalsInit]
    public static void Run(ElementKernel kernel, int count, Operand* operands, ReadOnlySpan<int> shape, long columns, BlockSink* sinks, int sinkCount)
    {
        long size = 1;
        foreach (int dimension in shape) size *= dimension;
        using var copies = DriverCopies.OfTransposed(operands, count, shape, size);
        long length = BlockFold.BlockLength(columns);
        long blocks = (size + length - 1) / length;
        long stride = blocks * columns * ElementSize;
        using var partials = new NativeScratch(stride * sinkCount);
        bool isDirect = ElementDriver.IsDirect(operands, count, shape);
        long piece = isDirect ? Piece : GatheredPiece;
        fixed (int* dimensions = shape)
        {
            var job = new Job
            {
                Kernel = Unsafe.AsPointer(ref kernel),
                Operands = operands,
                Count = count,
                Shape = dimensions,
                Rank = shape.Length,
                Size = size,
                IsDirect = isDirect,
                Columns = columns,
                Block = length,
                Piece = columns == 1 ? piece : RowGrain * columns * Math.Max(1, piece / (RowGrain * columns)),
                Sinks = sinks,
                SinkCount = sinkCount,
                Partials = partials.Pointer,
                PartialStride = stride,
            };
            if (size >= ParallelElements) WorkerPool.Run((int)blocks, &RunBlock, &job);
            else for (int b = 0; b < blocks; b++) RunBlock(&job, b);
        }

        for (int i = 0; i < sinkCount; i++) sinks[i].Fold.Join((nint)(partials.Pointer + i * stride), blocks, sinks[i].Result, columns);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunBlock(void* context, int block)
    {
        Job* job = (Job*)context;
        int count = job->Count;
        long start = block * job->Block;
        long end = Math.Min(start + job->Block, job->Size);
        nint* data = stackalloc nint[count];
        int hidden = 0;
        for (int k = 0; k < count; k++)
            if (job->Operands[k].Data == 0) hidden++;
        long piece = job->Piece;
        long stretch = piece * ElementSize + Slack;
        long laneStride = BlockFold.LaneCount(job->Columns) * ElementSize + Slack;
        using var scratch = new NativeScratch(hidden * stretch + job->SinkCount * laneStride);
        byte* lanes = scratch.Pointer + hidden * stretch;
        for (int i = 0; i < job->SinkCount; i++) job->Sinks[i].Fold.Start((nint)(lanes + i * laneStride), job->Columns);
        for (long from = start; from < end; from += piece)
        {
            long to = Math.Min(from + piece, end);
            byte* free = scratch.Pointer;
            for (int k = 0; k < count; k++)
            {
                data[k] = job->Operands[k].Data;
                if (data[k] != 0) continue;
                data[k] = (nint)(free - from * job->Operands[k].ElementSize);
                free += stretch;
            }

            if (job->IsDirect) Unsafe.AsRef<ElementKernel>(job->Kernel).Invoke((nint)data, from, to);
            else RunGathered(job, data, from, to);
            for (int i = 0; i < job->SinkCount; i++)
            {
                int k = job->Sinks[i].Operand;
                job->Sinks[i].Fold.Take((nint)(lanes + i * laneStride), data[k] + (nint)(from * job->Operands[k].ElementSize), to - from, job->Columns);
            }
        }

        for (int i = 0; i < job->SinkCount; i++)
        {
            long bytes = job->Columns * job->Operands[job->Sinks[i].Operand].ElementSize;
            job->Sinks[i].Fold.End((nint)(lanes + i * laneStride), (nint)(job->Partials + i * job->PartialStride + block * bytes), job->Columns);
        }
    }

    [SkipLocalsInit]
    private static void RunGathered(Job* job, nint* data, long from, long to)
    {
        Operand* own = stackalloc Operand[job->Count];
        OperandMap* maps = stackalloc OperandMap[job->Count];
        long* sizes = stackalloc long[job->Rank];
        long* strides = stackalloc long[job->Count * job->Rank];
        for (int k = 0; k < job->Count; k++)
        {
            own[k] = job->Operands[k];
            own[k].Data = data[k];
        }

        var plan = new DriverPlan { Kernel = job->Kernel, Maps = maps, Operands = job->Count, Inputs = job->Count, Dimensions = sizes, Size = job->Size };
        plan.Build(own, new ReadOnlySpan<int>(job->Shape, job->Rank), strides);
        plan.Run(from, to);
    }

    private struct Job
    {
        public void* Kernel; // an ElementKernel on the caller's stack
        public Operand* Operands;
        public int Count;
        public int* Shape;
        public int Rank;
        public long Size;

        /// <summary>All operands are contiguous or single elements.</summary>
        public bool IsDirect;
        public BlockSink* Sinks;
        public int SinkCount;
        public byte* Partials;
        public long PartialStride;
        public long Columns;
        public long Block;
        public long Piece;
    }
}
