using Fusion.Kernels;

namespace Fusion;

/// <summary>Poolings on the arrays of an accelerator.</summary>
internal static class DevicePlanes
{
    public static void Max(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs) => Run(
        inputs[0], attributes, outputs[0],
        static (device, s, x, y) => DevicePooling.Max<float>(device, s, x, y),
        static (device, s, x, y) => DevicePooling.Max<double>(device, s, x, y));

    public static void Indices(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs) => Run(
        inputs[0], attributes, outputs[0],
        static (device, s, x, y) => DevicePooling.MaxIndices<float>(device, s, x, y),
        static (device, s, x, y) => DevicePooling.MaxIndices<double>(device, s, x, y));

    public static void Sum(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs) => Run(
        inputs[0], attributes, outputs[0],
        static (device, s, x, y) => DevicePooling.Sum<float>(device, s, x, y),
        static (device, s, x, y) => DevicePooling.Sum<double>(device, s, x, y));

    public static void SumGradient(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs) => Run(
        inputs[0], attributes, outputs[0],
        static (device, s, dy, dx) => DevicePooling.SumGradient<float>(device, s, dy, dx),
        static (device, s, dy, dx) => DevicePooling.SumGradient<double>(device, s, dy, dx));

    private delegate void Kernel(GpuDevice device, WindowShape s, DeviceVector from, DeviceVector to);

    private static void Run(NDArray input, object? attributes, NDArray output, Kernel single, Kernel twice)
    {
        NDArray from = input.Contiguous();
        WindowShape s = Pooling.Planes(from, attributes);
        (from.DType == DType.Float32 ? single : twice)(output.Accelerator!, s, Vector(from), Vector(output));
    }

    private static DeviceVector Vector(NDArray x) => new((DeviceBlock)x.Storage, x.Offset);
}
