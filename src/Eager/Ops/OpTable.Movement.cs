namespace Fusion;

// Rows that move elements. Reshape, Transpose, BroadcastTo and Slice are views.
internal static partial class OpTable
{
    public static readonly Op Copy = Row(new Op
    {
        Name = "Copy",
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        Gradient = [c => c.G],
        Cost = Cost.MemoryBound,
    });

    public static readonly Op Cast = Row(new Op
    {
        Name = "Cast",
        Infer = (x, dtype, y) => y[0] = x[0] with { DType = (DType)dtype! },
        Run = (x, _, y) => Movement.CastTo(x[0], y[0]),
        Gradient = [c => c.G],
        Cost = Cost.MemoryBound,
    });

    public static readonly Op StopGradient = Move("StopGradient", (x, _, y) => y[0] = x[0], (x, _) => x.View(x.Shape, x.Offset, Views.Strides(x)), null, null);

    public static readonly Op Reshape = Move("Reshape", Views.InferReshape, Views.Reshape, null, c => Nd.Reshape(c.G, c.ShapeOf(0)));

    public static readonly Op Transpose = Move(
        "Transpose",
        Views.InferTranspose,
        (x, attributes) => Views.Transpose(x, ((PermutationAttributes)attributes!).Axes.Span),
        null,
        c => Nd.Transpose(c.G, Views.Inverse(c.Attributes<PermutationAttributes>().Axes.Span)));

    public static readonly Op BroadcastTo = Move(
        "BroadcastTo",
        Views.InferBroadcast,
        (x, attributes) => Views.Broadcast(x, ((ShapeAttributes)attributes!).Shape),
        null,
        c => c.G);

    public static readonly Op Slice = Move(
        "Slice",
        (x, attributes, y) => y[0] = x[0] with { Shape = ((SliceAttributes)attributes!).Counts.Span.ToArray() },
        (x, attributes) => Views.Slice(x, (SliceAttributes)attributes!),
        null,
        c => Unslice!.Apply(c.G, c.Attributes<SliceAttributes>()));

    /// <summary>The transpose of <see cref="Slice"/>: zeros, with the input at the slice's place.</summary>
    public static readonly Op Unslice = Move(
        "Unslice",
        (x, attributes, y) => y[0] = x[0] with { Shape = ((SliceAttributes)attributes!).Full },
        null,
        (x, attributes, y) =>
        {
            Movement.Fill(y[0], 0);
            Movement.CopyIntoView(x[0], y[0], (SliceAttributes)attributes!);
        },
        c => Slice.Apply(c.G, c.Attributes<SliceAttributes>()));

    /// <summary>The first input with a part of it replaced by the second one: what a write in place to a part is while a function is traced.</summary>
    public static readonly Op WriteSlice = Row(new Op
    {
        Name = "WriteSlice",
        Arity = 2,
        Infer = Views.InferWriteSlice,
        Run = (x, attributes, y) =>
        {
            Movement.CopyTo(x[0], y[0]);
            if (x[1].Size > 0) Movement.CopyIntoView(x[1], y[0], (SliceAttributes)attributes!);
        },
        Gradient =
        [
            c => WriteSlice!.Apply(c.G, Nd.Zeros(c.ShapeOf(1), c.DTypeOf(1)), c.Attributes<SliceAttributes>()),
            c => Slice.Apply(c.G, c.Attributes<SliceAttributes>()),
        ],
        Cost = Cost.MemoryBound,
    });

    public static readonly Op Concat = Row(new Op
    {
        Name = "Concat",
        Arity = -1,
        Infer = Views.InferConcat,
        Run = (x, attributes, y) => Movement.Concat(x, ((AxisAttributes)attributes!).Axis, y[0]),
        Gradient = [ConcatGradient],
        Cost = Cost.MemoryBound,
    });

    private static NDArray ConcatGradient(GradientContext c)
    {
        int axis = c.Attributes<AxisAttributes>().Axis;
        int start = 0;
        for (int i = 0; i < c.Index; i++) start += c.ShapeOf(i).Dimensions[axis];
        return Nd.Slice(c.G, axis, start, start + c.ShapeOf(c.Index).Dimensions[axis]);
    }
}
