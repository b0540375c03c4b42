using Fusion.Kernels;

namespace Fusion;

/// <summary>A kernel of an accelerator on the lines of the last axis.</summary>
/// <param name="device">Where it runs.</param>
/// <param name="operands">The inputs, then the output, all contiguous.</param>
/// <param name="attributes">Of the operator.</param>
/// <param name="rows">How many lines.</param>
/// <param name="columns">Their length.</param>
internal delegate void DeviceRowRule(GpuDevice device, ReadOnlySpan<DeviceOperand> operands, object? attributes, int rows, int columns);

/// <summary>Operators on lines, reductions and scans on the arrays of an accelerator.</summary>
internal static class DeviceRowExecution
{
    /// <summary>An operator on the lines of its first input.</summary>
    public static KernelRule Rows(DeviceRowRule rule) => (inputs, attributes, outputs) =>
    {
        DeviceOperand[] operands = new DeviceOperand[inputs.Length + 1];
        for (int i = 0; i < inputs.Length; i++) operands[i] = Operand(inputs[i].Contiguous());
        operands[^1] = Operand(outputs[0]);
        int columns = inputs[0].Shape[-1];
        if (columns > 0) rule(outputs[0].Accelerator!, operands, attributes, (int)(inputs[0].Size / columns), columns);
    };

    /// <summary>An operator on lines whose second input are their classes: one out of range is reported by the next call that reads from the device.</summary>
    public static KernelRule Labelled(string op, DeviceRowRule rule)
    {
        KernelRule run = Rows(rule);
        return (inputs, attributes, outputs) =>
        {
            NDArray labels = inputs[1].Contiguous();
            GpuDevice device = outputs[0].Accelerator!;
            DeviceIndexFaults.Of(device).Queue(op, (DeviceBlock)labels.Storage, labels.Offset, labels.DType, labels.Size, inputs[0].Shape[-1], allowNegative: false);
            run(inputs, attributes, outputs);
        };
    }

    public static void Reduce(ReduceKind kind, NDArray x, ReduceAttributes attributes, NDArray y)
    {
        if (Reductions.Apart(x, attributes, y) is var (part, first, last))
        {
            Reduce(kind, x, first, part);
            Reduce(Reductions.OfResults(kind), part, last, y);
            return;
        }

        NDArray input = Reductions.Lines(x, attributes.Axes.Span, out long outer, out long reduced, out long inner);
        (DeviceOperand from, DeviceOperand to) = (Operand(input), Operand(y));
        DeviceReduce.Run(y.Accelerator!, kind, from.Type, to.Type, from.Block!, from.Offset, to.Block!, to.Offset, outer, reduced, inner);
    }

    public static void ArgReduce(bool max, NDArray x, ReduceAttributes attributes, NDArray y)
    {
        NDArray input = Reductions.Lines(x, attributes.Axes.Span, out long outer, out long reduced, out long inner);
        (DeviceOperand from, DeviceOperand to) = (Operand(input), Operand(y));
        DeviceArgReduce.Run(y.Accelerator!, max, from.Type, from.Block!, from.Offset, to.Block!, to.Offset, outer, reduced, inner);
    }

    public static void CumSum(ReadOnlySpan<NDArray> x, object? attributes, Span<NDArray> y)
    {
        ScanAttributes scan = (ScanAttributes)attributes!;
        NDArray input = Reductions.Lines(x[0], [scan.Axis], out long outer, out long n, out long inner);
        (DeviceOperand from, DeviceOperand to) = (Operand(input), Operand(y[0]));
        DeviceScan.CumSum(y[0].Accelerator!, from.Type, to.Type, from.Block!, from.Offset, to.Block!, to.Offset, outer, n, inner, reverse: scan.Reverse);
    }

    /// <summary>Σ g and Σ g·x̂ over the rows: the products of all rows, then sums.</summary>
    public static void NormalizeSums(NDArray x, NDArray g, NormAttributes a, NDArray sums)
    {
        int columns = x.Shape[-1];
        if (x.Size == 0)
        {
            Movement.Fill(sums, 0);
            return;
        }

        NDArray products = NDArray.Allocate(x.DType, x.Shape, x.Accelerator);
        (DeviceOperand h, DeviceOperand p, DeviceOperand to) = (Operand(g.Contiguous()), Operand(products), Operand(sums));
        int rows = (int)(x.Size / columns);
        DeviceReduce.Run(x.Accelerator!, ReduceKind.Sum, x.DType, x.DType, h.Block!, h.Offset, to.Block!, to.Offset, 1, rows, columns);
        DeviceRowKernels.NormalizeProduct(x.Accelerator!, Operand(x.Contiguous()), h, p, rows, columns, a.Epsilon, a.Centered);
        DeviceReduce.Run(x.Accelerator!, ReduceKind.Sum, x.DType, x.DType, p.Block!, 0, to.Block!, to.Offset + columns, 1, rows, columns);
        products.ReleaseIfUnshared();
    }

    // The operand holds the block: what is queued may go on using it when the array is gone.
    private static DeviceOperand Operand(NDArray x) => new((DeviceBlock)x.Storage, x.Offset, x.DType);
}
