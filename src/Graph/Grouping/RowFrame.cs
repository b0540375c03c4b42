using Fusion.Kernels;

namespace Fusion;

/// <summary>The space of a launch that works by rows: rows × columns, as many elements as its full arrays have.</summary>
internal readonly record struct RowFrame(long Rows, long Columns)
{
    /// <summary>The rows of a matrix product's result, or the planes of a convolution's.</summary>
    public static RowFrame OfProduct(OpNode product)
    {
        ReadOnlySpan<int> sizes = product.Shape.Dimensions;
        long columns = 1;
        foreach (int size in sizes[(product.Op.ProductAxis < 0 ? sizes.Length + product.Op.ProductAxis : product.Op.ProductAxis)..]) columns *= size;
        return new RowFrame(product.Shape.Size / Math.Max(1, columns), columns);
    }

    /// <summary>How a full array is read and written.</summary>
    public RowAccess Own => new(Columns, 1, Rows);

    /// <summary>The axis at which a shape divides into rows (before it) and columns (from it on), or −1.</summary>
    public int Split(Shape shape)
    {
        ReadOnlySpan<int> sizes = shape.Dimensions;
        int axis = sizes.Length;
        long columns = 1;
        while (axis > 0 && columns < Columns) columns *= sizes[--axis];
        if (columns != Columns) return -1;
        long rows = 1;
        for (int i = 0; i < axis; i++) rows *= sizes[i];
        return rows == Rows ? axis : -1;
    }
}

/// <summary>How a loop over rows reads a value: row r reads row r / Divisor % Period, which has Width elements (1: the same for the whole row).</summary>
internal readonly record struct RowAccess(long Width, long Divisor, long Period)
{
    /// <summary>Elements from one row to the next: more than a row has where the value is a part of wider rows.</summary>
    public long Pitch { get; init; } = Width;

    /// <summary>Rows lie side by side.</summary>
    public bool IsDense => Pitch == Width || Period == 1;

    /// <summary>
    /// How <paramref name="node"/>, broadcast to <paramref name="shape"/>, is read by rows that begin at <paramref name="axis"/>; null when its elements do
    /// not lie in rows, or its rows follow no such pattern.
    /// </summary>
    /// <param name="node">The value.</param>
    /// <param name="shape">The space of the loop.</param>
    /// <param name="axis">The first axis of the columns.</param>
    /// <param name="leaves">Given values: contiguous, whatever made them.</param>
    public static RowAccess? Of(GraphNode node, Shape shape, int axis, HashSet<GraphNode> leaves)
    {
        long[] strides = new long[shape.Rank];
        Broadcasting.Strides(ViewLayout.Of(node, leaves) ?? ViewLayout.RowMajor(node.Shape), node.Shape, shape, strides);
        ReadOnlySpan<int> sizes = shape.Dimensions;
        long width = 1;
        long columns = 1;
        for (int i = sizes.Length - 1; i >= axis; i--)
        {
            if (sizes[i] == 1) continue;
            if (strides[i] == columns && width == columns) width *= sizes[i];
            else if (strides[i] != 0 || width > 1) return null;
            columns *= sizes[i];
        }

        long divisor = 1;
        long period = 1;
        long pitch = width;
        bool repeated = false;
        for (int i = axis - 1; i >= 0; i--)
        {
            if (sizes[i] == 1) continue;
            if (strides[i] == 0)
            {
                if (period == 1) divisor *= sizes[i];
                else repeated = true;
                continue;
            }

            if (period == 1) pitch = strides[i];
            if (repeated || pitch < 0 || strides[i] != pitch * period) return null;
            period *= sizes[i];
        }

        return period == 1 ? new RowAccess(width, 1, 1) : new RowAccess(width, divisor, period) { Pitch = pitch };
    }

    /// <summary>An operand at an address.</summary>
    public RowOperand At(nint data, DType dtype, bool isScalar) =>
        new() { Data = data, ElementSize = dtype.Size, Width = Width, Pitch = Pitch, Divisor = Divisor, Period = Period, IsScalar = isScalar };

    /// <summary>Each element is read where a loop of this frame computes it: by row, or once a row.</summary>
    public bool IsOwn(RowFrame frame, bool perRow) => Width == (perRow ? 1 : frame.Columns) && Divisor == 1 && Period == frame.Rows;
}
