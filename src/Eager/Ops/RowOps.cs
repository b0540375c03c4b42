using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules and kernel calls of the operators on lines.</summary>
internal static class RowOps
{
    public static TensorType Check(string op, TensorType x)
    {
        if (!x.DType.IsFloat) throw new DTypeException($"{op}: the input is {x.DType}; it must be floating point. Convert with AsType(DType.Float32).");
        if (x.Shape.Rank == 0) throw new ShapeException($"{op}: the input is a scalar and has no axis. Reshape or ExpandDims first.");
        return x;
    }

    public static TensorType CheckPair(string op, ReadOnlySpan<TensorType> x)
    {
        if (x[0].Shape != x[1].Shape) throw new ShapeException($"{op}: {x[0].Shape} and {x[1].Shape} must be equal.");
        if (x[0].DType != x[1].DType) throw new DTypeException($"{op}: {x[0].DType} and {x[1].DType} must be equal.");
        return Check(op, x[0]);
    }

    public static void InferCrossEntropy(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        (string op, string parameter) = CallerAttributes.OfCrossEntropy(attributes);
        Check(op, x[0]);
        Shape lines = x[0].Shape.Dimensions[..^1].ToArray();
        if (x[1].Shape != lines)
        {
            string remedy = x[1].Shape == x[0].Shape ? "Convert probabilities with AsType(DType.Float32)." : "Reshape it.";
            throw new ShapeException($"{op}: logits {x[0].Shape} need one class per line, {lines}; {parameter} is {x[1].Shape}. {remedy}");
        }

        y[0] = new TensorType(x[0].DType, lines);
    }

    public static unsafe void Softmax(NDArray x, NDArray y)
    {
        x = x.Contiguous();
        fixed (byte* from = &x.Data, to = &y.Data) RowKernels.Softmax(x.DType, (nint)from, (nint)to, Rows(x), Columns(x));
        GC.KeepAlive(x);
    }

    public static unsafe void LogSoftmax(NDArray x, NDArray y)
    {
        x = x.Contiguous();
        fixed (byte* from = &x.Data, to = &y.Data) RowKernels.LogSoftmax(x.DType, (nint)from, (nint)to, Rows(x), Columns(x));
        GC.KeepAlive(x);
    }

    public static unsafe void SoftmaxGradient(NDArray output, NDArray gradient, NDArray result)
    {
        output = output.Contiguous();
        gradient = gradient.Contiguous();
        fixed (byte* y = &output.Data, g = &gradient.Data, d = &result.Data)
            RowKernels.SoftmaxGradient(output.DType, (nint)y, (nint)g, (nint)d, Rows(output), Columns(output));
        GC.KeepAlive(output);
        GC.KeepAlive(gradient);
    }

    public static unsafe void LogSoftmaxGradient(NDArray output, NDArray gradient, NDArray result)
    {
        output = output.Contiguous();
        gradient = gradient.Contiguous();
        fixed (byte* y = &output.Data, g = &gradient.Data, d = &result.Data)
            RowKernels.LogSoftmaxGradient(output.DType, (nint)y, (nint)g, (nint)d, Rows(output), Columns(output));
        GC.KeepAlive(output);
        GC.KeepAlive(gradient);
    }

    public static unsafe void CrossEntropy(NDArray x, NDArray labels, NDArray loss, object? attributes)
    {
        x = x.Contiguous();
        labels = labels.Contiguous();
        fixed (byte* from = &x.Data, index = &labels.Data, to = &loss.Data)
            ThrowIfBad(RowKernels.CrossEntropyFromLogits(x.DType, (nint)from, labels.DType, (nint)index, (nint)to, 0, Rows(x), Columns(x)), labels, Columns(x), attributes);
        GC.KeepAlive(x);
        GC.KeepAlive(labels);
    }

    public static unsafe void CrossEntropyGradient(NDArray x, NDArray labels, NDArray gradient, NDArray result, object? attributes)
    {
        x = x.Contiguous();
        labels = labels.Contiguous();
        gradient = gradient.Contiguous();
        fixed (byte* from = &x.Data, index = &labels.Data, g = &gradient.Data, to = &result.Data)
            ThrowIfBad(RowKernels.CrossEntropyGradient(x.DType, (nint)from, labels.DType, (nint)index, (nint)g, (nint)to, Rows(x), Columns(x)), labels, Columns(x), attributes);
        GC.KeepAlive(x);
        GC.KeepAlive(labels);
        GC.KeepAlive(gradient);
    }

    /// <summary>An operator on the lines of the last axis.</summary>
    public static RowRule Rows(RowKernelRule run, Action<NDArray, long, object?>? check = null, int firstVector = int.MaxValue) =>
        new(static (x, _) => x.Shape.Rank == 0 ? 0 : x.Shape[-1], run) { Check = check, FirstVector = firstVector };

    /// <summary>Every label is a class.</summary>
    public static unsafe void CheckLabels(NDArray labels, long classes, object? attributes)
    {
        labels = labels.Contiguous();
        fixed (byte* index = &labels.Data) ThrowIfBad(RowKernels.FirstBadLabel(labels.DType, (nint)index, labels.Size, classes), labels, classes, attributes);
        GC.KeepAlive(labels);
    }

    private static void ThrowIfBad(long position, NDArray labels, long classes, object? attributes)
    {
        (string op, string parameter) = CallerAttributes.OfCrossEntropy(attributes);
        Indexing.ThrowIfOutside(op, "label", position, labels, (int)classes, parameter);
    }

    private static long Columns(NDArray x) => x.Shape[-1];

    // Lines without elements count, too: their labels are out of range.
    private static long Rows(NDArray x)
    {
        if (x.Shape[-1] != 0) return x.Size / x.Shape[-1];
        long rows = 1;
        foreach (int size in x.Shape.Dimensions[..^1]) rows *= size;
        return rows;
    }
}
