using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Devices;

namespace Fusion.Tests;

/// <summary>Convolutions on devices and their two transposes against those of the processor in double precision.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DenseConvolutionTests
{
    private static readonly int[] s_representative = [0, 3, 5, 8, 14, 16];

    /// <summary>Shapes for a debugger.</summary>
    public static TheoryData<DenseWindow> Small =>
    [
        new([2, 1, 2, 3], [1, 5, 4], [1, 3, 2]) { Before = [0, 1, 0] },
        new([1, 2, 1, 2], [1, 1, 9], [1, 1, 3]) { Stride = [1, 1, 2], Dilation = [1, 1, 2], Before = [0, 0, 2] },
        new([1, 1, 1, 1], [3, 4, 3], [2, 2, 2]) { Stride = [2, 1, 3], Before = [1, 0, 1] },
        new([2, 3, 1, 1], [1, 4, 5], [1, 3, 3]) { Before = [0, 1, 1] },
    ];

    /// <summary>Tiles and what remains of them, joined images, strides that leave inputs out, windows that overlap the padding, 1-D and 3-D, groups.</summary>
    public static TheoryData<DenseWindow> Large =>
    [
        new([3, 1, 8, 16], [1, 12, 12], [1, 3, 3]) { Before = [0, 1, 1] },
        new([2, 1, 3, 5], [1, 13, 11], [1, 5, 5]) { Before = [0, 2, 1] },
        new([2, 1, 5, 70], [1, 14, 16], [1, 1, 1]),
        new([2, 1, 6, 9], [1, 15, 17], [1, 3, 3]) { Stride = [1, 2, 2], Before = [0, 1, 1] },
        new([1, 1, 4, 8], [1, 17, 16], [1, 2, 2]) { Stride = [1, 3, 4] },
        new([2, 1, 4, 6], [1, 19, 18], [1, 3, 3]) { Stride = [1, 2, 3], Dilation = [1, 2, 2], Before = [0, 2, 3] },
        new([2, 1, 4, 4], [1, 14, 15], [1, 3, 2]) { Stride = [1, 4, 2], Dilation = [1, 2, 4], Before = [0, 1, 1] },
        new([3, 2, 5, 7], [1, 10, 9], [1, 3, 3]) { Before = [0, 1, 1] },
        new([2, 1, 4, 6], [5, 8, 9], [2, 3, 3]) { Stride = [1, 2, 1], Before = [1, 0, 1], Dilation = [2, 1, 1] },
        new([3, 1, 7, 10], [1, 1, 50], [1, 1, 5]) { Stride = [1, 1, 2], Before = [0, 0, 2] },
        new([2, 1, 4, 9], [1, 24, 24], [1, 7, 7]) { Stride = [1, 2, 2], Before = [0, 3, 3] },
        new([2, 1, 4, 5], [1, 20, 20], [1, 9, 9]) { Before = [0, 4, 4] },
        new([1, 1, 5, 12], [1, 32, 32], [1, 16, 16]) { Stride = [1, 16, 16] },
        new([2, 1, 4, 5], [6, 6, 6], [5, 5, 5]) { Before = [2, 2, 2] },
        new([4, 12, 1, 1], [1, 15, 20], [1, 3, 3]) { Before = [0, 1, 1] },
        new([2, 6, 1, 2], [1, 15, 17], [1, 5, 3]) { Stride = [1, 2, 3], Before = [0, 2, 1] },
        new([2, 1, 130, 140], [1, 9, 8], [1, 3, 3]) { Before = [0, 1, 1] },
        new([9, 1, 1, 20], [1, 28, 28], [1, 5, 5]),
    ];

    /// <summary>Padding, strides, dilation, three axes, groups, several tiles.</summary>
    public static TheoryData<DenseWindow> AcceleratorWindows => AcceleratorTable.IsWhole ? Large : [.. s_representative.Select(static i => (DenseWindow)((IEnumerable<object[]>)Large).ElementAt(i)[0])];

    [Theory]
    [MemberData(nameof(Small))]
    public void On_the_debug_device(DenseWindow window)
    {
        Check<float>(GpuDevices.Debug, window.Shape);
        Check<double>(GpuDevices.Debug, window.Shape);
    }

    [DenseAcceleratorTheory]
    [MemberData(nameof(AcceleratorWindows))]
    public void On_the_accelerator(DenseWindow window) => Check<float>(GpuDevices.Open(0), window.Shape);

    [DenseAcceleratorFact(whole: true)]
    public void In_double_precision()
    {
        Check<double>(GpuDevices.Open(0), new DenseWindow([2, 1, 6, 9], [1, 15, 17], [1, 3, 3]) { Stride = [1, 2, 2], Before = [0, 1, 1] }.Shape);
        Check<double>(GpuDevices.Open(0), new DenseWindow([4, 12, 1, 1], [1, 15, 20], [1, 3, 3]) { Before = [0, 1, 1] }.Shape);
    }

    /// <summary>Large tiles, and sums over many positions in pieces.</summary>
    [DenseAcceleratorFact(whole: true)]
    public void As_large_as_tiles_are()
    {
        Check<float>(GpuDevices.Open(0), new DenseWindow([8, 1, 72, 80], [1, 40, 40], [1, 3, 3]) { Before = [0, 1, 1] }.Shape, false);
        Check<float>(GpuDevices.Open(0), new DenseWindow([2, 1, 4, 4], [1, 97, 129], [1, 3, 3]) { Before = [0, 1, 1] }.Shape, false);
        Check<float>(GpuDevices.Open(0), new DenseWindow([1, 1, 1, 1], [1, 150, 130], [1, 3, 3]).Shape, false);
    }

    [DenseAcceleratorFact]
    public void Padding_hides_what_is_not_a_number()
    {
        // A patch in the padding must not read the neighbouring row, image or channel: all of them are NaN but one image's channel.
        GpuDevice device = GpuDevices.Open(0);
        WindowShape s = new DenseWindow([3, 1, 4, 4], [1, 6, 6], [1, 3, 3]) { Before = [0, 1, 1] }.Shape;
        float[] x = DenseArrays<float>.Values(3 * 4 * 36, 1);
        x.AsSpan(0, 4 * 36).Fill(float.NaN);
        x.AsSpan(2 * 4 * 36).Fill(float.PositiveInfinity);
        using var arrays = new DenseArrays<float>(device);
        DenseArray<float> input = arrays.Upload(x), filters = arrays.Upload(DenseArrays<float>.Values(4 * 4 * 9, 2));
        DenseArray<float> output = arrays.Upload(new float[3 * 4 * 36]);
        DeviceConvolution.Forward<float>(device, s, input.Vector, filters.Vector, null, output.Vector);
        float[] y = DenseArrays<float>.Download(output);
        Assert.All(y[..(4 * 36)], v => Assert.True(float.IsNaN(v)));
        Assert.All(y[(4 * 36)..(2 * 4 * 36)], v => Assert.True(float.IsFinite(v)));
        Assert.All(y[(2 * 4 * 36)..], v => Assert.False(float.IsFinite(v)));
    }

    [Fact]
    public void Nothing_comes_of_nothing()
    {
        // Images without pixels: what is left is the bias. No images: the gradient of the filters is zero.
        foreach (GpuDevice device in GpuDevices.Count > 0 ? [GpuDevices.Debug, GpuDevices.Open(0)] : (GpuDevice[])[GpuDevices.Debug])
        {
            WindowShape s = new DenseWindow([0, 1, 4, 5], [1, 4, 4], [1, 3, 3]).Shape;
            WindowShape padding = new DenseWindow([1, 1, 4, 5], [1, 0, 1], [1, 2, 2]) { Before = [0, 1, 1] }.Shape;
            using var arrays = new DenseArrays<float>(device);
            DenseArray<float> nothing = arrays.Upload([]), filters = arrays.Upload(DenseArrays<float>.Values(180, 1));
            float[] bias = DenseArrays<float>.Values(5, 2);
            DenseArray<float> row = arrays.Upload(bias), output = arrays.Upload(new float[10]);
            DeviceConvolution.Forward<float>(device, padding, nothing.Vector, filters.Vector, row.Vector, output.Vector);
            Assert.Equal(bias.SelectMany(b => new[] { b, b }), DenseArrays<float>.Download(output));
            DeviceConvolution.WeightGradient<float>(device, s, nothing.Vector, nothing.Vector, filters.Vector);
            Assert.Equal(new float[180], DenseArrays<float>.Download(filters));
            DeviceConvolution.Forward<float>(device, s, nothing.Vector, filters.Vector, null, nothing.Vector);
            DeviceConvolution.InputGradient<float>(device, s, nothing.Vector, filters.Vector, nothing.Vector);
        }
    }

    private static void Check<T>(GpuDevice device, WindowShape s, bool shifted = true)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        long channels = (long)s.Batch * s.Groups;
        T[] x = DenseArrays<T>.Values(channels * s.InChannels * s.InputSize, 1), dy = DenseArrays<T>.Values(channels * s.OutChannels * s.OutputSize, 2);
        T[] w = DenseArrays<T>.Values(s.Groups * s.OutChannels * s.InChannels * s.Taps, 3), bias = DenseArrays<T>.Values(s.Groups * s.OutChannels, 4);
        for (int shift = 0; shift < (shifted ? 2 : 1); shift++)
        {
            // With a shift nothing can be moved in quartets.
            using var arrays = new DenseArrays<T>(device);
            DenseArray<T> input = arrays.Upload(x, shift), filters = arrays.Upload(w, shift), row = arrays.Upload(bias), gradient = arrays.Upload(dy, shift);
            DenseArray<T> output = arrays.Upload(NaNs<T>(dy.Length), shift), toInput = arrays.Upload(NaNs<T>(x.Length), shift);
            DenseArray<T> toFilters = arrays.Upload(NaNs<T>(w.Length), shift);
            DeviceConvolution.Forward<T>(device, s, input.Vector, filters.Vector, shift == 0 ? row.Vector : null, output.Vector);
            DeviceConvolution.InputGradient<T>(device, s, gradient.Vector, filters.Vector, toInput.Vector);
            DeviceConvolution.WeightGradient<T>(device, s, input.Vector, gradient.Vector, toFilters.Vector);
            bool biased = shift == 0;
            double[] y = Expected(dy.Length, (a, b, c, d) => Convolution.Forward(s, a, b, biased ? c : null, d), x, w, bias);
            double[] dx = Expected(x.Length, (a, b, _, d) => Convolution.InputGradient(s, a, b, d), dy, w, bias);
            double[] dw = Expected(w.Length, (a, b, _, d) => Convolution.WeightGradient(s, a, b, d), x, dy, bias);
            DenseArrays<T>.AssertClose(y, DenseArrays<T>.Download(output), Tolerance<T>(s.InChannels * s.Taps), "y");
            DenseArrays<T>.AssertClose(dx, DenseArrays<T>.Download(toInput), Tolerance<T>(s.OutChannels * s.Taps), "dx");
            DenseArrays<T>.AssertClose(dw, DenseArrays<T>.Download(toFilters), Tolerance<T>(s.Batch * s.OutputSize), "dw");
        }
    }

    private delegate void Kernel(double* a, double* b, double* bias, double* result);

    private static double[] Expected<T>(int count, Kernel kernel, T[] a, T[] b, T[] bias)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        // The processor's kernels may read a vector past the end.
        double[] left = [.. a.Select(double.CreateChecked), .. new double[8]], right = [.. b.Select(double.CreateChecked), .. new double[8]];
        double[] row = [.. bias.Select(double.CreateChecked), .. new double[8]], result = new double[count + 8];
        fixed (double* pa = left, pb = right, pc = row, pd = result) kernel(pa, pb, pc, pd);
        return result[..count];
    }

    private static T[] NaNs<T>(int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var values = new T[count];
        values.AsSpan().Fill(T.NaN);
        return values;
    }

    private static double Tolerance<T>(long depth) => typeof(T) == typeof(float) ? 2e-6 * (Math.Sqrt(depth) + 4) : 2e-15 * (depth + 4);
}
