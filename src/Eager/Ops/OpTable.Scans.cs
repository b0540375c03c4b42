using Fusion.Kernels;

namespace Fusion;

// Running results along an axis, in one pass.
internal static partial class OpTable
{
    /// <summary>Running sums.</summary>
    public static readonly Op CumSum = Row(new Op
    {
        Name = "CumSum",
        Infer = (x, _, y) => y[0] = x[0],
        Run = Reductions.RunScan,
        DeviceRun = DeviceRowExecution.CumSum,
        Gradient = [c => CumSum!.Apply(c.G, c.Attributes<ScanAttributes>() with { Reverse = !c.Attributes<ScanAttributes>().Reverse })],
    }).Named("cumsum");

    /// <summary>Running products of Float32, Float64 or Int64.</summary>
    public static readonly Op CumProd = RunningRow("CumProd", RunningKind.Prod, Saved.Input0 | Saved.Output, Scans.ProdGradient).Named("-, np.cumprod, torch.cumprod");

    /// <summary>Running maxima; of equal elements the first stays, and so does the first NaN.</summary>
    public static readonly Op CumMax = RunningRow("CumMax", RunningKind.Max, Saved.Input0, c => Scans.ExtremumGradient(c, max: true))
        .Named("-, np.maximum.accumulate, torch.cummax");

    /// <summary>Running minima, as <see cref="CumMax"/>.</summary>
    public static readonly Op CumMin = RunningRow("CumMin", RunningKind.Min, Saved.Input0, c => Scans.ExtremumGradient(c, max: false))
        .Named("-, np.minimum.accumulate, torch.cummin");

    /// <summary>For every element the index, Int64, of its running maximum or minimum. Attributes: <see cref="ExtremumAttributes"/>.</summary>
    public static readonly Op CumExtremumIndices = Row(new Op
    {
        Name = "CumExtremumIndices",
        Infer = (x, _, y) => y[0] = x[0] with { DType = DType.Int64 },
        Run = (x, attributes, y) => Scans.RunIndices(x[0], (ExtremumAttributes)attributes!, y[0]),
        Gradient = [null],
    });

    /// <summary>
    /// The linear recurrence s[i] = terms[i] + m·s[i − 1] with m = factors[i], or factors[i − 1]. Inputs: factors, terms. Attributes:
    /// <see cref="RecurrenceAttributes"/>. Its gradients are recurrences in the other direction.
    /// </summary>
    public static readonly Op Recurrence = Row(new Op
    {
        Name = "Recurrence",
        Arity = 2,
        Infer = Scans.InferRecurrence,
        Run = (x, attributes, y) => Scans.RunRecurrence(x[0], x[1], (RecurrenceAttributes)attributes!, y[0]),
        Gradient = [Scans.FactorGradient, Scans.TermGradient],
        Saves = Saved.Input0 | Saved.Output,
        SavesPerInput = [Saved.Input0 | Saved.Output, Saved.Input0],
    });

    private static Op RunningRow(string name, RunningKind kind, Saved saves, GradientRule gradient) => Row(new Op
    {
        Name = name,
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, attributes, y) => Scans.Run(kind, x[0], (AxisAttributes)attributes!, y[0]),
        Gradient = [gradient],
        Saves = saves,
    });
}
