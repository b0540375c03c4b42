namespace Fusion;

internal static partial class OpTable
{
    /// <summary>Inputs: source, indices (Int32 or Int64; negative ones count from the end). Attributes: <see cref="TakeAttributes"/>.</summary>
    public static readonly Op Take = Row(new Op
    {
        Name = "Take",
        Arity = 2,
        Moves = true,
        Infer = Indexing.InferTake,
        Run = Indexing.RunTake,
        DeviceRun = DeviceIndexing.Take,
        Gradient = [c => TakeGradient!.Apply(c.G, c.Y, c.Attributes<TakeAttributes>()), null],
        Saves = Saved.Input1,
        Cost = Cost.MemoryBound,
    }).Named("mx.np.take, np.take, torch.index_select");

    /// <summary>The transpose of <see cref="Take"/>: zeros of the source's shape, to which the slices of the gradient are added in order.</summary>
    public static readonly Op TakeGradient = Row(new Op
    {
        Name = "TakeGradient",
        Arity = 2,
        Infer = Indexing.InferTakeGradient,
        Run = Indexing.RunTakeGradient,
        DeviceRun = DeviceIndexing.TakeGradient,
        Gradient = [c => Take.Apply(c.G, c.Y, c.Attributes<TakeAttributes>()), null],
        Saves = Saved.Input1,
    });

    /// <summary>
    /// x with values added to its slices, in the order of the indices. Inputs: x, indices, values of the same type. Attributes: <see cref="TakeAttributes"/>.
    /// </summary>
    public static readonly Op IndexAdd = Row(new Op
    {
        Name = "IndexAdd",
        Arity = 3,
        Infer = Indexing.InferIndexAdd,
        Run = Indexing.RunIndexAdd,
        DeviceRun = DeviceIndexing.IndexAdd,
        Gradient = [c => c.G, null, c => Take.Apply(c.G, c.Y, c.Attributes<TakeAttributes>())],
        Saves = Saved.Input1,
    }).Named("mx.npx.index_add, np.add.at, torch.index_add");

    /// <summary>
    /// x with slices replaced by values, in the order of the indices: the last of several to one place stays. Inputs and attributes as of
    /// <see cref="IndexAdd"/>.
    /// </summary>
    public static readonly Op IndexUpdate = Row(new Op
    {
        Name = "IndexUpdate",
        Arity = 3,
        Moves = true,
        Infer = (x, _, y) => Indexing.InferWrite("IndexUpdate", x, y),
        Run = Indexing.RunIndexUpdate,
        Gradient = [KeptGradient, null, WrittenGradient],
        Saves = Saved.Input1,
    }).Named("mx.npx.index_update, np.put, torch.index_copy");

    /// <summary>One element of each line of the last axis. Inputs: source, indices.</summary>
    public static readonly Op Pick = Row(new Op
    {
        Name = "Pick",
        Arity = 2,
        Moves = true,
        Infer = Indexing.InferPick,
        Run = Indexing.RunPick,
        DeviceRun = DeviceIndexing.Pick,
        Gradient = [c => PickGradient!.Apply(c.G, c.Y, new DepthAttributes(c.ShapeOf(0)[-1])), null],
        Saves = Saved.Input1,
        Cost = Cost.MemoryBound,
    }).Named("mx.npx.pick, -, torch.gather");

    /// <summary>The transpose of <see cref="Pick"/>: lines of zeros with the gradient at the index.</summary>
    public static readonly Op PickGradient = Row(new Op
    {
        Name = "PickGradient",
        Arity = 2,
        Infer = (x, attributes, y) => y[0] = x[0] with { Shape = Shape.Create([.. x[0].Shape.Dimensions, ((DepthAttributes)attributes!).Depth]) },
        Run = Indexing.RunPickGradient,
        DeviceRun = DeviceIndexing.PickGradient,
        Gradient = [c => Pick.Apply(c.G, c.Y), null],
        Saves = Saved.Input1,
    });

    public static readonly Op OneHot = Row(new Op
    {
        Name = "OneHot",
        Infer = (x, attributes, y) => y[0] = new TensorType(DType.Float32, Shape.Create([.. x[0].Shape.Dimensions, ((DepthAttributes)attributes!).Depth])),
        Run = Indexing.RunOneHot,
        DeviceRun = DeviceIndexing.OneHot,
        Gradient = [null],
        Cost = Cost.MemoryBound,
    }).Named("mx.npx.one_hot, -, torch.nn.functional.one_hot");

    /// <summary>
    /// Values of images between their pixels, 0 outside. Inputs: pixels (images·height·width, channels), image, row and column (points). Attributes:
    /// <see cref="SampleAttributes"/>.
    /// </summary>
    public static readonly Op SampleBilinear = Row(new Op
    {
        Name = "SampleBilinear",
        Arity = 4,
        Infer = (x, _, y) => y[0] = x[0] with { Shape = (x[1].Shape.Dimensions[0], x[0].Shape.Dimensions[1]) },
        Run = BilinearSampling.Run,
        DeviceRun = BilinearSampling.RunOnDevice,
        Gradient =
        [
            c => SamplePixelGradient!.Apply([c.G, c.Y, c.Z, c.W], c.Attributes<SampleAttributes>()),
            null,
            c => c.Common(PointSlopes)[0],
            c => c.Common(PointSlopes)[1],
        ],
        Saves = Saved.Inputs,
    }).Named("mx.nd.BilinearSampler, -, torch.nn.functional.grid_sample", "real");

    /// <summary>The transpose of <see cref="SampleBilinear"/> in the pixels. Inputs: gradient (points, channels), image, row and column (points).</summary>
    public static readonly Op SamplePixelGradient = Row(new Op
    {
        Name = "SamplePixelGradient",
        Arity = 4,
        Infer = (x, attributes, y) =>
        {
            SampleAttributes size = (SampleAttributes)attributes!;
            y[0] = x[0] with { Shape = (size.Images * size.Height * size.Width, x[0].Shape.Dimensions[1]) };
        },
        Run = BilinearSampling.RunPixelGradient,
        DeviceRun = BilinearSampling.RunPixelGradientOnDevice,
        Gradient =
        [
            c => SampleBilinear.Apply([c.G, c.Y, c.Z, c.W], c.Attributes<SampleAttributes>()),
            null,
            c => c.Common(PixelSlopes)[0],
            c => c.Common(PixelSlopes)[1],
        ],
        Saves = Saved.Inputs,
    });

    /// <summary>
    /// The gradients of <see cref="SampleBilinear"/> in the coordinates, (2, points). Inputs: gradient (points, channels), pixels, image (points), rows and
    /// columns (2, points).
    /// </summary>
    public static readonly Op SampleSlopes = Row(new Op
    {
        Name = "SampleSlopes",
        Arity = 4,
        Infer = (x, _, y) => y[0] = x[3],
        Run = BilinearSampling.RunSlopes,
        DeviceRun = BilinearSampling.RunSlopesOnDevice,
        Gradient = [BilinearSampling.SlopesGradient, BilinearSampling.SlopesGradient, null, BilinearSampling.SlopesGradient],
        Saves = Saved.Inputs,
    });

    private static NDArray PointSlopes(GradientContext c) => BilinearSampling.Slopes(c.G, c.X, c.Y, c.Z, c.W, c.Attributes<SampleAttributes>());

    private static NDArray PixelSlopes(GradientContext c) => BilinearSampling.Slopes(c.X, c.G, c.Y, c.Z, c.W, c.Attributes<SampleAttributes>());

    // What stays of x gets its gradient.
    private static NDArray KeptGradient(GradientContext c) =>
        IndexUpdate!.Apply([c.G, c.Y, Nd.Zeros(c.ShapeOf(2), c.G.DType, c.G.Device)], c.Attributes<TakeAttributes>());

    // What stays of the values, too: those whose index is not named again.
    private static NDArray WrittenGradient(GradientContext c)
    {
        TakeAttributes take = c.Attributes<TakeAttributes>();
        NDArray stays = IsLastWriter.Apply(c.Y, new DepthAttributes(take.Source.Dimensions[take.Axis]));
        return Nd.Where(Nd.AlongAxisOf(stays, c.ShapeOf(2), take.Axis), Take.Apply(c.G, c.Y, take), 0);
    }
}
