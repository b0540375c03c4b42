using System.Numerics;
using ILGPU;

namespace Fusion.Kernels;

/// <summary>How the work on a thin product is dealt to groups.</summary>
/// <param name="Groups">Groups along the wide operand.</param>
/// <param name="Wide">Lines of the wide operand.</param>
/// <param name="Thin">Lines of the thin operand.</param>
/// <param name="Splits">Pieces of the depth; with more than one the target has Splits results for each matrix of the batch.</param>
/// <param name="Piece">The depth of a piece, a multiple of four.</param>
/// <param name="Depth">The inner dimension.</param>
internal readonly record struct ThinGrid(int Groups, int Wide, int Thin, int Splits, int Piece, int Depth);

/// <summary>
/// Products with at most eight rows or columns: every element of the wide operand is read once, 16 bytes a thread and neighbours by neighbours, and meets all
/// lines of the thin one, which comes from caches. What limits them is reading the wide operand: 4 bytes for at most 8 multiply-adds, of the 20 an
/// H100 can do meanwhile.
/// Sums have a fixed tree: it depends on the depth and its pieces only.
/// </summary>
internal static class ThinKernels
{
    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    /// <summary>Threads that share a line of <see cref="Dots"/>, and quads of lines side by side in <see cref="Columns"/>.</summary>
    public const int Lanes = 32;

    private const int Slices = Threads / Lanes;
    private const int MaxThin = 8;

    /// <summary>Lines of the wide operand that a group of <see cref="Dots"/> has.</summary>
    public const int DotLines = Slices;

    /// <summary>Lines of the wide operand that a group of <see cref="Columns"/> has.</summary>
    public const int ColumnLines = 4 * Lanes;

    /// <summary>The wide operand is contiguous along the depth: 32 threads walk along a line of it, then their sums are folded by halves.</summary>
    public static void Dots<T, TWide, TSums, TTarget>(TWide wide, DepthQuads<T> thin, TTarget target, ThinGrid grid)
        where T : unmanaged, INumber<T>
        where TWide : struct, ITileSource<T, TWide>
        where TSums : struct, IThinSums<T, TSums>
        where TTarget : struct, ILineTarget<T>
    {
        ArrayView<T> shared = SharedMemory.Allocate1D<T>(MaxThin * Threads);
        int thread = Group.IdxX, lane = thread & (Lanes - 1);
        int result = Grid.IdxX / grid.Groups, line = (Grid.IdxX - result * grid.Groups) * DotLines + thread / Lanes;
        int batch = result / grid.Splits, start = (result - batch * grid.Splits) * grid.Piece, end = start + grid.Piece;
        end = end < grid.Depth ? end : grid.Depth;
        TWide source = wide.At(batch, line, 0, end);
        TSums sums = default;
        for (int depth = start + 4 * lane; depth < end; depth += 4 * Lanes) sums = TSums.AddProducts(sums, source.Load(depth), thin, batch, 0, depth, end);

        for (int i = 0; i < TSums.Lines; i++) shared[i * Threads + thread] = Quartet<T>.Fold(TSums.Line(sums, i));
        for (int half = Lanes / 2; half > 0; half >>= 1)
        {
            Group.Barrier();
            if (lane < half)
                for (int i = 0; i < TSums.Lines; i++) shared[i * Threads + thread] += shared[i * Threads + thread + half];
        }

        Group.Barrier();
        if (lane < grid.Thin && line < grid.Wide) target.Store(result, line, lane, shared[lane * Threads + thread - lane]);
    }

    /// <summary>
    /// Lines of the wide operand lie side by side: a thread has four of them and every eighth depth, then the eight slices are added in order.
    /// </summary>
    public static void Columns<T, TWide, TSums, TTarget>(TWide wide, StridedElements<T> thin, TTarget target, ThinGrid grid)
        where T : unmanaged, INumber<T>
        where TWide : struct, ITileSource<T, TWide>
        where TSums : struct, IThinSums<T, TSums>
        where TTarget : struct, ILineTarget<T>
    {
        ArrayView<Quartet<T>> shared = SharedMemory.Allocate1D<Quartet<T>>(Threads);
        int thread = Group.IdxX, lane = thread & (Lanes - 1), slice = thread / Lanes;
        int result = Grid.IdxX / grid.Groups, line = (Grid.IdxX - result * grid.Groups) * ColumnLines + 4 * lane;
        int batch = result / grid.Splits, start = (result - batch * grid.Splits) * grid.Piece, end = start + grid.Piece;
        end = end < grid.Depth ? end : grid.Depth;
        TWide source = wide.At(batch, line, 0, end);
        TSums sums = default;
        for (int depth = start + slice; depth < end; depth += Slices) sums = TSums.AddScaled(sums, source.Load(depth), thin, batch, 0, depth);

        for (int i = 0; i < grid.Thin; i++)
        {
            shared[thread] = TSums.Line(sums, i);
            Group.Barrier();
            if (slice == 0)
            {
                Quartet<T> total = shared[lane];
                for (int s = 1; s < Slices; s++) total = Quartet<T>.Add(total, shared[s * Lanes + lane]);
                if (line < grid.Wide) target.Store(result, line, i, total.X);
                if (line + 1 < grid.Wide) target.Store(result, line + 1, i, total.Y);
                if (line + 2 < grid.Wide) target.Store(result, line + 2, i, total.Z);
                if (line + 3 < grid.Wide) target.Store(result, line + 3, i, total.W);
            }

            Group.Barrier();
        }
    }

    /// <summary>Writes lines that lie at any distances one after the other, each filled up to a multiple of four with zeros.</summary>
    public static void Pack<T>(StridedElements<T> source, ArrayView<T> target, int lines, int depth, int pitch, int count)
        where T : unmanaged, INumber<T>
    {
        int i = Grid.IdxX * Group.DimX + Group.IdxX;
        if (i >= count) return;
        int line = i / pitch, k = i - line * pitch, batch = line / lines;
        target[i] = k < depth ? source.Load(batch, line - batch * lines, k) : T.Zero;
    }
}
