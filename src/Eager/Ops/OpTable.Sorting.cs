using Fusion.Kernels;

namespace Fusion;

/// <summary>How many indices of a line's order are wanted, and in which direction.</summary>
internal sealed record SortAttributes(int Count, bool Descending);

// Rows on the lines of the last axis that select by index arrays of the same rank, and the order that sorts.
internal static partial class OpTable
{
    /// <summary>Elements of each line at the indices of the same line. Inputs: source, indices.</summary>
    public static readonly Op TakeAlongAxis = Row(new Op
    {
        Name = "TakeAlongAxis",
        Arity = 2,
        Moves = true,
        Infer = Indexing.InferTakeAlongAxis,
        Run = Indexing.RunTakeAlongAxis,
        DeviceRun = DeviceIndexing.TakeAlongAxis,
        Gradient = [c => TakeAlongAxisGradient!.Apply(c.G, c.Y, new DepthAttributes(c.ShapeOf(0)[-1])), null],
        Saves = Saved.Input1,
        Cost = Cost.MemoryBound,
    }).Named("-, np.take_along_axis, torch.take_along_dim");

    /// <summary>The transpose of <see cref="TakeAlongAxis"/>: lines of zeros to which the gradient is added at the indices, in order.</summary>
    public static readonly Op TakeAlongAxisGradient = Row(new Op
    {
        Name = "TakeAlongAxisGradient",
        Arity = 2,
        Infer = (x, attributes, y) => y[0] = x[0] with { Shape = Shape.Create([.. x[0].Shape.Dimensions[..^1], ((DepthAttributes)attributes!).Depth]) },
        Run = Indexing.RunTakeAlongAxisGradient,
        DeviceRun = DeviceIndexing.TakeAlongAxisGradient,
        Gradient = [c => TakeAlongAxis.Apply(c.G, c.Y), null],
        Saves = Saved.Input1,
    });

    /// <summary>Index tuples (m, …) into the first m axes of a shape as positions (…) in row-major order, Int64.</summary>
    public static readonly Op RavelIndex = Row(new Op
    {
        Name = "RavelIndex",
        Infer = Indexing.InferRavel,
        Run = Indexing.RunRavel,
        Gradient = [null],
    }).Named("mx.nd.ravel_multi_index, np.ravel_multi_index, -");

    /// <summary>Integers as they are, which lie in a range. Attributes: <see cref="RangeAttributes"/>.</summary>
    public static readonly Op InRange = Row(new Op
    {
        Name = "InRange",
        Infer = (x, _, y) => y[0] = x[0],
        Run = Ranges.Run,
        Gradient = [null],
    });

    /// <summary>The indices that sort each line of the last axis, Int64; stable, NaN as the largest number.</summary>
    public static readonly Op ArgSort = Row(new Op
    {
        Name = "ArgSort",
        Infer = (x, attributes, y) => y[0] = new TensorType(DType.Int64, Shape.Create([.. x[0].Shape.Dimensions[..^1], ((SortAttributes)attributes!).Count])),
        Run = Indexing.RunArgSort,
        DeviceRun = DeviceIndexing.ArgSort,
        Gradient = [null],
    }).Named("argsort");

    /// <summary>Each line of the last axis sorted, for the types of one byte: their values are counted. Others are taken in the order that <see cref="ArgSort"/> finds.</summary>
    public static readonly Op SortBytes = Row(new Op
    {
        Name = "SortBytes",
        Infer = (x, _, y) => y[0] = x[0],
        Run = Indexing.RunSortBytes,
        Gradient = [null],
    });
}
