using Fusion.Kernels;
using ILGPU.Runtime.OpenCL;

namespace Fusion.Tests.Devices;

/// <summary>What drivers throw, and what is made of it.</summary>
[Collection(nameof(OneDevice))]
public class DeviceFailureTests
{
    [Theory]
    [InlineData("CUDA_ERROR_ILLEGAL_ADDRESS", "Lost")]
    [InlineData("CUDA_ERROR_LAUNCH_FAILED", "Lost")]
    [InlineData("CUDA_ERROR_LAUNCH_TIMEOUT", "Lost")]
    [InlineData("CUDA_ERROR_ECC_UNCORRECTABLE", "Lost")]
    [InlineData("CUDA_ERROR_UNKNOWN", "Lost")]
    [InlineData("CUDA_ERROR_INVALID_PTX", "Driver")]
    [InlineData("CUDA_ERROR_NO_BINARY_FOR_GPU", "Driver")]
    [InlineData("222", "Driver")]
    [InlineData("CUDA_ERROR_OUT_OF_MEMORY", "Memory")]
    [InlineData("CUDA_ERROR_INVALID_VALUE", "Refused")]
    [InlineData("a name of a later driver", "Refused")]
    public void ErrorsOfCudaAreToldApart(string name, string kind) => Assert.Equal(kind, DeviceFailures.OfCuda(name).ToString());

    [Theory]
    [InlineData(-2, "Lost", "has failed")]
    [InlineData(-5, "Lost", "has failed")]
    [InlineData(-11, "Driver", "Update the driver")]
    [InlineData(-4, "Memory", "smaller batch")]
    [InlineData(-30, "Refused", "refused")]
    public void ErrorsOfOpenCLNameTheRemedy(int code, string kind, string words)
    {
        CLException error = new((CLError)code);
        GpuDevice device = GpuDevices.OpenDebug($"device {code}");
        Assert.Equal(kind, DeviceFailures.KindOf(error).ToString());
        DeviceException failure = DeviceFailures.Of(error, device)!;
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Contains(device.Name, failure.Message, StringComparison.Ordinal);
        Assert.Same(error, failure.InnerException);
        if (kind == "Lost") Assert.Equal(failure.Message, Assert.Throws<DeviceException>(device.Synchronize).Message);
        else device.Synchronize();
    }

    [Fact]
    public void OtherExceptionsAreLeftAlone() => Assert.Null(DeviceFailures.Of(new InvalidOperationException(), GpuDevices.Debug));

    [Fact]
    public void DriversThatCannotBeUsedAreNamed()
    {
        Assert.Contains("no CUDA driver", GpuDevices.Explain([]), StringComparison.Ordinal);
        Assert.Contains("too old", GpuDevices.Explain(["CUDA: version 9.1"]), StringComparison.Ordinal);
        Assert.Contains("version 9.1", GpuDevices.Explain(["CUDA: version 9.1"]), StringComparison.Ordinal);
    }

    [Fact]
    public void ArraysOfMoreElementsThanAKernelCountsAreRefused()
    {
        using DeviceRunner runner = new(DeviceRunner.Debug);
        DeviceOperand one = DeviceOperand.Number(1, DType.Float32), y = runner.Array<float>([0]);
        KernelSpec add = KernelSpec.Of(ElementOps.Add, false);
        DeviceException failure = Assert.Throws<DeviceException>(() => DeviceElements.Run(runner.Device, add, [one, one, y], new long[6], [65536, 65536]));
        Assert.Contains("4,294,967,296", failure.Message, StringComparison.Ordinal);
        Assert.Contains("To(Device.Cpu)", failure.Message, StringComparison.Ordinal);
        Assert.Throws<DeviceException>(() => DeviceManyElements.Run(runner.Device, add, [one, one, y], [1L << 31]));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(150)]
    public void ManyTensorsAreOneLaunchUpToTheParametersOfAKernel(int tensors)
    {
        using DeviceRunner runner = new(DeviceRunner.Debug);
        KernelSpec spec = KernelSpec.Of(ElementOps.FusedMultiplyAdd, false);
        List<DeviceOperand> operands = [];
        long[] sizes = [.. Enumerable.Range(0, tensors).Select(static t => (long)(t % 5 == 3 ? 0 : (t * 7) % 40))];
        for (int t = 0; t < tensors; t++)
        {
            float[] x = [.. Enumerable.Range(0, (int)sizes[t]).Select(i => i + (t * 0.5f))];
            operands.AddRange([runner.Array<float>(x), DeviceOperand.Number(t, DType.Float32), DeviceOperand.Number(0.25, DType.Float32), runner.Array<float>(new float[x.Length])]);
        }

        long launches = runner.Device.LaunchCount;
        DeviceManyElements.Run(runner.Device, spec, operands.ToArray(), sizes);
        Assert.Equal((tensors + DeviceManyElements.MaxTensors(runner.Device, spec) - 1) / DeviceManyElements.MaxTensors(runner.Device, spec), runner.Device.LaunchCount - launches);
        for (int t = 0; t < tensors; t++)
        {
            float[] expected = [.. Enumerable.Range(0, (int)sizes[t]).Select(i => float.FusedMultiplyAdd(i + (t * 0.5f), t, 0.25f))];
            Assert.Equal(expected, runner.Read<float>(operands[(4 * t) + 3], expected.Length));
        }
    }
}
