namespace Fusion.Kernels;

/// <summary>
/// What a product calls for every rectangle of C whose elements are final, on the thread that computed them, while they are in its cache. The rectangles
/// cover C once; they may come in any order and from several threads at a time. Work that may change the elements but leaves the rest of C alone.
/// </summary>
/// <param name="body">Gets the context, then the first row (counted through a batch), rows, first column, columns; null: nothing is called.</param>
/// <param name="context">Whatever the body needs; it outlives the product.</param>
/// <param name="arrays">How many arrays as large as C it reads and writes beside C: what a cut through the columns costs.</param>
internal readonly unsafe struct GemmFinish(delegate*<void*, long, long, long, long, void> body, void* context, int arrays = 0)
{
    private const long ParallelElements = 16 * 1024;

    private readonly delegate*<void*, long, long, long, long, void> _body = body;
    private readonly void* _context = context;

    public int Arrays { get; } = arrays;

    public bool IsEmpty => _body == null;

    public void Invoke(long row, long rows, long column, long columns) => _body(_context, row, rows, column, columns);

    /// <summary>Whole rows, shared among threads.</summary>
    public void InvokeRows(long row, long rows, long columns)
    {
        long chunks = Math.Min(rows, WorkerPool.Threads);
        if (chunks <= 1 || rows * columns < ParallelElements)
        {
            if (rows > 0) Invoke(row, rows, 0, columns);
            return;
        }

        Rows job = new() { Finish = this, Row = row, Count = rows, Columns = columns, Chunks = chunks };
        WorkerPool.Run((int)chunks, &RunRows, &job);
    }

    private static void RunRows(void* context, int chunk)
    {
        Rows* job = (Rows*)context;
        long start = job->Count * chunk / job->Chunks, end = job->Count * (chunk + 1) / job->Chunks;
        job->Finish.Invoke(job->Row + start, end - start, 0, job->Columns);
    }

    private struct Rows
    {
        public GemmFinish Finish;
        public long Row;
        public long Count;
        public long Columns;
        public long Chunks;
    }
}
