using Fusion.Optim;

namespace Fusion.Tests.Devices;

/// <summary>A compiled step on a device that writes what lies with the processor: a parameter that is a number, its gradient and its moments.</summary>
[Collection(nameof(ProcessState))]
public class DeviceNumberStateTests
{
    [Theory]
    [InlineData(GradReq.Write)]
    [InlineData(GradReq.Add)]
    public void NumbersOfTheProcessorStayThere(GradReq request)
    {
        (float[] eager, _) = Train(Device.Debug, compiled: false, request);
        (float[] compiled, NDArray scale) = Train(Device.Debug, compiled: true, request);
        Assert.Equal(eager, compiled);
        Assert.Equal(Train(Device.Cpu, compiled: true, request).Trace, compiled);
        Assert.Same(Device.Cpu, scale.Device);
        Assert.Same(Device.Cpu, scale.Grad!.Device);
    }

    [Fact]
    public void AStateThatIsANumberIsWrittenWhereItIs()
    {
        NDArray count = Nd.Scalar(1), table = Nd.Ones(3).To(Device.Debug);
        Func<NDArray, NDArray> f = indices =>
        {
            count.Assign(count * 2 + table.Take(indices).Sum());
            return count + 0;
        };
        var compiled = f.Hybridize();
        NDArray good = Nd.Array([1, 2]).To(Device.Debug);
        Assert.Equal(4, compiled.Invoke(good).Item<float>());
        Assert.Equal(10, compiled.Invoke(good).Item<float>());
        Assert.Equal((10, Device.Cpu), (count.Item<float>(), count.Device));
        Assert.False(compiled.Report.FellBack, compiled.Report.FallbackReason);
    }

    private static (float[] Trace, NDArray Scale) Train(Device device, bool compiled, GradReq request)
    {
        NDArray w = Nd.Array([1f, 2, 3]).To(device), scale = Nd.Scalar(2), x = Nd.Array([0.5f, -1, 2]).To(device);
        w.AttachGrad(request);
        scale.AttachGrad(request);
        Adam adam = new([w, scale], 0.1);
        Func<NDArray, NDArray> step = a =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = (w * a * scale).Square().Sum();
            loss.Backward();
            adam.ClipGradNorm(1);
            adam.Step();
            adam.ZeroGrad();
            return loss;
        };
        HybridFunction<Func<NDArray, NDArray>> function = step.Hybridize();
        List<float> trace = [];
        for (int i = 0; i < 4; i++) trace.Add((compiled ? function.Invoke(x) : step(x)).Item<float>());
        Assert.False(compiled && function.Report.FellBack, function.Report.FallbackReason);
        return ([.. trace, scale.Item<float>(), .. w.ToArray<float>()], scale);
    }
}
