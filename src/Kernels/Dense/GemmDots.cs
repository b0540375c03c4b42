using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Dot products by the fixed tree of <see cref="ReduceTree"/>, with a fused multiply-add where a sum adds: 64 lanes whatever the vector width,
/// blocks of <see cref="ReduceTree.Block"/> elements, whose results are summed as a row.
/// </summary>
internal static unsafe class GemmDots<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double ParallelFlops = 200_000;

    // Rows of a tile.
    private const int Rows = 3;

    // Lanes of a product that are kept until those of enough rows can be folded side by side.
    private const int Folded = 8;

    // Rows whose products are folded side by side: whole tiles, and whole blocks of the narrow transposition.
    private const int Across = 24;

    // Elements between the lanes of one of the few with all rows and those of the next: a row that is computed three times is written three times.
    private const int Apart = (Across + Rows - 1) * Folded;

    // Elements between the rows of what has been transposed: room for whole blocks of any transposition.
    private const int Stride = 32;
    private const int ColumnStride = 16;

    public static void Run(DotsJob<T> job, bool parallel)
    {
        var flops = 2.0 * job.FewCount * job.RowCount * job.Problem.K;
        if (parallel && WorkerPool.Threads > 1 && flops >= ParallelFlops && job.RowCount > 1)
        {
            var chunks = Math.Min(job.RowCount, 4 * WorkerPool.Threads);
            job.PerChunk = ((job.RowCount + chunks - 1) / chunks + Rows - 1) / Rows * Rows;
            WorkerPool.Run((int)((job.RowCount + job.PerChunk - 1) / job.PerChunk), &Chunk, &job);
        }
        else
        {
            Range(job, 0, job.RowCount);
        }
    }

    private static void Chunk(void* context, int chunk)
    {
        var job = (DotsJob<T>*)context;
        Range(*job, chunk * job->PerChunk, Math.Min(job->RowCount, (chunk + 1) * job->PerChunk));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Range(in DotsJob<T> job, nint start, nint end)
    {
        // What does not fill a tile, or is more than a tree, is computed one by one.
        if (job.RowCount * job.FewCount >= 2 * Rows && job.Problem.K <= ReduceTree.Block)
        {
            if (job.Problem.Beta != T.Zero && job.Problem.Beta != T.One) ScaleC(job, start, end);
            Tiles(job, start, end);
            return;
        }

        for (var j = start; j < end; j++)
        {
            T* row = job.Rows + j * job.RowStride;
            for (nint i = 0; i < job.FewCount; i++)
            {
                var dot = Dot(job.Few + i * job.FewStride, row, job.Problem.K);
                if (job.Swapped) Write(job.Problem, j, i, dot);
                else Write(job.Problem, i, j, dot);
            }
        }
    }

    private static void ScaleC(in DotsJob<T> job, nint start, nint end)
    {
        if (job.Swapped) GemmBlock.Scale(job.Problem, start, end, 0, job.FewCount);
        else GemmBlock.Scale(job.Problem, 0, job.FewCount, start, end);
    }

    /// <summary>
    /// Dot products of one tree each, two by three at a time. Their lanes are folded to 8; those of <see cref="Across"/> rows are transposed and folded on side by side.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tiles(in DotsJob<T> job, nint start, nint end)
    {
        ref readonly var p = ref job.Problem;
        var kernels = MicroKernels.For<T>();
        var narrow = MicroKernels.For<T>(Folded);
        nint few = job.FewCount, full = p.K & ~(ReduceTree.Lanes - 1), rest = p.K - full;
        using var scratch = new NativeScratch(((3 * Rows + few) * ReduceTree.Lanes + few * Apart + (Folded + few) * Stride + Across * ColumnStride) * sizeof(T));
        T* lanes = (T*)scratch.Pointer, tailsOfRows = lanes + 2 * Rows * ReduceTree.Lanes, tailsOfFew = tailsOfRows + Rows * ReduceTree.Lanes;
        T* all = tailsOfFew + few * ReduceTree.Lanes, turned = all + few * Apart, dots = turned + Folded * Stride, columns = dots + few * Stride;
        for (nint i = 0; rest > 0 && i < few; i++) Pad(job.Few + i * job.FewStride + full, rest, 0, tailsOfFew + i * ReduceTree.Lanes);

        var isFolded = GemmDotTile<L, T>.Kept == Folded;
        var epilogue = new Epilogue<T>(p.Alpha, p.Beta != T.Zero, p.Relu);
        for (var block = start; block < end; block += Across)
        {
            var width = Math.Min(Across, end - block);
            for (nint j = 0, step; j < width; j += step)
            {
                // Of less than three rows one is computed three times.
                step = width - j >= Rows ? Rows : 1;
                var stride = step == Rows ? job.RowStride : 0;
                T* rows = job.Rows + (block + j) * job.RowStride, sums = all + j * Folded;
                for (nint r = 0; rest > 0 && r < Rows; r++) Pad(rows + r * stride + full, rest, -0.0, tailsOfRows + r * ReduceTree.Lanes);
                for (nint i = 0; i < few; i += 2)
                {
                    T* x = job.Few + i * job.FewStride, tail = rest > 0 ? tailsOfFew + i * ReduceTree.Lanes : null;
                    T* folded = sums + i * Apart;
                    var isPair = i + 1 < few;
                    T* kept = isFolded ? folded : lanes;
                    nint apart = isFolded ? Apart : Rows * ReduceTree.Lanes;
                    if (isPair) GemmDotTile<L, T>.TwoByThree(x, job.FewStride, rows, stride, full, tail, tailsOfRows, kept, apart);
                    else GemmDotTile<L, T>.OneByThree(x, rows, stride, full, tail, tailsOfRows, kept);
                    if (isFolded) continue;
                    FoldLanes(lanes, folded);
                    if (isPair) FoldLanes(lanes + Rows * ReduceTree.Lanes, folded + Apart);
                }
            }

            for (nint i = 0; i < few; i++)
            {
                narrow.Transpose(all + i * Apart, Folded, width, Folded, turned, Stride);
                if (L.Count > Folded) FoldRows<Lane256<T>>(turned, width, dots + i * Stride);
                else FoldRows<L>(turned, width, dots + i * Stride);
            }

            if (job.Swapped)
            {
                kernels.Transpose(dots, Stride, few, width, columns, ColumnStride);
                epilogue.Bias = p.Bias;
                kernels.Edge(columns, ColumnStride, width, few, p.C + block * p.Ldc, p.Ldc, &epilogue);
            }
            else
            {
                epilogue.Bias = p.Bias != null ? p.Bias + block : null;
                kernels.Edge(dots, Stride, few, width, p.C + block, p.Ldc, &epilogue);
            }
        }
    }

    /// <summary>
    /// The last elements of a vector, filled up to 64 with zeros: of the few those of the sign +, of the rows those of the sign −. Their products are −0, which leaves
    /// every lane as it is, −0 too, where all products have underflowed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pad(T* x, nint n, double with, T* padded)
    {
        var zero = L.Const(with);
        for (nint i = 0; i < ReduceTree.Lanes; i += L.Count) L.Store(i < n ? LaneTail.Load<L, T>(x + i, n - i, zero) : zero, padded + i);
    }

    /// <summary>The first three steps of <see cref="ReduceTree.Fold"/>, of three products: from 64 lanes to 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FoldLanes(T* lanes, T* folded)
    {
        for (T* end = lanes + Rows * ReduceTree.Lanes; lanes < end; lanes += ReduceTree.Lanes, folded += Folded)
        {
            for (nint i = 0; i < Folded; i += L.Count) L.Store(Quarter(lanes + i) + Quarter(lanes + i + 8), folded + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Quarter(T* lanes) => L.Load(lanes) + L.Load(lanes + 32) + (L.Load(lanes + 16) + L.Load(lanes + 48));

    /// <summary>The other steps, of products that lie side by side: by registers as wide as those that were stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FoldRows<N>(T* lanes, nint width, T* dots)
        where N : struct, IVectorLane<N, T>
    {
        for (nint j = 0; j < width; j += N.Count, lanes += N.Count)
        {
            N a = Half<N>(lanes) + Half<N>(lanes + 2 * Stride), b = Half<N>(lanes + Stride) + Half<N>(lanes + 3 * Stride);
            N.Store(a + b, dots + j);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static N Half<N>(T* lanes)
        where N : struct, IVectorLane<N, T>
        => N.Load(lanes) + N.Load(lanes + 4 * Stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write(in GemmProblem<T> p, nint row, nint column, T value)
    {
        T* c = p.C + row * p.Ldc + column;
        value *= p.Alpha;
        if (p.Beta != T.Zero) value += p.Beta * *c;
        if (p.Bias != null) value += p.Bias[column];
        if (p.Relu && value <= T.Zero) value = value == T.Zero ? value : T.Zero;
        *c = value;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T Dot(T* x, T* y, nint n)
    {
        if (n <= ReduceTree.Block) return BlockDot(x, y, n);
        var blocks = ReduceTree.BlockCount(n);
        using var scratch = new NativeScratch(blocks * sizeof(T));
        var partials = (T*)scratch.Pointer;
        for (nint b = 0; b < blocks; b++)
        {
            nint from = b * ReduceTree.Block;
            partials[b] = BlockDot(x + from, y + from, Math.Min(ReduceTree.Block, n - from));
        }

        return ReduceTree.ReduceRow<SumReduction, L, T>(partials, blocks);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T BlockDot(T* x, T* y, nint n)
    {
        T* lanes = stackalloc T[ReduceTree.Lanes];
        var full = n & ~(ReduceTree.Lanes - 1);
        for (var part = 0; part < ReduceTree.Lanes; part += 4 * L.Count) Take4(x + part, y + part, full, lanes + part);
        for (var i = full; i < n; i += L.Count)
        {
            // See Pad.
            T* lane = lanes + (i - full);
            L.Store(L.Fma(LaneTail.Load<L, T>(x + i, n - i, L.Const(0)), LaneTail.Load<L, T>(y + i, n - i, L.Const(-0.0)), L.Load(lane)), lane);
        }

        return ReduceTree.Fold<SumReduction, L, T>(lanes);
    }

    /// <summary>Four registers of the 64 lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Take4(T* x, T* y, nint n, T* lanes)
    {
        L a0 = L.Const(0), a1 = a0, a2 = a0, a3 = a0;
        for (nint i = 0; i < n; i += ReduceTree.Lanes)
        {
            a0 = L.Fma(L.Load(x + i), L.Load(y + i), a0);
            a1 = L.Fma(L.Load(x + i + L.Count), L.Load(y + i + L.Count), a1);
            a2 = L.Fma(L.Load(x + i + 2 * L.Count), L.Load(y + i + 2 * L.Count), a2);
            a3 = L.Fma(L.Load(x + i + 3 * L.Count), L.Load(y + i + 3 * L.Count), a3);
        }

        L.Store(a0, lanes);
        L.Store(a1, lanes + L.Count);
        L.Store(a2, lanes + 2 * L.Count);
        L.Store(a3, lanes + 3 * L.Count);
    }
}
