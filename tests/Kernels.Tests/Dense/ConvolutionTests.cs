using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests;

[Collection(KernelModes.Name)]
public sealed unsafe class ConvolutionTests
{
    // (batch, groups, in, out channels of a group), input, kernel, stride, padding, dilation: joined images, whole images, 1 × 1, depthwise, strides, few
    // samples.
    private static readonly (int[] Channels, int[] Input, int[] Kernel, int[] Stride, int[] Before, int[] Dilation)[] s_shapes =
    [
        ([9, 1, 3, 20], [1, 9, 9], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
        ([3, 1, 8, 16], [1, 28, 29], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
        ([2, 1, 8, 16], [1, 20, 20], [1, 1, 1], [1, 1, 1], [0, 0, 0], [1, 1, 1]),
        ([4, 2, 5, 7], [1, 15, 17], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]),
        ([4, 12, 1, 1], [1, 15, 37], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
        ([20, 3, 1, 1], [1, 9, 21], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
        ([3, 20, 1, 1], [1, 7, 9], [1, 5, 3], [1, 2, 1], [0, 2, 1], [1, 1, 1]),
        ([2, 17, 1, 1], [4, 6, 5], [3, 3, 3], [1, 1, 1], [1, 1, 1], [1, 1, 1]),
        ([2, 40, 1, 1], [3, 7, 7], [2, 3, 3], [2, 2, 2], [1, 1, 1], [1, 1, 1]),
        ([2, 3, 1, 2], [4, 6, 19], [3, 3, 3], [1, 1, 1], [1, 1, 1], [1, 1, 1]),
        ([4, 6, 1, 2], [1, 15, 37], [1, 5, 3], [1, 2, 3], [0, 2, 1], [1, 1, 1]),
        ([3, 1, 4, 6], [5, 8, 9], [2, 3, 3], [1, 2, 1], [1, 0, 1], [2, 1, 1]),
        ([1, 1, 40, 50], [1, 19, 19], [1, 3, 3], [1, 1, 1], [0, 1, 1], [1, 1, 1]),
        ([9, 1, 5, 12], [1, 12, 13], [1, 5, 4], [1, 1, 1], [0, 0, 0], [1, 1, 1]),
        ([3, 1, 4, 9], [7, 6, 9], [3, 2, 3], [1, 1, 1], [0, 0, 1], [2, 1, 2]),
        ([3, 2, 4, 5], [1, 11, 26], [1, 2, 2], [1, 2, 2], [0, 0, 0], [1, 1, 1]),
    ];

    [Fact]
    public void NumbersOfThreadsAndVectorWidthsChangeNoBit()
    {
        foreach (var shape in s_shapes)
        {
            SameBits<float>(Shape(shape));
            SameBits<double>(Shape(shape));
        }
    }

    [Fact]
    public void WhatUnderflowsKeepsItsSign()
    {
        // Products of 10⁻⁴⁶; the widths take different ways to these results, of which some lie apart.
        (int[] Channels, int[] Input, int[] Kernel, int[] Stride, int[] Before, int[] Dilation)[] shapes =
        [
            ([2, 1, 33, 8], [3, 2, 6], [5, 3, 1], [5, 2, 1], [4, 4, 0], [1, 2, 2]),
            ([2, 1, 33, 8], [1, 9, 11], [1, 3, 3], [1, 2, 1], [0, 1, 1], [1, 1, 1]),
            ([2, 1, 33, 8], [1, 9, 11], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]),
        ];
        foreach (var from in shapes)
        {
            var s = Shape(from);
            float[] y = Array.ConvertAll(Values<float>((long)s.Batch * s.OutChannels * s.OutputSize, 1), static v => v * 1e-23f);
            float[] w = Array.ConvertAll(Values<float>((long)s.OutChannels * s.InChannels * s.Taps, 2), static v => v * 1e-23f);
            float[]? expected = null;
            KernelModes.ForEach(() =>
            {
                var actual = Result<float>((int)(s.Batch * s.InChannels * s.InputSize), p => With(y, a => With(w, b => Convolution.InputGradient(s, a, b, p))));
                TestData.AssertSameBits<float>(expected ??= actual, actual, $"stride {s.Stride[0]}, {s.Stride[1]}, {s.Stride[2]}");
            });
        }
    }

    [Fact]
    public void InputsShorterThanAStrideReceiveWhatTheTapsThatMeetThemSend()
    {
        // Of the phases of a stride those behind the input do not exist, and no position sends through their taps. One phase may be all there is.
        (int[] Channels, int[] Input, int[] Kernel, int[] Stride, int[] Before, int[] Dilation)[] shapes =
        [
            ([2, 8, 1, 1], [1, 1, 1], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]),
            ([2, 9, 1, 1], [1, 6, 1], [1, 3, 3], [1, 1, 2], [0, 1, 1], [1, 1, 1]),
            ([3, 17, 1, 1], [1, 1, 5], [1, 3, 3], [1, 2, 1], [0, 1, 1], [1, 1, 1]),
            ([2, 33, 1, 1], [2, 3, 3], [5, 4, 1], [5, 1, 1], [2, 3, 0], [1, 2, 2]),
            ([2, 8, 1, 1], [1, 2, 3], [1, 5, 5], [1, 3, 4], [0, 2, 2], [1, 1, 1]),
            ([2, 1, 5, 7], [1, 1, 1], [1, 3, 3], [1, 2, 2], [0, 1, 1], [1, 1, 1]),
            ([2, 3, 4, 5], [1, 2, 3], [1, 5, 5], [1, 3, 4], [0, 2, 2], [1, 1, 1]),
            ([2, 3, 1, 2], [1, 2, 1], [1, 3, 3], [1, 3, 2], [0, 1, 1], [1, 1, 1]),
        ];
        foreach (var from in shapes)
        {
            var s = Shape(from);
            double[] y = Values<double>((long)s.Batch * s.Groups * s.OutChannels * s.OutputSize, 1), w = Values<double>((long)s.Groups * s.OutChannels * s.InChannels * s.Taps, 2);
            var expected = InputGradient(s, y, w);
            KernelModes.ForEach(() =>
            {
                // What working memory held before must not matter.
                using (var scratch = new NativeScratch(4096)) new Span<byte>(scratch.Pointer, 4096).Fill(0x7F);
                var actual = Result<double>(expected.Length, p => With(y, a => With(w, b => Convolution.InputGradient(s, a, b, p))));
                for (var i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 1e-12);
            });
        }
    }

    private static double[] InputGradient(in WindowShape s, double[] dy, double[] w)
    {
        var dx = new double[s.Batch * s.Groups * s.InChannels * s.InputSize];
        long taps = s.Taps, outputs = s.OutputSize, inputs = s.InputSize;
        for (long plane = 0; plane < s.Batch * s.Groups * s.OutChannels; plane++)
        {
            long group = plane / s.OutChannels % s.Groups, filter = group * s.OutChannels + plane % s.OutChannels;
            for (long o = 0; o < outputs; o++)
            {
                for (long t = 0; t < taps; t++)
                {
                    long z = o / s.Output[2] / s.Output[1] * s.Stride[0] + t / s.Kernel[2] / s.Kernel[1] * s.Dilation[0] - s.Before[0];
                    long y = o / s.Output[2] % s.Output[1] * s.Stride[1] + t / s.Kernel[2] % s.Kernel[1] * s.Dilation[1] - s.Before[1];
                    long x = o % s.Output[2] * s.Stride[2] + t % s.Kernel[2] * s.Dilation[2] - s.Before[2];
                    if (z < 0 || y < 0 || x < 0 || z >= s.Input[0] || y >= s.Input[1] || x >= s.Input[2]) continue;
                    for (long c = 0; c < s.InChannels; c++)
                        dx[(plane / s.OutChannels * s.InChannels + c) * inputs + (z * s.Input[1] + y) * s.Input[2] + x] += dy[plane * outputs + o] * w[(filter * s.InChannels + c) * taps + t];
                }
            }
        }

        return dx;
    }

    private static WindowShape Shape((int[] Channels, int[] Input, int[] Kernel, int[] Stride, int[] Before, int[] Dilation) from)
    {
        WindowShape s = new() { Batch = from.Channels[0], Groups = from.Channels[1], InChannels = from.Channels[2], OutChannels = from.Channels[3] };
        for (var i = 0; i < 3; i++)
        {
            (s.Input[i], s.Kernel[i], s.Stride[i], s.Before[i], s.Dilation[i]) = (from.Input[i], from.Kernel[i], from.Stride[i], from.Before[i],
                from.Dilation[i]);
            s.Output[i] = (s.Input[i] + 2 * s.Before[i] - (s.Kernel[i] - 1) * s.Dilation[i] - 1) / s.Stride[i] + 1;
        }

        return s;
    }

    private static void SameBits<T>(WindowShape s)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        long channels = (long)s.Batch * s.Groups;
        T[] x = Values<T>(channels * s.InChannels * s.InputSize, 1), y = Values<T>(channels * s.OutChannels * s.OutputSize, 2);
        T[] w = Values<T>(s.Groups * s.OutChannels * s.InChannels * s.Taps, 3), bias = Values<T>(s.Groups * s.OutChannels, 4);
        WindowShape planes = s with { Batch = s.Batch * s.Groups * s.InChannels, Groups = 1, InChannels = 1, OutChannels = 1, Dilation = Ones };
        for (var i = 0; i < 3; i++) planes.Output[i] = (s.Input[i] + 2 * s.Before[i] - s.Kernel[i]) / s.Stride[i] + 1;
        var pooled = planes.Batch * planes.OutputSize;
        List<T[]>? expected = null;
        KernelModes.ForEach(() =>
        {
            List<T[]> results =
            [
                Result<T>(y.Length, p => With(x, a => With(w, b => With(bias, c => Convolution.Forward(s, a, b, c, p))))),
                Result<T>(x.Length, p => With(y, a => With(w, b => Convolution.InputGradient(s, a, b, p)))),
                Result<T>(w.Length, p => With(x, a => With(y, b => Convolution.WeightGradient(s, a, b, p)))),
                Result<T>((int)pooled, p => With(x, a => Convolution.MaxPool(planes, a, p))),
                Result<T>((int)pooled, p => With(x, a => Convolution.SumPool(planes, a, p))),
                Result<T>(x.Length, p => With(x, a => Convolution.SumPoolGradient(planes, a, p))),
            ];
            expected ??= results;
            for (var i = 0; i < results.Count; i++)
                Assert.True(MemoryMarshal.AsBytes<T>(expected[i]).SequenceEqual(MemoryMarshal.AsBytes<T>(results[i])),
                    $"result {i} at {SimdWidth.Current} bits and {WorkerPool.Threads} threads");
        });
    }

    private static Triple Ones
    {
        get
        {
            Triple ones = default;
            (ones[0], ones[1], ones[2]) = (1, 1, 1);
            return ones;
        }
    }

    private delegate void Use<T>(T* pointer)
        where T : unmanaged;

    /// <summary>Runs a kernel on a copy in memory with the slack that kernels may read.</summary>
    private static void With<T>(T[] values, Use<T> use)
        where T : unmanaged
    {
        using NativeScratch memory = new(values.Length * sizeof(T));
        values.CopyTo(new Span<T>(memory.Pointer, values.Length));
        use((T*)memory.Pointer);
    }

    /// <summary>What a kernel writes; it must write every element and none past the end.</summary>
    private static T[] Result<T>(int count, Use<T> kernel)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        using NativeScratch memory = new((count + 64) * sizeof(T));
        var all = new Span<T>(memory.Pointer, count + 64);
        all.Fill(T.NaN);
        kernel((T*)memory.Pointer);
        T[] result = all[..count].ToArray();
        Assert.DoesNotContain(T.NaN, result);
        Assert.All(all[count..].ToArray(), v => Assert.True(T.IsNaN(v)));
        return result;
    }

    private static T[] Values<T>(long count, int seed)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, (int)count).Select(_ => T.CreateTruncating(random.NextDouble() * 2 - 1))];
    }
}
