using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>Sums of squares of many arrays in two launches, with the bits of the reduction of each.</summary>
[Collection(nameof(OneDevice))]
public sealed class DeviceNormTests
{
    [Theory]
    [InlineData(1, 7)]
    [InlineData(3, 500)]
    public void OnTheDebugDevice(int arrays, int most)
    {
        Check<float>(GpuDevices.Debug, arrays, most, DType.Float64);
        Check<float>(GpuDevices.Debug, arrays, most, DType.Float32);
        Check<double>(GpuDevices.Debug, arrays, most, DType.Float64);
    }

    [Fact]
    public void SeveralBlocksOnTheDebugDevice() => Check<float>(GpuDevices.Debug, 2, 17_000, DType.Float64);

    [AcceleratorFact]
    public void OfManyLargeArrays() => Check<float>(GpuDevices.Open(0), 40, 150_000, DType.Float64);

    private static void Check<T>(GpuDevice device, int arrays, int most, DType type)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        using DeviceRunner runner = new(device);
        long[] sizes = [.. Enumerable.Range(0, arrays).Select(i => 1 + ((i * 7919L + most - 1) % most))];
        DeviceOperand[] operands = [.. sizes.Select((n, i) => runner.Array<T>(DenseArrays<T>.Values(n, i), i % 3))];
        DeviceOperand[] targets = [.. sizes.Select(_ => type == DType.Float64 ? runner.Array<double>([0]) : runner.Array<float>([0]))];
        DeviceNorms.Run(device, operands, sizes, targets);
        DeviceOperand expected = runner.Array<T>([T.Zero]);
        for (int i = 0; i < arrays; i++)
        {
            DeviceReduce.Run(device, ReduceKind.SumOfSquares, expected.Type, expected.Type, operands[i].Block!, operands[i].Offset, expected.Block!, 0, 1, sizes[i], 1);
            double actual = type == DType.Float64 ? runner.Read<double>(targets[i], 1)[0] : runner.Read<float>(targets[i], 1)[0];
            Assert.Equal(double.CreateChecked(runner.Read<T>(expected, 1)[0]), actual);
        }
    }
}
