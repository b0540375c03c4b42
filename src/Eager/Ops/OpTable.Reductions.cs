using Fusion.Kernels;

namespace Fusion;

internal static partial class OpTable
{
    /// <summary>Integers are added up in Int64, Bool counts.</summary>
    public static readonly Op Sum = Reduction("Sum", ReduceKind.Sum, Saved.None, c => Reductions.Spread(c, c.G)).Named("sum");

    public static readonly Op Max = Reduction("Max", ReduceKind.Max, Saved.Input0 | Saved.Output, Reductions.ExtremumGradient).Named("max");

    public static readonly Op Min = Reduction("Min", ReduceKind.Min, Saved.Input0 | Saved.Output, Reductions.ExtremumGradient).Named("min");

    public static readonly Op Any = Reduction("Any", ReduceKind.Any, Saved.None, null).Named("any");

    public static readonly Op All = Reduction("All", ReduceKind.All, Saved.None, null).Named("all");

    public static readonly Op ArgMax = ArgReduction("ArgMax", max: true).Named("argmax");

    public static readonly Op ArgMin = ArgReduction("ArgMin", max: false).Named("argmin");

    private static Op Reduction(string name, ReduceKind kind, Saved saves, GradientRule? gradient) => Row(new Op
    {
        Name = name,
        IsTotal = true,
        Infer = (x, attributes, y) => y[0] = Reductions.Infer(name, kind, x[0], (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => Reductions.Run(kind, x[0], (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceRowExecution.Reduce(kind, x[0], (ReduceAttributes)attributes!, y[0]),
        Rows = Reductions.Rows(kind),
        Formula = Reductions.Formula(kind),
        Gradient = [gradient],
        Saves = saves,
    });

    private static Op ArgReduction(string name, bool max) => Row(new Op
    {
        Name = name,
        Infer = (x, attributes, y) => y[0] = Reductions.InferArg(name, x[0], (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => Reductions.RunArg(max, x[0], (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceRowExecution.ArgReduce(max, x[0], (ReduceAttributes)attributes!, y[0]),
        Gradient = [null],
    });
}
