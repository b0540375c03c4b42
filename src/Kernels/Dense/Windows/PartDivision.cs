namespace Fusion.Kernels;

/// <summary>
/// How a product of many images is cut into parts for the threads. Parts pack and stage for themselves, because cores may share no cache: what a part of the
/// rows needs of the right operand, and a part of the columns of the left one, is prepared once for every such part.
/// </summary>
internal readonly struct PartDivision
{
    private const double ParallelFlops = 400_000;

    // Parts of less work than this are not cut further.
    private const double PartFlops = 4_000_000;
    private const nint PartsPerThread = 2;

    /// <param name="flops">All the work.</param>
    /// <param name="images">Parts that share nothing; first of all the work is cut between them.</param>
    /// <param name="rows">The finest parts of the rows.</param>
    /// <param name="columns">The finest parts of the columns.</param>
    /// <param name="left">Elements of the left operand of one image.</param>
    /// <param name="right">Elements of the right operand of one image.</param>
    public PartDivision(double flops, nint images, nint rows, nint columns, nint left, nint right)
    {
        nint threads = WorkerPool.Threads;
        nint wanted = threads == 1 || flops < ParallelFlops ? 1 : Math.Max(threads, Math.Min(PartsPerThread * threads, (nint)(flops / PartFlops)));
        Images = Math.Min(images, wanted);
        (Rows, Columns) = (1, 1);
        if (images >= wanted) return;
        while (images * Rows * Columns < wanted)
        {
            bool canRows = rows >= 2 * Rows, canColumns = columns >= 2 * Columns;
            if (!canRows && !canColumns) return;
            if (canRows && (!canColumns || right * Rows <= left * Columns)) Rows *= 2;
            else Columns *= 2;
        }
    }

    public nint Images { get; }

    public nint Rows { get; }

    public nint Columns { get; }
}
