using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Sums of windows that lie side by side, and their transpose: each value by its definition, at every vector width and thread count.</summary>
[Collection(KernelModes.Name)]
public sealed class WindowSpreadTests
{
    [Theory]
    [InlineData(1, 1, 2, 1, 2)]
    [InlineData(5, 2, 2, 2, 2)]
    [InlineData(40, 7, 7, 2, 2)]
    [InlineData(3, 5, 37, 2, 2)]
    [InlineData(700, 8, 16, 2, 2)]
    [InlineData(9, 7, 8, 3, 2)]
    [InlineData(9, 8, 7, 2, 3)]
    [InlineData(6, 4, 5, 1, 1)]
    public unsafe void Windows(int planes, int height, int width, int down, int across)
    {
        Check<float>(planes, height, width, down, across);
        Check<double>(planes, height, width, down, across);
    }

    private static unsafe void Check<T>(int planes, int height, int width, int down, int across)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        WindowShape s = new() { Batch = planes, Groups = 1, InChannels = 1, OutChannels = 1, Input = Of(1, height, width), Kernel = Of(1, down, across) };
        (s.Stride, s.Dilation, s.Output) = (s.Kernel, Of(1, 1, 1), Of(1, height / down, width / across));
        int rows = s.Output[1], columns = s.Output[2];
        T[] x = TestData.Normal<T>(planes * height * width, 1), g = TestData.Normal<T>(planes * rows * columns, 2);
        (x[0], x[^1], g[0], g[^1]) = (T.NegativeZero, T.NegativeZero, T.NegativeZero, T.PositiveInfinity);
        T[] y = new T[g.Length], dx = new T[x.Length];
        for (int p = 0; p < planes; p++)
        {
            for (int r = 0; r < rows * down; r++)
            {
                for (int c = 0; c < columns * across; c++)
                {
                    int element = (((p * height) + r) * width) + c, window = (((p * rows) + (r / down)) * columns) + (c / across);
                    y[window] += x[element];
                    dx[element] = T.Zero + g[window];
                }
            }
        }

        using GuardedBuffer<T> input = new(x), upstream = new(g), sums = new(y.Length), gradient = new(x.Length);
        KernelModes.ForEach(() =>
        {
            sums.Span.Fill(T.NaN);
            gradient.Span.Fill(T.NaN);
            Convolution.SumPool(s, input.Data, sums.Data);
            Convolution.SumPoolGradient(s, upstream.Data, gradient.Data);
            TestData.AssertSameBits<T>(y, sums.Span, "sums");
            TestData.AssertSameBits<T>(dx, gradient.Span, "gradient");
        });
    }

    private static Triple Of(int depth, int height, int width)
    {
        Triple result = default;
        (result[0], result[1], result[2]) = (depth, height, width);
        return result;
    }
}
