namespace Fusion;

// Diagonals and triangles of matrices.
public static partial class Nd
{
    /// <summary>Of a vector the matrix with it on the k-th diagonal; of a matrix its k-th diagonal (k &gt; 0: above the main one).</summary>
    /// <exception cref="ShapeException">The rank is neither 1 nor 2.</exception>
    public static NDArray Diag(this NDArray x, int k = 0)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Rank == 2) return Diagonal(x, k);
        if (x.Rank != 1) throw new ShapeException($"Diag: {x.Shape} is neither a vector nor a matrix. Diagonal takes stacks of matrices.");
        int size = Errors.Extent("Diag", x.Shape[0] + Math.Abs((long)k)), area = Errors.Extent("Diag", (long)size * size);
        SliceAttributes place = new(new IntList([k >= 0 ? k : -k * size]), new IntList([x.Shape[0]]), new IntList([size + 1]), area);
        return Reshape(OpTable.Unslice.Apply(x, place), size, size);
    }

    /// <summary>The k-th diagonal of each matrix in the last two axes.</summary>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static NDArray Diagonal(this NDArray x, int k = 0)
    {
        (int rows, int columns) = MatrixSize(x, "Diagonal");
        int count = Math.Max(0, Math.Min(k >= 0 ? rows : rows + k, k >= 0 ? columns - k : columns));
        int first = count == 0 ? 0 : k >= 0 ? k : -k * columns, end = count == 0 ? 0 : first + ((count - 1) * (columns + 1)) + 1;
        return Slice(Reshape(x, Shape.Create([.. x.Shape.Dimensions[..^2], Errors.Extent("Diagonal", (long)rows * columns)])), -1, first, end, columns + 1);
    }

    /// <summary>The sum of the k-th diagonal of each matrix in the last two axes.</summary>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static NDArray Trace(this NDArray x, int k = 0)
    {
        _ = MatrixSize(x, "Trace");
        return Sum(Diagonal(x, k), -1);
    }

    /// <summary>The lower triangle of each matrix in the last two axes, up to the k-th diagonal; zeros elsewhere.</summary>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static NDArray Tril(this NDArray x, int k = 0)
    {
        (int rows, int columns) = MatrixSize(x, "Tril");
        NDArray kept = TriangleMask(rows, columns, k, x.Device);
        return x.DType == DType.Bool ? LogicalAnd(kept, x) : Where(kept, x, 0);
    }

    /// <summary>The upper triangle of each matrix in the last two axes, from the k-th diagonal on; zeros elsewhere.</summary>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static NDArray Triu(this NDArray x, int k = 0)
    {
        (int rows, int columns) = MatrixSize(x, "Triu");
        NDArray left = TriangleMask(rows, columns, k - 1L, x.Device);
        return x.DType == DType.Bool ? LogicalAnd(LogicalNot(left), x) : Where(left, 0, x);
    }

    // True at column ≤ row + k.
    private static NDArray TriangleMask(int rows, int columns, long k, Device device)
    {
        double first = Math.Clamp(k, -rows, columns);
        return Arange(0, columns, 1, DType.Int32, device) <= Reshape(Arange(first, first + rows, 1, DType.Int32, device), rows, 1);
    }

    private static (int Rows, int Columns) MatrixSize(NDArray x, string op)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Rank < 2) throw new ShapeException($"{op}: {x.Shape} has no matrices in its last two axes. Reshape or ExpandDims first.");
        return (x.Shape[-2], x.Shape[-1]);
    }
}
