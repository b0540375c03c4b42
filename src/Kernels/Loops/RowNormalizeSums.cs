using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fusion.Kernels;

/// <summary>The sums over rows that the gradients of a normalization's gamma and beta are: Σ g, then Σ g·x̂, (2, columns). See <see cref="RowSums"/>.</summary>
internal static unsafe class RowNormalizeSums
{
    /// <summary>Of all rows.</summary>
    public static void Run(DType dtype, nint x, nint g, nint sums, long rows, long columns, double epsilon, bool centered)
    {
        var blocks = RowSums.BlockCount(rows);
        using var scratch = new NativeScratch(blocks * 2 * columns * dtype.Size);
        RowDriver.Run<NormalizeSumsBlocks>(dtype, Job(x, g, (nint)scratch.Pointer, blocks, columns, epsilon, centered) with { TotalRows = rows });
        RowSums.Join(dtype, (nint)scratch.Pointer, blocks, sums, 2 * columns);
    }

    /// <summary>Adds some rows of a block.</summary>
    public static void Take(DType dtype, nint x, nint g, nint sums, long rows, long columns, double epsilon, bool centered) =>
        RowDriver.Run<NormalizeSumsRows>(dtype, Job(x, g, sums, rows, columns, epsilon, centered));

    private static RowJob Job(nint x, nint g, nint sums, long rows, long columns, double epsilon, bool centered) => new()
    {
        Input = x,
        Second = g,
        Output = sums,
        RowCount = rows,
        Columns = columns,
        Epsilon = epsilon,
        Centered = centered,
    };
}

/// <summary>Blocks of rows, each from zero. Input: x; Second: g; Output: (2, columns) for each block.</summary>
internal readonly unsafe struct NormalizeSumsBlocks : IRowKernel
{
    public static long ParallelElements => 32 * 1024 / RowSums.Block;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (; start < end; start++)
        {
            RowJob block = *job;
            block.Output += (nint)(start * 2 * job->Columns * sizeof(T));
            NativeMemory.Clear((void*)block.Output, (nuint)(2 * job->Columns * sizeof(T)));
            NormalizeSumsRows.Rows<L, T>(&block, start * RowSums.Block, Math.Min(job->TotalRows, (start + 1) * RowSums.Block));
        }
    }
}

/// <summary>Adds rows to the sums of a block, every column in the order of its rows. Input: x; Second: g; Output: (2, columns).</summary>
internal readonly unsafe struct NormalizeSumsRows : IRowKernel
{
    public static long ParallelElements => long.MaxValue;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<L, T>(RowJob* job, long start, long end)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var n = job->Columns;
        T* x = (T*)job->Input + start * n, g = (T*)job->Second + start * n, sums = (T*)job->Output;
        for (; start + 2 <= end; start += 2, x += 2 * n, g += 2 * n)
        {
            var (firstMean, firstScale) = RowMoments<L, T>.Of(x, job, g);
            var (mean, scale) = RowMoments<L, T>.Of(x + n, job, g + n);
            AddPair<L, T>(x, g, sums, n, firstMean, firstScale, mean, scale);
            var whole = n - n % L.Count;
            Add<L, T>(x + whole, g + whole, sums + whole, n, n - whole, firstMean, firstScale);
            Add<L, T>(x + n + whole, g + n + whole, sums + whole, n, n - whole, mean, scale);
        }

        if (start == end) return;
        var (lastMean, lastScale) = RowMoments<L, T>.Of(x, job, g);
        Add<L, T>(x, g, sums, n, n, lastMean, lastScale);
    }

    // Whole registers of two rows, one after the other, to sums that are read and written once; the next two rows are asked for.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void AddPair<L, T>(T* x, T* g, T* sums, long n, T firstMean, T firstScale, T secondMean, T secondScale)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        L m0 = L.Broadcast(firstMean), r0 = L.Broadcast(firstScale), m1 = L.Broadcast(secondMean), r1 = L.Broadcast(secondScale);
        T* x1 = x + n, g1 = g + n, products = sums + n, ahead = x1 + RowAhead.Distance<T>(n);
        for (long i = 0; i + L.Count <= n; i += L.Count)
        {
            L h0 = L.Load(g + i), h1 = L.Load(g1 + i);
            L.Store(L.Load(sums + i) + h0 + h1, sums + i);
            L.Store(L.Load(products + i) + h0 * ((L.Load(x + i) - m0) * r0) + h1 * ((L.Load(x1 + i) - m1) * r1), products + i);
            RowAhead.Fetch(ahead + i);
            RowAhead.Fetch(ahead + n + i);
        }
    }

    // Some columns of a row; the products lie n behind the sums.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Add<L, T>(T* x, T* g, T* sums, long n, long count, T center, T root)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        L mean = L.Broadcast(center), scale = L.Broadcast(root);
        for (long i = 0; i < count; i += L.Count)
        {
            L h = L.Load(g + i), product = L.Load(sums + n + i) + h * ((L.Load(x + i) - mean) * scale);
            LaneTail.Store<L, T>(L.Load(sums + i) + h, sums + i, count - i);
            LaneTail.Store<L, T>(product, sums + n + i, count - i);
        }
    }
}
