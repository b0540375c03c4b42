using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules, kernel calls and gradients of the reductions.</summary>
internal static class Reductions
{
    /// <summary>Sorted, not negative; all axes when none are given.</summary>
    public static ReduceAttributes Attributes(string op, NDArray x, int[]? axes, bool keepDims)
    {
        ArgumentNullException.ThrowIfNull(x);
        int[] sorted;
        if (axes is null)
        {
            sorted = new int[x.Rank];
            for (int i = 0; i < sorted.Length; i++) sorted[i] = i;
        }
        else
        {
            sorted = new int[axes.Length];
            for (int i = 0; i < axes.Length; i++) sorted[i] = x.Shape.Axis(axes[i], op, axes.Length == 1 ? "axis" : nameof(axes));
            Array.Sort(sorted);
            for (int i = 1; i < sorted.Length; i++)
                if (sorted[i] == sorted[i - 1]) throw new ShapeException($"{op}: axis {sorted[i]} is given twice for the shape {x.Shape}.");
        }

        return new ReduceAttributes(new IntList(sorted), keepDims);
    }

    public static TensorType Infer(string op, ReduceKind kind, TensorType x, ReduceAttributes attributes)
    {
        if (kind is ReduceKind.Max or ReduceKind.Min && x.Shape.Size == 0)
            foreach (int axis in attributes.Axes.Span)
                if (x.Shape.Dimensions[axis] == 0) throw new ShapeException($"{op}: axis {axis} of the shape {x.Shape} is empty and an empty set has no {op.ToLowerInvariant()}.");
        DType result = kind switch
        {
            ReduceKind.Any or ReduceKind.All => DType.Bool,
            ReduceKind.Sum => SumType(x.DType),
            _ => x.DType,
        };
        return new TensorType(result, ReducedShape(x.Shape, attributes));
    }

    /// <summary>Sums and products of integers are Int64, as in NumPy.</summary>
    public static DType SumType(DType dtype) => dtype.IsFloat ? dtype : DType.Int64;

    public static TensorType InferArg(string op, TensorType x, ReduceAttributes attributes)
    {
        if (attributes.Axes.Length != 1) throw new ShapeException($"{op}: give one axis.");
        if (x.Shape.Dimensions[attributes.Axes[0]] == 0) throw new ShapeException($"{op}: axis {attributes.Axes[0]} of the shape {x.Shape} is empty.");
        return new TensorType(DType.Int64, ReducedShape(x.Shape, attributes));
    }

    public static unsafe void Run(ReduceKind kind, NDArray x, ReduceAttributes attributes, NDArray y)
    {
        if (Apart(x, attributes, y) is var (part, first, last))
        {
            Run(kind, x, first, part);
            Run(OfResults(kind), part, last, y);
            return;
        }

        NDArray input = Lines(x, attributes.Axes.Span, out long outer, out long reduced, out long inner);
        fixed (byte* from = &input.Data, to = &y.Data)
            Reduce.Run(kind, input.DType, y.DType, (nint)from, (nint)to, outer, reduced, inner);
        GC.KeepAlive(input);
    }

    /// <summary>What joins the results of a reduction.</summary>
    public static ReduceKind OfResults(ReduceKind kind) => kind == ReduceKind.SumOfSquares ? ReduceKind.Sum : kind;

    /// <summary>
    /// Reduced axes that do not lie together are reduced in two steps, those first that lie together and hold the most elements: nothing is transposed. The
    /// array between the steps and the axes of each; null when all lie together.
    /// </summary>
    public static (NDArray Part, ReduceAttributes First, ReduceAttributes Last)? Apart(NDArray x, ReduceAttributes attributes, NDArray y)
    {
        ReadOnlySpan<int> axes = attributes.Axes.Span;
        if (axes.Length == 0 || axes[^1] - axes[0] == axes.Length - 1) return null;
        Range group = LargestGroup(axes, x.Shape.Dimensions);
        ReduceAttributes first = new(new IntList(axes[group].ToArray()), KeepDims: true);
        ReduceAttributes last = new(new IntList([.. axes[..group.Start], .. axes[group.End..]]), KeepDims: true);
        return (x.Temporary(y.DType, ReducedShape(x.Shape, first)), first, last);
    }

    /// <summary>Reductions over the last axes work by rows.</summary>
    public static unsafe RowRule Rows(ReduceKind kind) => new(
        static (x, attributes) => RowLength(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span),
        (operands, types, _, rows, columns) => Reduce.Run(kind, types[0], types[1], operands[0], operands[1], rows, columns, 1))
    {
        Fold = kind,
        FoldedColumns = static (x, attributes) => FoldedColumns(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span),
    };

    /// <summary>As <see cref="Rows"/>, in kernels of accelerators; null for logical ones.</summary>
    public static RowFormula? Formula(ReduceKind kind)
    {
        RowReduction? fold = kind switch
        {
            ReduceKind.Sum => RowReduction.Sum,
            ReduceKind.Prod => RowReduction.Prod,
            ReduceKind.Max => RowReduction.Max,
            ReduceKind.Min => RowReduction.Min,
            _ => null,
        };
        return fold is not { } reduction ? null : new(
            static (x, attributes) => RowLength(x.Shape.Dimensions, ((ReduceAttributes)attributes!).Axes.Span), (p, x, _) => p.Reduce(reduction, x[0]));
    }

    public static unsafe void RunArg(bool max, NDArray x, ReduceAttributes attributes, NDArray y)
    {
        NDArray input = Lines(x, attributes.Axes.Span, out long outer, out long reduced, out long inner);
        fixed (byte* from = &input.Data, to = &y.Data)
            ArgReduce.Run(max, input.DType, (nint)from, (long*)to, outer, reduced, inner);
        GC.KeepAlive(input);
    }

    public static unsafe void RunScan(ReadOnlySpan<NDArray> inputs, object? attributes, Span<NDArray> outputs)
    {
        ScanAttributes scan = (ScanAttributes)attributes!;
        NDArray input = Lines(inputs[0], [scan.Axis], out long outer, out long n, out long inner);
        fixed (byte* from = &input.Data, to = &outputs[0].Data)
            Scan.CumSum(input.DType, outputs[0].DType, (nint)from, (nint)to, outer, n, inner, reverse: scan.Reverse);
        GC.KeepAlive(input);
    }

    /// <summary>Repeats the gradient of a reduction along the reduced axes.</summary>
    public static NDArray Spread(GradientContext c, NDArray gradient) =>
        Nd.BroadcastTo(Kept(c, gradient), c.ShapeOf(0));

    /// <summary>As above, outside of a rule.</summary>
    public static NDArray Spread(TapeNode node, NDArray gradient) =>
        Nd.BroadcastTo(KeepDims(gradient, node.Edge(0).Shape, (ReduceAttributes)node.Attributes!), node.Edge(0).Shape);

    /// <summary>The gradient of a reduction with the reduced axes as axes of size 1.</summary>
    public static NDArray Kept(GradientContext c, NDArray gradient) => KeepDims(gradient, c.ShapeOf(0), c.Attributes<ReduceAttributes>());

    /// <summary>The gradient of max and min is shared equally among ties.</summary>
    public static NDArray ExtremumGradient(GradientContext c)
    {
        ReduceAttributes attributes = c.Attributes<ReduceAttributes>();
        Shape shape = c.ShapeOf(0);
        NDArray mask = Ties(c.X, KeepDims(c.Output, shape, attributes));
        NDArray count = Nd.Sum(mask, attributes.Axes.Span.ToArray(), keepDims: true).AsType(c.DTypeOf(0));
        return Nd.Where(mask, KeepDims(c.G, shape, attributes) / count, 0);
    }

    /// <summary>The elements that are the extremum: of a NaN, which any of them makes it, all that are NaN.</summary>
    public static NDArray Ties(NDArray x, NDArray extremum) => Nd.LogicalOr(Nd.Equal(x, extremum), Nd.IsNaN(x));

    private static NDArray KeepDims(NDArray reduced, Shape input, ReduceAttributes attributes) =>
        attributes.KeepDims ? reduced : Nd.Reshape(reduced, ReducedShape(input, attributes with { KeepDims = true }));

    private static Shape ReducedShape(Shape shape, ReduceAttributes attributes)
    {
        List<int> sizes = new(shape.Rank);
        for (int i = 0; i < shape.Rank; i++)
        {
            if (!attributes.Axes.Span.Contains(i)) sizes.Add(shape.Dimensions[i]);
            else if (attributes.KeepDims) sizes.Add(1);
        }

        return Shape.Own([.. sizes]);
    }

    /// <summary>The elements of the last axes, when these are what is reduced; else 0.</summary>
    public static long RowLength(ReadOnlySpan<int> sizes, ReadOnlySpan<int> axes)
    {
        long length = axes.Length == 0 ? 0 : 1;
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = sizes.Length - axes.Length + i;
            length *= axes[i] == axis ? sizes[axis] : 0;
        }

        return length;
    }

    // The first axes are reduced, and others are left.
    private static long FoldedColumns(ReadOnlySpan<int> sizes, ReadOnlySpan<int> axes)
    {
        if (axes.Length == 0 || axes[^1] != axes.Length - 1 || axes.Length == sizes.Length) return 0;
        long columns = 1;
        for (int i = axes.Length; i < sizes.Length; i++) columns *= sizes[i];
        return columns;
    }

    // Of the axes that lie together those that hold the most elements; the first of equal groups, which is added up in whole registers.
    private static Range LargestGroup(ReadOnlySpan<int> axes, ReadOnlySpan<int> sizes)
    {
        Range best = 0..0;
        long most = -1;
        for (int start = 0, end; start < axes.Length; start = end)
        {
            long size = sizes[axes[start]];
            for (end = start + 1; end < axes.Length && axes[end] == axes[end - 1] + 1; end++) size *= sizes[axes[end]];
            if (size > most) (best, most) = (start..end, size);
        }

        return best;
    }

    /// <summary>The input, contiguous, as outer × reduced × inner; the axes lie together.</summary>
    public static NDArray Lines(NDArray x, ReadOnlySpan<int> axes, out long outer, out long reduced, out long inner)
    {
        ReadOnlySpan<int> sizes = x.Shape.Dimensions;
        outer = reduced = inner = 1;
        for (int i = 0; i < sizes.Length; i++)
        {
            if (axes.Length > 0 && i < axes[0]) outer *= sizes[i];
            else if (axes.Length > 0 && i <= axes[^1]) reduced *= sizes[i];
            else inner *= sizes[i];
        }

        return x.Contiguous();
    }
}
