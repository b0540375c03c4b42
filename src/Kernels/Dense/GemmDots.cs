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

    public static void Run(DotsJob<T> job, bool parallel)
    {
        var flops = 2.0 * job.FewCount * job.RowCount * job.Problem.K;
        if (parallel && WorkerPool.Threads > 1 && flops >= ParallelFlops && job.RowCount > 1)
        {
            var chunks = Math.Min(job.RowCount, 4 * WorkerPool.Threads);
            job.PerChunk = (job.RowCount + chunks - 1) / chunks;
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
            var zero = L.Const(0);
            T* lane = lanes + (i - full);
            L.Store(L.Fma(LaneTail.Load<L, T>(x + i, n - i, zero), LaneTail.Load<L, T>(y + i, n - i, zero), L.Load(lane)), lane);
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
