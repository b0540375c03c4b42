using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Convolutions of 3 × 3 filters by minimal filtering, against their definition in double precision.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class WinogradTests
{
    /// <summary>Batch, channels in and out, height, width, padding: even and odd sizes, one and several blocks, more channels than one chain of sums has.</summary>
    public static TheoryData<int[]> Shapes =>
    [
        [1, 32, 32, 16, 16, 1],
        [5, 48, 33, 7, 9, 1],
        [2, 40, 50, 19, 23, 1],
        [3, 24, 33, 12, 12, 0],
        [1, 33, 64, 31, 9, 2],
        [1, 400, 20, 14, 14, 1],
        [2, 20, 400, 14, 14, 1],
        [1, 64, 64, 56, 56, 1],
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ConvolutionsAndGradientsAreWhatTheyAreInEveryMode(int[] shape)
    {
        WindowShape s = ShapeOf(shape);
        float[] x = Values(s.Batch * s.InChannels * s.InputSize, 1), y = Values(s.Batch * s.OutChannels * s.OutputSize, 2);
        float[] w = Values((long)s.OutChannels * s.InChannels * s.Taps, 3), bias = Values(s.OutChannels, 4);
        var forward = Expected(s, y.Length, x, w, bias, gradient: false);
        var gradient = Expected(s, x.Length, y, w, null, gradient: true);
        var weights = ExpectedWeights(s, x, y);
        float[]? firstForward = null, firstGradient = null, firstWeights = null;
        KernelModes.ForEach(() =>
        {
            float[] result = Forward(s, x, w, bias), back = Gradient(s, y, w), filters = Weights(s, x, y);
            Close(forward, result, s.InChannels);
            Close(gradient, back, s.OutChannels);
            Close(weights, filters, s.Batch * (int)s.OutputSize / 9);
            Assert.Equal(firstForward ??= result, result);
            Assert.Equal(firstGradient ??= back, back);
            Assert.Equal(firstWeights ??= filters, filters);
        });
    }

    [Fact]
    public void SmallIntegersAreExact()
    {
        WindowShape s = ShapeOf([2, 32, 48, 17, 20, 1]);
        Random random = new(5);
        float[] x = [.. Values(s.Batch * s.InChannels * s.InputSize, 1).Select(_ => (float)random.Next(-9, 10))];
        float[] w = [.. Values((long)s.OutChannels * s.InChannels * s.Taps, 1).Select(_ => (float)random.Next(-9, 10))];
        float[] bias = new float[s.OutChannels], result = Forward(s, x, w, bias);
        Assert.Equal(Expected(s, result.Length, x, w, bias, gradient: false).Select(v => (float)v), result);
        Assert.NotEqual(0, result.Max());
        float[] dy = [.. result.Select(_ => (float)random.Next(-9, 10))];
        Assert.Equal(ExpectedWeights(s, x, dy).Select(v => (float)v), Weights(s, x, dy));
    }

    /// <summary>What is not finite, or so large that its transform might not be, reaches exactly the windows that it is in.</summary>
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    [InlineData(3e38f)]
    public void ExceptionalInputsStayInTheirWindows(float value)
    {
        WindowShape s = ShapeOf([2, 32, 32, 16, 16, 1]);
        float[] x = Values(s.Batch * s.InChannels * s.InputSize, 1), w = Values((long)s.OutChannels * s.InChannels * s.Taps, 3), bias = new float[s.OutChannels];
        x[(int)((s.InChannels + 7) * s.InputSize) + 5 * 16 + 6] = value;
        float[] filtered = Forward(s, x, w, bias);
        Assert.Equal(Without(() => Forward(s, x, w, bias)), filtered);
        for (var i = 0; i < filtered.Length; i++)
        {
            var (row, column) = (i % 256 / 16, i % 16);
            var inside = i >= filtered.Length / 2 && Math.Abs(row - 5) <= 1 && Math.Abs(column - 6) <= 1;
            Assert.Equal(inside, !(Math.Abs(filtered[i]) < 1e6f));
        }

        float[] dy = Values(s.Batch * s.OutChannels * s.OutputSize, 5);
        Assert.Equal(Without(() => Weights(s, x, dy)), Weights(s, x, dy));
        w[100] = value;
        Assert.Equal(Without(() => Forward(s, x, w, bias)), Forward(s, x, w, bias));
    }

    [Fact]
    public void EveryElementIsFinishedOnceAndIsFinalThen()
    {
        WindowShape s = ShapeOf([2, 40, 50, 19, 23, 1]);
        float[] x = Values(s.Batch * s.InChannels * s.InputSize, 1), w = Values((long)s.OutChannels * s.InChannels * s.Taps, 3), bias = Values(s.OutChannels, 4);
        float[] expected = [.. Forward(s, x, w, bias).Select(v => v * 2)];
        KernelModes.ForEach(() => Assert.Equal(expected, Forward(s, x, w, bias, doubled: true)));
    }

    [Fact]
    public void SmallRoundingErrorsOnly()
    {
        // The shape of ResNet-18's first layers: the largest error beside that of the plain sum.
        WindowShape s = ShapeOf([1, 64, 64, 56, 56, 1]);
        float[] x = Values(s.Batch * s.InChannels * s.InputSize, 1), w = Values((long)s.OutChannels * s.InChannels * s.Taps, 3), bias = new float[s.OutChannels];
        float[] filtered = Forward(s, x, w, bias), plain = Without(() => Forward(s, x, w, bias));
        Assert.NotEqual(plain, filtered);
        var expected = Expected(s, filtered.Length, x, w, bias, gradient: false);
        Assert.InRange(Largest(expected, filtered), 0, 3 * Largest(expected, plain));
        float[] dy = Values(s.Batch * s.OutChannels * s.OutputSize, 5);
        (filtered, plain) = (Weights(s, x, dy), Without(() => Weights(s, x, dy)));
        Assert.NotEqual(plain, filtered);
        expected = ExpectedWeights(s, x, dy);
        Assert.InRange(Largest(expected, filtered), 0, 3 * Largest(expected, plain));
    }

    private static double Largest(double[] expected, float[] actual) => expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();

    private static float[] Without(Func<float[]> run)
    {
        Winograd.Enabled = false;
        try
        {
            return run();
        }
        finally
        {
            Winograd.Enabled = true;
        }
    }

    private static void Close(double[] expected, float[] actual, int channels)
    {
        // Operands below 1: a sum of 9·channels terms, its rounding errors about 2⁻²⁴ times the root of as many.
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-6 * Math.Sqrt(9 * channels));
    }

    private static float[] Forward(WindowShape s, float[] x, float[] w, float[] bias, bool doubled = false)
        => Run((int)(s.Batch * s.OutChannels * s.OutputSize), (a, b, c, to) =>
        {
            Planes planes = new() { Data = to, Size = s.OutputSize };
            Convolution.Forward(s, a, b, c, to, doubled ? new GemmFinish(&Double, &planes) : default);
        }, x, w, bias);

    private static float[] Gradient(WindowShape s, float[] dy, float[] w)
        => Run((int)(s.Batch * s.InChannels * s.InputSize), (a, b, _, to) => Convolution.InputGradient(s, a, b, to), dy, w, []);

    private static float[] Weights(WindowShape s, float[] x, float[] dy)
        => Run(s.OutChannels * s.InChannels * 9, (a, b, _, to) => Convolution.WeightGradient(s, a, b, to), x, dy, []);

    private delegate void Kernel(float* a, float* b, float* c, float* to);

    private static float[] Run(int count, Kernel kernel, float[] a, float[] b, float[] c)
    {
        using GuardedBuffer<float> first = new(a), second = new(b), third = new(c), result = new(count);
        kernel(first.Data, second.Data, third.Data, result.Data);
        result.AssertIntact();
        return result.Span.ToArray();
    }

    private static void Double(void* context, long row, long rows, long column, long columns)
    {
        var planes = (Planes*)context;
        for (var r = row; r < row + rows; r++)
        {
            for (var c = column; c < column + columns; c++) planes->Data[r * planes->Size + c] *= 2;
        }
    }

    private static double[] Expected(WindowShape s, int count, float[] from, float[] w, float[]? bias, bool gradient)
    {
        var result = new double[count];
        int height = s.Input[1], width = s.Input[2], rows = s.Output[1], columns = s.Output[2];
        for (var image = 0; image < s.Batch; image++)
        {
            for (var o = 0; o < s.OutChannels; o++)
            {
                for (var c = 0; c < s.InChannels; c++)
                {
                    for (var tap = 0; tap < 9; tap++)
                    {
                        double weight = w[((o * s.InChannels) + c) * 9 + tap];
                        int x = (image * s.InChannels + c) * height * width, y = (image * s.OutChannels + o) * rows * columns;
                        for (var row = 0; row < rows; row++)
                        {
                            var at = row + tap / 3 - s.Before[1];
                            if ((uint)at >= (uint)height) continue;
                            for (var column = 0; column < columns; column++)
                            {
                                var to = column + tap % 3 - s.Before[2];
                                if ((uint)to >= (uint)width) continue;
                                int source = x + at * width + to, target = y + row * columns + column;
                                if (gradient) result[source] += weight * from[target];
                                else result[target] += weight * from[source];
                            }
                        }
                    }
                }
            }
        }

        if (bias != null)
        {
            for (var i = 0; i < count; i++) result[i] += bias[i / (rows * columns) % s.OutChannels];
        }

        return result;
    }

    private static double[] ExpectedWeights(WindowShape s, float[] x, float[] dy)
    {
        var result = new double[s.OutChannels * s.InChannels * 9];
        int height = s.Input[1], width = s.Input[2], rows = s.Output[1], columns = s.Output[2];
        for (var i = 0; i < result.Length; i++)
        {
            int o = i / 9 / s.InChannels, c = i / 9 % s.InChannels, tap = i % 9;
            for (var image = 0; image < s.Batch; image++)
            {
                int source = (image * s.InChannels + c) * height * width, target = (image * s.OutChannels + o) * rows * columns;
                for (var row = 0; row < rows; row++)
                {
                    var at = row + tap / 3 - s.Before[1];
                    if ((uint)at >= (uint)height) continue;
                    int first = Math.Max(0, s.Before[2] - tap % 3), end = Math.Min(columns, width + s.Before[2] - tap % 3), shift = at * width + tap % 3 - s.Before[2];
                    for (var column = first; column < end; column++) result[i] += (double)dy[target + row * columns + column] * x[source + shift + column];
                }
            }
        }

        return result;
    }

    private static WindowShape ShapeOf(int[] from)
    {
        WindowShape s = new() { Batch = from[0], Groups = 1, InChannels = from[1], OutChannels = from[2] };
        (s.Input[0], s.Input[1], s.Input[2]) = (1, from[3], from[4]);
        for (var i = 0; i < 3; i++)
        {
            (s.Kernel[i], s.Before[i]) = i == 0 ? (1, 0) : (3, from[5]);
            (s.Stride[i], s.Dilation[i]) = (1, 1);
            s.Output[i] = s.Input[i] + 2 * s.Before[i] - s.Kernel[i] + 1;
        }

        return s;
    }

    private static float[] Values(long count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => (float)(random.NextDouble() * 2 - 1))];
    }

    private struct Planes
    {
        public float* Data;
        public long Size;
    }
}
