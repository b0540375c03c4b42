using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>What a matrix product reports as finished.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class GemmFinishTests
{
    /// <summary>Batch, rows, columns, depth: thin, small, flat, blocked in every direction, and batches of these.</summary>
    public static TheoryData<int, int, int, int> Products => new()
    {
        { 1, 1, 100, 80 }, { 1, 200, 1, 80 }, { 1, 3, 3, 3 }, { 1, 40, 20, 30 }, { 1, 20, 500, 300 }, { 1, 300, 70, 900 }, { 1, 150, 1100, 400 },
        { 1, 256, 300, 64 }, { 1, 47, 700, 90 }, { 1, 8, 70, 300 }, { 1, 32, 300, 600 },
        { 5, 2, 3, 70 }, { 4, 33, 65, 17 }, { 3, 90, 64, 200 }, { 1, 5, 16, 0 },
    };

    [Theory]
    [MemberData(nameof(Products))]
    public void Rectangles_cover_the_result_once_with_its_final_elements(int batch, int m, int n, int k)
    {
        using var a = new GuardedBuffer<float>(Random(batch * m * k, 1));
        using var b = new GuardedBuffer<float>(Random(batch * k * n, 2));
        KernelModes.ForEach(() =>
        {
            foreach (int arrays in (int[])[0, 6])
            {
                Check(arrays, false);
                Check(arrays, true);
            }
        });

        void Check(int arrays, bool transB)
        {
            using var c = new GuardedBuffer<float>(batch * m * n);
            using var seen = new GuardedBuffer<float>(batch * m * n);
            using var visits = new GuardedBuffer<int>(batch * m * n);
            visits.Span.Clear();
            var context = new Context { C = c.Data, Seen = seen.Data, Visits = visits.Data, Columns = n };
            var finish = new GemmFinish(&Visit, &context, arrays);
            if (batch == 1) Gemm.Run(false, transB, m, n, k, 1f, a.Data, k, b.Data, transB ? k : n, 0f, c.Data, n, finish: finish);
            else
            {
                var problem = new GemmProblem<float> { M = m, N = n, K = k, TransB = transB, Alpha = 1, A = a.Data, Lda = k, B = b.Data, Ldb = transB ? k : n, C = c.Data, Ldc = n, Finish = finish };
                Gemm.RunBatched([new BatchAxis(batch, m * k, k * n, m * n)], ref problem);
            }

            Assert.Equal(-1, visits.Span.IndexOfAnyExcept(1));
            Assert.True(seen.Span.SequenceEqual(c.Span));
            c.AssertIntact();
        }
    }

    private static void Visit(void* context, long row, long rows, long column, long columns)
    {
        ref Context x = ref *(Context*)context;
        for (long i = row; i < row + rows; i++)
        {
            for (long j = column; j < column + columns; j++)
            {
                Interlocked.Increment(ref x.Visits[i * x.Columns + j]);
                x.Seen[i * x.Columns + j] = x.C[i * x.Columns + j];
            }
        }
    }

    private static float[] Random(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
    }

    private struct Context
    {
        public float* C;
        public float* Seen;
        public int* Visits;
        public long Columns;
    }
}
