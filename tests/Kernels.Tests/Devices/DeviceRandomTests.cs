using Fusion.Kernels;
using Fusion.Tests.Devices;
using static Fusion.Tests.DeviceArrays;

namespace Fusion.Tests;

/// <summary>The numbers of a device are the processor's, bit for bit.</summary>
[Collection(nameof(OneDevice))]
public sealed unsafe class DeviceRandomTests
{
    // The lower half of the counter overflows within the draw.
    private static readonly RandomOrigin s_origin = new(0x123456789ABCDEF0, 0xFFFFFFF8);

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(200)]
    public void OnTheDebugDevice(int count) => Check(Debug, count);

    [AcceleratorTheory]
    [InlineData(64)]
    [InlineData(1_000_003)]
    public void OnTheAccelerator(int count) => Check(Accelerator, count);

    [AcceleratorFact]
    public void EdgesOfUniformIntervals()
    {
        foreach ((double low, double high) in new[] { (16777214.0, 16777216.0), (3, 3), (-1e-3, 1e30), (0, 1) })
        {
            Uniform<float>(Accelerator, DType.Float32, low, high, 10_000);
            Uniform<double>(Accelerator, DType.Float64, low, high, 10_000);
        }
    }

    [Fact]
    public void NothingIsCalledAndMultiplicationsAreWide()
    {
        string ptx = DevicePtx.Of(typeof(DeviceRandomKernels), nameof(DeviceRandomKernels.Narrow), typeof(DeviceUniformSingle), typeof(float));
        DevicePtx.AssertClean(ptx);
        Assert.Equal(2, DevicePtx.Count(ptx, @"mul\.hi\.u32"));
        Assert.Equal(4, DevicePtx.Count(ptx, @"fma\.rn\.f32"));
        DevicePtx.AssertClean(DevicePtx.Of(typeof(DeviceRandomKernels), nameof(DeviceRandomKernels.Wide), typeof(DeviceNormalDouble), typeof(double)));
    }

    private static void Check(GpuDevice device, int count)
    {
        Uniform<float>(device, DType.Float32, -1, 3, count);
        if (device == Debug || AcceleratorTable.IsWhole) CheckOtherTypes(device, count);
        Compare<NormalDistribution<double>, double>(device, new(1, 2), count, (y, n) => DeviceRandom.Normal(device, s_origin, DType.Float64, 1, 2, y, 1, n));
        Compare<BernoulliDistribution<float>, float>(
            device, new(0.3, 1), count, (y, n) => DeviceRandom.Bernoulli(device, s_origin, DType.Float32, 0.3, y, 1, n));
        Compare<IntegerDistribution<int>, int>(device, new(-5, 11), count, (y, n) => DeviceRandom.Integers(device, s_origin, DType.Int32, -5, 11, y, 1, n));
        Compare<IntegerDistribution<long>, long>(
            device, new(long.MinValue, 0), count, (y, n) => DeviceRandom.Integers(device, s_origin, DType.Int64, long.MinValue, 0, y, 1, n));
    }

    private static void CheckOtherTypes(GpuDevice device, int count)
    {
        Uniform<double>(device, DType.Float64, -1, 3, count);
        Compare<NormalDistribution<float>, float>(device, new(1, 2), count, (y, n) => DeviceRandom.Normal(device, s_origin, DType.Float32, 1, 2, y, 1, n));
        Compare<BernoulliDistribution<byte>, byte>(device, new(1, 1), count, (y, n) => DeviceRandom.Bernoulli(device, s_origin, DType.Bool, 1, y, 1, n));
        Compare<IntegerDistribution<byte>, byte>(device, new(7, 200), count, (y, n) => DeviceRandom.Integers(device, s_origin, DType.UInt8, 7, 200, y, 1, n));
    }

    private static void Uniform<T>(GpuDevice device, DType dtype, double low, double high, int count)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> =>
        Compare<UniformDistribution<T>, T>(
            device, new(T.CreateChecked(low), T.CreateChecked(high)), count, (y, n) => DeviceRandom.Uniform(device, s_origin, dtype, low, high, y, 1, n));

    // The target begins at element 1.
    private static void Compare<TDistribution, T>(GpuDevice device, TDistribution distribution, int count, Action<DeviceBlock, long> fill)
        where TDistribution : unmanaged, IDistribution<T>
        where T : unmanaged
    {
        T[] expected = new T[count];
        fixed (T* p = expected) RandomFill.Run(distribution, s_origin, p, count);
        using var arrays = new DeviceArrays(device);
        DeviceBlock y = arrays.Marked<T>(count + 1);
        fill(y, count);
        AssertSame<T>(expected, Results<T>(y, count + 1).AsSpan(1), $"{typeof(TDistribution).Name} of {typeof(T).Name}");
    }
}
