using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Recurrent layers over a whole sequence, forward and backward. Samples are independent of each other: a few of them go through all steps on one thread, with
/// the weight packed once for all and their states in the first caches. The bits do not depend on how samples are shared out.
/// </summary>
internal static unsafe class SequenceKernels
{
    // Samples that go through the steps together: a few tiles of the micro-kernels.
    private const long MaxRows = 42;

    // From this many floating-point operations on a second thread pays.
    private const double ParallelFlops = 1_000_000;

    /// <summary>All states from the gates' inputs, the weight, the bias and the first states.</summary>
    public static void Forward(DType dtype, SequenceJob job) => Run<SequenceForward>(dtype, job);

    /// <summary>
    /// The gradients of the gates' inputs, (time, batch, gates·hidden), for a GRU then those of its products h·Wᵀ + b, then of the first states, from the
    /// states, the weight, and the gradients of all hidden states and the last cell state.
    /// </summary>
    public static void Backward(DType dtype, SequenceJob job) => Run<SequenceBackward>(dtype, job);

    private static void Run<TPass>(DType dtype, SequenceJob job)
        where TPass : ISequencePass
    {
        if (dtype == DType.Float32) Run<TPass, float>(job);
        else if (dtype == DType.Float64) Run<TPass, double>(job);
        else throw new DTypeException($"A sequence is Float32 or Float64, not {dtype}.");
    }

    private static void Run<TPass, T>(SequenceJob job)
        where TPass : ISequencePass
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        SequenceLayout layout = job.Layout;
        if (layout.State == 0) return;
        nint hidden = (nint)layout.Hidden, gates = (nint)layout.Gates * hidden;
        PackedMatrix<T> weight = TPass.IsForward ? new PackedMatrix<T>(gates, hidden) : new PackedMatrix<T>(hidden, gates);
        using NativeScratch scratch = new(weight.Size * sizeof(T));
        weight.Pack((T*)job.Weight, TPass.IsForward, (T*)scratch.Pointer);
        job.Packed = &weight;
        job.Body = typeof(T) == typeof(float)
            ? SimdWidth.Current switch
            {
                512 => Body<TPass, Lane512<float>, float>(layout.Cell),
                256 => Body<TPass, Lane256<float>, float>(layout.Cell),
                _ => Body<TPass, Lane128<float>, float>(layout.Cell),
            }
            : SimdWidth.Current switch
            {
                512 => Body<TPass, Lane512<double>, double>(layout.Cell),
                256 => Body<TPass, Lane256<double>, double>(layout.Cell),
                _ => Body<TPass, Lane128<double>, double>(layout.Cell),
            };
        int threads = 2.0 * layout.Time * layout.State * gates < ParallelFlops ? 1 : WorkerPool.Threads;
        long chunks = Math.Min(layout.Batch, Math.Max((layout.Batch + MaxRows - 1) / MaxRows, threads));
        chunks = Math.Min(layout.Batch, (chunks + threads - 1) / threads * threads);
        job.RowsPerChunk = (layout.Batch + chunks - 1) / chunks;
        int count = (int)((layout.Batch + job.RowsPerChunk - 1) / job.RowsPerChunk);
        if (threads > 1) WorkerPool.Run(count, &Chunk, &job);
        else for (int i = 0; i < count; i++) Chunk(&job, i);
    }

    private static void Chunk(void* context, int chunk)
    {
        SequenceJob* job = (SequenceJob*)context;
        long start = chunk * job->RowsPerChunk;
        job->Body(job, start, Math.Min(job->Layout.Batch, start + job->RowsPerChunk));
    }

    private static delegate*<SequenceJob*, long, long, void> Body<TPass, L, T>(RecurrentCell cell)
        where TPass : ISequencePass
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => cell switch
        {
            RecurrentCell.Lstm => &TPass.Rows<LstmCell<L, T>, L, T>,
            RecurrentCell.Gru => &TPass.Rows<GruCell<L, T>, L, T>,
            RecurrentCell.Relu => &TPass.Rows<PlainCell<ReluSlope, L, T>, L, T>,
            _ => &TPass.Rows<PlainCell<TanhSlope, L, T>, L, T>,
        };

    /// <summary>Elements between two rows of a left operand: whole registers, and never a multiple of 1 KB, at which rows fall into few cache sets.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint Distance<T>(nint elements)
        where T : unmanaged
    {
        nint bytes = ((elements * sizeof(T)) + 63) & ~63;
        return (bytes % 1024 == 0 ? bytes + 64 : bytes) / sizeof(T);
    }

    public static void Copy<T>(T* source, T* destination, nint count)
        where T : unmanaged => Buffer.MemoryCopy(source, destination, count * sizeof(T), count * sizeof(T));
}

/// <summary>One direction through the steps, for some samples.</summary>
internal unsafe interface ISequencePass
{
    static abstract bool IsForward { get; }

    /// <summary>The samples [start, end).</summary>
    static abstract void Rows<TCell, L, T>(SequenceJob* job, long start, long end)
        where TCell : ISequenceCell<L, T>
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>What happens to one sample in one step. Pointers are to rows of the sample; registers past the end are read, and nothing is written there.</summary>
internal unsafe interface ISequenceCell<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    static abstract void Forward(in ForwardRow<T> row);

    static abstract void Backward(in BackwardRow<T> row);
}

/// <summary>A step of a sample.</summary>
internal unsafe struct ForwardRow<T>
    where T : unmanaged
{
    public nint Hidden;

    /// <summary>The inputs' share of the gates.</summary>
    public T* Gates;

    /// <summary>The states' share; overwritten.</summary>
    public T* Product;

    /// <summary>Values for the gradient; the same as <see cref="Product"/> when they are not kept.</summary>
    public T* Kept;

    /// <summary>h before, then after the step.</summary>
    public T* State;

    /// <summary>h after the step, once more.</summary>
    public T* Output;

    public T* CellBefore;
    public T* CellAfter;
}

/// <summary>The gradient of a step of a sample.</summary>
internal unsafe struct BackwardRow<T>
    where T : unmanaged
{
    public nint Hidden;
    public T* Kept;
    public T* StateBefore;
    public T* StateAfter;
    public T* CellBefore;
    public T* CellAfter;

    /// <summary>The gradient of h after the step, from outside.</summary>
    public T* Upstream;

    /// <summary>The same from the later steps; what of it goes past the product is left here.</summary>
    public T* Carry;

    /// <summary>The gradient of c after, then before the step.</summary>
    public T* CarryCell;

    /// <summary>Of the gates' inputs.</summary>
    public T* Gates;

    /// <summary>Of the products h·Wᵀ + b, if they are others.</summary>
    public T* Products;

    /// <summary>Of the products once more: the left operand of the next product.</summary>
    public T* Left;
}
