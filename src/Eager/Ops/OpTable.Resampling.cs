namespace Fusion;

// Linear maps of the last axes that are sums of a few neighbours. The gradient of each is the transposed map, which is the same row.
internal static partial class OpTable
{
    /// <summary>
    /// Interpolation or averaging of the last two axes, R·x·Cᵀ with a few neighbours in each row of R and C. Attributes: <see cref="ResampleAttributes"/>.
    /// </summary>
    public static readonly Op Resample = Row(new Op
    {
        Name = "Resample",
        IsTotal = true,
        Infer = (x, attributes, y) => Resampling.Infer(x, (ResampleAttributes)attributes!, y),
        Run = (x, attributes, y) => Resampling.Run(x[0], (ResampleAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => Resampling.RunOnDevice(x[0], (ResampleAttributes)attributes!, y[0]),
        Gradient = [c => Resample!.Apply(c.G, c.Attributes<ResampleAttributes>().Transpose())],
    }).Named("-, -, torch.nn.functional.interpolate", "float");

    /// <summary>Differences of neighbours along the last axis, xᵢ₊₁ − xᵢ, taken some times. Attributes: <see cref="DifferenceAttributes"/>.</summary>
    public static readonly Op Difference = Row(new Op
    {
        Name = "Difference",
        IsTotal = true,
        Infer = (x, attributes, y) => Differencing.Infer(x, (DifferenceAttributes)attributes!, y),
        Run = (x, attributes, y) => Differencing.Run(x[0], (DifferenceAttributes)attributes!, y[0]),
        DeviceRun = (x, attributes, y) => Differencing.RunOnDevice(x[0], (DifferenceAttributes)attributes!, y[0]),
        Gradient = [c => Difference!.Apply(c.G, c.Attributes<DifferenceAttributes>() with { Transposed = !c.Attributes<DifferenceAttributes>().Transposed })],
    }).Named("-, np.diff, torch.diff", "float");
}
