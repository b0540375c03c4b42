using System.Numerics;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>The softmax family against double precision, with the same bits at every vector width and thread count.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class RowKernelTests
{
    private static readonly (int Rows, int Columns)[] s_shapes =
        [(1, 1), (3, 2), (37, 10), (5, 16), (4, 17), (3, 33), (6, 64), (3, 65), (2, 500), (2, 1025), (1, 16384), (2, 20_001), (129, 257), (16, 3), (100, 2), (9, 13), (33, 1)];

    [Fact]
    public void Float_rows() => CheckAll<float>(DType.Float32, 1e-6);

    [Fact]
    public void Double_rows() => CheckAll<double>(DType.Float64, 1e-14);

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    [InlineData(700)]
    public void Rows_with_infinities_and_nan(int n)
    {
        float Softmax(params (int At, float Value)[] values)
        {
            var x = new float[n];
            foreach (var (at, value) in values) x[at] = value;
            return Run(x)[n - 1];
        }

        float[] Run(float[] x)
        {
            using var input = new GuardedBuffer<float>(x);
            using var output = new GuardedBuffer<float>(n);
            float[]? first = null;
            KernelModes.ForEach(() =>
            {
                RowKernels.Softmax(DType.Float32, input.Address, output.Address, 1, n);
                first ??= output.Span.ToArray();
                Assert.Equal(first, output.Span.ToArray());
            });
            return first!;
        }

        Assert.True(float.IsNaN(Softmax((0, float.NaN))));
        Assert.True(float.IsNaN(Softmax((n - 1, float.NaN))));
        Assert.True(float.IsNaN(Softmax((1, float.PositiveInfinity))));
        Assert.Equal(0, Softmax((n - 1, float.NegativeInfinity)));
        Assert.Equal(1, Softmax((n - 1, 1000)));
        var minus = Enumerable.Repeat(float.NegativeInfinity, n).ToArray();
        Assert.All(Run(minus), v => Assert.True(float.IsNaN(v)));
        minus[n / 2] = -5;
        Assert.Equal(1, Run(minus)[n / 2]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    public void Log_sum_exp_of_infinities(int n)
    {
        float Run(float fill, float last)
        {
            using var input = new GuardedBuffer<float>([.. Enumerable.Repeat(fill, n - 1), last]);
            using var output = new GuardedBuffer<float>(1);
            RowKernels.LogSumExp(DType.Float32, input.Address, output.Address, 1, n);
            output.AssertIntact();
            return output.Span[0];
        }

        Assert.Equal(float.NegativeInfinity, Run(float.NegativeInfinity, float.NegativeInfinity));
        Assert.Equal(float.PositiveInfinity, Run(0, float.PositiveInfinity));
        Assert.Equal(float.PositiveInfinity, Run(float.NegativeInfinity, float.PositiveInfinity));
        Assert.True(float.IsNaN(Run(0, float.NaN)));
        Assert.Equal(1e30f, Run(0, 1e30f));
    }

    [Fact]
    public void In_place_and_out_of_place_agree()
    {
        foreach (var (rows, columns) in s_shapes)
        {
            var x = TestData.Normal<float>(rows * columns, 1, 3);
            using var input = new GuardedBuffer<float>(x);
            using var output = new GuardedBuffer<float>(x.Length);
            RowKernels.Softmax(DType.Float32, input.Address, output.Address, rows, columns);
            RowKernels.Softmax(DType.Float32, input.Address, input.Address, rows, columns);
            TestData.AssertSameBits<float>(output.Span, input.Span, "softmax");
            x.CopyTo(input.Span);
            RowKernels.LogSoftmax(DType.Float32, input.Address, output.Address, rows, columns);
            RowKernels.LogSoftmax(DType.Float32, input.Address, input.Address, rows, columns);
            TestData.AssertSameBits<float>(output.Span, input.Span, "log-softmax");
        }
    }

    [Fact]
    public void A_label_out_of_range_is_reported_before_anything_is_written()
    {
        using var logits = new GuardedBuffer<float>([.. new float[30]]);
        using var losses = new GuardedBuffer<float>([7, 7, 7]);
        using var labels = new GuardedBuffer<int>([0, 10, -1]);
        Assert.Equal(1, RowKernels.CrossEntropyFromLogits(DType.Float32, logits.Address, DType.Int32, labels.Address, losses.Address, 0, 3, 10));
        labels.Span[1] = 9;
        Assert.Equal(2, RowKernels.CrossEntropyFromLogits(DType.Float32, logits.Address, DType.Int32, labels.Address, losses.Address, 0, 3, 10));
        Assert.Equal(2, RowKernels.CrossEntropyGradient(DType.Float32, logits.Address, DType.Int32, labels.Address, losses.Address, logits.Address, 3, 10));
        Assert.Equal([7f, 7f, 7f], losses.Span.ToArray());
    }

    [Fact]
    public void ShortRowsTogetherHaveTheBitsOfEachAlone()
    {
        float[] special = [float.NaN, float.NegativeInfinity, float.PositiveInfinity, 0, -0f, 1, -200, 3e38f];
        foreach (int columns in new[] { 1, 2, 7, 10, 16 })
        {
            const int Rows = 45;
            float[] x = TestData.Normal<float>(Rows * columns, columns, 4);
            for (int i = 0; i < x.Length; i += 3) x[i] = special[i / 3 % special.Length];
            x.AsSpan(columns, columns).Fill(float.NegativeInfinity);
            using var logits = new GuardedBuffer<float>(x);
            using var gradients = new GuardedBuffer<float>(TestData.Normal<float>(Rows, 3, 1));
            using var labels = new GuardedBuffer<int>([.. Enumerable.Range(0, Rows).Select(r => r * 5 % columns)]);
            KernelModes.ForEach(() =>
            {
                using GuardedBuffer<float> losses = new(Rows), alone = new(Rows), dx = new(x.Length), dxAlone = new(x.Length);
                RowKernels.CrossEntropyFromLogits(DType.Float32, logits.Address, DType.Int32, labels.Address, losses.Address, 0, Rows, columns);
                RowKernels.CrossEntropyGradient(DType.Float32, logits.Address, DType.Int32, labels.Address, gradients.Address, dx.Address, Rows, columns);
                for (int r = 0; r < Rows; r++)
                {
                    nint row = logits.Address + r * columns * 4, label = labels.Address + r * 4;
                    RowKernels.CrossEntropyFromLogits(DType.Float32, row, DType.Int32, label, alone.Address + r * 4, 0, 1, columns);
                    RowKernels.CrossEntropyGradient(DType.Float32, row, DType.Int32, label, gradients.Address + r * 4, dxAlone.Address + r * columns * 4, 1, columns);
                }

                Assert.Equal(alone.Span.ToArray(), losses.Span.ToArray());
                Assert.Equal(dxAlone.Span.ToArray(), dx.Span.ToArray());
            });
        }
    }

    private static void CheckAll<T>(DType dtype, double tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        foreach (var (rows, columns) in s_shapes)
        {
            var count = rows * columns;
            var (x, g) = (TestData.Normal<T>(count, 1, 4), TestData.Normal<T>(count, 2));
            var labels = Enumerable.Range(0, rows).Select(i => (long)(i * 7 % columns)).ToArray();
            var reference = new RowReference(Array.ConvertAll(x, double.CreateChecked), Array.ConvertAll(g, double.CreateChecked), labels, rows, columns);
            using var input = new GuardedBuffer<T>(x);
            using var gradient = new GuardedBuffer<T>(g);
            using var softmax = new GuardedBuffer<T>(Array.ConvertAll(reference.Softmax, T.CreateChecked));
            using var logSoftmax = new GuardedBuffer<T>(Array.ConvertAll(reference.LogSoftmax, T.CreateChecked));
            using var longLabels = new GuardedBuffer<long>(labels);
            using var intLabels = new GuardedBuffer<int>(Array.ConvertAll(labels, v => (int)v));
            void Check(string what, double[] expected, Action<nint> run)
            {
                T[]? first = null;
                KernelModes.ForEach(() =>
                {
                    using var output = new GuardedBuffer<T>(expected.Length);
                    run(output.Address);
                    output.AssertIntact();
                    first ??= output.Span.ToArray();
                    TestData.AssertSameBits<T>(first, output.Span, $"{what} {rows} × {columns}");
                });
                for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], double.CreateChecked(first![i]), tolerance * (8 + Math.Abs(expected[i]) + Math.Sqrt(columns)));
            }

            Check("softmax", reference.Softmax, y => RowKernels.Softmax(dtype, input.Address, y, rows, columns));
            Check("log-softmax", reference.LogSoftmax, y => RowKernels.LogSoftmax(dtype, input.Address, y, rows, columns));
            Check("softmax gradient", reference.SoftmaxGradient, y => RowKernels.SoftmaxGradient(dtype, softmax.Address, gradient.Address, y, rows, columns));
            Check("log-softmax gradient", reference.LogSoftmaxGradient, y => RowKernels.LogSoftmaxGradient(dtype, logSoftmax.Address, gradient.Address, y, rows, columns));
            Check("log-sum-exp", reference.LogSumExp, y => RowKernels.LogSumExp(dtype, input.Address, y, rows, columns));
            Check("cross entropy", reference.CrossEntropy, y => Assert.Equal(-1, RowKernels.CrossEntropyFromLogits(dtype, input.Address, DType.Int64, longLabels.Address, y, 0, rows, columns)));
            Check("cross entropy gradient", reference.CrossEntropyGradient, y => Assert.Equal(-1, RowKernels.CrossEntropyGradient(dtype, input.Address, DType.Int32, intLabels.Address, gradient.Address, y, rows, columns)));

            using var losses = new GuardedBuffer<T>(rows);
            using var both = new GuardedBuffer<T>(rows);
            using var logs = new GuardedBuffer<T>(count);
            RowKernels.CrossEntropyFromLogits(dtype, input.Address, DType.Int32, intLabels.Address, losses.Address, 0, rows, columns);
            RowKernels.CrossEntropyFromLogits(dtype, input.Address, DType.Int32, intLabels.Address, both.Address, logs.Address, rows, columns);
            TestData.AssertSameBits<T>(losses.Span, both.Span, "cross entropy with and without the log-softmax");
            RowKernels.LogSoftmax(dtype, input.Address, logSoftmax.Address, rows, columns);
            TestData.AssertSameBits<T>(logSoftmax.Span, logs.Span, "log-softmax of the cross entropy");
        }
    }
}
