namespace Fusion.Tests;

/// <summary>Half precision on an accelerator: it lies there, and is computed with as on the processor.</summary>
public sealed class HalfDeviceTests
{
    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void ResultsAndGradientsAreThoseOfTheProcessor(DType half)
    {
        NDArray x = Leaf.Attached(FunctionChecks.Random((4, 6), 1).AsType(half)), w = Leaf.Attached(FunctionChecks.Random(6, 2).AsType(half));
        NDArray there = Leaf.Attached(x.Detach().To(Device.Debug)), weight = Leaf.Attached(w.Detach().To(Device.Debug));
        using (Autograd.Record())
        {
            NDArray expected = F(x, w), actual = F(there, weight);
            Assert.Equal((half, Device.Debug), (actual.DType, actual.Device));
            Assert.Null(Bits.Difference(expected, actual.To(Device.Cpu)));
            expected.Backward(Nd.Ones(expected.Shape, half));
            actual.Backward(Nd.Ones(expected.Shape, half, Device.Debug));
        }

        Assert.Null(Bits.Difference(x.Grad, there.Grad!.To(Device.Cpu)));
        Assert.Null(Bits.Difference(w.Grad, weight.Grad!.To(Device.Cpu)));

        static NDArray F(NDArray x, NDArray w) => (x * w + 0.3).Tanh().Transpose()[1..4] * 2;
    }

    [Fact]
    public void ArraysAreFilledCopiedAndConvertedThere()
    {
        NDArray x = Nd.Full((3, 5), 0.1, DType.Float16, Device.Debug);
        Assert.All(x.ToArray<Half>(), static v => Assert.Equal((Half)0.1, v));
        x[1] = Nd.Full(5, 2, DType.Float16, Device.Debug);
        Assert.Equal((Half)2, x[1, 4].Item<Half>());
        Assert.Null(Bits.Difference(x.To(Device.Cpu).AsType(DType.BFloat16), x.AsType(DType.BFloat16).To(Device.Cpu)));
        Assert.Contains("Float16 @debug", x.ToString(), StringComparison.Ordinal);
    }
}
