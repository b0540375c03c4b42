using System.Numerics;

namespace Fusion.Kernels;

/// <summary>A kernel over contiguous rows, for any element type and vector width.</summary>
internal unsafe interface IRowKernel
{
    /// <summary>From this many elements on a second thread pays.</summary>
    static abstract long ParallelElements { get; }

    /// <summary>Does the rows [start, end).</summary>
    static abstract void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>;
}

/// <summary>The operands of a row kernel; each kernel says which it uses and what for.</summary>
internal unsafe struct RowJob
{
    public nint Input;
    public nint Second;
    public nint Third;
    public nint Output;
    public nint SecondOutput;

    /// <summary>One Int32 or Int64 class index per row.</summary>
    public nint Labels;

    public bool LongLabels;
    /// <summary>Added to the mean square before the root is taken.</summary>
    public double Epsilon;

    /// <summary>The mean of the row is subtracted first.</summary>
    public bool Centered;

    public long RowCount;
    public long Columns;

    /// <summary>Where every row of the job is a block of rows: how many there are in all.</summary>
    public long TotalRows;

    public long RowsPerChunk;
    public delegate*<RowJob*, long, long, void> Body;

    public readonly long Label(long row) => LongLabels ? ((long*)Labels)[row] : ((int*)Labels)[row];
}

/// <summary>Chooses the instance of a row kernel and spreads its rows over the worker pool.</summary>
internal static unsafe class RowDriver
{
    public static void Run<TKernel>(DType dtype, RowJob job)
        where TKernel : IRowKernel
    {
        if (job.RowCount == 0 || job.Columns == 0) return;
        job.Body = dtype == DType.Float32
            ? SimdWidth.Current switch
            {
                512 => &TKernel.Rows<Lane512<float>, float>,
                256 => &TKernel.Rows<Lane256<float>, float>,
                _ => &TKernel.Rows<Lane128<float>, float>,
            }
            : SimdWidth.Current switch
            {
                512 => &TKernel.Rows<Lane512<double>, double>,
                256 => &TKernel.Rows<Lane256<double>, double>,
                _ => &TKernel.Rows<Lane128<double>, double>,
            };
        var chunks = Math.Min(job.RowCount, 4L * WorkerPool.Threads);
        if (WorkerPool.Threads == 1 || chunks == 1 || job.RowCount * job.Columns < TKernel.ParallelElements)
        {
            job.Body(&job, 0, job.RowCount);
            return;
        }

        job.RowsPerChunk = (job.RowCount + chunks - 1) / chunks;
        WorkerPool.Run((int)((job.RowCount + job.RowsPerChunk - 1) / job.RowsPerChunk), &Chunk, &job);
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (RowJob*)context;
        var start = chunk * job->RowsPerChunk;
        job->Body(job, start, Math.Min(job->RowCount, start + job->RowsPerChunk));
    }
}
