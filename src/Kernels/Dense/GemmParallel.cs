using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// A product on several threads: C is cut into a grid of rectangles, each computed for all of K by one thread that packs for itself. No thread waits for
/// another's packing, and no element's order of operations changes.
/// </summary>
internal static unsafe class GemmParallel
{
    // A rectangle of less work than this is not cut further.
    private const double MinFlops = 200_000;

    // What a cut through the columns costs for each element of C and of what is computed with it, in elements packed: measured.
    private const double ColumnCut = 1.5;
    private const double ColumnCutOfArray = 0.5;

    // Packing an element of a transposed B, or one that is gathered, against one that is copied.
    private const double Gathered = 2;

    public static void Run<T, TPacker>(in GemmProblem<T> p, in TPacker panelsOfB)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPacker : struct, IPanelPacker<T>
    {
        var kernels = MicroKernels.For<T>();
        var panel = (nint)kernels.VectorLength * (p.N <= kernels.VectorLength ? 1 : 2);
        var tiles = (p.M + kernels.MaxRows - 1) / kernels.MaxRows;
        var panels = (p.N + panel - 1) / panel;
        nint threads = WorkerPool.Threads, wanted = threads;
        var flops = 2.0 * p.M * p.N * p.K;

        // Two rectangles a thread even out unequal cores, once they are large enough for their packing not to show.
        if (flops / threads > 4e6) wanted = 2 * threads;
        wanted = Math.Max(1, Math.Min(wanted, (nint)(flops / MinFlops)));

        // Halve the rectangles until there are enough. Cut through rows, every part packs all its columns of B. Cut through columns, it packs all its rows of A, and C and
        // what is computed with it no longer lie in one piece: streams end with every row, and what is fetched ahead of them belongs to another thread.
        double packing = p.TransB || p.B == null ? Gathered : 1, cut = ColumnCut + (ColumnCutOfArray * p.Finish.Arrays);
        nint gridM = 1, gridN = 1;
        while (gridM * gridN < wanted)
        {
            double rows = (double)p.M / gridM, columns = (double)p.N / gridN;
            var isFlat = tiles / gridM < 2;
            if (panels / gridN >= 2 && (isFlat || packing * columns * p.K >= (rows * p.K) + (cut * rows * columns))) gridN *= 2;
            else if (!isFlat) gridM *= 2;
            else break;
        }

        var rowsPerChunk = (p.M + gridM - 1) / gridM;
        var columnsPerChunk = (panels + gridN - 1) / gridN * panel;
        var job = new Job<T, TPacker>
        {
            Problem = p,
            PanelsOfB = panelsOfB,
            Rows = rowsPerChunk,
            Columns = columnsPerChunk,
            GridN = (p.N + columnsPerChunk - 1) / columnsPerChunk,
        };
        var chunks = (p.M + rowsPerChunk - 1) / rowsPerChunk * job.GridN;
        WorkerPool.Run((int)chunks, &Chunk<T, TPacker>, Unsafe.AsPointer(ref job));
    }

    private static void Chunk<T, TPacker>(void* context, int chunk)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPacker : struct, IPanelPacker<T>
    {
        ref readonly var job = ref Unsafe.AsRef<Job<T, TPacker>>(context);
        var (i, j) = Math.DivRem(chunk, job.GridN);
        ref readonly var p = ref job.Problem;
        GemmBlock.Run(
            p, job.PanelsOfB, i * job.Rows, Math.Min(p.M, (i + 1) * job.Rows), j * job.Columns, Math.Min(p.N, (j + 1) * job.Columns));
    }

    private struct Job<T, TPacker>
        where T : unmanaged
    {
        public GemmProblem<T> Problem;
        public TPacker PanelsOfB;
        public nint Rows;
        public nint Columns;
        public nint GridN;
    }
}
