using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Every path of the matrix product against its definition, at every vector width and with one and two threads, bit for bit.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class GemmTests
{
    private static readonly (int Batch, int M, int N, int K, bool RepeatA, bool RepeatB)[] s_batches =
    [
        (7, 5, 9, 6, false, false), (40, 8, 8, 8, false, true), (3, 33, 40, 70, true, false), (64, 24, 31, 50, false, false), (1, 4, 4, 4, false, false),
        (5, 2, 70, 90, false, true), (6, 30, 3, 90, false, true), (2, 200, 40, 400, false, false),
    ];

    public static TheoryData<bool, bool> Transpositions => new() { { false, false }, { false, true }, { true, false }, { true, true } };

    [Theory]
    [MemberData(nameof(Transpositions))]
    public void Small_sizes_of_every_kind(bool transA, bool transB)
    {
        int[] sizes = [1, 2, 3, 4, 5, 7, 8, 9, 13, 14, 15, 16, 17, 28, 31, 32, 33, 40];
        var random = new Random(1);
        foreach (var m in sizes)
        {
            foreach (var n in sizes)
            {
                var s = new GemmCase(m, n, sizes[random.Next(sizes.Length)], transA, transB) { Pad = random.Next(3) };
                Check<float>(s);
                Check<double>(s with { K = sizes[random.Next(sizes.Length)] });
            }
        }
    }

    [Theory]
    [MemberData(nameof(Transpositions))]
    public void Depths_around_the_block_edges(bool transA, bool transB)
    {
        foreach (var k in new[] { 31, 63, 64, 65, 255, 256, 257, 383, 384, 385, 511, 513, 767, 768, 769, 1200 })
        {
            Check<float>(new GemmCase(9, 21, k, transA, transB) { Pad = 1, Bias = true });
            Check<double>(new GemmCase(15, 11, k, transA, transB) { Alpha = -0.5, Beta = 1 });
            Check<float>(new GemmCase(3, 19, k, transA, transB) { Bias = true, Relu = true });
            Check<double>(new GemmCase(19, 2, k, transA, transB) { Alpha = 0.7, Beta = 0.3, Bias = true });
            Check<float>(new GemmCase(1, 33, k, transA, transB) { Beta = 2, Pad = 2 });
            Check<float>(new GemmCase(33, 1, k, transA, transB) { Bias = true, Pad = 2 });
            Check<float>(new GemmCase(1, 700, k, transA, transB) { Alpha = 2, Beta = 0.5, Bias = true });
            Check<double>(new GemmCase(130, 1, k, transA, transB) { Relu = true });
        }
    }

    [Theory]
    [MemberData(nameof(Transpositions))]
    public void Large_enough_to_be_packed_and_shared(bool transA, bool transB)
    {
        Check<float>(new GemmCase(150, 129, 400, transA, transB) { Bias = true, Relu = true, Alpha = 1.5 });
        Check<float>(new GemmCase(65, 250, 256, transA, transB) { Beta = 1 });
        Check<double>(new GemmCase(97, 130, 300, transA, transB) { Beta = 0.5, Pad = 3 });
        Check<float>(new GemmCase(20, 1030, 100, transA, transB));
        Check<float>(new GemmCase(130, 70, 512, transA, transB));
        Check<float>(new GemmCase(512, 96, 512, transA, transB) { Bias = true });
        Check<double>(new GemmCase(256, 70, 256, transA, transB));
        Check<float>(new GemmCase(700, 20, 64, transA, transB));
        Check<float>(new GemmCase(2, 3, 40_000, transA, transB) { Bias = true });
        Check<double>(new GemmCase(1, 900, 300, transA, transB) { Relu = true });
    }

    [Fact]
    public void Rows_that_fill_registers_times_a_transposed_operand()
    {
        foreach (var m in new[] { 4, 7, 8, 14, 15, 16, 28, 30, 32 })
        {
            Check<float>(new GemmCase(m, 230, 120, false, true) { Bias = true, Relu = true, Alpha = 1.5, Pad = 1 });
            Check<float>(new GemmCase(m, 130, 800, false, true) { Bias = true, Alpha = -0.5 });
            Check<float>(new GemmCase(m, 300, 100, false, true) { Beta = 0.5, Alpha = 2 });
            Check<float>(new GemmCase(m, 192, 200, false, true) { Beta = 1, Bias = true, Relu = true });
            Check<float>(new GemmCase(m, 130, 800, false, true) { Beta = 1 });
            Check<double>(new GemmCase(m, 131, 600, false, true) { Bias = true, Pad = 3 });
            Check<double>(new GemmCase(m, 150, 190, false, true) { Beta = 0.3, Relu = true });
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void Few_rows_or_columns_over_a_long_depth_are_dot_products(int few)
    {
        int least = Math.Max(64, 128 * (few - 3)), most = 16 * 1024;
        foreach (var k in new[] { least, least + 1, least + 40, least + 64, 900 })
        {
            foreach (var many in new[] { 1, 2, 3, 23, 24, 25, 77 })
            {
                Check<float>(new GemmCase(few, many, k, k % 2 == 0, true) { Bias = true, Relu = true, Alpha = 1.5, Pad = 1 });
                Check<float>(new GemmCase(many, few, k, false, k % 2 == 1) { Beta = 0.5, Bias = true, Pad = 2 });
                Check<double>(new GemmCase(many, few, k, false, true) { Beta = 1, Relu = true });
            }
        }

        Assert.False(new GemmCase(9, 30, 2000, false, true).IsDots);
        Check<float>(new GemmCase(few, 30, least - 1, false, true) { Bias = true });
        Check<double>(new GemmCase(few, 5, most, false, true) { Alpha = -1 });
        Check<float>(new GemmCase(5, few, most + 1, false, false) { Beta = 1 });
    }

    [Fact]
    public void What_underflows_keeps_its_sign()
    {
        // Products of −10⁻⁶⁰: lanes of −0, of which zeros behind the last element must make no others. The last block of a long depth is 4 elements.
        foreach (var k in new[] { 63, 64, 65, 66, 68, 72, 80, 96, 100, 127, 16 * 1024 + 4 })
        {
            foreach (var (m, n) in new[] { (1, 1), (1, 5), (2, 7), (3, 30), (4, 4), (9, 2), (20, 20) })
            {
                foreach (var transB in new[] { false, true })
                {
                    var s = new GemmCase(m, n, k, false, transB);
                    float[] a = new float[s.SizeA], b = new float[s.SizeB], c = new float[s.SizeC];
                    a.AsSpan().Fill(1e-30f);
                    b.AsSpan().Fill(-1e-30f);
                    var exact = GemmReference.Exact(s, a, b, c, null);
                    using var left = new GuardedBuffer<float>(a);
                    using var right = new GuardedBuffer<float>(b);
                    KernelModes.ForEach(() =>
                    {
                        using var result = new GuardedBuffer<float>(c);
                        Gemm.Run(s.TransA, s.TransB, m, n, k, 1f, left.Data, s.Lda, right.Data, s.Ldb, 0f, result.Data, s.Ldc);
                        TestData.AssertSameBits<float>(exact, result.Span, $"{s} width {SimdWidth.Current} threads {WorkerPool.Threads}");
                        result.AssertIntact();
                    });
                }
            }
        }
    }

    [Fact]
    public void A_depth_of_zero_leaves_beta_bias_and_activation()
    {
        Check<float>(new GemmCase(5, 7, 0) { Beta = 0.5, Bias = true, Relu = true });
        Check<double>(new GemmCase(1, 3, 0, true, true));
    }

    [Fact]
    public void Empty_results_are_not_touched()
    {
        Check<float>(new GemmCase(0, 7, 3));
        Check<float>(new GemmCase(7, 0, 3));
    }

    [Fact]
    public void Beta_of_zero_does_not_read_the_result()
    {
        foreach (var n in new[] { 1, 5, 40 })
        {
            using var a = new GuardedBuffer<float>([.. Values<float>(20 * 70, 1)]);
            using var b = new GuardedBuffer<float>([.. Values<float>(70 * n, 2)]);
            using var c = new GuardedBuffer<float>(20 * n);
            c.Span.Fill(float.NaN);
            Gemm.Run(false, false, 20, n, 70, 1f, a.Data, 70, b.Data, n, 0f, c.Data, n);
            Assert.DoesNotContain(c.Span.ToArray(), float.IsNaN);
        }
    }

    [Fact]
    public void Batches_equal_single_products_and_a_stride_of_zero_repeats_an_operand()
    {
        foreach (var (batch, m, n, k, repeatA, repeatB) in s_batches)
        {
            using var a = new GuardedBuffer<float>([.. Values<float>(batch * m * k, 1)]);
            using var b = new GuardedBuffer<float>([.. Values<float>(batch * k * n, 2)]);
            using var bias = new GuardedBuffer<float>([.. Values<float>(n, 3)]);
            using var expected = new GuardedBuffer<float>(batch * m * n);
            long sa = repeatA ? 0 : m * k, sb = repeatB ? 0 : k * n, sc = m * n;
            for (var i = 0; i < batch; i++)
            {
                Gemm.Run(false, true, m, n, k, 2f, a.Data + i * sa, k, b.Data + i * sb, k, 0f, expected.Data + i * sc, n, bias.Data, GemmActivation.Relu);
            }

            KernelModes.ForEach(() =>
            {
                using var c = new GuardedBuffer<float>(batch * m * n);
                var problem = new GemmProblem<float> { M = m, N = n, K = k, TransB = true, Alpha = 2, A = a.Data, Lda = k, B = b.Data, Ldb = k, C = c.Data, Ldc = n, Bias = bias.Data, Relu = true };
                Gemm.RunBatched([new BatchAxis(batch, sa, sb, sc)], ref problem);
                Assert.True(MemoryMarshal.AsBytes(c.Span).SequenceEqual(MemoryMarshal.AsBytes(expected.Span)));
                c.AssertIntact();
            });
        }
    }

    [Fact]
    public void Batches_of_several_axes_equal_single_products()
    {
        // Heads of attention lie side by side in wider rows; the last axis of a batch that repeats its right operand is more rows of one product; sizes of 0 and 1.
        const int samples = 5, heads = 3, m = 22, n = 40, k = 30, width = heads * k;
        foreach (var (outer, middle, inner, repeat) in new[] { (samples, 1, heads, false), (1, samples, heads, true), (2, 2, heads, false), (samples, 0, heads, false), (1, 1, 1, false) })
        {
            using var a = new GuardedBuffer<float>([.. Values<float>(samples * m * width, 1)]);
            using var b = new GuardedBuffer<float>([.. Values<float>(samples * n * width, 2)]);
            int batch = outer * middle * inner;
            long rowsOfA = m * width, rowsOfB = repeat ? 0 : n * width, ofC = m * n;
            using var expected = new GuardedBuffer<float>(Math.Max(1, batch * m * n));
            for (var i = 0; i < batch; i++)
            {
                long sample = i / inner, head = i % inner;
                Gemm.Run(false, true, m, n, k, 1f, a.Data + sample * rowsOfA + head * k, width, b.Data + sample * rowsOfB + head * k, width, 0f, expected.Data + i * ofC, n);
            }

            KernelModes.ForEach(() =>
            {
                using var c = new GuardedBuffer<float>(Math.Max(1, batch * m * n));
                var problem = new GemmProblem<float> { M = m, N = n, K = k, TransB = true, Alpha = 1, A = a.Data, Lda = width, B = b.Data, Ldb = width, C = c.Data, Ldc = n };
                Gemm.RunBatched(
                    [
                        new BatchAxis(outer, middle * rowsOfA, middle * rowsOfB, middle * inner * ofC), new BatchAxis(middle, rowsOfA, rowsOfB, inner * ofC), new BatchAxis(inner, k, k, ofC),
                    ],
                    ref problem);
                Assert.True(MemoryMarshal.AsBytes(c.Span)[..(batch * m * n * sizeof(float))].SequenceEqual(MemoryMarshal.AsBytes(expected.Span)[..(batch * m * n * sizeof(float))]));
                c.AssertIntact();
            });
        }
    }

    [Fact]
    public void A_right_operand_of_panels_gives_the_bits_of_the_matrix()
    {
        foreach (var s in new[] { new GemmCase(7, 9, 30), new GemmCase(33, 50, 400) { Bias = true }, new GemmCase(130, 210, 270) { Beta = 1, Pad = 1 } })
        {
            var (a, b, c) = (Values<float>(s.SizeA, 1), Values<float>(s.SizeB, 2), Values<float>(s.SizeC, 3));
            var bias = s.Bias ? Values<float>(s.N, 4) : null;
            var exact = GemmReference.Exact(s, a, b, c, bias);
            using var left = new GuardedBuffer<float>(a);
            using var right = new GuardedBuffer<float>(b);
            using var row = new GuardedBuffer<float>(bias);
            KernelModes.ForEach(() =>
            {
                using var result = new GuardedBuffer<float>(c);
                Gemm.RunPacked(
                    false, s.M, s.N, s.K, 1f, left.Data, s.Lda, new ElementPanels(right.Data, s.Ldb), (float)s.Beta, result.Data, s.Ldc, s.Bias ? row.Data : null);
                TestData.AssertSameBits<float>(exact, result.Span, s.ToString());
                result.AssertIntact();
            });
        }
    }

    /// <summary>Packs a matrix one element at a time.</summary>
    private readonly struct ElementPanels(float* b, nint ldb) : IPanelPacker<float>
    {
        public void Pack(nint k, nint depth, nint column, nint width, float* destination, nint stride)
        {
            for (nint i = 0; i < depth; i++)
            {
                for (nint j = 0; j < width; j++) destination[i * stride + j] = b[(k + i) * ldb + column + j];
            }
        }
    }

    private static void Check<T>(GemmCase s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (a, b, c) = (Values<T>(s.SizeA, 1), Values<T>(s.SizeB, 2), Values<T>(s.SizeC, 3));
        var bias = s.Bias ? Values<T>(s.N, 4) : null;
        using var left = new GuardedBuffer<T>(a);
        using var right = new GuardedBuffer<T>(b);
        using var row = new GuardedBuffer<T>(bias);
        var exact = GemmReference.Exact(s, a, b, c, bias);
        var close = GemmReference.InDouble(s, a, b, c, bias);
        KernelModes.ForEach(() =>
        {
            using var result = new GuardedBuffer<T>(c);
            Gemm.Run(
                s.TransA, s.TransB, s.M, s.N, s.K, T.CreateChecked(s.Alpha), left.Data, s.Lda, right.Data, s.Ldb, T.CreateChecked(s.Beta), result.Data, s.Ldc,
                s.Bias ? row.Data : null, s.Relu ? GemmActivation.Relu : GemmActivation.None);
            var actual = result.Span.ToArray();
            result.AssertIntact();
            left.AssertIntact();
            right.AssertIntact();
            Assert.True(MemoryMarshal.AsBytes(actual.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(exact.AsSpan())), $"{s} {typeof(T).Name} width {SimdWidth.Current} threads {WorkerPool.Threads}");
            var tolerance = (typeof(T) == typeof(float) ? 1e-6 : 2e-15) * (s.K + 4);
            for (var i = 0; i < actual.Length; i++) Assert.Equal(close[i], double.CreateChecked(actual[i]), tolerance);
        });
    }

    private static T[] Values<T>(long count, int seed)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var random = new Random(seed);
        var values = new T[count];
        for (var i = 0; i < values.Length; i++) values[i] = T.CreateChecked(random.NextDouble() * 2 - 1);
        return values;
    }
}
