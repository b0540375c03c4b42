using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules and kernel calls of the convolutions. Filters are (out channels, in channels / groups, kernel …).</summary>
internal static unsafe class Convolutions
{
    public static void Infer(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        WindowAttributes a = (WindowAttributes)attributes!;
        string op = $"Conv{a.Dimensions}D";
        CheckTypes(op, x);
        CheckChannels(op, x[0].Shape, x[1].Shape, x.Length > 2 ? x[2].Shape : default(Shape?), a.Groups);
        y[0] = new TensorType(x[0].DType, WindowRules.OutputShape(x[0].Shape[0], x[1].Shape[0], a));
    }

    public static void CheckChannels(string op, Shape input, Shape weight, Shape? bias, int groups)
    {
        if (weight[0] % groups != 0) throw new ShapeException($"{op}: the weight {weight} has {weight[0]} filters, which {groups} groups do not divide.");
        if (input[1] != weight[1] * groups)
        {
            throw new ShapeException(
                $"{op}: the input {input} has {input[1]} channels on axis 1, but the weight {weight} with {groups} group{(groups == 1 ? "" : "s")} takes " +
                $"{weight[1]}·{groups} = {weight[1] * groups}. Check the layer's input channels, or move the channels to axis 1.");
        }

        if (bias is { } b && (b.Rank != 1 || b[0] != weight[0]))
            throw new ShapeException($"{op}: the bias must be ({weight[0]},) for the weight {weight}, it is {b}.");
    }

    /// <summary>Inputs: the gradient of the output, the weight.</summary>
    public static void InferInputGradient(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        WindowAttributes a = (WindowAttributes)attributes!;
        string op = $"ConvTranspose{a.Dimensions}D";
        CheckTypes(op, x);
        CheckTransposedChannels(op, x[0].Shape, x[1].Shape, a.Groups);
        WindowRules.CheckOutput(op, x[0].Shape, a);
        y[0] = new TensorType(x[0].DType, WindowRules.InputShape(x[0].Shape[0], x[1].Shape[1] * a.Groups, a));
    }

    public static void CheckTransposedChannels(string op, Shape input, Shape weight, int groups)
    {
        if (input[1] != weight[0])
        {
            throw new ShapeException(
                $"{op}: the input {input} has {input[1]} channels on axis 1, but the weight {weight} (in, out / groups, kernel …) takes {weight[0]}. " +
                "Check the layer's input channels, or swap the first two axes of the weight.");
        }

        if (weight[0] % groups != 0) throw new ShapeException($"{op}: {groups} groups do not divide the {weight[0]} channels of the input {input}.");
    }

    /// <summary>Inputs: the input, the gradient of the output.</summary>
    public static void InferWeightGradient(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        WindowAttributes a = (WindowAttributes)attributes!;
        CheckTypes("ConvWeightGradient", x);
        WindowRules.CheckOutput("ConvWeightGradient", x[1].Shape, a);
        y[0] = new TensorType(x[0].DType, Shape.Create([x[1].Shape[1], x[0].Shape[1] / a.Groups, .. a.Kernel.Span]));
    }

    /// <summary>Elements of one filter: as many multiplications has every element of the result.</summary>
    public static long PerFilter(TensorType filters) => filters.Shape.Size / Math.Max(1, filters.Shape[0]);

    public static void Run(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs) => Product(inputs, attributes, outputs[0], default);

    public static void RunInputGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs) =>
        InputGradientProduct(inputs, attributes, outputs[0], default);

    public static void Product(ReadOnlySpan<NDArray> inputs, object? attributes, NDArray y, GemmFinish finish)
    {
        NDArray x = inputs[0].Contiguous(), w = inputs[1].Contiguous();
        NDArray? bias = inputs.Length > 2 ? inputs[2].Contiguous() : null;
        WindowShape s = ShapeOf((WindowAttributes)attributes!, x.Shape[0], w.Shape);
        fixed (byte* px = &x.Data, pw = &w.Data, py = &y.Data)
        fixed (byte* pb = bias is null ? new Span<byte>(ref *(byte*)null) : bias.Bytes)
        {
            if (y.DType == DType.Float32) Convolution.Forward(s, (float*)px, (float*)pw, (float*)pb, (float*)py, finish);
            else Convolution.Forward(s, (double*)px, (double*)pw, (double*)pb, (double*)py, finish);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(w);
        GC.KeepAlive(bias);
    }

    public static void InputGradientProduct(ReadOnlySpan<NDArray> inputs, object? attributes, NDArray x, GemmFinish finish)
    {
        NDArray g = inputs[0].Contiguous(), w = inputs[1].Contiguous();
        WindowShape s = ShapeOf((WindowAttributes)attributes!, g.Shape[0], w.Shape);
        fixed (byte* pg = &g.Data, pw = &w.Data, px = &x.Data)
        {
            if (x.DType == DType.Float32) Convolution.InputGradient(s, (float*)pg, (float*)pw, (float*)px, finish);
            else Convolution.InputGradient(s, (double*)pg, (double*)pw, (double*)px, finish);
        }

        GC.KeepAlive(g);
        GC.KeepAlive(w);
    }

    public static void RunWeightGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous(), g = inputs[1].Contiguous(), w = outputs[0];
        WindowShape s = ShapeOf((WindowAttributes)attributes!, x.Shape[0], w.Shape);
        fixed (byte* px = &x.Data, pg = &g.Data, pw = &w.Data)
        {
            if (w.DType == DType.Float32) Convolution.WeightGradient(s, (float*)px, (float*)pg, (float*)pw);
            else Convolution.WeightGradient(s, (double*)px, (double*)pg, (double*)pw);
        }

        GC.KeepAlive(x);
        GC.KeepAlive(g);
    }

    public static WindowShape ShapeOf(WindowAttributes a, int batch, Shape weight) => WindowRules.Kernel(a, batch, weight[1], weight[0] / a.Groups);

    private static void CheckTypes(string op, ReadOnlySpan<TensorType> x)
    {
        foreach (TensorType type in x)
            if (type.DType != x[0].DType || !type.DType.IsFloat)
                throw new DTypeException($"{op}: {x[0].DType} and {type.DType}; all must be Float32 or all Float64. Convert with AsType.");
    }
}
