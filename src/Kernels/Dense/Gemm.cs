using System.Numerics;

namespace Fusion.Kernels;

/// <summary>
/// Matrix products of Float32 and Float64. An element of the result depends on (m, n, k, transpositions) and its own operands only: per block of K (see
/// <see cref="GemmProblem{T}.MaxDepth"/>) one chain of fused multiply-adds in the order of k, times alpha, added to C block by block; then + bias, then the
/// activation, each rounded by itself. Products with very few rows or columns over contiguous k use the fixed tree of <see cref="GemmDots{L, T}"/> instead.
/// </summary>
internal static unsafe class Gemm
{
    // From this many floating-point operations on a second thread pays.
    private const long ParallelFlops = 400_000;

    /// <summary>
    /// C[m × n] = activation(alpha · op(A) · op(B) + beta · C + bias). C is not read where beta is 0, and overlaps neither A nor B. Up to 63 bytes past the
    /// end of A, B, bias and C may be read; nothing but the elements of C is written.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="transA">A is stored k × m.</param>
    /// <param name="transB">B is stored n × k.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">The inner dimension.</param>
    /// <param name="alpha">Scales the product.</param>
    /// <param name="a">The left operand.</param>
    /// <param name="lda">Elements between the stored rows of A.</param>
    /// <param name="b">The right operand.</param>
    /// <param name="ldb">Elements between the stored rows of B.</param>
    /// <param name="beta">Scales C.</param>
    /// <param name="c">The result.</param>
    /// <param name="ldc">Elements between the rows of C.</param>
    /// <param name="bias">n values added to every row, or null.</param>
    /// <param name="activation">Applied last.</param>
    /// <param name="finish">Called for finished rectangles of C.</param>
    public static void Run<T>(
        bool transA, bool transB, long m, long n, long k, T alpha, T* a, long lda, T* b, long ldb, T beta, T* c, long ldc,
        T* bias = null, GemmActivation activation = GemmActivation.None, GemmFinish finish = default)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var problem = new GemmProblem<T>
        {
            M = (nint)m,
            N = (nint)n,
            K = (nint)k,
            Alpha = alpha,
            Beta = beta,
            TransA = transA,
            TransB = transB,
            Relu = activation == GemmActivation.Relu,
            A = a,
            Lda = (nint)lda,
            B = b,
            Ldb = (nint)ldb,
            C = c,
            Ldc = (nint)ldc,
            Bias = bias,
            Finish = finish,
        };
        Multiply(problem, true);
    }

    /// <summary>
    /// As <see cref="Run"/>, with a right operand that exists only as panels, such as the patches of an image. Always the chains of fused multiply-adds.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TPacker">Where the panels come from.</typeparam>
    /// <param name="transA">A is stored k × m.</param>
    /// <param name="m">Rows of C.</param>
    /// <param name="n">Columns of C.</param>
    /// <param name="k">The inner dimension.</param>
    /// <param name="alpha">Scales the product.</param>
    /// <param name="a">The left operand.</param>
    /// <param name="lda">Elements between the stored rows of A.</param>
    /// <param name="panelsOfB">The right operand.</param>
    /// <param name="beta">Scales C.</param>
    /// <param name="c">The result.</param>
    /// <param name="ldc">Elements between the rows of C.</param>
    /// <param name="bias">n values added to every row, or null.</param>
    /// <param name="activation">Applied last.</param>
    /// <param name="parallel">Use the worker pool, if the product is large enough.</param>
    public static void RunPacked<T, TPacker>(
        bool transA, long m, long n, long k, T alpha, T* a, long lda, in TPacker panelsOfB, T beta, T* c, long ldc,
        T* bias = null, GemmActivation activation = GemmActivation.None, bool parallel = true)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPacker : struct, IPanelPacker<T>
    {
        if (m == 0 || n == 0) return;
        var problem = new GemmProblem<T>
        {
            M = (nint)m,
            N = (nint)n,
            K = (nint)k,
            Alpha = alpha,
            Beta = beta,
            TransA = transA,
            Relu = activation == GemmActivation.Relu,
            A = a,
            Lda = (nint)lda,
            C = c,
            Ldc = (nint)ldc,
            Bias = bias,
        };
        Blocked(problem, panelsOfB, parallel);
    }

    /// <summary>
    /// As <see cref="Run"/>, for every product of a batch; <see cref="GemmProblem{T}.FirstRow"/> counts rows in the order of the batch.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="axes">The batch, the outermost axis first; none is one product. Overwritten.</param>
    /// <param name="problem">The first product. Overwritten.</param>
    public static void RunBatched<T>(Span<BatchAxis> axes, ref GemmProblem<T> problem)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        axes = BatchAxis.Joined(axes);
        if (axes is [.., { B: 0 } last] && !problem.TransA && last.A == problem.M * problem.Lda && last.C == problem.M * problem.Ldc && !GemmThin.IsDots(problem))
        {
            // The products lie below each other: one product of all their rows, with the same bits.
            problem.M *= (nint)last.Size;
            axes = axes[..^1];
        }

        if (axes.IsEmpty)
        {
            Multiply(problem, true);
            return;
        }

        long batch = BatchAxis.Count(axes);
        fixed (BatchAxis* first = axes)
        {
            var job = new BatchJob<T> { Problem = problem, Axes = first, Rank = axes.Length };
            var flops = 2.0 * problem.M * problem.N * problem.K;
            if (WorkerPool.Threads == 1 || flops * batch < ParallelFlops || (batch < WorkerPool.Threads && flops >= ParallelFlops))
            {
                job.Run(0, batch, true);
                return;
            }

            // In the order of the batch: a thread has much the same products as in the launch before, and what it wrote there is in its own caches.
            var chunks = Math.Min(batch, 4L * WorkerPool.Threads);
            job.PerChunk = (batch + chunks - 1) / chunks;
            job.Batch = batch;
            WorkerPool.Run((int)((batch + job.PerChunk - 1) / job.PerChunk), &BatchChunk<T>, &job);
        }
    }

    private static void BatchChunk<T>(void* context, int chunk)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ref var job = ref *(BatchJob<T>*)context;
        job.Run(chunk * job.PerChunk, Math.Min(job.Batch, (chunk + 1) * job.PerChunk), false);
    }

    private static void Multiply<T>(in GemmProblem<T> p, bool parallel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (p.M == 0 || p.N == 0) return;
        if (!GemmThin.TryRun(p, parallel))
        {
            if (!GemmSmall.Fits(p))
            {
                Blocked(p, new MatrixPanels<T>(p), parallel);
                return;
            }

            GemmSmall.Run(p);
        }

        if (!p.Finish.IsEmpty) p.Finish.Invoke(p.FirstRow, p.M, 0, p.N);
    }

    private static void Blocked<T, TPacker>(in GemmProblem<T> p, in TPacker panelsOfB, bool parallel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TPacker : struct, IPanelPacker<T>
    {
        if (parallel && WorkerPool.Threads > 1 && 2.0 * p.M * p.N * p.K >= ParallelFlops) GemmParallel.Run(p, panelsOfB);
        else GemmBlock.Run(p, panelsOfB, 0, p.M, 0, p.N);
    }

    private struct BatchJob<T>
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public GemmProblem<T> Problem;
        public BatchAxis* Axes;
        public int Rank;
        public long Batch;
        public long PerChunk;

        /// <summary>The products [start, end), along the innermost axis as far as it goes.</summary>
        public readonly void Run(long start, long end, bool parallel)
        {
            ReadOnlySpan<BatchAxis> axes = new(Axes, Rank);
            var inner = axes[^1];
            while (start < end)
            {
                var (line, place) = Math.DivRem(start, inner.Size);
                var first = BatchAxis.Place(axes[..^1], line);
                for (var stop = Math.Min(inner.Size, place + end - start); place < stop; place++, start++)
                {
                    var p = Problem;
                    p.A += first.A + place * inner.A;
                    p.B += first.B + place * inner.B;
                    p.C += first.C + place * inner.C;
                    p.FirstRow += start * p.M;
                    Multiply(p, parallel);
                }
            }
        }
    }
}
