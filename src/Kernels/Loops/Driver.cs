using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Runs flat loops over operands with any strides. What is contiguous is used where it lies; anything else is gathered, a piece of the iteration
/// space at a time, into scratch memory that stays in the first-level cache. Large loops are split among threads.
/// </summary>
/// <remarks>Every element is computed by the same loop from the same operands however the space is cut, so the result does not depend on it.</remarks>
internal static unsafe class ElementDriver
{
    // In operators on a register, of some 0.17 ns each: 5 µs. Another core answers after 0.6 µs, and each piece that it claims costs 0.2.
    private const long SplitWork = 30_000, LeastPieces = 4;

    // What loading and storing an element costs, in operators.
    private const int MemoryWeight = 5;

    // Borders between pieces: a multiple of 64 elements, so that whole registers, and cache lines of any element type, belong to one piece.
    private const long Grain = 64;

    /// <summary>Runs <paramref name="kernel"/> over all elements of <paramref name="shape"/>.</summary>
    /// <param name="kernel">The loop; its table gets the inputs first, then the outputs.</param>
    /// <param name="inputs">How many operands are read.</param>
    /// <param name="outputs">How many operands are written; they follow the inputs. What is contiguous is padded; of others only their own elements are written.</param>
    /// <param name="operands">Inputs, then outputs.</param>
    /// <param name="shape">The iteration space.</param>
    [SkipLocalsInit]
    public static void Run(in ElementKernel kernel, int inputs, int outputs, Operand* operands, ReadOnlySpan<int> shape)
    {
        long size = 1;
        foreach (int dimension in shape) size *= dimension;
        if (size == 0) return;

        int count = inputs + outputs;
        nint* table = stackalloc nint[count];
        for (int i = 0; i < count; i++) table[i] = operands[i].Data;
        if (!IsDirect(operands, count, shape))
        {
            RunGathered(kernel, inputs, operands, count, shape, size, Worth(kernel, operands[count - 1].ElementSize));
            return;
        }

        Span<int> sizes = stackalloc int[outputs];
        for (int i = 0; i < outputs; i++) sizes[i] = operands[inputs + i].ElementSize;
        RunDirect(kernel, table, inputs, sizes, size);
    }

    /// <summary>Runs <paramref name="kernel"/> over <paramref name="size"/> elements of operands that are contiguous, or read once.</summary>
    /// <param name="kernel">The loop.</param>
    /// <param name="table">Where its operands are, inputs first.</param>
    /// <param name="inputs">How many are read.</param>
    /// <param name="sizes">Bytes of an element of each result.</param>
    /// <param name="size">Elements.</param>
    public static void RunDirect(in ElementKernel kernel, nint* table, int inputs, ReadOnlySpan<int> sizes, long size)
    {
        if (StreamedResults.Fit(table, inputs, sizes, size) && kernel.Streamed is { } streamed) RunPieces(new ElementKernel(streamed), table, sizes[^1], size);
        else RunPieces(kernel, table, sizes[^1], size);
    }

    private static void RunPieces(in ElementKernel kernel, nint* table, int elementSize, long size)
    {
        long worth = Worth(kernel, elementSize);
        if (size >= worth) RunSplit(kernel, table, size, worth / LeastPieces);
        else kernel.Invoke((nint)table, 0, size);
    }

    private static long Worth(in ElementKernel kernel, int elementSize) => WorkerPool.Threads == 1 ? long.MaxValue : SplitLength(kernel.Weight, elementSize);

    /// <summary>Elements from which a loop of <paramref name="weight"/> operators is worth splitting among threads.</summary>
    internal static long SplitLength(int weight, int elementSize) => SplitWork * (SimdWidth.Current / 8) / ((weight + MemoryWeight) * elementSize);

    /// <summary>A length of pieces, each worth half of what is split: pieces start at whole registers.</summary>
    internal static long LeastPiece(int weight, int elementSize) => Math.Max(1, SplitLength(weight, elementSize) / (2 * Grain)) * Grain;

    /// <summary>Every operand is contiguous or a single element: nothing has to be gathered.</summary>
    internal static bool IsDirect(Operand* operands, int count, ReadOnlySpan<int> shape)
    {
        bool direct = true;
        for (int i = 0; i < count; i++) direct &= operands[i].IsScalar || operands[i].Strides == null || IsContiguous(operands[i].Strides, shape);
        return direct;
    }

    private static bool IsContiguous(long* strides, ReadOnlySpan<int> shape)
    {
        long expected = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            if (shape[axis] == 1) continue;
            if (strides[axis] != expected) return false;
            expected *= shape[axis];
        }
        return true;
    }

    private static void RunSplit(ElementKernel kernel, nint* table, long size, long least)
    {
        long piece = PieceLength(size, least, Grain);
        var job = new FlatJob { Kernel = Unsafe.AsPointer(ref kernel), Table = (nint)table, Size = size, Piece = piece };
        WorkerPool.Run((int)((size + piece - 1) / piece), &RunPiece, &job);
    }

    private static void RunPiece(void* context, int index)
    {
        ref FlatJob job = ref *(FlatJob*)context;
        long start = index * job.Piece;
        Unsafe.AsRef<ElementKernel>(job.Kernel).Invoke(job.Table, start, Math.Min(start + job.Piece, job.Size));
    }

    [SkipLocalsInit]
    private static void RunGathered(ElementKernel kernel, int inputs, Operand* operands, int count, ReadOnlySpan<int> shape, long size, long worth)
    {
        OperandMap* maps = stackalloc OperandMap[count];
        long* dimensions = stackalloc long[shape.Length];
        long* strides = stackalloc long[count * shape.Length];
        Operand* own = stackalloc Operand[count]; // the caller's are left as they are
        for (int k = 0; k < count; k++) own[k] = operands[k];
        using var copies = DriverCopies.OfTransposed(own, inputs, shape, size);
        var plan = new DriverPlan { Kernel = Unsafe.AsPointer(ref kernel), Maps = maps, Operands = count, Inputs = inputs, Dimensions = dimensions, Size = size };
        plan.Build(own, shape, strides);
        if (DriverRows.TryMake(&plan, ref kernel, inputs, own, out DriverRows rows))
        {
            RunRows(rows, size, worth);
            return;
        }
        if (size < worth)
        {
            plan.Run(0, size);
            return;
        }
        plan.Piece = PieceLength(size, 2 * plan.Chunk, plan.Chunk);
        WorkerPool.Run((int)((size + plan.Piece - 1) / plan.Piece), &RunGatheredPiece, &plan);
    }

    private static void RunRows(DriverRows rows, long size, long worth)
    {
        if (size < worth)
        {
            rows.Run(0, rows.Units);
            return;
        }
        rows.Piece = PieceLength(rows.Units, Math.Max(1, worth / LeastPieces / rows.Tile), 1);
        WorkerPool.Run((int)((rows.Units + rows.Piece - 1) / rows.Piece), &RunRowsPiece, &rows);
    }

    private static void RunRowsPiece(void* context, int index)
    {
        DriverRows* rows = (DriverRows*)context;
        long start = index * rows->Piece;
        rows->Run(start, Math.Min(start + rows->Piece, rows->Units));
    }

    private static void RunGatheredPiece(void* context, int index)
    {
        DriverPlan* plan = (DriverPlan*)context;
        long start = index * plan->Piece;
        plan->Run(start, Math.Min(start + plan->Piece, plan->Size));
    }

    // Four pieces a thread, so that a thread that comes late or loses its core leaves little behind; no piece below the least worth claiming.
    private static long PieceLength(long size, long least, long grain)
    {
        long pieces = Math.Min(4L * WorkerPool.Threads, Math.Max(1, size / least));
        long length = (size + pieces - 1) / pieces;
        return (length + grain - 1) / grain * grain;
    }

    private struct FlatJob
    {
        public void* Kernel; // an ElementKernel on the caller's stack, which outlives the job
        public nint Table;
        public long Size;
        public long Piece;
    }
}
