using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Moves elements between layouts, whatever their type: only the bytes of an element count. Large copies are split among threads.</summary>
/// <remarks>Sources have the slack of <see cref="MemoryPool"/>: up to 63 bytes past the last element may be read. Writes are exact.</remarks>
internal static unsafe class Copy
{
    private const long SplitBytes = 192 * 1024; // written, as much read

    /// <summary>
    /// Strided to contiguous: materializes a view, a transpose or a broadcast (stride 0). Strides count elements, one an axis, outermost first;
    /// <see langword="null"/> is contiguous.
    /// </summary>
    public static void Strided(nint source, long* sourceStrides, nint destination, ReadOnlySpan<int> shape, int elementSize) =>
        Run(source, sourceStrides, destination, null, shape, elementSize);

    /// <summary>Contiguous to strided: writes a slice in place. No two elements of the destination may coincide.</summary>
    public static void IntoStrided(nint source, nint destination, long* destinationStrides, ReadOnlySpan<int> shape, int elementSize) =>
        Run(source, null, destination, destinationStrides, shape, elementSize);

    /// <summary>Between any two layouts that do not overlap.</summary>
    [SkipLocalsInit]
    public static void Run(nint source, long* sourceStrides, nint destination, long* destinationStrides, ReadOnlySpan<int> shape, int elementSize)
    {
        long* axes = stackalloc long[3 * (shape.Length + 2)];
        var plan = new CopyPlan(source, sourceStrides, destination, destinationStrides, shape, elementSize, axes);
        Run(&plan, 1, elementSize);
    }

    /// <summary>Copies that do not overlap, as one job of all their units: each alone may be too small for a second thread.</summary>
    public static void Run(CopyPlan* plans, int count, int elementSize)
    {
        var job = new Job { Plans = plans };
        long elements = 0;
        for (int i = 0; i < count; i++)
        {
            job.Units += plans[i].Units;
            elements += plans[i].Size;
        }

        job.Pieces = Pieces(elements * elementSize, job.Units);
        WorkerPool.Run(job.Pieces, &RunPiece, &job);
    }

    /// <summary>Into how many jobs units are divided that write so many bytes together.</summary>
    public static int Pieces(long bytes, long units) =>
        bytes < SplitBytes || WorkerPool.Threads == 1 ? 1 : (int)Math.Min(units, 4L * WorkerPool.Threads);

    /// <summary>Sets <paramref name="count"/> contiguous elements to <paramref name="value"/>, converted as <see cref="Cast"/> converts a Float64.</summary>
    public static void Fill(nint destination, long count, DType dtype, double value)
    {
        ulong element = 0;
        Cast.Run(DType.Float64, dtype, (nint)(&value), (nint)(&element), 1);
        long* broadcast = stackalloc long[2] { 0, 0 };
        while (count > 0)
        {
            // Two axes, because a size is an int.
            int rows = (int)Math.Min(Math.Max(1, count >> 16), int.MaxValue);
            int columns = (int)Math.Min(count, 1 << 16);
            Strided((nint)(&element), broadcast, destination, [rows, columns], dtype.Size);
            long done = (long)rows * columns;
            destination += (nint)(done * dtype.Size);
            count -= done;
        }
    }

    /// <summary>Sets all elements of a strided window of <paramref name="shape"/> to <paramref name="value"/>, converted likewise.</summary>
    public static void Fill(nint destination, long* strides, ReadOnlySpan<int> shape, DType dtype, double value)
    {
        ulong element = 0;
        Cast.Run(DType.Float64, dtype, (nint)(&value), (nint)(&element), 1);
        long* broadcast = stackalloc long[Math.Max(1, shape.Length)];
        new Span<long>(broadcast, shape.Length).Clear();
        Run((nint)(&element), broadcast, destination, strides, shape, dtype.Size);
    }

    private static void RunPiece(void* context, int piece)
    {
        Job* job = (Job*)context;
        long begin = job->Units * piece / job->Pieces, end = job->Units * (piece + 1) / job->Pieces;
        for (CopyPlan* plan = job->Plans; end > 0; plan++)
        {
            if (begin < plan->Units) plan->Run(Math.Max(begin, 0), Math.Min(end, plan->Units));
            begin -= plan->Units;
            end -= plan->Units;
        }
    }

    private struct Job
    {
        public CopyPlan* Plans;
        public long Units;
        public int Pieces;
    }
}
