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
        Infer = (x, attributes, y) => y[0] = x[0] with { Shape = ((TakeAttributes)attributes!).Source },
        Run = Indexing.RunTakeGradient,
        Gradient = [c => Take.Apply(c.G, c.Y, c.Attributes<TakeAttributes>()), null],
        Saves = Saved.Input1,
    });

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
}
