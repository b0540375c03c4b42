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

    /// <summary>
    /// Σ x², each square rounded: the bits of the sum of the squares, which is what a graph sees instead. Attributes: <see cref="ReduceAttributes"/>.
    /// </summary>
    public static readonly Op SumOfSquares = Row(new Op
    {
        Name = "SumOfSquares",
        IsTotal = true,
        Infer = (x, attributes, y) => y[0] = ReducedTerms.Infer("SumOfSquares", x, (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => Reductions.Run(ReduceKind.SumOfSquares, x[0], (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => DeviceRowExecution.Reduce(ReduceKind.SumOfSquares, x[0], (ReduceAttributes)attributes!, y[0]),
        Gradient = [c => Reductions.Spread(c, c.G * 2) * c.X],
        Saves = Saved.Input0,
    });

    /// <summary>
    /// Σ x·y of two arrays of one shape, each product rounded: the bits of the sum of the products, which is what a graph sees instead. Attributes:
    /// <see cref="ReduceAttributes"/>.
    /// </summary>
    public static readonly Op SumOfProducts = Row(new Op
    {
        Name = "SumOfProducts",
        IsTotal = true,
        Arity = 2,
        Infer = (x, attributes, y) => y[0] = ReducedTerms.Infer("SumOfProducts", x, (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => ReducedTerms.Products(x[0], x[1], (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => ReducedTerms.ProductsOnDevice(x[0], x[1], (ReduceAttributes)attributes!, y[0]),
        Gradient = [c => Reductions.Spread(c, c.G) * c.Y, c => Reductions.Spread(c, c.G) * c.X],
        Saves = Saved.Inputs,
        SavesPerInput = [Saved.Input1, Saved.Input0],
    });

    /// <summary>
    /// Σ (x − y)² of two arrays of one shape, each difference and each square rounded: the bits of the sum of the squares, which is what a graph sees
    /// instead. Attributes: <see cref="ReduceAttributes"/>.
    /// </summary>
    public static readonly Op SumOfSquaredDifferences = Row(new Op
    {
        Name = "SumOfSquaredDifferences",
        IsTotal = true,
        Arity = 2,
        Infer = (x, attributes, y) => y[0] = ReducedTerms.Infer("SumOfSquaredDifferences", x, (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => ReducedTerms.SquaredDifferences(x[0], x[1], (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => ReducedTerms.SquaredDifferencesOnDevice(x[0], x[1], (ReduceAttributes)attributes!, y[0]),
        Gradient = [c => ScaledDifference.Apply([c.X, c.Y, Reductions.Kept(c, c.G * 2)]), c => ScaledDifference.Apply([c.Y, c.X, Reductions.Kept(c, c.G * 2)])],
        Saves = Saved.Inputs,
    });

    /// <summary>Σ (x − mean x)² along the last axes. Attributes: <see cref="ReduceAttributes"/>.</summary>
    public static readonly Op SumOfSquaredDeviations = Row(new Op
    {
        Name = "SumOfSquaredDeviations",
        IsTotal = true,
        Infer = (x, attributes, y) => y[0] = ReducedTerms.Infer("SumOfSquaredDeviations", x, (ReduceAttributes)attributes!),
        Run = (x, attributes, y) => ReducedTerms.SquaredDeviations(x[0], (ReduceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => ReducedTerms.ComposeSquaredDeviations(x[0], (ReduceAttributes)attributes!, y[0]),
        Rows = ReducedTerms.SquaredDeviationRows,
        Formula = ReducedTerms.SquaredDeviationFormula,
        Gradient = [c => Reductions.Spread(c, c.G * 2) * (c.X - Nd.Mean(c.X, c.Attributes<ReduceAttributes>().Axes.Span.ToArray(), keepDims: true))],
        Saves = Saved.Input0,
    });

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
