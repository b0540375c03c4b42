using System.Runtime.CompilerServices;

namespace Fusion;

public static partial class Nd
{
    /// <summary>
    /// The matrix product over the last two axes, (…, m, k) × (…, k, n) → (…, m, n); the other axes broadcast. An operand of rank 1 counts as one row
    /// (left) or one column (right), and its axis is dropped from the result.
    /// </summary>
    /// <exception cref="ShapeException">The inner dimensions differ, or an operand is a scalar.</exception>
    public static NDArray MatMul(this NDArray a, NDArray b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Rank == 0 || b.Rank == 0) throw new ShapeException($"MatMul: {a.Shape} × {b.Shape}: a scalar is no matrix. Multiply with * instead.");
        DType dtype = Elements.RealType(DTypes.Promote(a.DType, b.DType));
        NDArray left = Elements.To(a, dtype);
        NDArray right = Elements.To(b, dtype);
        if (a.Rank > 1 && b.Rank > 1) return Product(left, right, false, false);
        if (a.Shape[-1] != (b.Rank == 1 ? b.Shape[0] : b.Shape[-2]))
            throw MatrixProducts.InnerDimensions("MatMul", a.Shape, b.Shape, a.Shape[-1], b.Rank == 1 ? b.Shape[0] : b.Shape[-2]);
        NDArray result = Product(a.Rank == 1 ? ExpandDims(left, 0) : left, b.Rank == 1 ? ExpandDims(right, 1) : right, false, false);
        if (b.Rank == 1) result = Squeeze(result, -1);
        return a.Rank == 1 ? Squeeze(result, b.Rank == 1 ? -1 : -2) : result;
    }

    /// <summary>
    /// The product of two matrices, each read transposed if asked; for operands of rank 1 the inner product. For higher ranks the sum over the last
    /// axis of <paramref name="a"/> and the first of <paramref name="b"/>, as in MXNet.
    /// </summary>
    public static NDArray Dot(this NDArray a, NDArray b, bool transposeA = false, bool transposeB = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        DType dtype = Elements.RealType(DTypes.Promote(a.DType, b.DType));
        NDArray left = Elements.To(a, dtype);
        NDArray right = Elements.To(b, dtype);
        if (a.Rank == 0 || b.Rank == 0) return left * right;
        if (a.Rank == 2 && b.Rank == 2)
        {
            MatrixProducts.CheckMatrices("Dot", a.Shape, b.Shape, transposeA, transposeB);
            return Product(left, right, transposeA, transposeB);
        }

        if (transposeA && a.Rank > 1) left = Transpose(left);
        if (transposeB && b.Rank > 1) right = Transpose(right);
        int k = left.Shape[-1];
        if (k != right.Shape[0]) throw MatrixProducts.InnerDimensions("Dot", a.Shape, b.Shape, k, right.Shape[0]);
        Shape shape = Shape.Create([.. left.Shape.Dimensions[..^1], .. right.Shape.Dimensions[1..]]);
        NDArray product = Product(Reshape(left, Rows(left.Shape.Dimensions[..^1]), k), Reshape(right, k, Rows(right.Shape.Dimensions[1..])), false, false);
        return Reshape(product, shape);
    }

    /// <summary>The product of each pair of matrices of two stacks (b, m, k) × (b, k, n), each read transposed if asked.</summary>
    public static NDArray BatchDot(this NDArray a, NDArray b, bool transposeA = false, bool transposeB = false)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        MatrixProducts.CheckMatrices("BatchDot", a.Shape, b.Shape, transposeA, transposeB);
        DType dtype = Elements.RealType(DTypes.Promote(a.DType, b.DType));
        return Product(Elements.To(a, dtype), Elements.To(b, dtype), transposeA, transposeB);
    }

    /// <summary>aᵢ·bⱼ of the flattened operands.</summary>
    public static NDArray Outer(this NDArray a, NDArray b) => Reshape(Checked(a), -1, 1) * Reshape(Checked(b), 1, -1);

    /// <summary>
    /// x·Wᵀ + b with the weight (out, in) and the bias (out). With <paramref name="flatten"/> all axes but the first are joined to the input size;
    /// otherwise the product is applied to the last axis.
    /// </summary>
    public static NDArray FullyConnected(this NDArray x, NDArray weight, NDArray? bias = null, bool flatten = true) =>
        FullyConnectedFor("FullyConnected", x, weight, bias, flatten);

    /// <summary>The same for a layer that messages name.</summary>
    internal static NDArray FullyConnectedFor(string op, NDArray x, NDArray weight, NDArray? bias, bool flatten)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        if (x.Rank == 0) throw new ShapeException($"{op}: the input is a scalar. Reshape or ExpandDims first.");
        DType dtype = Elements.RealType(DTypes.Promote(x.DType, weight.DType));
        NDArray real = Elements.To(x, dtype), w = Elements.To(weight, dtype);
        NDArray rows = x.Rank == 2 ? real : flatten ? Flatten(real) : Reshape(real, Rows(x.Shape.Dimensions[..^1]), x.Shape[-1]);
        MatrixProducts.CheckWeight(weight.Shape);
        if (rows.Shape[1] != weight.Shape[1])
            throw MatrixProducts.InnerDimensions(op, x.Shape, weight.Shape, rows.Shape[1], weight.Shape[1]);
        NDArray result = bias is null ? Product(rows, w, false, true) : OpTable.FullyConnected.Apply([rows, w, Elements.To(bias, dtype)]);
        return x.Rank == 2 || flatten ? result : Reshape(result, Shape.Create([.. x.Shape.Dimensions[..^1], weight.Shape[0]]));
    }

    private static NDArray Product(NDArray a, NDArray b, bool transposeA, bool transposeB) =>
        OpTable.MatMul.Apply(a, b, new MatMulAttributes(transposeA, transposeB));

    private static int Rows(ReadOnlySpan<int> sizes, [CallerMemberName] string op = "")
    {
        int rows = 1;
        foreach (int size in sizes) rows = Errors.Extent(op, (long)rows * size);
        return rows;
    }
}
