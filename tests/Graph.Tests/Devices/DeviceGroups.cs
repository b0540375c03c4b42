using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.Devices;

/// <summary>A step whose launches are known.</summary>
/// <param name="Make">Makes it, with its parameters, on a device.</param>
/// <param name="Input">Makes its input, on the processor.</param>
/// <param name="Kernels">Kernels and library calls.</param>
/// <param name="Launches">With those that a library call takes more than one of.</param>
/// <param name="ProcessorKernels">Those of the processor, where it has others.</param>
internal sealed record DeviceStep(Func<Device, Func<NDArray, NDArray>> Make, Func<NDArray> Input, int Kernels, int? Launches = null, int? ProcessorKernels = null);

/// <summary>Functions whose launches on an accelerator are known.</summary>
/// <param name="Function">The function.</param>
/// <param name="Inputs">Makes its inputs, on the processor.</param>
/// <param name="Kernels">Kernels and library calls.</param>
/// <param name="Launches">With the looks at labels.</param>
/// <param name="ProcessorKernels">Those of the processor, where it has others.</param>
internal sealed record DeviceGroup(ListFunction Function, Func<NDArray[]> Inputs, int Kernels = 1, int? Launches = null, int? ProcessorKernels = null)
{
    private const int Rows = 6, Columns = 36;

    public static readonly Dictionary<string, DeviceGroup> All = new()
    {
        ["chain"] = new(static x => [Nd.Tanh(x[0] * x[1] + 0.5) - Nd.Relu(x[1])], static () => [Full(1), Full(2)]),
        ["softmax and neighbours"] = new(static x => [Nd.Softmax(x[0] * 2 + x[1]) * x[2]], static () => [Full(1), Vector(2), PerRow(3)]),
        ["log softmax"] = new(static x => [Nd.LogSoftmax(Nd.Relu(x[0]))], static () => [Full(1)]),
        ["softmax gradient"] = new(
            static x => [OpTable.SoftmaxGradient.Apply(Nd.Sigmoid(x[0]), x[1] * 3) + 1], static () => [Full(1), Full(2)]),
        ["softmax written out"] = new(
            static x =>
            {
                NDArray e = Nd.Exp(x[0] - Nd.Max(x[0], [-1], keepDims: true));
                return [e / Nd.Sum(e, [-1], keepDims: true)];
            },
            static () => [Full(1)]),
        ["layer norm, residual, gelu"] = new(
            static x => [Nd.Gelu(Nd.LayerNorm(x[0] + x[1], x[2], x[3]), approximate: true) + x[1]], static () => [Full(1), Full(2), Vector(3), Vector(4)]),
        ["layer norm gradient"] = new(
            static x => [OpTable.LayerNormGradient.Apply([x[0], x[1] * 0.5, x[2]], new NormAttributes(1e-5, true)) - x[1]],
            static () => [Full(1), Full(2), Vector(3)]),
        ["rms norm"] = new(static x => [Nd.RmsNorm(x[0], x[1]) * Nd.Sigmoid(x[0])], static () => [Full(1), Vector(2)]),
        ["norm written out"] = new(
            static x =>
            {
                NDArray centered = x[0] - Nd.Mean(x[0], [-1], keepDims: true);
                return [centered / Nd.Sqrt(Nd.Mean(Nd.Square(centered), [-1], keepDims: true) + 1e-5)];
            },
            static () => [Full(1)]),
        ["cross entropy"] = new(static x => [Nd.SoftmaxCrossEntropy(x[0], x[1]) * 2], static () => [Full(1), Labels()], Launches: 2),
        ["cross entropy of what is computed"] = new(
            static x => [Nd.SoftmaxCrossEntropy(x[0] * 0.5 + x[2], x[1])], static () => [Full(1), Labels(), Vector(3)], Launches: 2),
        ["cross entropy and its gradient"] = new(
            static x =>
            {
                NDArray logits = x[0] + x[2];
                return [Nd.SoftmaxCrossEntropy(logits, x[1]), OpTable.CrossEntropyGradient.Apply([logits, x[1], x[3]])];
            },
            static () => [Full(1), Labels(), Vector(3), Nd.Full(Rows, 1.0 / Rows)], Launches: 2),
        ["masks"] = new(static x => [Nd.Where(x[0] > x[1], Nd.Softmax(x[0]), 0), x[0] > x[1]], static () => [Full(1), Vector(2)]),
        ["a value of each row in every column"] = new(
            static x =>
            {
                NDArray squares = x[0] * x[0];
                return [Nd.BroadcastTo(Nd.Sum(squares, [-1], keepDims: true), x[0].Shape) * 2, Nd.Max(squares, [-1])];
            },
            static () => [Full(1)]),
        ["numbers"] = new(static x => [Nd.Softmax(x[0] * (x[1] + 1)) * x[2]], static () => [Full(1), Nd.Scalar(0.25), Nd.Scalar(3)]),
        ["rows that repeat"] = new(
            static x => [Nd.Softmax(x[0] + x[1], -1)], static () => [TestArrays.Uniform((2, 3, Columns), 1), TestArrays.Uniform((2, 1, Columns), 2)]),
        ["double"] = new(static x => [Nd.Softmax(x[0] - 1) * x[0]], static () => [TestArrays.Uniform((Rows, Columns), 1, DType.Float64)]),
        ["odd lengths and special numbers"] = new(static x => [Nd.Softmax(x[0] * 2) + 1], static () => [TestArrays.Special((5, 33), 1)]),
        ["everything"] = new(
            static x =>
            {
                NDArray e = Nd.Exp(x[0] - Nd.Max(x[0]));
                return [e / Nd.Sum(e)];
            },
            static () => [Full(1)]),
        ["product, bias, relu"] = new(static x => [Nd.Relu(Nd.MatMul(x[0], x[1]) + x[2])], static () => [Exact((6, 8), 1), Exact((8, 12), 2), Exact(12, 3)]),
        ["layer, gelu, residual"] = new(
            static x => [Nd.Gelu(Nd.FullyConnected(x[0], x[1], x[2])) + x[3]], static () => [Exact((6, 8), 1), Exact((12, 8), 2), Exact(12, 3), Exact((6, 12), 4)]),
        ["product that others read, too"] = new(
            static x =>
            {
                NDArray y = Nd.MatMul(x[0], Nd.SwapAxes(x[1], -1, -2));
                NDArray t = Nd.Tanh(y);
                return [y, t * 2, t > 0.25];
            },
            static () => [Exact((5, 7), 1), Exact((9, 7), 2)]),
        ["scores of attention, masked"] = new(
            static x => [Nd.Where(x[2], Nd.MatMul(x[0], Nd.SwapAxes(x[1], -1, -2)) * x[3], -1e9)],
            static () => [Exact((2, 3, 4, 6), 1), Exact((2, 3, 5, 6), 2), Exact((4, 5), 3) > 0, Nd.Scalar(0.25)]),
        ["products repeated along a batch"] = new(
            static x => [Nd.Sigmoid(Nd.MatMul(x[0], x[1]) * x[2])], static () => [Exact((2, 1, 4, 6), 1), Exact((3, 6, 5), 2), Exact((2, 3, 4, 5), 3)], Launches: 2),
        ["product in double, a value a row"] = new(
            static x => [Nd.Exp(Nd.MatMul(x[0], x[1]) - x[2])],
            static () => [Exact((6, 8), 1).AsType(DType.Float64), Exact((8, 12), 2).AsType(DType.Float64), Exact((6, 1), 3).AsType(DType.Float64)]),
        ["convolution, bias, scale of channels, relu"] = new(
            static x => [Nd.Relu(Nd.Conv2D(x[0], x[1], x[2]) * x[3])],
            static () => [Exact((2, 3, 6, 6), 1), Exact((4, 3, 3, 3), 2), Exact(4, 3), Exact((4, 1, 1), 4)]),
        ["two softmaxes of other rows"] = new(static x => [Nd.Softmax(Nd.Softmax(x[0] + 1), 0)], static () => [Full(1)], Kernels: 2, Launches: 3),
    };

    /// <summary>Steps whose launches are known.</summary>
    public static readonly Dictionary<string, DeviceStep> Steps = new()
    {
        ["gelu and its gradient"] = new(static _ => Training(null, static x => Nd.Gelu(x * 0.5)), static () => Full(1), 1),
        ["cross entropy and its gradient"] = new(
            static device =>
            {
                NDArray labels = Labels().To(device);
                return Training(null, x => Loss.SoftmaxCrossEntropy(x * 2, labels));
            },
            static () => Full(1), 1, 2),
        ["perceptron"] = new(
            static device =>
            {
                Nd.Random.Seed(3);
                Sequential network = new Sequential(new Linear(Columns, 16), new Relu(), new Linear(16, 16), new Gelu(), new Linear(16, 8)).To(device);
                Adam optimizer = new(network.Parameters, learningRate: 0.01);
                NDArray labels = TestArrays.Indices(Rows, 8, 5).To(device);
                return Training(optimizer, x => Loss.SoftmaxCrossEntropy(network.Forward(x), labels));
            },
            static () => Full(1), 15, 16, 14),
        ["transformer block"] = new(
            static device =>
            {
                Nd.Random.Seed(4);
                TransformerBlock block = new TransformerBlock(8, 2, causal: true).To(device);
                Adam optimizer = new(block.Parameters, learningRate: 0.01);
                return Training(optimizer, x => Nd.Mean(Nd.Square(block.Forward(x))), clip: true);
            },
            static () => TestArrays.Uniform((2, 5, 8), 1), 41, 54, 63),
    };

    // Without an optimizer the gradient of the input is the result.
    private static Func<NDArray, NDArray> Training(Optimizer? optimizer, Func<NDArray, NDArray> loss, bool clip = false) => x =>
    {
        NDArray input = x;
        if (optimizer is null)
        {
            input = x.Detach();
            input.AttachGrad();
        }

        NDArray result;
        using (Autograd.Record()) result = loss(input);
        result.Backward();
        if (optimizer is null) return input.Grad!;
        if (clip) optimizer.ClipGradNorm(0.5);
        optimizer.Step();
        return result;
    };

    /// <summary>A step of training: forward, loss, backward, clipping if it is asked for, and the update of four parameters.</summary>
    public static Func<NDArray, NDArray, NDArray> Step(Device device, bool clip, out IReadOnlyList<NDArray> parameters)
    {
        Nd.Random.Seed(3);
        Sequential network = new Sequential(new Linear(12, 20), new Gelu(), new Linear(20, 5)).To(device);
        Adam optimizer = new(network.Parameters, learningRate: 0.01);
        parameters = [.. network.Parameters.Values];
        return (x, labels) =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(network.Forward(x), labels);
            loss.Backward();
            if (clip) optimizer.ClipGradNorm(0.5);
            optimizer.Step();
            return loss;
        };
    }

    // Products of these are sums without rounding, in any order.
    private static NDArray Exact(Shape shape, int seed) => Nd.Floor(TestArrays.Uniform(shape, seed) * 8) / 8;

    private static NDArray Full(int seed) => TestArrays.Uniform((Rows, Columns), seed);

    private static NDArray Vector(int seed) => TestArrays.Uniform(Columns, seed);

    private static NDArray PerRow(int seed) => TestArrays.Uniform((Rows, 1), seed);

    private static NDArray Labels() => TestArrays.Indices(Rows, Columns, 5);
}
