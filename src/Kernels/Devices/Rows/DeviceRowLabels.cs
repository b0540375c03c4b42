using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>The labels of rows as arrays: for rows that are too long for one kernel.</summary>
internal static class DeviceRowLabels
{
    private static readonly object s_singles = new();
    private static readonly object s_doubles = new();
    private static readonly object s_masks = new();

    /// <summary>Queues y[r] = x[r, label[r]], NaN for a label that is no column.</summary>
    public static void At(GpuDevice device, DeviceOperand x, long rowStride, DeviceOperand labels, DeviceOperand y, int rows, int length)
    {
        int step = DeviceGrid.Index(rowStride), all = DeviceGrid.Index(((rows - 1) * rowStride) + length);
        if (x.Type == DType.Float64)
        {
            var kernel = device.Kernel(
                s_doubles, static a => a.LoadKernel<ArrayView<double>, ArrayView<int>, int, ArrayView<double>, int, int, int>(AtLabels));
            using (device.Enter())
            {
                kernel(
                    device.Stream, DeviceGrid.For(device, rows), x.Block!.View<double>(x.Offset, all), Words(labels, rows, out int words), words,
                    y.Block!.View<double>(y.Offset, rows), rows, step, length);
                device.LaunchCount++;
            }
        }
        else
        {
            var kernel = device.Kernel(
                s_singles, static a => a.LoadKernel<ArrayView<float>, ArrayView<int>, int, ArrayView<float>, int, int, int>(AtLabels));
            using (device.Enter())
            {
                kernel(
                    device.Stream, DeviceGrid.For(device, rows), x.Block!.View<float>(x.Offset, all), Words(labels, rows, out int words), words,
                    y.Block!.View<float>(y.Offset, rows), rows, step, length);
                device.LaunchCount++;
            }
        }
    }

    /// <summary>Queues mask[r, c] = (c is label[r]).</summary>
    public static void Is(GpuDevice device, DeviceOperand labels, DeviceOperand mask, int rows, int length)
    {
        var kernel = device.Kernel(s_masks, static a => a.LoadKernel<ArrayView<int>, int, ArrayView<byte>, int, int>(AreLabels));
        int count = checked(rows * length);
        using (device.Enter())
        {
            kernel(
                device.Stream, DeviceGrid.For(device, count), Words(labels, rows, out int words), words, mask.Block!.View<byte>(mask.Offset, count), length, count);
            device.LaunchCount++;
        }
    }

    // Labels of either type as Int32: two an Int64, the lower one first.
    private static ArrayView<int> Words(DeviceOperand labels, int rows, out int words)
    {
        words = labels.Type == DType.Int64 ? 2 : 1;
        return labels.Block!.View<int>(labels.Offset * words, (long)rows * words);
    }

    private static int Label(ArrayView<int> labels, int words, int row, int length)
    {
        int label = DeviceRowMemory.Label(labels, row * words, length);
        return words == 2 && labels[(row * words) + 1] != 0 ? -1 : label;
    }

    private static void AtLabels(ArrayView<float> x, ArrayView<int> labels, int words, ArrayView<float> y, int rows, int step, int length)
    {
        int row = DeviceMemory.Thread();
        if (row < rows) y[row] = DeviceRowMemory.AtLabel(x, row * step, Label(labels, words, row, length));
    }

    private static void AtLabels(ArrayView<double> x, ArrayView<int> labels, int words, ArrayView<double> y, int rows, int step, int length)
    {
        int row = DeviceMemory.Thread();
        if (row < rows) y[row] = DeviceRowMemory.AtLabel(x, row * step, Label(labels, words, row, length));
    }

    private static void AreLabels(ArrayView<int> labels, int words, ArrayView<byte> mask, int length, int count)
    {
        int i = DeviceMemory.Thread();
        if (i >= count) return;
        int row = i / length;
        DeviceMemory.StoreMask(mask, i, Label(labels, words, row, length) == i - (row * length));
    }
}
