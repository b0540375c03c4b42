using Fusion.Kernels;

namespace Fusion;

/// <summary>Convolutions and their transposes on the arrays of an accelerator.</summary>
internal static class DeviceConvolutions
{
    public static void Run(ReadOnlySpan<NDArray> inputs, object? attributes, NDArray y, ProductWork work)
    {
        NDArray x = inputs[0].Contiguous(), w = inputs[1].Contiguous();
        DeviceVector? bias = inputs.Length > 2 ? Vector(inputs[2].Contiguous()) : null;
        WindowShape s = Convolutions.ShapeOf((WindowAttributes)attributes!, x.Shape[0], w.Shape);
        if (y.DType == DType.Float32) Run<float>(s, x, w, bias, y, work);
        else Run<double>(s, x, w, bias, y, work);
    }

    private static void Run<T>(in WindowShape s, NDArray x, NDArray w, DeviceVector? bias, NDArray y, ProductWork work)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        if (work.IsNone) DeviceConvolution.Forward<T>(y.Accelerator!, s, Vector(x), Vector(w), bias, Vector(y));
        else work.Code<T>().Convolution(y.Accelerator!, s, Vector(x), Vector(w), bias, Vector(y), work.Bind(0, y.Size, (DeviceBlock)y.Storage));
    }

    public static void RunInputGradient(ReadOnlySpan<NDArray> inputs, object? attributes, NDArray x, ProductWork work)
    {
        NDArray g = inputs[0].Contiguous(), w = inputs[1].Contiguous();
        WindowShape s = Convolutions.ShapeOf((WindowAttributes)attributes!, g.Shape[0], w.Shape);
        if (x.DType == DType.Float32) RunInputGradient<float>(s, g, w, x, work);
        else RunInputGradient<double>(s, g, w, x, work);
    }

    private static void RunInputGradient<T>(in WindowShape s, NDArray g, NDArray w, NDArray x, ProductWork work)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        if (work.IsNone) DeviceConvolution.InputGradient<T>(x.Accelerator!, s, Vector(g), Vector(w), Vector(x));
        else work.Code<T>().InputGradient(x.Accelerator!, s, Vector(g), Vector(w), Vector(x), work.Bind(0, x.Size, (DeviceBlock)x.Storage));
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
