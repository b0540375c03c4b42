using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Layers compiled give the bits of eager execution, values and gradients.</summary>
public sealed class HybridLayerTests
{
    private static readonly Dictionary<string, (Func<Module> Make, Shape Input)> s_layers = new()
    {
        ["LeNet"] = (() => new Sequential(
            new Conv2d(1, 4, 5), new Relu(), new MaxPool2d(2), new Conv2d(4, 8, 3, padding: 1), new Relu(), new AvgPool2d(2), new Flatten(),
                new Linear(8 * 6 * 6, 10)), (3, 1, 28, 28)),
        ["residual"] = (() => new Sequential(
            new Conv2d(3, 8, 3, stride: 2, padding: 1, bias: false), new GroupNorm(2, 8), new Silu(), new Conv2d(8, 8, 3, padding: Padding.Same, groups: 8),
                new GlobalAvgPool(), new Flatten()), (2, 3, 17, 16)),
        ["upsampling"] = (() => new Sequential(new ConvTranspose2d(4, 3, 4, stride: 2, padding: 1), new Gelu(), new MaxPool2d(3, 2, 1)), (2, 4, 7, 9)),
        ["one dimension"] = (() => new Sequential(new Conv1d(2, 4, 3, dilation: 2), new Relu(), new AdaptiveAvgPool(5)), (2, 2, 40)),
        ["norms"] = (() => new Sequential(new LayerNorm(12), new Linear(12, 12), new RmsNorm(12)), (5, 12)),
        ["LSTM"] = (() => new Lstm(5, 4, layers: 2, batchFirst: true), (3, 6, 5)),
        ["GRU, both directions"] = (() => new Gru(5, 4, bidirectional: true), (6, 3, 5)),
        ["LSTM, both directions"] = (() => new Lstm(5, 4, layers: 2, bidirectional: true), (6, 3, 5)),
        ["RNN"] = (() => new Rnn(5, 70, layers: 2, relu: true, batchFirst: true), (3, 6, 5)),
        ["RNN in double precision"] = (() => new Rnn(5, 4, bias: false, dtype: DType.Float64), (6, 3, 5)),
        ["GRU in half precision"] = (() => new Gru(5, 4, dtype: DType.Float16), (6, 3, 5)),
        ["transformer"] = (() => new Sequential(new TransformerBlock(8, 2, causal: true), new TransformerBlock(8, 4)), (2, 7, 8)),
    };

    public static TheoryData<string> Layers => [.. s_layers.Keys];

    [Theory]
    [MemberData(nameof(Layers))]
    public void ACompiledLayerHasTheBitsOfTheEagerOne(string name)
    {
        (Func<Module> make, Shape shape) = s_layers[name];
        Module eager = make(), compiled = make();
        foreach ((string key, NDArray parameter) in compiled.Parameters) parameter.Assign(eager.Parameters[key]);
        compiled.Hybridize(new HybridOptions { FallbackToEager = false });
        DType dtype = eager.Parameters.Values.First().DType;
        foreach (Shape given in new[] { shape, shape, Shape.Create([shape[0] + 1, .. shape.Dimensions[1..]]) })
        {
            NDArray input = Nd.Random.Normal(0, 1, given).AsType(dtype);
            (NDArray[] expected, NDArray[] actual) = (Results(eager, input), Results(compiled, input));
            string? difference = Bits.Difference(expected, actual);
            Assert.True(difference is null, $"{name}: {difference}");
        }
    }

    [Fact]
    public void BatchNormOfAPredictionIsOneKernel()
    {
        BatchNorm norm = new(4);
        norm.RunningMean.Assign(Nd.Random.Normal(0, 1, 4));
        norm.RunningVar.Assign(Nd.Random.Uniform(0.5, 2, 4));
        Func<NDArray, NDArray> f = x => norm.Forward(x).Relu();
        HybridFunction<Func<NDArray, NDArray>> hybrid = f.Hybridize(new HybridOptions { FallbackToEager = false });
        NDArray input = Nd.Random.Normal(0, 1, (3, 4, 5, 6));
        Assert.Null(Bits.Difference(f(input), hybrid.Invoke(input)));
        norm.RunningMean.Fill(0.5);
        Assert.Null(Bits.Difference(f(input), hybrid.Invoke(input)));
        Assert.True(hybrid.Report.KernelCount <= 2, hybrid.Report.ToString());
    }

    /// <summary>The steps of a recurrent layer are one launch, forward and backward, however many they are.</summary>
    [Fact]
    public void LaunchesDoNotGrowWithTheSteps()
    {
        int[] counts = [.. new[] { 2, 20 }.Select(Count)];
        Assert.Equal(counts[0], counts[1]);
        Assert.InRange(counts[0], 4, 14);

        static int Count(int time)
        {
            Lstm layer = new(5, 4);
            Sgd optimizer = new(layer.Parameters, 0.1);
            NDArray x = Nd.Random.Normal(0, 1, (time, 3, 5));
            Func<NDArray> step = () =>
            {
                NDArray loss;
                using (Autograd.Record()) loss = Nd.Mean(Nd.Square(layer.Forward(x)));
                loss.Backward();
                optimizer.Step();
                return loss;
            };
            HybridFunction<Func<NDArray>> compiled = step.Hybridize(new HybridOptions { FallbackToEager = false });
            compiled.Invoke();
            return compiled.Report.KernelCount;
        }
    }

    /// <summary>The output, the gradient of the input and those of all parameters.</summary>
    private static NDArray[] Results(Module module, NDArray input)
    {
        NDArray x = input.Detach();
        x.AttachGrad();
        NDArray output;
        using (Autograd.Record()) output = module.Forward(x);
        output.Backward(Nd.Cos(Nd.Arange(output.Size)).Reshape(output.Shape).AsType(output.DType));
        return [output, x.Grad!, .. module.Parameters.Values.Select(p => p.Grad!.Copy())];
    }
}
