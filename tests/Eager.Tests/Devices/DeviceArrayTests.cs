using Fusion.Kernels;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.Devices;

/// <summary>Arrays on a device: where results lie, what may be mixed, what needs a copy. The operators themselves are tested with the operator table.</summary>
[Collection(nameof(ProcessState))]
public class DeviceArrayTests
{
    private static readonly Device s_device = Device.Debug;

    private static NDArray Numbers => Nd.Arange(0, 6).Reshape(2, 3).To(s_device);

    [Fact]
    public void ArraysGoThereAndBack()
    {
        NDArray x = Nd.Array([1f, 2, 3]), there = x.To(s_device), back = there.To(Device.Cpu);
        Assert.Same(s_device, there.Device);
        Assert.Same(Device.Cpu, back.Device);
        Assert.Equal([1f, 2, 3], back.AsSpan<float>());
        Assert.Same(there, there.To(s_device));
        Assert.Same(x, x.To(Device.Cpu));
        Assert.Equal([1f, 2, 3], there.ToArray<float>());
        Assert.Equal(2f, there[1].Item<float>());
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    [InlineData(DType.UInt8)]
    [InlineData(DType.Bool)]
    public void EveryTypeAndLayoutCrosses(DType dtype)
    {
        NDArray x = Nd.Arange(0, 24).Reshape(2, 3, 4).AsType(dtype);
        foreach (NDArray view in new[] { x, x.Transpose(2, 0, 1), x.Flip(1), x[1], x[.., 1..2], Nd.BroadcastTo(x[.., 0..1], (2, 3, 4)), x[.., .., 0..0] })
        {
            NDArray back = view.To(s_device).To(Device.Cpu);
            Assert.Equal(view.Shape, back.Shape);
            Assert.Null(Bits.Difference(view.Copy(), back));
        }
    }

    [Fact]
    public void ResultsLieWhereTheOperandsLie()
    {
        NDArray x = Numbers;
        Assert.Same(s_device, (x + x).Device);
        Assert.Same(s_device, (x * 2).Device);
        Assert.Same(s_device, (1 - x).Device);
        Assert.Same(s_device, x.Transpose()[1..].Device);
        Assert.Same(s_device, Nd.Sum(x).Device);
        Assert.Same(s_device, x.ZerosLike().Device);
        Assert.Same(s_device, (x > 2).AsType(DType.Int32).Device);
        Assert.Same(s_device, Nd.Ones((2, 2), device: s_device).Device);
        Assert.Same(s_device, Nd.Random.Normal(0, 1, (2, 2), device: s_device).Device);
    }

    [Fact]
    public void NumbersOfTheProcessorMixAndArraysDoNot()
    {
        NDArray x = Numbers, number = Nd.Scalar(3);
        Assert.Equal([0f, 3, 6, 9, 12, 15], (x * number).ToArray<float>());
        Assert.Equal([3f, 2, 1, 0, -1, -2], (number - x).ToArray<float>());
        DeviceException error = Assert.Throws<DeviceException>(() => x + Nd.Ones(3));
        Assert.Contains("debug", error.Message, StringComparison.Ordinal);
        Assert.Contains("cpu", error.Message, StringComparison.Ordinal);
        Assert.Contains("To(device)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatNeedsMemoryOfTheProcessorSaysSo()
    {
        NDArray x = Numbers;
        Assert.Contains("To(Device.Cpu)", Assert.Throws<DeviceException>(() => x.AsSpan<float>().Length).Message, StringComparison.Ordinal);
        Assert.Throws<DeviceException>(() => x.AsReadOnlyTensorSpan<float>().Rank);
        Assert.Throws<DeviceException>(() => x.AsTensorSpan<float>().Rank);
    }

    [Fact]
    public void WhatIsOutOfRangeIsReportedByTheNextRead()
    {
        NDArray x = Numbers;
        NDArray taken = Nd.Take(x, Nd.Array([0, 2]).To(s_device));
        Assert.Contains("Take: index 2 at position 1", Assert.Throws<ArgumentOutOfRangeException>(() => taken.ToArray<float>()).Message, StringComparison.Ordinal);
        NDArray loss = Nd.SoftmaxCrossEntropy(x, Nd.Array([0, 3]).To(s_device));
        string message = Assert.Throws<ArgumentOutOfRangeException>(() => loss.ToArray<float>()).Message;
        Assert.Contains("SoftmaxCrossEntropy: class 3 at position 1", message, StringComparison.Ordinal);
        Assert.Equal([0f, 1, 2], x[0].ToArray<float>()); // reported once
    }

    [Fact]
    public void LargeIntegersOfTheProcessorStayExact()
    {
        NDArray x = Nd.Array([1L, 2]).To(s_device), large = Nd.Array([(1L << 60) + 1]).Reshape(default(Shape));
        Assert.Equal([(1L << 60) + 2, (1L << 60) + 3], (x + large).ToArray<long>());
    }

    [Fact]
    public void TextShowsTheDevice()
    {
        Assert.Contains("@debug", Numbers.ToString(), StringComparison.Ordinal);
        Assert.Contains("[0", Numbers.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int32)]
    [InlineData(DType.Int64)]
    public void RowsOfAnyLengthAreReadWhereTheyBegin(DType dtype)
    {
        for (int length = 1; length < 20; length++)
        {
            NDArray x = Nd.Arange(0, 2 * length, 1, dtype).Reshape(2, length).To(s_device);
            Assert.Equal((Nd.Arange(length, 2 * length, 1, dtype) * 3).AsType(DType.Float64).ToArray<double>(), (x[1] * 3).AsType(DType.Float64).ToArray<double>());
        }
    }

    [Fact]
    public void WritesInPlaceStayThereAndViewsDoNotSeeThem()
    {
        NDArray x = Numbers, view = x[0], twin = x.Reshape(6);
        x[1, ..] = Nd.Scalar(-1);
        x[.., 0] = Nd.Array([7f, 8]).To(s_device);
        Assert.Equal([7f, 1, 2, 8, -1, -1], x.ToArray<float>());
        Assert.Equal([0f, 1, 2], view.ToArray<float>());
        Assert.Equal([0f, 1, 2, 3, 4, 5], twin.ToArray<float>());
        x.Fill(4);
        Assert.Equal(Enumerable.Repeat(4f, 6), x.ToArray<float>());
        x.CopyFrom([1f, 2, 3, 4, 5, 6]);
        x.Assign(x * 2);
        Assert.Equal([2f, 4, 6, 8, 10, 12], x.ToArray<float>());
        x.Assign(Nd.Arange(0, 3));
        Assert.Equal([0f, 1, 2, 0, 1, 2], x.ToArray<float>());
        Assert.Same(s_device, x.Device);
    }

    [Fact]
    public void GradientsFlowAcrossDevices()
    {
        NDArray here = Nd.Array([1f, 2, 3]), there = Nd.Array([4f, 5, 6]).To(s_device);
        here.AttachGrad();
        there.AttachGrad(GradReq.Add);
        for (int i = 0; i < 2; i++)
        {
            NDArray loss;
            using (Autograd.Record()) loss = Nd.Sum(here.To(s_device) * there);
            loss.Backward();
        }

        Assert.Same(Device.Cpu, here.Grad!.Device);
        Assert.Same(s_device, there.Grad!.Device);
        Assert.Equal([4f, 5, 6], here.Grad.ToArray<float>());
        Assert.Equal([2f, 4, 6], there.Grad.ToArray<float>());
    }

    [Fact]
    public void AModuleMovesAndTrainsThere()
    {
        Nd.Random.Seed(1);
        Sequential network = new Sequential(new Linear(3, 4), new Tanh(), new Linear(4, 2)).To(s_device);
        Nd.Random.Seed(1);
        Sequential twin = new(new Linear(3, 4), new Tanh(), new Linear(4, 2));
        Assert.All(network.Parameters.Values, static p => Assert.Same(s_device, p.Device));
        Assert.All(network.Parameters.Values, static p => Assert.Same(s_device, p.Grad!.Device));
        NDArray x = Nd.Array(new float[,] { { 1, 2, 3 }, { -1, 0.5f, 2 } }), labels = Nd.Array([0, 1]);
        float[] there = Train(network, x.To(s_device), labels.To(s_device)), here = Train(twin, x, labels);
        for (int i = 0; i < here.Length; i++) Assert.Equal(here[i], there[i], 1e-5f);
        Assert.True(there[^1] < there[0]);
    }

    [Fact]
    public void FilesKeepWhatADeviceHolds()
    {
        using MemoryStream stream = new();
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            IO.Npy.Save(path, Numbers);
            Assert.Equal([0f, 1, 2, 3, 4, 5], IO.Npy.Load(path).ToArray<float>());
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void MissingDevicesAreNamed()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.Gpu(-1));
        if (Device.GpuCount > 0) Assert.Throws<ArgumentOutOfRangeException>(() => Device.Gpu(Device.GpuCount));
        else Assert.Contains("Device.Cpu", Assert.Throws<DeviceException>(() => Device.Gpu()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeviceThatHasFailedIsNamedAndOthersGoOn()
    {
        GpuDevice broken = GpuDevices.OpenDebug("broken");
        Device device = Device.Own(broken);
        NDArray x = Nd.Ones(3).To(device);
        broken.Fail("broken has failed", new IOException());
        foreach (Action use in new Action[] { () => x.ToArray<float>(), () => x.To(Device.Cpu), () => Nd.Exp(x), () => Nd.Ones(3, device: device), device.Synchronize })
            Assert.Contains("broken has failed", Assert.Throws<DeviceException>(use).Message, StringComparison.Ordinal);
        Assert.Equal(6f, (Nd.Ones(3) * 2).Sum().Item<float>());
        Assert.Equal(6f, (Nd.Ones(3).To(s_device) * 2).Sum().Item<float>());
    }

    [Fact]
    public void DisposedArraysGiveTheirMemoryToTheNext()
    {
        NDArray first = Nd.Ones((100, 100), device: s_device);
        long live = s_device.LiveBytes;
        first.Dispose();
        Assert.True(s_device.LiveBytes < live);
        Assert.Throws<ObjectDisposedException>(() => first + 1);
    }

    private static float[] Train(Sequential network, NDArray x, NDArray labels)
    {
        Adam optimizer = new(network.Parameters, learningRate: 0.1);
        List<float> losses = [];
        for (int i = 0; i < 4; i++)
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), labels);
            loss.Backward();
            optimizer.Step();
            losses.Add(loss.Item<float>());
        }

        return [.. losses];
    }
}
