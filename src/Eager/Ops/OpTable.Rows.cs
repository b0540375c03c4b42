using Fusion.Kernels;

namespace Fusion;

// Operators on the lines of the last axis. They are rows of their own because eager execution is much faster with one pass; their gradients are
// rows as well, and those have gradients written with public operators: every order works.
internal static unsafe partial class OpTable
{
    /// <summary>exp(x − max x) / Σ exp(x − max x).</summary>
    public static readonly Op Softmax = Row(new Op
    {
        Name = "Softmax",
        IsTotal = true,
        Infer = (x, _, y) => y[0] = RowOps.Check("Softmax", x[0]),
        Run = (x, _, y) => RowOps.Softmax(x[0], y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, _, rows, n) => DeviceRowKernels.Softmax(d, o[0], o[1], rows, n)),
        Rows = RowOps.Rows((p, t, _, rows, n) => RowKernels.Softmax(t[0], p[0], p[1], rows, n)),
        Formula = RowFormula.Lines(static (p, x, _) => RowFormulas.Softmax(p, x[0])),
        Gradient = [c => SoftmaxGradient!.Apply(c.Output, c.G)],
        Saves = Saved.Output,
    }).Named("mx.npx.softmax, scipy.special.softmax, torch.softmax", "real");

    /// <summary>y·(g − Σ g·y) of the output y and the upstream gradient g.</summary>
    public static readonly Op SoftmaxGradient = Row(new Op
    {
        Name = "SoftmaxGradient",
        IsTotal = true,
        Arity = 2,
        Infer = (x, _, y) => y[0] = RowOps.CheckPair("SoftmaxGradient", x),
        Run = (x, _, y) => RowOps.SoftmaxGradient(x[0], x[1], y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, _, rows, n) => DeviceRowKernels.SoftmaxGradient(d, o[0], o[1], o[2], rows, n)),
        Rows = RowOps.Rows((p, t, _, rows, n) => RowKernels.SoftmaxGradient(t[0], p[0], p[1], p[2], rows, n)),
        Formula = RowFormula.Lines(static (p, x, _) => RowFormulas.SoftmaxGradient(p, x[0], x[1])),
        Gradient =
        [
            c => c.G * (c.Y - LineSum(c.Y * c.X)) - c.Y * LineSum(c.G * c.X),
            c => SoftmaxGradient!.Apply(c.X, c.G),
        ],
        Saves = Saved.Inputs,
    });

    /// <summary>x − max x − log Σ exp(x − max x).</summary>
    public static readonly Op LogSoftmax = Row(new Op
    {
        Name = "LogSoftmax",
        IsTotal = true,
        Infer = (x, _, y) => y[0] = RowOps.Check("LogSoftmax", x[0]),
        Run = (x, _, y) => RowOps.LogSoftmax(x[0], y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, _, rows, n) => DeviceRowKernels.LogSoftmax(d, o[0], o[1], rows, n)),
        Rows = RowOps.Rows((p, t, _, rows, n) => RowKernels.LogSoftmax(t[0], p[0], p[1], rows, n)),
        Formula = RowFormula.Lines(static (p, x, _) => RowFormulas.LogSoftmax(p, x[0])),
        Gradient = [c => LogSoftmaxGradient!.Apply(c.Output, c.G)],
        Saves = Saved.Output,
    }).Named("mx.npx.log_softmax, scipy.special.log_softmax, torch.log_softmax", "real");

    /// <summary>g − exp(y)·Σ g of the output y and the upstream gradient g.</summary>
    public static readonly Op LogSoftmaxGradient = Row(new Op
    {
        Name = "LogSoftmaxGradient",
        IsTotal = true,
        Arity = 2,
        Infer = (x, _, y) => y[0] = RowOps.CheckPair("LogSoftmaxGradient", x),
        Run = (x, _, y) => RowOps.LogSoftmaxGradient(x[0], x[1], y[0]),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, _, rows, n) => DeviceRowKernels.LogSoftmaxGradient(d, o[0], o[1], o[2], rows, n)),
        Rows = RowOps.Rows((p, t, _, rows, n) => RowKernels.LogSoftmaxGradient(t[0], p[0], p[1], p[2], rows, n)),
        Formula = RowFormula.Lines(static (p, x, _) => RowFormulas.LogSoftmaxGradient(p, x[0], x[1])),
        Gradient =
        [
            c => -(c.G * Nd.Exp(c.X) * LineSum(c.Y)),
            c => c.G - LineSum(c.G * Nd.Exp(c.X)),
        ],
        Saves = Saved.Inputs,
    });

    /// <summary>−log softmax(x)[label], one value per line. Inputs: logits, labels (Int32 or Int64).</summary>
    public static readonly Op CrossEntropy = Row(new Op
    {
        Name = "CrossEntropy",
        Arity = 2,
        Infer = RowOps.InferCrossEntropy,
        Run = (x, a, y) => RowOps.CrossEntropy(x[0], x[1], y[0], a),
        DeviceRun = DeviceRowExecution.Labelled(
            "SoftmaxCrossEntropy", static (d, o, _, rows, n) => DeviceRowKernels.CrossEntropy(d, o[0], o[1], o[2], rows, n)),
        Rows = RowOps.Rows((p, t, _, rows, n) => RowKernels.CrossEntropyFromLogits(t[0], p[0], t[1], p[1], p[2], 0, rows, n), RowOps.CheckLabels),
        Formula = RowFormula.Lines(static (p, x, _) => RowFormulas.CrossEntropy(p, x[0], x[1])),
        Gradient = [c => CrossEntropyGradient!.Apply([c.X, c.Y, c.G], c.Attributes<object?>()), null],
        Saves = Saved.Inputs,
    }).Named("mx.nd.softmax_cross_entropy, -, torch.nn.functional.cross_entropy", "real");

    /// <summary>(softmax(x) − onehot(label))·g. Inputs: logits, labels, one upstream gradient per line.</summary>
    public static readonly Op CrossEntropyGradient = Row(new Op
    {
        Name = "CrossEntropyGradient",
        Arity = 3,
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, a, y) => RowOps.CrossEntropyGradient(x[0], x[1], x[2], y[0], a),
        DeviceRun = DeviceRowExecution.Rows(static (d, o, _, rows, n) => DeviceRowKernels.CrossEntropyGradient(d, o[0], o[1], o[2], o[3], rows, n)),
        Rows = RowOps.Rows((p, t, _, rows, n) => RowKernels.CrossEntropyGradient(t[0], p[0], t[1], p[1], p[2], p[3], rows, n), RowOps.CheckLabels),
        Formula = RowFormula.Lines(static (p, x, _) => RowFormulas.CrossEntropyGradient(p, x[0], x[1], x[2])),
        Gradient =
        [
            c => SoftmaxGradient.Apply(Nd.Softmax(c.X), c.G * Nd.ExpandDims(c.Z, -1)),
            null,
            c => Nd.Sum(c.G * (Nd.Softmax(c.X) - Nd.OneHot(c.Y, c.ShapeOf(0)[-1]).AsType(c.DTypeOf(0))), [-1]),
        ],
        Saves = Saved.Inputs,
    });

    private static NDArray LineSum(NDArray x) => Nd.Sum(x, [-1], keepDims: true);
}
