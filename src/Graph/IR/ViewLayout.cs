namespace Fusion;

/// <summary>Where the elements of views lie: strides alone, from those of what is seen.</summary>
internal static class ViewLayout
{
    /// <summary>The strides of a view, in elements; null is row-major. False: a reshape of elements that no strides reach, which has to copy.</summary>
    /// <param name="op">An operator that makes views.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <param name="from">The shape of its operand.</param>
    /// <param name="own">The strides of its operand.</param>
    /// <param name="to">The shape of its result.</param>
    /// <param name="strides">The strides of its result.</param>
    public static bool TryStrides(Op op, object? attributes, Shape from, long[]? own, Shape to, out long[]? strides)
    {
        strides = own;
        if (own is null && (ReferenceEquals(op, OpTable.Reshape) || attributes is null)) return true;
        long[] source = own ?? RowMajor(from);
        long[] result = new long[to.Rank];
        switch (attributes)
        {
            case PermutationAttributes permutation:
                for (int i = 0; i < result.Length; i++) result[i] = source[permutation.Axes[i]];
                break;
            case SliceAttributes slice:
                for (int i = 0; i < result.Length; i++) result[i] = source[i] * slice.Steps[i];
                break;
            case ShapeAttributes when ReferenceEquals(op, OpTable.Reshape):
                if (!Views.TryReshape(from.Dimensions, source, to.Dimensions, result)) return false;
                break;
            case ShapeAttributes:
                Broadcasting.Strides(source, from, to, result);
                break;
            default:
                result = source;
                break;
        }

        strides = Views.Normalize(to.Dimensions, result);
        return true;
    }

    /// <summary>Whether an operator that makes views makes one here, and its strides.</summary>
    public static (bool IsView, long[]? Strides) Of(Op op, object? attributes, GraphNode x, Shape shape) =>
        TryStrides(op, attributes, x.Shape, (x as OpNode)?.Strides, shape, out long[]? strides) ? (true, strides) : (false, null);

    /// <summary>The strides of a value; null is row-major.</summary>
    /// <param name="node">The value.</param>
    /// <param name="leaves">Given values: row-major, whatever made them.</param>
    public static long[]? Of(GraphNode node, HashSet<GraphNode> leaves)
    {
        if (node is not OpNode { IsView: true } view || leaves.Contains(node)) return null;
        TryStrides(view.Op, view.Attributes, view.Inputs[0].Shape, Of(view.Inputs[0], leaves), view.Shape, out long[]? strides);
        return strides;
    }

    /// <summary>The handle of a view over that of its operand.</summary>
    public static NDArray View(OpNode view, NDArray source)
    {
        if (!ReferenceEquals(view.Op, OpTable.Reshape) || source.IsContiguous) return view.Op.View!(source, view.Attributes);
        TryStrides(view.Op, view.Attributes, source.Shape, Views.Strides(source), view.Shape, out long[]? strides);
        return source.View(view.Shape, source.Offset, strides);
    }

    public static long[] RowMajor(Shape shape)
    {
        long[] strides = new long[shape.Rank];
        long stride = 1;
        for (int i = strides.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape.Dimensions[i];
        }

        return strides;
    }
}
