using Fusion.Data;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.Devices;

/// <summary>What programs do with arrays of a device beside calling operators: numbers of the processor among them, masks, data, summaries.</summary>
[Collection(nameof(ProcessState))]
public sealed class DeviceProgramTests
{
    private static readonly Device s_device = Device.Debug;

    private static NDArray Line => Nd.Array([3f, 1, 3, -2]).To(s_device);

    [Theory]
    [InlineData(GradReq.Write)]
    [InlineData(GradReq.Add)]
    public void AParameterThatIsANumberOfTheProcessorStaysThere(GradReq request)
    {
        (float[] here, float[] there) = (Train(Device.Cpu), Train(s_device));
        Assert.Equal(here, there);

        float[] Train(Device device)
        {
            NDArray w = Leaf.Attached(Nd.Array([1f, 2, 3]).To(device), request), scale = Leaf.Attached(Nd.Scalar(2), request), x = Nd.Array([0.5f, -1, 2]).To(device);
            Adam adam = new([w, scale], 0.1);
            for (int i = 0; i < 3; i++)
            {
                for (int batch = 0; batch < 2; batch++)
                    using (Autograd.Record()) (w * x * scale).Square().Sum().Backward();
                Assert.Same(Device.Cpu, scale.Grad!.Device);
                adam.ClipGradNorm(1);
                adam.Step();
                adam.ZeroGrad();
            }

            Assert.Same(Device.Cpu, scale.Device);
            return [.. w.ToArray<float>(), scale.Item<float>()];
        }
    }

    [Fact]
    public void ABufferOfTheProcessorFollowsItsVariable()
    {
        NDArray x = Line;
        Autograd.MarkVariables(x, Nd.Ones(4), GradReq.Add);
        using (Autograd.Record()) x.Square().Sum().Backward();
        Assert.Same(s_device, x.Grad!.Device);
        Expect.Elements(x.Grad, 7, 3, 7, -3);
    }

    [Fact]
    public void AHeadGradientIsANumberOrLiesWithItsHead()
    {
        NDArray x = Leaf.Attached(Line);
        using (Autograd.Record()) x.Square().Sum().Backward(Nd.Scalar(2));
        Expect.Elements(x.Grad, 12, 4, 12, -8);
        NDArray y;
        using (Autograd.Record()) y = x.Square();
        Expect.Throws<DeviceException>(() => y.Backward(Nd.Ones(4)), "Backward", "debug", "cpu", "To(device)");
        y.Backward(Nd.Ones(4).To(s_device));
        Expect.Elements(x.Grad, 6, 2, 6, -4);
    }

    [Fact]
    public void NumbersOfBothPlacesAreStackedOnTheDevice()
    {
        NDArray x = Leaf.Attached(Line), number = Leaf.Attached(Nd.Scalar(7));
        NDArray both;
        using (Autograd.Record())
        {
            both = Nd.Stack([number, x.Sum()]);
            both.Square().Sum().Backward();
        }

        Assert.Same(s_device, both.Device);
        Expect.Elements(both, 7, 5);
        Expect.Elements(number.Grad, 14);
        Expect.Elements(x.Grad, 10, 10, 10, 10);
    }

    [Fact]
    public void MasksAndDistinctElementsAreFoundOnTheDevice()
    {
        NDArray x = Leaf.Attached(Line), table = Nd.Arange(0, 8, 1).Reshape(4, 2).To(s_device);
        Assert.Same(s_device, (x > 2).NonZero().Device);
        Expect.Elements((x > 2).NonZero(), 0, 2);
        using (Autograd.Record()) x.BooleanMask(x > 0).Square().Sum().Backward();
        Expect.Elements(x.Grad, 6, 2, 6, 0);
        Expect.Elements(table.BooleanMask(x > 2), 0, 1, 4, 5);
        Expect.Elements(table.BooleanMask(table > 5), 6, 7);
        Assert.Same(s_device, x.Unique().Device);
        Expect.Elements(x.Unique(), -2, 1, 3);
        (NDArray values, NDArray inverse, NDArray counts) = x.UniqueWithCounts();
        Expect.Elements(values, -2, 1, 3);
        Expect.Elements(inverse, 2, 1, 2, 0);
        Expect.Elements(counts, 1, 1, 2);
    }

    [Fact]
    public void ADatasetOfTheDeviceGivesBatchesThere()
    {
        NDArray labels = Nd.Array([0, 1, 2, 3]).To(s_device);
        foreach ((NDArray x, NDArray y, NDArray z) in new DataLoader(new ArrayDataset(Line, labels, Nd.Arange(0, 4, 1)), 2, shuffle: true))
        {
            Assert.Same(s_device, x.Device);
            Assert.Same(Device.Cpu, z.Device);
            Assert.Equal(Expect.Doubles(y), Expect.Doubles(z));
        }
    }

    [Fact]
    public void AModuleOfTheDeviceIsSummarized()
    {
        Sequential network = new(new Linear(3, 2), new Relu());
        Assert.Equal(network.Summary((1, 3)), network.To(s_device).Summary((1, 3)));
    }
}
