using Fusion.NN;
using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

/// <summary>Modules of functions give what the functions give, eager and compiled.</summary>
public sealed class FunctionModuleTests
{
    private static readonly NDArray s_line = Random((2, 4, 9)).AsType(DType.Float32), s_image = Random((2, 4, 6, 5)).AsType(DType.Float32), s_volume = Random((1, 4, 4, 4, 3)).AsType(DType.Float32);

    private static readonly (string Name, Func<Module> Make, Func<NDArray, Module, NDArray> F, NDArray X)[] s_cases =
    [
        ("Softsign", () => new Softsign(), (x, _) => x.Softsign(), s_image),
        ("LogSigmoid", () => new LogSigmoid(), (x, _) => x.LogSigmoid(), s_image),
        ("Relu6", () => new Relu6(), (x, _) => x.Relu6(), s_image * 9),
        ("HardSigmoid", () => new HardSigmoid(1.0 / 6), (x, _) => x.HardSigmoid(1.0 / 6), s_image * 5),
        ("HardSwish", () => new HardSwish(), (x, _) => x.HardSwish(), s_image * 5),
        ("Celu", () => new Celu(0.7), (x, _) => x.Celu(0.7), s_image),
        ("Glu", () => new Glu(1), (x, _) => x.Glu(1), s_image),
        ("PRelu", () => new PRelu(), (x, _) => x.LeakyRelu(0.25), s_image),
        ("PRelu of channels", () => new PRelu(4, 0.5), (x, _) => x.LeakyRelu(0.5), s_image),
        ("PRelu of features", () => new PRelu(4), (x, m) => x.PRelu(((PRelu)m).Weight), s_image[0, 0].Reshape(-1)[..8].Reshape(2, 4)),
        ("Identity", () => new Identity(), (x, _) => x, s_image),
        ("MaxPool1d", () => new MaxPool1d(3, 2, 1), (x, _) => x.MaxPool1D(3, 2, 1), s_line),
        ("MaxPool2d", () => new MaxPool2d((3, 2), 1), (x, _) => x.MaxPool2D((3, 2), 1), s_image),
        ("MaxPool3d", () => new MaxPool3d(2), (x, _) => x.MaxPool3D(2), s_volume),
        ("AvgPool1d", () => new AvgPool1d(3, 2, 1, countIncludePad: false), (x, _) => x.AvgPool1D(3, 2, 1, false), s_line),
        ("AvgPool2d", () => new AvgPool2d(3, padding: 1), (x, _) => x.AvgPool2D(3, padding: 1), s_image),
        ("AvgPool3d", () => new AvgPool3d(2, 1), (x, _) => x.AvgPool3D(2, 1), s_volume),
        ("GlobalMaxPool", () => new GlobalMaxPool(), (x, _) => x.GlobalMaxPool(), s_volume),
        ("InstanceNorm", () => new InstanceNorm(4), (x, m) => x.InstanceNorm(((InstanceNorm)m).Weight, ((InstanceNorm)m).Bias), s_image),
        ("InstanceNorm without parameters", () => new InstanceNorm(4, 1e-3, affine: false), (x, _) => x.InstanceNorm(epsilon: 1e-3), s_line),
        ("ConvTranspose1d", () => new ConvTranspose1d(4, 2, 3, 2, 1, 1), (x, m) => x.ConvTranspose1D(((ConvolutionLayer)m).Weight, ((ConvolutionLayer)m).Bias, 2, 1, outputPadding: 1), s_line),
        ("ConvTranspose3d", () => new ConvTranspose3d(4, 2, 2, groups: 2, bias: false), (x, m) => x.ConvTranspose3D(((ConvolutionLayer)m).Weight, groups: 2), s_volume),
        ("Upsample", () => new Upsample(2), (x, _) => x.Repeat(2, 2).Repeat(2, 3), s_image),
        ("Upsample: bilinear", () => new Upsample((3, 2), ResizeMode.Bilinear, alignCorners: true), (x, _) => x.Resize(18, 10, ResizeMode.Bilinear, true), s_image),
    ];

    public static TheoryData<string> Names => [.. s_cases.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AModuleIsItsFunction(string name)
    {
        (_, Func<Module> make, Func<NDArray, Module, NDArray> f, NDArray x) = s_cases.Single(c => c.Name == name);
        Module module = make();
        NDArray[] expected = Both(y => f(y, module)), eager = Both(module.Forward);
        module.Hybridize();
        NDArray[] compiled = Both(module.Forward), again = Both(module.Forward);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Null(Bits.Difference(expected[i], eager[i]));
            Assert.Null(Bits.Difference(expected[i], compiled[i]));
            Assert.Null(Bits.Difference(expected[i], again[i]));
        }

        NDArray[] Both(Func<NDArray, NDArray> forward)
        {
            NDArray input = Leaf.Attached(x.Copy()), y;
            using (Autograd.Record()) y = forward(input);
            y.Backward(Random(y.Shape, 7).AsType(DType.Float32));
            return [y, input.Grad!];
        }
    }

    [Fact]
    public void SlopesAreLearnedOneForEachChannel()
    {
        PRelu layer = new(2);
        NDArray x = Nd.Array(new[,] { { -1f, -2 }, { 3, -4 } });
        using (Autograd.Record()) layer.Forward(x).Sum().Backward();
        Close([-1, -6], layer.Weight.Grad!);
        Assert.Equal(["weight"], layer.Parameters.Keys);
        Assert.Equal(new Shape(1), new PRelu().Weight.Shape);
        Close([-0.25, 2], new PRelu().Forward(Doubles(-1, 2)));
        Close([-0.25], new PRelu().Forward(Nd.Scalar(-1)));
    }

    [Fact]
    public void WhatDoesNotFitIsNamed()
    {
        Expect.Throws<ShapeException>(() => new PRelu(3).Forward(s_image), "PRelu: the input (2, 4, 6, 5) must be (batch, 3, …)", "Reshape");
        Expect.Throws<ShapeException>(() => new PRelu(3).Forward(Nd.Ones(3)), "PRelu: the input (3,)");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new PRelu(0), "PRelu: channels is 0");
        Expect.Throws<DTypeException>(() => _ = new PRelu(dtype: DType.Int32), "PRelu: Int32");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Celu(0), "Celu: alpha is 0");
        Expect.Throws<ShapeException>(() => new InstanceNorm(3).Forward(s_image), "InstanceNorm: the input (2, 4, 6, 5) must be (batch, 3, …)");
        Expect.Throws<ShapeException>(() => new InstanceNorm(4).Forward(Nd.Ones((2, 4))), "InstanceNorm: the input (2, 4)");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new InstanceNorm(4, -1), "InstanceNorm: epsilon is -1");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new MaxPool1d(0), "MaxPool1d: kernel (0,)");
        Expect.Throws<ShapeException>(() => _ = new AvgPool3d((2, 2)), "AvgPool3d: kernel (2, 2)");
        Expect.Throws<ShapeException>(() => new MaxPool3d(2).Forward(s_image), "MaxPool3d: the input (2, 4, 6, 5)");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Upsample((2, 0)), "Upsample: scale (2, 0) must be positive");
        Expect.Throws<ShapeException>(() => _ = new Upsample((2, 2, 2)), "Upsample: scale (2, 2, 2)");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Upsample(2, (ResizeMode)9), "Upsample: mode is 9");
        Expect.Throws<ShapeException>(() => new Upsample(2).Forward(s_line), "Upsample: (2, 4, 9)", "ExpandDims");
        Expect.Throws<ShapeException>(() => new Upsample(2).Forward(Nd.Ones((1, 1, 0, 3))), "Upsample: (1, 1, 0, 3) has no pixels");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new ConvTranspose1d(2, 2, 3, stride: 0), "ConvTranspose1d: stride (0,)");
        Expect.Throws<ShapeException>(() => new ConvTranspose3d(2, 2, 3).Forward(s_volume), "ConvTranspose3d: the input (1, 4, 4, 4, 3) has 4 channels");
        Expect.Throws<ShapeException>(() => new LstmCell(3, 2).Forward(Nd.Ones((4, 5))), "LstmCell: the input (4, 5) must be (batch, 3)");
        Expect.Throws<ShapeException>(() => new LstmCell(3, 2).Forward(Nd.Ones((4, 1, 3))), "LstmCell: the input (4, 1, 3)", "give a sequence to Lstm");
        Expect.Throws<ShapeException>(() => new LstmCell(3, 2).Forward(Nd.Ones((4, 3)), Nd.Ones((4, 2)), Nd.Ones((2, 4))), "LstmCell: cell", "(4, 2)", "(2, 4)");
        Expect.Throws<ShapeException>(() => new GruCell(3, 2).Forward(Nd.Ones(3), Nd.Ones((1, 2))), "GruCell: hidden", "(2,)", "(1, 2)");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new RnnCell(0, 2), "RnnCell: inputSize is 0");
        Expect.Throws<DTypeException>(() => _ = new GruCell(1, 2, dtype: DType.Int32), "GruCell: Int32");
    }
}
