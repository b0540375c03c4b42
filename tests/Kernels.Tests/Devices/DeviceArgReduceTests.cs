using System.Numerics;
using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceArgReduceTests
{
    [Theory]
    [InlineData(3, 5, 1)]
    [InlineData(2, 9, 3)]
    [InlineData(1, 200, 1)]
    [InlineData(1, 40, 5)]
    [InlineData(7, 1, 1)]
    public void OnTheDebugDevice(int outer, int reduced, int inner)
    {
        Check<float>(Debug, outer, reduced, inner);
        Check<byte>(Debug, outer, reduced, inner);
    }

    [AcceleratorTheory]
    [InlineData(1, 1_000_000, 1)]
    [InlineData(1000, 1000, 1)]
    [InlineData(100_000, 10, 1)]
    [InlineData(3, 60_000, 1)]
    [InlineData(1, 1000, 1000)]
    [InlineData(1, 300_000, 3)]
    [InlineData(30_000, 3, 11)]
    [InlineData(128, 10, 1)]
    public void Shapes(int outer, int reduced, int inner)
    {
        Check<float>(Accelerator, outer, reduced, inner);
        if (AcceleratorTable.IsWhole) Check<int>(Accelerator, outer, reduced, inner);
    }

    [AcceleratorTheory(whole: true)]
    [InlineData(9, 257, 1)]
    [InlineData(2, 257, 40)]
    public void OtherTypes(int outer, int reduced, int inner)
    {
        Check<double>(Accelerator, outer, reduced, inner);
        Check<long>(Accelerator, outer, reduced, inner);
        Check<byte>(Accelerator, outer, reduced, inner);
    }

    [Fact]
    public void LoadsAreInFlightTogetherAndNothingIsCalled()
    {
        string ptx = DevicePtx.Of(
            typeof(DeviceArgReduceKernels), nameof(DeviceArgReduceKernels.Find), typeof(EveryRow), typeof(GreaterElement<float>), typeof(float));
        DevicePtx.AssertClean(ptx);
        Assert.Equal(4, DevicePtx.Together(ptx, @"ld\.global\.f32"));
    }

    // Few different values, so that ties are the rule; zeros of both signs, and NaN in some lines.
    private static void Check<T>(GpuDevice device, int outer, int reduced, int inner)
        where T : unmanaged, INumber<T>
    {
        var random = new Random(outer);
        T[] x = new T[outer * reduced * inner];
        for (int i = 0; i < x.Length; i++)
        {
            double value = random.Next(-20, 20);
            if (random.Next(3 * reduced) == 0) value = double.NaN;
            x[i] = value == 0 && random.Next(2) == 0 ? T.CreateSaturating(-0.0) : T.CreateSaturating(value);
        }

        foreach (bool max in new[] { true, false })
        {
            long[] expected = new long[outer * inner];
            fixed (T* from = TestData.WithSlack(x))
            fixed (long* to = expected) ArgReduce.Run(max, DTypes.Of<T>(), (nint)from, to, outer, reduced, inner);
            using var arrays = new DeviceArrays(device);
            DeviceBlock input = arrays.Upload<T>(x, 1), output = arrays.Marked<long>(expected.Length);
            DeviceArgReduce.Run(device, max, DTypes.Of<T>(), input, 1, output, 0, outer, reduced, inner);
            AssertSame<long>(expected, Results<long>(output, expected.Length), $"{(max ? "max" : "min")} of {typeof(T).Name} ({outer}, {reduced}, {inner})");
        }
    }
}
