using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Group normalization, resampling and differences: the same bits at every vector width and thread count, and nothing written beside the result.</summary>
[Collection(KernelModes.Name)]
public sealed class PlaneKernelTests
{
    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(3, 6, 2, 5)]
    [InlineData(2, 4, 4, 17)]
    [InlineData(2, 3, 1, 65)]
    [InlineData(5, 8, 2, 1000)]
    [InlineData(1, 2, 1, 20_001)]
    [InlineData(3, 70, 14, 49)]
    [InlineData(2, 45, 45, 33)]
    [InlineData(7, 130, 2, 16)]
    [InlineData(4, 64, 16, 7)]      // as many planes as the arrays of working memory have room for
    [InlineData(1, 192, 64, 5)]
    public void Groups(int batch, int channels, int groups, int size)
    {
        GroupShape shape = new(batch, channels, groups, size);
        int n = batch * channels * size;
        using GuardedBuffer<float> x = Random(n, 1), g = Random(n, 2), gamma = Random(channels, 3), beta = Random(channels, 4);
        Same(n, y => GroupNormalize.Forward(DType.Float32, x.Address, gamma.Address, beta.Address, y, shape, 1e-5));
        float[] sums = Same(2 * batch * channels, y => GroupNormalize.Sums(DType.Float32, x.Address, g.Address, y, shape, 1e-5));
        using GuardedBuffer<float> totals = new(sums);
        float[] dx = Same(n, y => GroupNormalize.Gradient(DType.Float32, x.Address, gamma.Address, g.Address, totals.Address, y, shape, 1e-5));

        using GuardedBuffer<float> joint = new(2 * batch * channels);
        float[] both = Same(n, y => GroupNormalize.Gradients(DType.Float32, x.Address, gamma.Address, g.Address, joint.Address, y, shape, 1e-5));
        TestData.AssertSameBits<float>(dx, both, "gradients in one pass");
        TestData.AssertSameBits<float>(sums, joint.Span, "sums in one pass");
    }

    [Theory]
    [InlineData(1, 3, 20)]
    [InlineData(2, 1, 1)]
    [InlineData(3, 70, 9)]
    [InlineData(32, 65, 16)]
    [InlineData(5, 40, 17)]
    [InlineData(7, 33, 49)]
    [InlineData(40, 30, 64)]
    [InlineData(3, 5, 65)]
    [InlineData(2, 3, 20_000)]
    public void Channels(int batch, int channels, int size)
    {
        int n = batch * channels * size;
        using GuardedBuffer<float> x = Random(n, 1), g = Random(n, 2), gamma = Random(channels, 3), beta = Random(channels, 4);
        float[] moments = Same(2 * channels, y => ChannelNormalize.Moments(DType.Float32, x.Address, y, batch, channels, size));
        using GuardedBuffer<float> about = new(moments);
        float[] normal = Same(n, y => ChannelNormalize.Forward(DType.Float32, x.Address, gamma.Address, beta.Address, about.Address, y, batch, channels, size, 1e-5));
        float[] sums = Same(2 * channels, y => ChannelNormalize.Sums(DType.Float32, x.Address, g.Address, about.Address, y, batch, channels, size, 1e-5));
        using GuardedBuffer<float> totals = new(sums);
        float[] dx = Same(
            n, y => ChannelNormalize.Gradient(DType.Float32, x.Address, gamma.Address, g.Address, about.Address, totals.Address, y, batch, channels, size, 1e-5));

        // What is computed along has the bits of what is computed before.
        using GuardedBuffer<float> two = new(2 * channels);
        TestData.AssertSameBits<float>(
            normal, Same(n, y => ChannelNormalize.Forward(DType.Float32, x.Address, gamma.Address, beta.Address, two.Address, y, batch, channels, size, 1e-5, true)), "one pass");
        TestData.AssertSameBits<float>(moments, two.Span, "moments in one pass");
        TestData.AssertSameBits<float>(
            dx, Same(n, y => ChannelNormalize.Gradient(DType.Float32, x.Address, gamma.Address, g.Address, about.Address, two.Address, y, batch, channels, size, 1e-5, true)), "one pass");
        TestData.AssertSameBits<float>(sums, two.Span, "sums in one pass");

        // Each channel alone has the same bits.
        for (int c = 0; c < channels; c++)
        {
            float[] own = new float[batch * size], upstream = new float[batch * size];
            for (int i = 0; i < batch; i++)
            {
                x.Span.Slice(((i * channels) + c) * size, size).CopyTo(own.AsSpan(i * size));
                g.Span.Slice(((i * channels) + c) * size, size).CopyTo(upstream.AsSpan(i * size));
            }

            using GuardedBuffer<float> one = new(own), other = new(upstream);
            Assert.Equal([moments[c], moments[channels + c]], Same(2, y => ChannelNormalize.Moments(DType.Float32, one.Address, y, batch, 1, size)));
            using GuardedBuffer<float> its = new([moments[c], moments[channels + c]]);
            Assert.Equal(
                [sums[c], sums[channels + c]], Same(2, y => ChannelNormalize.Sums(DType.Float32, one.Address, other.Address, its.Address, y, batch, 1, size, 1e-5)));
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 3, 4)]
    [InlineData(3, 5, 7, 5, 3)]
    [InlineData(3, 5, 7, 11, 7)]
    [InlineData(2, 16, 33, 9, 70)]
    [InlineData(40, 28, 28, 4, 3)]
    public void Resampled(int planes, int height, int width, int newHeight, int newWidth)
    {
        AxisTaps[] rows = Maps(height, newHeight), columns = Maps(width, newWidth);
        for (int i = 0; i < rows.Length; i++)
        {
            (AxisTaps down, AxisTaps across) = (rows[i], columns[i]);
            using GuardedBuffer<float> x = Random(planes * height * width, i), back = Random(planes * newHeight * newWidth, i);
            float[] y = Same(planes * newHeight * newWidth, to => Resample.Run(DType.Float32, x.Address, to, planes, down, across));
            float[] dx = Same(planes * height * width, to => Resample.Run(DType.Float32, back.Address, to, planes, down.Transpose(), across.Transpose()));

            // ⟨back, A·x⟩ = ⟨Aᵀ·back, x⟩
            double forward = Dot(back.Span, y), backward = Dot(x.Span, dx);
            Assert.Equal(forward, backward, 1e-5 * planes * height * width);
        }
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 17, 2)]
    [InlineData(2, 2049, 1)]
    [InlineData(2, 2050, 3)]
    [InlineData(7, 5000, 2)]
    [InlineData(3, 40, 40)]
    public void Differenced(int rows, int n, int order)
    {
        using GuardedBuffer<float> x = Random(rows * n, 1);
        float[] expected = x.Span.ToArray();
        int length = n;
        for (int step = 0; step < order; step++, length--)
        {
            float[] next = new float[rows * (length - 1)];
            for (int r = 0; r < rows; r++)
                for (int i = 0; i + 1 < length; i++) next[(r * (length - 1)) + i] = expected[(r * length) + i + 1] - expected[(r * length) + i];
            expected = next;
        }

        Assert.Equal(expected, Same(rows * (n - order), y => Differences.Run(DType.Float32, x.Address, y, rows, n, order, transposed: false)));

        float[] turned = x.Span.ToArray();
        length = n;
        for (int step = 0; step < order; step++, length++)
        {
            float[] next = new float[rows * (length + 1)];
            for (int r = 0; r < rows; r++)
                for (int i = 0; i <= length; i++)
                    next[(r * (length + 1)) + i] = (i == 0 ? 0 : turned[(r * length) + i - 1]) - (i == length ? 0 : turned[(r * length) + i]);
            turned = next;
        }

        Assert.Equal(turned, Same(rows * (n + order), y => Differences.Run(DType.Float32, x.Address, y, rows, n, order, transposed: true)));
    }

    private static AxisTaps[] Maps(int from, int to) => [AxisTaps.Linear(from, to, false), AxisTaps.Linear(from, to, true), AxisTaps.Average(from, to)];

    private static GuardedBuffer<float> Random(int count, int seed) => new(TestData.Normal<float>(count, seed));

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += (double)a[i] * b[i];
        return sum;
    }

    private static float[] Same(int count, Action<nint> run)
    {
        using GuardedBuffer<float> output = new(count);
        float[]? first = null;
        KernelModes.ForEach(() =>
        {
            output.Span.Fill(float.NaN);
            run(output.Address);
            first ??= output.Span.ToArray();
            TestData.AssertSameBits<float>(first, output.Span, "planes");
        });
        return first!;
    }
}
