using Fusion.Kernels;

namespace Fusion;

// Products beyond the matrix product.
public static partial class Nd
{
    /// <summary>Sums products over the last <paramref name="axes"/> axes of a and the first of b; 0 is the outer product.</summary>
    /// <exception cref="ShapeException">An operand has fewer axes, or their sizes differ.</exception>
    public static NDArray TensorDot(this NDArray a, NDArray b, int axes = 2)
    {
        Require.NotNegative(axes);
        if (axes > Math.Min(Checked(a).Rank, Checked(b).Rank))
            throw new ShapeException($"TensorDot: {a.Shape} and {b.Shape} do not both have {axes} axes to sum over.");
        return TensorDot(a, b, [.. Enumerable.Range(a.Rank - axes, axes)], [.. Enumerable.Range(0, axes)]);
    }

    /// <summary>Sums products over pairs of axes; the other axes of a come first, then those of b.</summary>
    /// <exception cref="ShapeException">The lists differ in length, or paired axes in size.</exception>
    public static NDArray TensorDot(this NDArray a, NDArray b, int[] axesA, int[] axesB)
    {
        ArgumentNullException.ThrowIfNull(axesA);
        ArgumentNullException.ThrowIfNull(axesB);
        (Shape shapeA, Shape shapeB) = (Checked(a).Shape, Checked(b).Shape);
        int[] sumA = [.. axesA.Select(i => shapeA.Axis(i, "TensorDot", nameof(axesA)))], sumB = [.. axesB.Select(i => shapeB.Axis(i, "TensorDot", nameof(axesB)))];
        bool distinct = sumA.Distinct().Count() == sumA.Length && sumB.Distinct().Count() == sumB.Length;
        if (sumA.Length != sumB.Length || !distinct || sumA.Where((axis, i) => a.Shape[axis] != b.Shape[sumB[i]]).Any())
            throw new ShapeException(
                $"TensorDot: the axes [{IntegerList.Text(axesA)}] of {a.Shape} and [{IntegerList.Text(axesB)}] of {b.Shape} do not pair up.");
        int[] keepA = [.. Enumerable.Range(0, a.Rank).Except(sumA)], keepB = [.. Enumerable.Range(0, b.Rank).Except(sumB)];
        int inner = Rows([.. sumA.Select(i => a.Shape[i])]);
        int[] sizesA = [.. keepA.Select(i => a.Shape[i])], sizesB = [.. keepB.Select(i => b.Shape[i])];
        NDArray left = Reshape(Transpose(a, [.. keepA, .. sumA]), Rows(sizesA), inner), right = Reshape(Transpose(b, [.. sumB, .. keepB]), inner, Rows(sizesB));
        return Reshape(MatMul(left, right), [.. sizesA, .. sizesB]);
    }

    /// <summary>The Kronecker product: every element of a times the whole of b.</summary>
    public static NDArray Kron(this NDArray a, NDArray b)
    {
        int rank = Math.Max(Checked(a).Rank, Checked(b).Rank);
        int[] sizesA = [.. Ones1(rank - a.Rank), .. a.Shape.Dimensions], sizesB = [.. Ones1(rank - b.Rank), .. b.Shape.Dimensions];
        int[] spreadA = new int[2 * rank], spreadB = new int[2 * rank], joined = new int[rank];
        for (int i = 0; i < rank; i++)
        {
            (spreadA[2 * i], spreadA[2 * i + 1]) = (sizesA[i], 1);
            (spreadB[2 * i], spreadB[2 * i + 1]) = (1, sizesB[i]);
            joined[i] = Errors.Extent("Kron", (long)sizesA[i] * sizesB[i]);
        }

        using Temporaries made = Temporaries.Collect();
        (NDArray first, NDArray second) = (Reshape(a, spreadA), Reshape(b, spreadB));
        if (rank > 1 && sizesB[^1] < ShortRow && joined[^1] > 1 && Math.Min(a.Size / sizesA[^1], b.Size / sizesB[^1]) >= ManyRows)
        {
            // Both rows spread over the row of the result, once each, are long and lie contiguously.
            first = Along(first, 2 * rank - 1, sizesB[^1]);
            second = Along(second, 2 * rank - 2, sizesA[^1]);
        }

        return made.Keep(Reshape(first * second, joined));

        NDArray Along(NDArray x, int axis, int size)
        {
            int[] wide = x.Shape.ToArray();
            wide[axis] = size;
            int[] rows = [.. wide[..^2], wide[^2] * wide[^1]];
            return Reshape(BroadcastTo(x, wide), rows);
        }
    }

    // Of a Kronecker product: elements of a row that is worked on where it lies, and rows for which a copy of what they have in common pays.
    private const int ShortRow = 128, ManyRows = 8;

    /// <summary>
    /// The vector product along an axis of size 3; the other axes broadcast. A vector of size 2 has the third component 0; of two such the product is the third
    /// component alone, a₀·b₁ − a₁·b₀, and the axis is left out.
    /// </summary>
    /// <exception cref="ShapeException">The axis has another size.</exception>
    public static NDArray Cross(this NDArray a, NDArray b, int axis = -1)
    {
        int atA = Checked(a).Shape.Axis(axis, "Cross"), atB = Checked(b).Shape.Axis(axis, "Cross");
        if (a.Shape[atA] is not (2 or 3) || b.Shape[atB] is not (2 or 3)) throw new ShapeException($"Cross: axis {axis} of {a.Shape} and {b.Shape} must have the size 3 or 2.");
        DType dtype = DTypes.Promote(a.DType, b.DType);
        if (dtype.IsHalf) return Cross(Elements.Wide(a), Elements.Wide(b), axis).AsType(dtype);
        if (a.Shape[atA] == 2 && b.Shape[atB] == 2) return CrossOfPlane(a, b, atA, atB);
        if (a.Shape[atA] == 2) a = InSpace(a, atA);
        if (b.Shape[atB] == 2) b = InSpace(b, atB);
        Shape shape = Broadcasting.Infer("Cross", a.Shape, b.Shape);
        if (!dtype.IsFloat || atA - a.Rank != atB - b.Rank) return VectorProducts.CrossOfRolled(a, b, atA, atB);
        return OpTable.Cross.Apply(BroadcastTo(Elements.To(a, dtype), shape), BroadcastTo(Elements.To(b, dtype), shape), new AxisAttributes(Math.Max(atA, atB)));
    }

    private static NDArray CrossOfPlane(NDArray a, NDArray b, int axisA, int axisB)
    {
        using Temporaries made = Temporaries.Collect();
        NDArray a0 = Part(a, axisA, 0), a1 = Part(a, axisA, 1), b0 = Part(b, axisB, 0), b1 = Part(b, axisB, 1);
        _ = Broadcasting.Infer("Cross", a0.Shape, b0.Shape);
        return made.Keep(a0 * b1 - a1 * b0);

        static NDArray Part(NDArray x, int axis, int i) => Squeeze(Slice(x, axis, i, i + 1), axis);
    }

    private static NDArray InSpace(NDArray x, int axis)
    {
        (int, int)[] widths = new (int, int)[x.Rank];
        widths[axis] = (0, 1);
        return Pad(x, widths);
    }

    /// <summary>Σ aᵢ·bᵢ of all elements.</summary>
    /// <exception cref="ShapeException">The numbers of elements differ.</exception>
    public static NDArray VDot(this NDArray a, NDArray b)
    {
        if (Checked(a).Size != Checked(b).Size) throw new ShapeException($"VDot: {a.Shape} has {a.Size} elements, {b.Shape} has {b.Size}.");
        DType dtype = DTypes.Promote(a.DType, b.DType);
        if (dtype.IsHalf) return VDot(Elements.Wide(a), Elements.Wide(b)).AsType(dtype);
        // Products of integers need not fit into their type; the sum is Int64.
        if (!dtype.IsFloat) (a, b) = (Elements.To(a, DType.Int64), Elements.To(b, DType.Int64));
        using Temporaries made = Temporaries.Collect();
        return made.Keep(a.Shape == b.Shape ? SumOfProducts(a, b) : SumOfProducts(Reshape(a, -1), Reshape(b, -1)));
    }
}
