using Fusion.NN;

namespace Fusion.Tests.Devices;

/// <summary>Operands of launches on an accelerator that are no dense arrays there: constants of the function, and parts of other arrays.</summary>
[Collection(nameof(ProcessState))]
public sealed class DeviceOperandTests
{
    private static readonly Dictionary<string, Func<NDArray, NDArray>> s_functions = new()
    {
        ["a product of ones with work on its result"] = static x => Nd.Ones((4, 2), device: x.Device).MatMul(x) + 1,
        ["a product of a number repeated"] = static x => (Nd.Full((4, 2), 2, device: x.Device) * 3).MatMul(x).Relu(),
        ["numbers made for the processor and moved"] = static x => Nd.Arange(0, 8).Reshape(4, 2).To(x.Device).MatMul(x) + 1,
        ["the identity, moved"] = static x => Nd.Eye(2).To(x.Device).MatMul(x),
        ["a part of wider rows beside a product"] = static x => (x.MatMul(Nd.Ones((3, 3), device: x.Device)) + Nd.Concat([x, x * 2], 1)[.., 3..]).Tanh(),
        ["a draw of another type among rows"] = static x => x.AsType(DType.Float64).Dropout(0.5).Sum(),
        ["a condition of constants"] = static x => Nd.Cond((Nd.Ones((2, 3), device: x.Device) + x).Sum() > 0, () => x * 2, () => x - 1),
        ["labels that are constants"] = static x => Nd.SoftmaxCrossEntropy(x * 2, Nd.Zeros(2, DType.Int32, x.Device)),
        ["places that are constants"] = static x => x.Take(Nd.Ones(4, DType.Int32, x.Device)) + 1,
        ["rows of constants"] = static x => Nd.Softmax(Nd.Ones((2, 3), device: x.Device) * 3) + x,
        ["a reduction of constants"] = static x => Nd.Ones((2, 3), device: x.Device).Sum(0) + x.Max(1, keepDims: true),
        ["a constant written in part"] = static x =>
        {
            NDArray y = Nd.Zeros(x.Shape, device: x.Device);
            y[0] = x[1];
            return Nd.Cond(y.Sum() > 0, () => y * x, () => y - x);
        },
    };

    public static TheoryData<string> Names => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheyAreReadAsEagerly(string name)
    {
        NDArray x = TestArrays.Uniform((2, 3), 1).To(Device.Debug);
        foreach (HybridVerify verify in (HybridVerify[])[HybridVerify.Off, HybridVerify.Always])
        {
            HybridFunction<Func<NDArray, NDArray>> compiled = s_functions[name].Hybridize(new HybridOptions { FallbackToEager = false, Verify = verify });
            for (int call = 0; call < 2; call++)
            {
                using RecordScope training = Autograd.TrainMode();
                Nd.Random.Seed(3);
                NDArray expected = s_functions[name](x);
                Nd.Random.Seed(3);
                Assert.Null(Bits.Difference(expected, compiled.Invoke(x)));
            }
        }
    }

    [Fact]
    public void GradientsThatAreZeroAreClipped()
    {
        NDArray[] parameters = [TestArrays.Uniform((2, 3), 1).To(Device.Debug), TestArrays.Uniform(3, 2).To(Device.Debug)];
        foreach (NDArray parameter in parameters) parameter.AttachGrad();
        Optim.Sgd optimizer = new(parameters, 0.1);
        Func<NDArray> clip = () =>
        {
            optimizer.ZeroGrad();
            optimizer.ClipGradNorm(0.5);
            return parameters[0].Grad! + 1;
        };
        Assert.Equal(6, clip.Hybridize(Check.Strict).Invoke().Sum().Item<float>());
    }

    // What a recurrence reads of the gradient of its states, batch first, are rows apart.
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 2)]
    public void TheGradientOfARecurrenceIsThatOfEagerExecution(bool bidirectional, int layers)
    {
        Rnn network = new(3, 4, layers, batchFirst: true, bidirectional: bidirectional);
        network.To(Device.Debug);
        NDArray x = TestArrays.Uniform((2, 3, 3), 1).To(Device.Debug);
        x.AttachGrad();
        Func<NDArray, NDArray> gradient = x =>
        {
            using RecordScope scope = Autograd.Record();
            return Autograd.Grad(network.Forward(x).Square().Sum(), x);
        };
        Assert.Null(Bits.Difference(gradient(x), gradient.Hybridize(Check.Strict).Invoke(x)));
    }
}
