using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules, kernel calls and gradients of the poolings. Every channel of every sample is pooled by itself.</summary>
internal static unsafe class Pooling
{
    public static void Infer(string op, ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        if (!x[0].DType.IsFloat) throw new DTypeException($"{op}: the input is {x[0].DType}; it must be floating point. Convert with AsType(DType.Float32).");
        y[0] = x[0] with { Shape = WindowRules.OutputShape(x[0].Shape[0], x[0].Shape[1], (WindowAttributes)attributes!) };
    }

    /// <summary>The index of an element in its plane, in an integer as wide as the element.</summary>
    public static void InferIndices(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        Infer("MaxPool", x, attributes, y);
        y[0] = y[0] with { DType = x[0].DType == DType.Float32 ? DType.Int32 : DType.Int64 };
    }

    public static void InferSumGradient(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        WindowAttributes a = (WindowAttributes)attributes!;
        WindowRules.CheckOutput("SumPoolGradient", x[0].Shape, a);
        y[0] = x[0] with { Shape = WindowRules.InputShape(x[0].Shape[0], x[0].Shape[1], a) };
    }

    public static void RunMax(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous(), y = outputs[0];
        WindowShape s = Planes(x, attributes);
        fixed (byte* from = &x.Data, to = &y.Data)
        {
            if (x.DType == DType.Float32) Convolution.MaxPool(s, (float*)from, (float*)to);
            else Convolution.MaxPool(s, (double*)from, (double*)to);
        }

        GC.KeepAlive(x);
    }

    public static void RunIndices(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous(), y = outputs[0];
        WindowShape s = Planes(x, attributes);
        fixed (byte* from = &x.Data, to = &y.Data)
        {
            if (x.DType == DType.Float32) MaxPoolIndices<float, int>.Run(s, (float*)from, (int*)to);
            else MaxPoolIndices<double, long>.Run(s, (double*)from, (long*)to);
        }

        GC.KeepAlive(x);
    }

    public static void RunSum(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous(), y = outputs[0];
        WindowShape s = Planes(x, attributes);
        fixed (byte* from = &x.Data, to = &y.Data)
        {
            if (x.DType == DType.Float32) Convolution.SumPool(s, (float*)from, (float*)to);
            else Convolution.SumPool(s, (double*)from, (double*)to);
        }

        GC.KeepAlive(x);
    }

    public static void RunSumGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray g = inputs[0].Contiguous(), x = outputs[0];
        WindowShape s = Planes(g, attributes);
        fixed (byte* from = &g.Data, to = &x.Data)
        {
            if (x.DType == DType.Float32) Convolution.SumPoolGradient(s, (float*)from, (float*)to);
            else Convolution.SumPoolGradient(s, (double*)from, (double*)to);
        }

        GC.KeepAlive(g);
    }

    /// <summary>The gradient goes to the elements that were taken.</summary>
    public static NDArray MaxGradient(GradientContext c)
    {
        WindowAttributes a = c.Attributes<WindowAttributes>();
        Shape input = c.ShapeOf(0);
        int planes = input[0] * input[1], size = (int)WindowRules.Kernel(a, 1).InputSize, windows = (int)WindowRules.Kernel(a, 1).OutputSize;
        NDArray indices = Nd.Reshape(OpTable.MaxPoolIndices.Apply(c.X, a), planes, windows);
        return Nd.Reshape(OpTable.TakeAlongAxisGradient.Apply(Nd.Reshape(c.G, planes, windows), indices, new DepthAttributes(size)), input);
    }

    public static WindowShape Planes(NDArray x, object? attributes) => WindowRules.Kernel((WindowAttributes)attributes!, checked(x.Shape[0] * x.Shape[1]));
}
