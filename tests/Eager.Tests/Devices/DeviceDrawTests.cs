using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>Random numbers on a device.</summary>
[Collection(nameof(RandomStream))]
public class DeviceDrawTests
{
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void RandomNumbersAreThoseOfTheProcessorAndDrawnThere(DType dtype)
    {
        Func<Device, NDArray>[] draws =
        [
            d => Nd.Random.Uniform(-1, 2, (3, 7), dtype, d), d => Nd.Random.Normal(1, 2, 19, dtype, d), d => Nd.Random.Bernoulli(0.3, 40, dtype, d),
            d => Nd.Random.RandInt(-5, 9, 11, DType.Int64, d), d => Nd.Random.RandInt(0, 200, 11, DType.UInt8, d),
        ];
        GpuDevice own = GpuDevices.OpenDebug("own");
        Nd.Random.Seed(5);
        NDArray[] there = Array.ConvertAll(draws, d => d(Device.Own(own)));
        Assert.Equal(draws.Length, own.LaunchCount);
        Nd.Random.Seed(5);
        for (int i = 0; i < draws.Length; i++) Assert.Null(Bits.Difference(draws[i](Device.Cpu), there[i].To(Device.Cpu)));
    }
}
