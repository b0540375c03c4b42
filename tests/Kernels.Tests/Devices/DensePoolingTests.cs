using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion.Tests;

/// <summary>Poolings on devices against those of the processor, bit for bit.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DensePoolingTests
{
    /// <summary>Shapes for a debugger.</summary>
    public static TheoryData<DenseWindow> Small =>
    [
        new([2, 1, 1, 1], [1, 6, 6], [1, 2, 2]) { Stride = [1, 2, 2] },
        new([2, 1, 1, 1], [1, 5, 7], [1, 3, 3]) { Stride = [1, 2, 1], Before = [0, 1, 1] },
        new([1, 1, 1, 1], [4, 3, 5], [2, 2, 3]) { Stride = [1, 2, 2], Before = [1, 0, 2] },
    ];

    /// <summary>Windows that overlap, leave inputs out, meet only padding, and every other element.</summary>
    public static TheoryData<DenseWindow> Large =>
    [
        new([40, 1, 1, 1], [1, 28, 28], [1, 2, 2]) { Stride = [1, 2, 2] },
        new([17, 1, 1, 1], [1, 31, 29], [1, 3, 3]) { Stride = [1, 2, 2], Before = [0, 1, 1] },
        new([9, 1, 1, 1], [1, 20, 23], [1, 3, 2]) { Stride = [1, 1, 3], Before = [0, 2, 1] },
        new([5, 1, 1, 1], [1, 19, 16], [1, 2, 2]) { Stride = [1, 3, 4] },
        new([7, 1, 1, 1], [1, 1, 300], [1, 1, 5]) { Stride = [1, 1, 2], Before = [0, 0, 4] },
        new([3, 1, 1, 1], [9, 10, 11], [3, 2, 3]) { Stride = [2, 1, 2], Before = [1, 0, 2] },
        new([5, 1, 1, 1], [1, 24, 25], [1, 3, 3]) { Stride = [1, 2, 1], Dilation = [1, 2, 3], Before = [0, 2, 1] },
        new([6, 1, 1, 1], [1, 14, 14], [1, 14, 14]),
    ];

    [Theory]
    [MemberData(nameof(Small))]
    public void On_the_debug_device(DenseWindow window)
    {
        Check<float, int>(GpuDevices.Debug, window.Shape);
        Check<double, long>(GpuDevices.Debug, window.Shape);
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(Large))]
    public void On_the_accelerator(DenseWindow window)
    {
        Check<float, int>(GpuDevices.Open(0), window.Shape);
        Check<double, long>(GpuDevices.Open(0), window.Shape);
    }

    private static void Check<T, TIndex>(GpuDevice device, WindowShape s)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TIndex : unmanaged, IBinaryInteger<TIndex>
    {
        int inputs = (int)(s.Batch * s.InputSize), outputs = (int)(s.Batch * s.OutputSize);
        T[] x = Values<T>(inputs), dy = DenseArrays<T>.Values(outputs, 2), y = new T[outputs], sums = new T[outputs], dx = new T[inputs];
        TIndex[] indices = new TIndex[outputs];
        // The processor's kernels may read a vector past the end.
        fixed (T* px = (T[])[.. x, .. new T[16]], pg = (T[])[.. dy, .. new T[16]], py = y, ps = sums, pd = dx)
        fixed (TIndex* pi = indices)
        {
            Convolution.MaxPool(s, px, py);
            Convolution.SumPool(s, px, ps);
            Convolution.SumPoolGradient(s, pg, pd);
            MaxPoolIndices<T, TIndex>.Run(s, px, pi);
        }

        using var arrays = new DenseArrays<T>(device);
        DenseArray<T> input = arrays.Upload(x, 1), gradient = arrays.Upload(dy, 1), max = arrays.Upload(new T[outputs], 1);
        DenseArray<T> sum = arrays.Upload(new T[outputs], 1), places = arrays.Upload(new T[outputs], 3);
        DenseArray<T> ofSum = arrays.Upload(new T[inputs], 1);
        DevicePooling.Max<T>(device, s, input.Vector, max.Vector);
        DevicePooling.Sum<T>(device, s, input.Vector, sum.Vector);
        DevicePooling.MaxIndices<T>(device, s, input.Vector, places.Vector);
        DevicePooling.SumGradient<T>(device, s, gradient.Vector, ofSum.Vector);
        AssertSame(y, DenseArrays<T>.Download(max), "max");
        AssertSame(sums, DenseArrays<T>.Download(sum), "sum");
        Assert.Equal(indices, MemoryMarshal.Cast<T, TIndex>(DenseArrays<T>.Download(places)).ToArray());
        AssertSame(dx, DenseArrays<T>.Download(ofSum), "gradient of sums");
    }

    /// <summary>Few different values, so that there are ties; NaN, both zeros, and infinities, of which whole windows consist.</summary>
    private static T[] Values<T>(int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var random = new Random(count);
        var values = new T[count];
        for (int i = 0; i < count; i++)
        {
            values[i] = random.Next(40) switch
            {
                0 => T.NaN,
                1 => T.NegativeZero,
                2 => T.Zero,
                3 => T.PositiveInfinity,
                _ => T.CreateChecked(random.Next(9) - 4) / T.CreateChecked(4),
            };
        }

        values.AsSpan(0, count / 5).Fill(T.NegativeInfinity);
        return values;
    }

    private static void AssertSame<T>(T[] expected, T[] actual, string what)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        for (int i = 0; i < expected.Length; i++)
        {
            // A device may give another NaN.
            bool same = T.IsNaN(expected[i]) ? T.IsNaN(actual[i]) : expected[i] == actual[i] && T.IsNegative(expected[i]) == T.IsNegative(actual[i]);
            if (!same) Assert.Fail($"{what} {typeof(T).Name}: element {i} of {expected.Length} is {actual[i]}, not {expected[i]}");
        }
    }
}
