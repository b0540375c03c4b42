namespace Fusion;

/// <summary>The axis that is written, and whether the largest or the smallest value stays.</summary>
internal sealed record ExtremumAttributes(int Axis, bool Max);

// Rows on positions: of values in a sorted array, and of writers to a place.
internal static partial class OpTable
{
    /// <summary>How many elements of an ascending array precede each value. Inputs: sorted (n), values. The attribute: count equal elements, too.</summary>
    public static readonly Op SearchSorted = Row(new Op
    {
        Name = "SearchSorted",
        Arity = 2,
        Infer = Searching.InferSearchSorted,
        Run = (x, right, y) => Searching.RunSearchSorted(x[0], x[1], (bool)right!, y[0]),
        Gradient = [null, null],
    }).Named("-, np.searchsorted, torch.searchsorted");

    /// <summary>How many elements lie between each two of some ascending edges, Int64; the last interval is closed. Inputs: x, edges (bins + 1).</summary>
    public static readonly Op Histogram = Row(new Op
    {
        Name = "Histogram",
        Arity = 2,
        Infer = Searching.InferHistogram,
        Run = (x, _, y) => Searching.RunHistogram(x[0], x[1], y[0]),
        Gradient = [null, null],
    }).Named("mx.np.histogram, np.histogram, torch.histc", "float");

    /// <summary>How often each of 0, 1, … depth − 1 occurs among indices, Int64.</summary>
    public static readonly Op CountIndices = Row(new Op
    {
        Name = "CountIndices",
        Infer = Searching.InferCountIndices,
        Run = (x, _, y) => Searching.RunCountIndices(x[0], y[0]),
        Gradient = [null],
    }).Named("mx.np.bincount, np.bincount, torch.bincount", "integer");

    /// <summary>Whether no later one of the indices into an axis of a length names the same place, Bool.</summary>
    public static readonly Op IsLastWriter = Row(new Op
    {
        Name = "IsLastWriter",
        Infer = (x, _, y) => y[0] = new TensorType(DType.Bool, x[0].Shape),
        Run = (x, length, y) => Searching.RunIsLastWriter(x[0], ((DepthAttributes)length!).Depth, y[0]),
        Gradient = [null],
    });

    /// <summary>
    /// The largest or smallest of each element and the values written to its place. Inputs: x, indices (k), values. Ties share the gradient equally.
    /// </summary>
    public static readonly Op IndexExtremum = Row(new Op
    {
        Name = "IndexExtremum",
        Arity = 3,
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, attributes, y) => Searching.RunIndexExtremum(x[0], x[1], x[2], (ExtremumAttributes)attributes!, y[0]),
        Gradient = [c => Shared(c).Own, null, c => Shared(c).Values],
        Saves = Saved.Inputs | Saved.Output,
    });

    private static (NDArray Own, NDArray Values) Shared(GradientContext c)
    {
        int axis = c.Attributes<ExtremumAttributes>().Axis;
        TakeAttributes take = new(axis, c.ShapeOf(0));
        NDArray own = Reductions.Ties(c.X, c.Output), written = Reductions.Ties(c.Z, Take.Apply(c.Output, c.Y, take));
        NDArray ties = own.AsType(DType.Int64) + TakeGradient.Apply(written.AsType(DType.Int64), c.Y, take);
        NDArray share = c.G / ties.AsType(c.DTypeOf(0));
        return (Nd.Where(own, share, 0), Nd.Where(written, Take.Apply(share, c.Y, take), 0));
    }
}
