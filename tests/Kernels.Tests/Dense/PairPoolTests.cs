using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Maxima of windows of 2 × 2, and where they are, against loops: ties, NaN and −∞, at every width.</summary>
[Collection(KernelModes.Name)]
public sealed unsafe class PairPoolTests
{
    public static TheoryData<int, int> Sizes => new() { { 2, 2 }, { 3, 5 }, { 8, 8 }, { 9, 33 }, { 24, 24 }, { 6, 34 }, { 5, 70 }, { 40, 16 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void TheFirstOfTheLargestWins(int height, int width)
    {
        const int Planes = 5;
        Random random = new(height * 100 + width);
        float[] choices = [0, -0f, 1, 1, 2, -1, float.NegativeInfinity, float.NegativeInfinity, float.PositiveInfinity, float.NaN];
        float[] x = [.. Enumerable.Range(0, Planes * height * width).Select(_ => choices[random.Next(choices.Length - (random.Next(3) == 0 ? 0 : 1))])];
        x.AsSpan(0, height * width).Fill(float.NegativeInfinity);
        WindowShape s = new() { Batch = Planes, Groups = 1, InChannels = 1, OutChannels = 1 };
        for (var i = 0; i < 3; i++)
        {
            (s.Input[i], s.Kernel[i], s.Stride[i], s.Dilation[i]) = (i == 0 ? 1 : i == 1 ? height : width, i == 0 ? 1 : 2, i == 0 ? 1 : 2, 1);
            s.Output[i] = s.Input[i] / s.Stride[i];
        }

        (float Value, int Index)[] expected = [.. Enumerable.Range(0, Planes * (int)s.OutputSize).Select(i => Largest(x, s, i))];
        float[] input = TestData.WithSlack(x);
        KernelModes.ForEach(() =>
        {
            float[] values = [.. Enumerable.Repeat(42f, expected.Length + 16)];
            int[] indices = [.. Enumerable.Repeat(42, expected.Length + 16)];
            fixed (float* from = input, to = values) Convolution.MaxPool(s, from, to);
            fixed (float* from = input)
            {
                fixed (int* to = indices) MaxPoolIndices<float, int>.Run(s, from, to);
            }

            Assert.Equal([.. expected.Select(static e => e.Value), .. Enumerable.Repeat(42f, 16)], values);
            Assert.Equal([.. expected.Select(static e => e.Index), .. Enumerable.Repeat(42, 16)], indices);
        });
    }

    // The first NaN, or the first of the largest elements; the first of all where they are all −∞.
    private static (float Value, int Index) Largest(float[] x, in WindowShape s, int window)
    {
        var (plane, pixel) = Math.DivRem(window, (int)s.OutputSize);
        var (y, column) = Math.DivRem(pixel, s.Output[2]);
        int first = 2 * y * s.Input[2] + 2 * column, offset = plane * (int)s.InputSize, best = first;
        foreach (int i in new[] { first + 1, first + s.Input[2], first + s.Input[2] + 1 })
            if (!float.IsNaN(x[offset + best]) && (float.IsNaN(x[offset + i]) || x[offset + i] > x[offset + best])) best = i;
        return (x[offset + best], best);
    }
}
