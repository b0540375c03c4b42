using Fusion.Kernels;

namespace Fusion;

/// <summary>Convolutions and their transposes on the arrays of an accelerator.</summary>
internal static class DeviceConvolutions
{
    public static void Run(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous(), w = inputs[1].Contiguous(), y = outputs[0];
        DeviceVector? bias = inputs.Length > 2 ? Vector(inputs[2].Contiguous()) : null;
        WindowShape s = Convolutions.ShapeOf((WindowAttributes)attributes!, x.Shape[0], w.Shape);
        if (y.DType == DType.Float32) DeviceConvolution.Forward<float>(y.Accelerator!, s, Vector(x), Vector(w), bias, Vector(y));
        else DeviceConvolution.Forward<double>(y.Accelerator!, s, Vector(x), Vector(w), bias, Vector(y));
    }

    public static void RunInputGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray g = inputs[0].Contiguous(), w = inputs[1].Contiguous(), x = outputs[0];
        WindowShape s = Convolutions.ShapeOf((WindowAttributes)attributes!, g.Shape[0], w.Shape);
        if (x.DType == DType.Float32) DeviceConvolution.InputGradient<float>(x.Accelerator!, s, Vector(g), Vector(w), Vector(x));
        else DeviceConvolution.InputGradient<double>(x.Accelerator!, s, Vector(g), Vector(w), Vector(x));
    }

    public static void RunWeightGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        NDArray x = inputs[0].Contiguous(), g = inputs[1].Contiguous(), w = outputs[0];
        WindowShape s = Convolutions.ShapeOf((WindowAttributes)attributes!, x.Shape[0], w.Shape);
        if (w.DType == DType.Float32) DeviceConvolution.WeightGradient<float>(w.Accelerator!, s, Vector(x), Vector(g), Vector(w));
        else DeviceConvolution.WeightGradient<double>(w.Accelerator!, s, Vector(x), Vector(g), Vector(w));
    }

    private static DeviceVector Vector(NDArray x) => new((DeviceBlock)x.Storage, x.Offset);
}
