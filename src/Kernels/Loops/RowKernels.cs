namespace Fusion.Kernels;

/// <summary>
/// The softmax family along the last axis of contiguous (rows, columns) arrays of Float32 or Float64. The same bits for every vector width and thread count:
/// sums follow <see cref="ReduceTree"/>, exponentials and logarithms are <see cref="Formulas"/>.
/// </summary>
internal static unsafe class RowKernels
{
    /// <summary>y = exp(x − max) · (1 / Σ exp(x − max)); y may be x.</summary>
    public static void Softmax(DType dtype, nint x, nint y, long rows, long columns) =>
        RowDriver.Run<SoftmaxRows>(dtype, new RowJob { Input = x, Output = y, RowCount = rows, Columns = columns });

    /// <summary>y = (x − max) − log Σ exp(x − max); y may be x.</summary>
    public static void LogSoftmax(DType dtype, nint x, nint y, long rows, long columns) =>
        RowDriver.Run<LogSoftmaxRows>(dtype, new RowJob { Input = x, Output = y, RowCount = rows, Columns = columns });

    /// <summary>dx = y · (g − Σ y·g) for the softmax y; dx may be y or g.</summary>
    public static void SoftmaxGradient(DType dtype, nint y, nint g, nint dx, long rows, long columns) =>
        RowDriver.Run<SoftmaxGradientRows>(dtype, new RowJob { Input = y, Second = g, Output = dx, RowCount = rows, Columns = columns });

    /// <summary>dx = g − exp(y) · Σ g for the log-softmax y; dx may be y or g.</summary>
    public static void LogSoftmaxGradient(DType dtype, nint y, nint g, nint dx, long rows, long columns) =>
        RowDriver.Run<LogSoftmaxGradientRows>(dtype, new RowJob { Input = y, Second = g, Output = dx, RowCount = rows, Columns = columns });

    /// <summary>One log Σ exp(x) per row, without overflow; −∞ for a row of −∞. The rows are not empty.</summary>
    public static void LogSumExp(DType dtype, nint x, nint output, long rows, long columns) =>
        RowDriver.Run<LogSumExpRows>(dtype, new RowJob { Input = x, Output = output, RowCount = rows, Columns = columns });

    /// <summary>
    /// The cross entropy of each row's softmax with its label, and the log-softmax itself unless <paramref name="logSoftmax"/> is 0. Returns the first row whose
    /// label is not in [0, columns), having written nothing, or −1.
    /// </summary>
    public static long CrossEntropyFromLogits(
        DType dtype, nint logits, DType labelType, nint labels, nint losses, nint logSoftmax, long rows, long columns)
    {
        var job = new RowJob
        {
            Input = logits,
            Output = losses,
            SecondOutput = logSoftmax,
            Labels = labels,
            LongLabels = labelType == DType.Int64,
            RowCount = rows,
            Columns = columns,
        };
        var bad = FirstBadLabel(job);
        if (bad < 0) RowDriver.Run<CrossEntropyRows>(dtype, job);
        return bad;
    }

    /// <summary>dx = (softmax(x) − one-hot(label)) · g with one g per row; dx may be x. Returns as <see cref="CrossEntropyFromLogits"/>.</summary>
    public static long CrossEntropyGradient(DType dtype, nint logits, DType labelType, nint labels, nint g, nint dx, long rows, long columns)
    {
        var job = new RowJob
        {
            Input = logits,
            Second = g,
            Output = dx,
            Labels = labels,
            LongLabels = labelType == DType.Int64,
            RowCount = rows,
            Columns = columns,
        };
        var bad = FirstBadLabel(job);
        if (bad < 0) RowDriver.Run<CrossEntropyGradientRows>(dtype, job);
        return bad;
    }

    /// <summary>The position of the first label that is not in [0, columns), or −1.</summary>
    public static long FirstBadLabel(DType labelType, nint labels, long count, long columns) =>
        FirstBadLabel(new RowJob { Labels = labels, LongLabels = labelType == DType.Int64, RowCount = count, Columns = columns });

    private static long FirstBadLabel(in RowJob job)
    {
        for (long i = 0; i < job.RowCount; i++)
        {
            if ((ulong)job.Label(i) >= (ulong)job.Columns) return i;
        }

        return -1;
    }
}
