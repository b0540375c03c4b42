namespace Fusion;

// Poolings over the spatial axes of (n, c, …). Averages are sums of windows divided by their counts.
internal static partial class OpTable
{
    /// <summary>The largest element of every window, NaN if there is one; padding is −∞.</summary>
    public static readonly Op MaxPool = Row(new Op
    {
        Name = "MaxPool",
        IsTotal = true,
        Infer = (x, attributes, y) => Pooling.Infer("MaxPool", x, attributes, y),
        Run = Pooling.RunMax,
        DeviceRun = DevicePlanes.Max,
        Gradient = [Pooling.MaxGradient],
        Saves = Saved.Input0,
    }).Named("npx.pooling, -, torch.nn.functional.max_pool2d", "float");

    /// <summary>
    /// Where in its plane each window of a <see cref="MaxPool"/> finds its element: the first of equal ones. Int32 of Float32, Int64 of Float64.
    /// </summary>
    public static readonly Op MaxPoolIndices = Row(new Op
    {
        Name = "MaxPoolIndices",
        IsTotal = true,
        Infer = Pooling.InferIndices,
        Run = Pooling.RunIndices,
        DeviceRun = DevicePlanes.Indices,
        Gradient = [null],
    });

    /// <summary>The sum of every window.</summary>
    public static readonly Op SumPool = Row(new Op
    {
        Name = "SumPool",
        IsTotal = true,
        Infer = (x, attributes, y) => Pooling.Infer("AvgPool", x, attributes, y),
        Run = Pooling.RunSum,
        DeviceRun = DevicePlanes.Sum,
        Gradient = [c => SumPoolGradient!.Apply(c.G, c.Attributes<WindowAttributes>())],
    }).Named("npx.pooling, -, torch.nn.functional.avg_pool2d", "float");

    /// <summary>The transpose of <see cref="SumPool"/>: every input receives the sum over the windows that it is in.</summary>
    public static readonly Op SumPoolGradient = Row(new Op
    {
        Name = "SumPoolGradient",
        IsTotal = true,
        Infer = Pooling.InferSumGradient,
        Run = Pooling.RunSumGradient,
        DeviceRun = DevicePlanes.SumGradient,
        Gradient = [c => SumPool.Apply(c.G, c.Attributes<WindowAttributes>())],
    });
}
