namespace Fusion;

// Rows that move elements. Reshape, Transpose, BroadcastTo and Slice are views.
internal static partial class OpTable
{
    /// <summary>The same elements in storage of their own.</summary>
    public static readonly Op Copy = Row(new Op
    {
        Name = "Copy",
        IsTotal = true,
        Moves = true,
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        DeviceRun = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        Gradient = [c => c.G],
        Cost = Cost.MemoryBound,
    }).Named("mx.np.copy, np.copy, torch.clone");

    /// <summary>The elements converted to another type.</summary>
    public static readonly Op Cast = Row(new Op
    {
        Name = "Cast",
        IsTotal = true,
        Moves = true,
        Infer = (x, dtype, y) => y[0] = x[0] with { DType = DTypes.Checked((DType)dtype!) },
        Run = (x, _, y) => Movement.CastTo(x[0], y[0]),
        DeviceRun = (x, _, y) => Movement.CastTo(x[0], y[0]),
        Gradient = [c => c.G],
        Cost = Cost.MemoryBound,
    }).Named("mx.np.ndarray.astype, np.ndarray.astype, torch.Tensor.to");

    public static readonly Op StopGradient = Move("StopGradient", (x, _, y) => y[0] = x[0], (x, _) => x.View(x.Shape, x.Offset, Views.Strides(x)), null, null)
        .Named("mx.npx.stop_gradient, -, torch.Tensor.detach");

    /// <summary>The first input, a gradient that is constant, as a function of the second, its variable, of the same shape: the derivative is zero, not missing.</summary>
    public static readonly Op Constant = Row(new Op
    {
        Name = "Constant",
        IsTotal = true,
        Moves = true,
        Arity = 2,
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        DeviceRun = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        Gradient = [c => c.G, c => Nd.ZerosLike(c.G)],
        Cost = Cost.MemoryBound,
    });

    public static readonly Op Reshape = Move("Reshape", Views.InferReshape, Views.Reshape, null, c => Nd.Reshape(c.G, c.ShapeOf(0))).Named("reshape");

    public static readonly Op Transpose = Move(
        "Transpose",
        Views.InferTranspose,
        (x, attributes) => Views.Transpose(x, ((PermutationAttributes)attributes!).Axes.Span),
        null,
        c => Nd.Transpose(c.G, Views.Inverse(c.Attributes<PermutationAttributes>().Axes.Span))).Named("mx.np.transpose, np.transpose, torch.permute");

    public static readonly Op BroadcastTo = Move(
        "BroadcastTo",
        Views.InferBroadcast,
        (x, attributes) => Views.Broadcast(x, ((ShapeAttributes)attributes!).Shape),
        null,
        c => c.G).Named("broadcast_to");

    public static readonly Op Slice = Move(
        "Slice",
        (x, attributes, y) => y[0] = x[0] with { Shape = ((SliceAttributes)attributes!).Counts.Span.ToArray() },
        (x, attributes) => Views.Slice(x, (SliceAttributes)attributes!),
        null,
        c => c.Attributes<SliceAttributes>() is { OnlyReverses: true } flip ? Slice!.Apply(c.G, flip) : Unslice!.Apply(c.G, c.Attributes<SliceAttributes>())).Named("mx.npx.slice, -, torch.narrow");

    /// <summary>The transpose of <see cref="Slice"/>: zeros, with the input at the slice's place.</summary>
    public static readonly Op Unslice = Move(
        "Unslice",
        (x, attributes, y) => y[0] = x[0] with { Shape = ((SliceAttributes)attributes!).Full },
        null,
        (x, attributes, y) => ArrayParts.Surround(x[0], y[0], (SliceAttributes)attributes!, 0),
        c => Slice.Apply(c.G, c.Attributes<SliceAttributes>()));

    /// <summary>One value everywhere but at the slice's place, where the input is. Attributes: <see cref="PadAttributes"/>.</summary>
    public static readonly Op Pad = Move(
        "Pad",
        (x, attributes, y) => y[0] = x[0] with { Shape = ((PadAttributes)attributes!).Place.Full },
        null,
        (x, attributes, y) => ArrayParts.Surround(x[0], y[0], ((PadAttributes)attributes!).Place, ((PadAttributes)attributes!).Value),
        c => Slice.Apply(c.G, c.Attributes<PadAttributes>().Place)).Named("mx.np.pad, np.pad, torch.nn.functional.pad");

    /// <summary>The first input with a part of it replaced by the second one: what a write in place to a part is while a function is traced.</summary>
    public static readonly Op WriteSlice = Row(new Op
    {
        Name = "WriteSlice",
        IsTotal = true,
        Arity = 2,
        Moves = true,
        Infer = Views.InferWriteSlice,
        Run = ReplaceSlice,
        DeviceRun = ReplaceSlice,
        Gradient =
        [
            c => WriteSlice!.Apply(c.G, Nd.Zeros(c.ShapeOf(1), c.DTypeOf(1), c.G.Device), c.Attributes<SliceAttributes>()),
            c => Slice.Apply(c.G, c.Attributes<SliceAttributes>()),
        ],
        Cost = Cost.MemoryBound,
    });

    public static readonly Op Concat = Row(new Op
    {
        Name = "Concat",
        IsTotal = true,
        Arity = -1,
        Moves = true,
        Infer = Views.InferConcat,
        Run = (x, attributes, y) => ArrayParts.Concat(x, ((AxisAttributes)attributes!).Axis, y[0]),
        DeviceRun = (x, attributes, y) => ArrayParts.Concat(x, ((AxisAttributes)attributes!).Axis, y[0]),
        Gradient = [ConcatGradient],
        Joint = ConcatGradients,
        Cost = Cost.MemoryBound,
    }).Named("mx.np.concatenate, np.concatenate, torch.cat");

    /// <summary>Elements moved along an axis, those that leave the end to its start. Attributes: <see cref="RollAttributes"/>.</summary>
    public static readonly Op Roll = Move(
        "Roll",
        (x, _, y) => y[0] = x[0],
        null,
        (x, attributes, y) => Movement.Roll(x[0], ((RollAttributes)attributes!).Axis, ((RollAttributes)attributes!).Shift, y[0]),
        c => Roll!.Apply(c.G, Back(c.Attributes<RollAttributes>(), c.ShapeOf(0)))).Named("roll");

    /// <summary>The elements on another device.</summary>
    public static readonly Op ToDevice = Row(new Op
    {
        Name = "ToDevice",
        Moves = true,
        Infer = (x, _, y) => y[0] = x[0],
        Run = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        DeviceRun = (x, _, y) => Movement.CopyTo(x[0], y[0]),
        Gradient = [c => c.G.To(c.Attributes<DeviceAttributes>().Origin)],
        Cost = Cost.MemoryBound,
    }).Named("mx.np.ndarray.as_in_ctx, -, torch.Tensor.to");

    private static void ReplaceSlice(ReadOnlySpan<NDArray> x, object? attributes, Span<NDArray> y)
    {
        Movement.CopyTo(x[0], y[0]);
        if (x[1].Size > 0) Movement.CopyIntoView(x[1], y[0], (SliceAttributes)attributes!);
    }

    private static RollAttributes Back(RollAttributes roll, Shape shape) => roll with { Shift = shape.Dimensions[roll.Axis] - roll.Shift };

    private static NDArray ConcatGradient(GradientContext c)
    {
        int axis = c.Attributes<AxisAttributes>().Axis;
        int start = 0;
        for (int i = 0; i < c.Index; i++) start += c.ShapeOf(i).Dimensions[axis];
        return Nd.Slice(c.G, axis, start, start + c.ShapeOf(c.Index).Dimensions[axis]);
    }

    // Every part by itself would have to find its place among the others.
    private static NDArray[] ConcatGradients(GradientContext c)
    {
        int axis = c.Attributes<AxisAttributes>().Axis, start = 0;
        NDArray[] parts = new NDArray[c.InputCount];
        for (int i = 0; i < parts.Length; i++) parts[i] = Nd.Slice(c.G, axis, start, start += c.ShapeOf(i).Dimensions[axis]);
        return parts;
    }
}
