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

    /// <summary>As <see cref="Run"/>, for <paramref name="batch"/> products at fixed distances; a distance of 0 repeats an operand.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="batch">How many products.</param>
    /// <param name="transA">Every A is stored k × m.</param>
    /// <param name="transB">Every B is stored n × k.</param>
    /// <param name="m">Rows of each C.</param>
    /// <param name="n">Columns of each C.</param>
    /// <param name="k">The inner dimension.</param>
    /// <param name="alpha">Scales the products.</param>
    /// <param name="a">The first left operand.</param>
    /// <param name="lda">Elements between the stored rows of an A.</param>
    /// <param name="strideA">Elements between one A and the next.</param>
    /// <param name="b">The first right operand.</param>
    /// <param name="ldb">Elements between the stored rows of a B.</param>
    /// <param name="strideB">Elements between one B and the next.</param>
    /// <param name="beta">Scales C.</param>
    /// <param name="c">The first result.</param>
    /// <param name="ldc">Elements between the rows of a C.</param>
    /// <param name="strideC">Elements between one C and the next.</param>
    /// <param name="bias">n values added to every row of every product, or null.</param>
    /// <param name="activation">Applied last.</param>
    /// <param name="finish">Called for finished rectangles of the results.</param>
    /// <param name="firstRow">The number of the first row of all, for <paramref name="finish"/>.</param>
    public static void RunBatched<T>(
        long batch, bool transA, bool transB, long m, long n, long k, T alpha, T* a, long lda, long strideA, T* b, long ldb, long strideB,
        T beta, T* c, long ldc, long strideC, T* bias = null, GemmActivation activation = GemmActivation.None, GemmFinish finish = default, long firstRow = 0)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = new BatchJob<T>
        {
            Batch = batch,
            StrideA = strideA,
            StrideB = strideB,
            StrideC = strideC,
            Problem = new GemmProblem<T>
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
                FirstRow = firstRow,
            },
        };
        var flops = 2.0 * m * n * k;
        if (batch > 1 && strideB == 0 && !transA && strideA == m * lda && strideC == m * ldc && !GemmThin.IsDots(job.Problem))
        {
            // The batch lies below itself: one product of batch · m rows, with the same bits.
            job.Problem.M = (nint)(batch * m);
            Multiply(job.Problem, true);
            return;
        }

        if (WorkerPool.Threads == 1 || batch == 1 || flops * batch < ParallelFlops || (batch < WorkerPool.Threads && flops >= ParallelFlops))
        {
            Range(&job, 0, batch, true);
            return;
        }

        var chunks = Math.Min(batch, 4L * WorkerPool.Threads);
        job.PerChunk = (batch + chunks - 1) / chunks;
        WorkerPool.Run((int)((batch + job.PerChunk - 1) / job.PerChunk), &BatchChunk<T>, &job);
    }

    private static void BatchChunk<T>(void* context, int chunk)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var job = (BatchJob<T>*)context;
        Range(job, chunk * job->PerChunk, Math.Min(job->Batch, (chunk + 1) * job->PerChunk), false);
    }

    private static void Range<T>(BatchJob<T>* job, long start, long end, bool parallel)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (var i = start; i < end; i++)
        {
            var p = job->Problem;
            p.A += i * job->StrideA;
            p.B += i * job->StrideB;
            p.C += i * job->StrideC;
            p.FirstRow += i * p.M;
            Multiply(p, parallel);
        }
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
        where T : unmanaged
    {
        public GemmProblem<T> Problem;
        public long Batch;
        public long PerChunk;
        public long StrideA;
        public long StrideB;
        public long StrideC;
    }
}
