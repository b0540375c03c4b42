using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>
/// Convolutions against their definition, one chain of fused multiply-adds for each block of the inner dimension, the blocks added in order (of some gradients, one for each tap; of filters over one channel, sixteen): the same bits,
/// whether patches are packed or read from staged planes, for every number of threads and every vector width.
/// </summary>
[Collection(KernelModes.Name)]
public sealed unsafe class ConvolutionChainTests
{
    /// <summary>Batch, groups, channels in and out of a group, height, width, kernel, stride, padding, dilation.</summary>
    public static TheoryData<int[]> Shapes =>
    [
        [1, 2, 64, 70, 20, 20, 3, 1, 1, 1],
        [1, 1, 48, 20, 9, 33, 5, 1, 2, 1],
        [1, 1, 40, 33, 14, 14, 3, 1, 1, 2],
        [1, 2, 17, 30, 15, 18, 3, 2, 1, 1],
        [1, 1, 3, 24, 31, 30, 7, 2, 3, 1],
        [1, 1, 90, 64, 7, 7, 3, 1, 1, 1],
        [1, 3, 16, 5, 12, 11, 2, 3, 0, 1],
        [6, 1, 20, 31, 12, 12, 5, 1, 0, 1],
        [5, 2, 6, 9, 16, 40, 3, 1, 1, 1],
        [7, 1, 1, 20, 28, 28, 5, 1, 0, 1],
        [5, 1, 9, 10, 11, 9, 5, 1, 0, 1],
        [2, 1, 3, 500, 9, 40, 7, 1, 1, 1],
        [3, 1, 5, 8, 13, 12, 4, 1, 0, 2],
        [70, 1, 7, 12, 3, 3, 2, 1, 0, 1],
        [2, 5, 1, 1, 15, 21, 3, 1, 1, 1],
        [1, 4, 1, 2, 9, 56, 3, 1, 0, 1],
        [1, 3, 1, 1, 6, 7, 3, 1, 1, 1],
        [1, 2, 1, 1, 8, 4, 3, 1, 1, 1],
        [1, 2, 1, 3, 5, 3, 3, 1, 1, 1],
        [1, 3, 1, 1, 13, 34, 3, 1, 2, 2],
        [2, 3, 1, 3, 12, 17, 5, 1, 2, 1],
        [2, 3, 1, 1, 15, 38, 3, 2, 1, 1],
        [1, 1, 72, 50, 7, 7, 1, 1, 0, 1],
        [1, 2, 20, 31, 21, 20, 1, 1, 0, 1],
        [3, 2, 9, 31, 21, 20, 1, 1, 0, 1],
        [2, 1, 3, 20, 15, 17, 4, 4, 0, 1],
        [3, 1, 5, 9, 8, 6, 2, 2, 0, 1],
        [1, 1, 2, 40, 33, 48, 16, 16, 0, 1],
        [2, 16, 1, 1, 7, 7, 3, 1, 1, 1],
        [2, 21, 1, 1, 7, 7, 7, 1, 3, 1],
        [3, 40, 1, 1, 9, 14, 5, 2, 2, 1],
        [1, 33, 1, 1, 8, 11, 3, 2, 1, 1],
        [2, 9, 1, 1, 13, 10, 3, 1, 2, 2],
        [1, 16, 1, 1, 12, 16, 5, 3, 0, 2],
        [1, 16, 1, 1, 7, 5, 2, 3, 0, 1],
        [1, 18, 1, 1, 150, 130, 5, 1, 2, 1],
        [1, 18, 1, 1, 151, 131, 3, 2, 1, 1],
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TheForwardProductIsItsChain(int[] shape)
    {
        WindowShape s = ShapeOf(shape);
        float[] x = Values((long)s.Batch * s.Groups * s.InChannels * s.InputSize, 1), w = Values(s.Groups * s.OutChannels * s.InChannels * s.Taps, 2);
        float[] bias = Values(s.Groups * s.OutChannels, 3);
        float[] expected = new float[(long)s.Batch * s.Groups * s.OutChannels * s.OutputSize];
        for (var i = 0; i < expected.Length; i++)
        {
            var (plane, pixel) = Math.DivRem(i, (int)s.OutputSize);
            var (image, filter) = Math.DivRem(plane, s.Groups * s.OutChannels);
            var first = (image * s.Groups + filter / s.OutChannels) * s.InChannels;
            expected[i] = Chain(s.InChannels * (int)s.Taps, k =>
            {
                var (c, tap) = Math.DivRem(k, (int)s.Taps);
                return (w[filter * s.InChannels * (int)s.Taps + k], Input(s, x, first + c, pixel, tap));
            }) + bias[filter];
        }

        KernelModes.ForEach(() => Equal(expected, p =>
        {
            fixed (float* px = Padded(x), pw = Padded(w), pb = Padded(bias)) Convolution.Forward(s, px, pw, pb, p);
        }));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TheGradientOfTheInputIsItsChain(int[] shape)
    {
        WindowShape s = ShapeOf(shape);
        float[] dy = Values((long)s.Batch * s.Groups * s.OutChannels * s.OutputSize, 1), w = Values(s.Groups * s.OutChannels * s.InChannels * s.Taps, 2);
        float[] expected = new float[(long)s.Batch * s.Groups * s.InChannels * s.InputSize];
        int taps = (int)s.Taps;
        for (var i = 0; i < expected.Length; i++)
        {
            var (plane, pixel) = Math.DivRem(i, (int)s.InputSize);
            var (image, channel) = Math.DivRem(plane, s.Groups * s.InChannels);
            var (group, c) = Math.DivRem(channel, s.InChannels);
            var (y, xx) = Math.DivRem(pixel, s.Input[2]);

            // The taps of the phase of the stride, also those that meet padding; or one chain for each tap.
            int[] met = [.. Enumerable.Range(0, taps).Where(t => Meets(s, 1, y, t / s.Kernel[2]) && Meets(s, 2, xx, t % s.Kernel[2]))];
            if (ColumnGradient<float>.Takes(s)) expected[i] = met.Aggregate(0f, (sum, t) => sum + Chain(s.OutChannels, o => Factors(o, t)));
            else expected[i] = Chain(s.OutChannels * met.Length, k => Factors(k / met.Length, met[k % met.Length]));

            (float, float) Factors(int filter, int t)
            {
                int o = group * s.OutChannels + filter;
                int fromY = y + s.Before[1] - t / s.Kernel[2] * s.Dilation[1], fromX = xx + s.Before[2] - t % s.Kernel[2] * s.Dilation[2];
                int oy = fromY / s.Stride[1], ox = fromX / s.Stride[2];
                var inside = fromY >= 0 && fromX >= 0 && oy < s.Output[1] && ox < s.Output[2];
                var value = inside ? dy[(image * s.Groups * s.OutChannels + o) * (int)s.OutputSize + oy * s.Output[2] + ox] : 0;
                return (w[(o * s.InChannels + c) * taps + t], value);
            }
        }

        KernelModes.ForEach(() => Equal(expected, p =>
        {
            fixed (float* pg = Padded(dy), pw = Padded(w)) Convolution.InputGradient(s, pg, pw, p);
        }));
    }

    [Fact]
    public void PlanesThatShrinkMuchSendTheirGradientsBackByColumns()
    {
        int count = 0;
        foreach (int[] row in Shapes) count += ColumnGradient<float>.Takes(ShapeOf(row)) ? 1 : 0;
        Assert.Equal(8, count);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TheGradientOfTheFiltersIsItsChain(int[] shape)
    {
        WindowShape s = ShapeOf(shape) with { Batch = 1 };
        float[] x = Values((long)s.Groups * s.InChannels * s.InputSize, 1), dy = Values((long)s.Groups * s.OutChannels * s.OutputSize, 2);
        float[] expected = new float[s.Groups * s.OutChannels * s.InChannels * s.Taps];
        for (var i = 0; i < expected.Length; i++)
        {
            var (plane, tap) = Math.DivRem(i, (int)s.Taps);
            var (o, c) = Math.DivRem(plane, s.InChannels);
            var source = o / s.OutChannels * s.InChannels + c;
            Func<int, (float, float)> factors = pixel => (dy[o * (int)s.OutputSize + pixel], Input(s, x, source, pixel, tap));
            expected[i] = s.InChannels == 1 && s.OutChannels < 4 ? SixteenChains(s.Output[1], s.Output[2], factors) : Chain((int)s.OutputSize, factors);
        }

        KernelModes.ForEach(() => Equal(expected, p =>
        {
            fixed (float* px = Padded(x), pg = Padded(dy)) Convolution.WeightGradient(s, px, pg, p);
        }));
    }

    /// <summary>Equal blocks of at most 384.</summary>
    private static float Chain(int count, Func<int, (float A, float B)> factors)
    {
        var blocks = Math.Max(1, (count + 383) / 384);
        int depth = (count + blocks - 1) / blocks;
        float sum = 0;
        for (var k = 0; k < count; k += depth)
        {
            float chain = 0;
            for (var i = k; i < Math.Min(count, k + depth); i++)
            {
                var (a, b) = factors(i);
                chain = MathF.FusedMultiplyAdd(a, b, chain);
            }

            sum = k == 0 ? chain : chain + sum;
        }

        return sum;
    }

    /// <summary>A chain for the columns of each rest of 16, added by halves.</summary>
    private static float SixteenChains(int rows, int columns, Func<int, (float A, float B)> factors)
    {
        float[] chains = new float[16];
        for (var i = 0; i < rows * columns; i++)
        {
            var (a, b) = factors(i);
            ref float chain = ref chains[i % columns % 16];
            chain = MathF.FusedMultiplyAdd(a, b, chain);
        }

        for (var half = 8; half > 0; half /= 2)
        {
            for (var i = 0; i < half; i++) chains[i] += chains[i + half];
        }

        return chains[0];
    }

    private static bool Meets(in WindowShape s, int axis, int position, int tap) => (position + s.Before[axis] - tap * s.Dilation[axis]) % s.Stride[axis] == 0;

    private static float Input(in WindowShape s, float[] x, int plane, int pixel, int tap)
    {
        var y = pixel / s.Output[2] * s.Stride[1] + tap / s.Kernel[2] * s.Dilation[1] - s.Before[1];
        var column = pixel % s.Output[2] * s.Stride[2] + tap % s.Kernel[2] * s.Dilation[2] - s.Before[2];
        var inside = (uint)y < (uint)s.Input[1] && (uint)column < (uint)s.Input[2];
        return inside ? x[(plane * s.Input[1] + y) * s.Input[2] + column] : 0;
    }

    private static WindowShape ShapeOf(int[] from)
    {
        WindowShape s = new() { Batch = from[0], Groups = from[1], InChannels = from[2], OutChannels = from[3] };
        int[] size = [1, from[4], from[5]];
        for (var i = 0; i < 3; i++)
        {
            (s.Input[i], s.Kernel[i], s.Stride[i], s.Before[i], s.Dilation[i]) = i == 0 ? (1, 1, 1, 0, 1) : (size[i], from[6], from[7], from[8], from[9]);
            s.Output[i] = (s.Input[i] + 2 * s.Before[i] - (s.Kernel[i] - 1) * s.Dilation[i] - 1) / s.Stride[i] + 1;
        }

        return s;
    }

    private delegate void Kernel(float* result);

    private static void Equal(float[] expected, Kernel kernel)
    {
        float[] result = new float[expected.Length + 64];
        Array.Fill(result, float.NaN);
        fixed (float* p = result) kernel(p);
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) == BitConverter.SingleToInt32Bits(result[i])) continue;
            Assert.Fail($"element {i} is {result[i]:R}, not {expected[i]:R}, at {SimdWidth.Current} bits and {WorkerPool.Threads} threads");
        }

        Assert.All(result[expected.Length..], v => Assert.True(float.IsNaN(v)));
    }

    /// <summary>With the slack that kernels may read.</summary>
    private static float[] Padded(float[] values) => [.. values, .. new float[16]];

    private static float[] Values(long count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => (float)(random.NextDouble() * 2 - 1))];
    }
}
