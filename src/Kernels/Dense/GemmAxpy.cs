using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// A row times a row-major matrix: a strip of the result takes eight rows of the matrix at a time. The same chains of fused multiply-adds per block of K as in
/// the micro-kernels, hence the same bits; but the matrix is read in long runs.
/// </summary>
internal static unsafe class GemmAxpy<L, T>
    where L : struct, IVectorLane<L, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const double ParallelFlops = 200_000;
    private const int Strip = 512;

    /// <summary>Runs a problem with M = 1 and B not transposed, whose A is contiguous.</summary>
    public static void Run(in GemmProblem<T> p, bool parallel)
    {
        var job = new Job { Problem = p, PerChunk = p.N };
        if (parallel && WorkerPool.Threads > 1 && p.N >= 2 * ReduceTree.Lanes && 2.0 * p.N * p.K >= ParallelFlops)
        {
            var chunks = Math.Min((p.N + ReduceTree.Lanes - 1) / ReduceTree.Lanes, 4 * WorkerPool.Threads);
            job.PerChunk = ((p.N + chunks - 1) / chunks + ReduceTree.Lanes - 1) / ReduceTree.Lanes * ReduceTree.Lanes;
            WorkerPool.Run((int)((p.N + job.PerChunk - 1) / job.PerChunk), &Chunk, &job);
        }
        else
        {
            Chunk(&job, 0);
        }
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chunk(void* context, int chunk)
    {
        var job = (Job*)context;
        ref readonly var p = ref job->Problem;
        T* sums = stackalloc T[Strip + 64];
        var end = Math.Min(p.N, (chunk + 1) * job->PerChunk);
        var depth = p.Depth;
        for (var j = chunk * job->PerChunk; j < end; j += Strip)
        {
            var width = Math.Min(Strip, end - j);
            if (p.Beta != T.Zero && p.Beta != T.One)
            {
                for (nint i = 0; i < width; i++) p.C[j + i] *= p.Beta;
            }

            for (nint k = 0; k < p.K; k += depth)
            {
                var count = Math.Min(depth, p.K - k);
                Sum(p.A + k, p.B + k * p.Ldb + j, p.Ldb, count, width, sums);
                var last = k + count >= p.K;
                var epilogue = new Epilogue<T>(p.Alpha, k > 0 || p.Beta != T.Zero, last && p.Relu, last && p.Bias != null ? p.Bias + j : null);
                GemmEdge<L, T>.Write(sums, 0, 1, width, p.C + j, 0, &epilogue);
            }
        }
    }

    /// <summary>sums[0 … width) = Σ x[k] · b[k, ·], in the order of k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Sum(T* x, T* b, nint stride, nint count, nint width, T* sums)
    {
        var zero = L.Const(0);
        for (nint i = 0; i < width; i += L.Count) L.Store(zero, sums + i);
        for (; count >= 8; count -= 8, x += 8, b += 8 * stride)
        {
            L x0 = L.Broadcast(x[0]), x1 = L.Broadcast(x[1]), x2 = L.Broadcast(x[2]), x3 = L.Broadcast(x[3]);
            L x4 = L.Broadcast(x[4]), x5 = L.Broadcast(x[5]), x6 = L.Broadcast(x[6]), x7 = L.Broadcast(x[7]);
            T* b4 = b + 4 * stride;
            for (nint i = 0; i < width; i += L.Count)
            {
                var sum = L.Fma(x0, L.Load(b + i), L.Load(sums + i));
                sum = L.Fma(x1, L.Load(b + stride + i), sum);
                sum = L.Fma(x2, L.Load(b + 2 * stride + i), sum);
                sum = L.Fma(x3, L.Load(b + 3 * stride + i), sum);
                sum = L.Fma(x4, L.Load(b4 + i), sum);
                sum = L.Fma(x5, L.Load(b4 + stride + i), sum);
                sum = L.Fma(x6, L.Load(b4 + 2 * stride + i), sum);
                L.Store(L.Fma(x7, L.Load(b4 + 3 * stride + i), sum), sums + i);
            }
        }

        for (; count > 0; count--, x++, b += stride)
        {
            var x0 = L.Broadcast(*x);
            for (nint i = 0; i < width; i += L.Count) L.Store(L.Fma(x0, L.Load(b + i), L.Load(sums + i)), sums + i);
        }
    }

    private struct Job
    {
        public GemmProblem<T> Problem;
        public nint PerChunk;
    }
}
