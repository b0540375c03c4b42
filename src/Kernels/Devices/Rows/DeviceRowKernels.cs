namespace Fusion.Kernels;

/// <summary>
/// <see cref="RowKernels"/> and <see cref="RowNormalize"/> on devices: contiguous rows of Float32 or Float64, whose type is the first operand's. An output
/// may be the memory of an input of its shape. A label that is no column makes a loss NaN, and of its gradient the softmax alone; nobody is told.
/// </summary>
internal static class DeviceRowKernels
{
    /// <summary>y = exp(x − max) · (1/Σ exp(x − max)).</summary>
    public static void Softmax(GpuDevice device, DeviceOperand x, DeviceOperand y, int rows, int columns) =>
        Run(device, RowPrograms.Softmax(Is64(x)), [x, y], rows, columns);

    /// <summary>y = (x − max) − log Σ exp(x − max).</summary>
    public static void LogSoftmax(GpuDevice device, DeviceOperand x, DeviceOperand y, int rows, int columns) =>
        Run(device, RowPrograms.LogSoftmax(Is64(x)), [x, y], rows, columns);

    /// <summary>dx = y · (g − Σ y·g) for the softmax y.</summary>
    public static void SoftmaxGradient(GpuDevice device, DeviceOperand y, DeviceOperand g, DeviceOperand dx, int rows, int columns) =>
        Run(device, RowPrograms.SoftmaxGradient(Is64(y)), [y, g, dx], rows, columns);

    /// <summary>dx = g − exp(y) · Σ g for the log-softmax y.</summary>
    public static void LogSoftmaxGradient(GpuDevice device, DeviceOperand y, DeviceOperand g, DeviceOperand dx, int rows, int columns) =>
        Run(device, RowPrograms.LogSoftmaxGradient(Is64(y)), [y, g, dx], rows, columns);

    /// <summary>The cross entropy of each row's softmax with its label, Int32 or Int64.</summary>
    public static void CrossEntropy(GpuDevice device, DeviceOperand x, DeviceOperand labels, DeviceOperand losses, int rows, int columns) =>
        Run(device, RowPrograms.CrossEntropy(Is64(x)), [x, labels, losses], rows, columns);

    /// <summary>dx = (softmax(x) − one-hot(label)) · g with one g per row.</summary>
    public static void CrossEntropyGradient(
        GpuDevice device, DeviceOperand x, DeviceOperand labels, DeviceOperand g, DeviceOperand dx, int rows, int columns) =>
        Run(device, RowPrograms.CrossEntropyGradient(Is64(x)), [x, labels, g, dx], rows, columns);

    /// <summary>y = x̂·gamma + beta, with one gamma and beta per column, or null for none.</summary>
    public static void Normalize(
        GpuDevice device, DeviceOperand x, DeviceOperand? gamma, DeviceOperand? beta, DeviceOperand y, int rows, int columns, double epsilon, bool centered) =>
        Run(device, RowPrograms.Normalize(Is64(x), centered, gamma is not null, beta is not null),
            [x, gamma, beta, Number(epsilon, x), y], rows, columns, 1, 2);

    /// <summary>dx = r·(h − mean h − x̂·mean(h·x̂)) with h = g·gamma; gamma may be null, none; without centering there is no mean h.</summary>
    public static void NormalizeGradient(
        GpuDevice device, DeviceOperand x, DeviceOperand g, DeviceOperand? gamma, DeviceOperand dx, int rows, int columns, double epsilon, bool centered) =>
        Run(device, RowPrograms.NormalizeGradient(Is64(x), centered, gamma is not null), [x, g, gamma, Number(epsilon, x), dx], rows, columns, 2);

    /// <summary>y = g·x̂, whose sums over the rows are the gradient of gamma.</summary>
    public static void NormalizeProduct(
        GpuDevice device, DeviceOperand x, DeviceOperand g, DeviceOperand y, int rows, int columns, double epsilon, bool centered) =>
        Run(device, RowPrograms.NormalizeProduct(Is64(x), centered), [x, g, Number(epsilon, x), y], rows, columns);

    private static bool Is64(DeviceOperand x) => x.Type == DType.Float64;

    private static DeviceOperand Number(double value, DeviceOperand x) => DeviceOperand.Number(value, x.Type);

    // Operands that there are, in order; those at the given places are one row for all.
    private static void Run(GpuDevice device, RowSpec spec, ReadOnlySpan<DeviceOperand?> operands, int rows, int columns, params ReadOnlySpan<int> vectors)
    {
        Span<DeviceRowOperand> given = new DeviceRowOperand[spec.OperandCount];
        int count = 0;
        for (int k = 0; k < operands.Length; k++)
        {
            if (operands[k] is not { } operand) continue;
            int stride = operand.Block is null || vectors.Contains(k) ? 0 : spec.IsElements(count) ? columns : 1;
            given[count++] = new DeviceRowOperand(operand, stride);
        }

        DeviceRows.Run(device, spec, given, rows, columns);
    }
}
