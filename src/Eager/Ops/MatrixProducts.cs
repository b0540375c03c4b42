using System.Numerics;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Shape rules and kernel calls of the matrix products.</summary>
internal static class MatrixProducts
{
    /// <summary>x·Wᵀ.</summary>
    public static readonly MatMulAttributes ByRowsOfWeights = new(false, true);

    public static void Infer(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        (bool ta, bool tb) = (MatMulAttributes)attributes!;
        Shape a = x[0].Shape;
        Shape b = x[1].Shape;
        CheckMatrices("MatMul", a, b, ta, tb);
        CheckTypes("MatMul", x[0].DType, x[1].DType);
        int m = a[ta ? -1 : -2];
        int n = b[tb ? -2 : -1];
        if (a.Rank == 2 && b.Rank == 2)
        {
            y[0] = new TensorType(x[0].DType, (m, n));
            return;
        }

        Shape batch = Broadcasting.Infer("MatMul", a.Dimensions[..^2].ToArray(), b.Dimensions[..^2].ToArray());
        y[0] = new TensorType(x[0].DType, Shape.Create([.. batch.Dimensions, m, n]));
    }

    /// <summary>Shapes of a product; for functions that name themselves in the message.</summary>
    public static void CheckMatrices(string op, Shape a, Shape b, bool ta, bool tb)
    {
        if (a.Rank < 2 || b.Rank < 2) throw new ShapeException($"{op}: {a} × {b}: matrices have at least two axes. Reshape or ExpandDims first.");
        int ka = a[ta ? -2 : -1];
        int kb = b[tb ? -1 : -2];
        if (ka != kb) throw InnerDimensions(op, a, b, ka, kb);
        if (a.Rank == 2 && b.Rank == 2) return;
        Shape batchA = a.Dimensions[..^2].ToArray(), batchB = b.Dimensions[..^2].ToArray();
        if (!Broadcasting.Fit(batchA, batchB))
            throw new ShapeException($"{op}: {a} × {b}: the axes before the last two do not broadcast: {batchA} and {batchB}. Reshape or ExpandDims one operand.");
    }

    public static void InferFullyConnected(ReadOnlySpan<TensorType> x, object? attributes, Span<TensorType> y)
    {
        Shape input = x[0].Shape;
        Shape weight = x[1].Shape;
        CheckWeight(weight);
        if (input[-1] != weight[1]) throw InnerDimensions("FullyConnected", input, weight, input[-1], weight[1]);
        if (x[2].Shape.Rank != 1 || x[2].Shape[0] != weight[0]) throw new ShapeException($"FullyConnected: the bias must be ({weight[0]},) for the weight {weight}, it is {x[2].Shape}.");
        CheckTypes("FullyConnected", x[0].DType, x[1].DType);
        CheckTypes("FullyConnected", x[0].DType, x[2].DType);
        y[0] = new TensorType(x[0].DType, (input[0], weight[0]));
    }

    public static void CheckWeight(Shape weight)
    {
        if (weight.Rank != 2) throw new ShapeException($"FullyConnected: the weight must be (out, in), it is {weight}.");
    }

    public static ShapeException InnerDimensions(string op, Shape a, Shape b, int ka, int kb) =>
        new($"{op}: inner dimensions differ: {a} × {b}, {ka} ≠ {kb}. Transpose one operand or check the layer's input size.");

    /// <param name="a">The left operand.</param>
    /// <param name="b">The right operand.</param>
    /// <param name="bias">Added to every row, or null.</param>
    /// <param name="attributes">Transpositions.</param>
    /// <param name="c">The result: row-major, or rows without gaps that lie apart.</param>
    /// <param name="finish">Called for finished rectangles of C, whose rows are counted through the batch.</param>
    /// <param name="factor">Of each block of the inner dimension, before the bias.</param>
    public static unsafe void Run(NDArray a, NDArray b, NDArray? bias, MatMulAttributes attributes, NDArray c, GemmFinish finish = default, double factor = 1)
    {
        (bool ta, bool tb) = attributes;
        int m = c.Shape[-2];
        int n = c.Shape[-1];
        int k = attributes.TransposeA ? a.Shape[-2] : a.Shape[-1];
        NDArray left = Matrix(a, ref ta, out long lda);
        NDArray right = Matrix(b, ref tb, out long ldb);
        if (GemmThin.IsDots(m, n, k, ta, tb) != GemmThin.IsDots(m, n, k, attributes.TransposeA, attributes.TransposeB))
        {
            // Thin products add up in another order where k is contiguous: the bits must not depend on how the operands lie.
            (ta, tb) = attributes;
            left = Matrix(a.Contiguous(), ref ta, out lda);
            right = Matrix(b.Contiguous(), ref tb, out ldb);
        }

        (a, b) = (left, right);
        bias = bias?.Contiguous();
        fixed (byte* pa = &a.Data, pb = &b.Data, pc = &c.Data)
        fixed (byte* pBias = bias is null ? new Span<byte>(ref *(byte*)null) : bias.Bytes)
        {
            if (c.DType == DType.Float32) Product<float>(ta, tb, m, n, k, factor, a, pa, lda, b, pb, ldb, c, pc, pBias, finish);
            else Product<double>(ta, tb, m, n, k, factor, a, pa, lda, b, pb, ldb, c, pc, pBias, finish);
        }

        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(bias);
    }

    private static unsafe void Product<T>(
        bool ta, bool tb, int m, int n, int k, double factor, NDArray a, byte* pa, long lda, NDArray b, byte* pb, long ldb, NDArray c, byte* pc, byte* bias, GemmFinish finish)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Span<BatchAxis> axes = stackalloc BatchAxis[c.Rank - 2];
        long ldc = Axes(a, b, c, axes);

        // Written where it lies: a copy of so many fields is read in larger pieces than it was written, and waits until all that was written before is in the cache.
        GemmProblem<T> problem = default;
        problem.M = m;
        problem.N = n;
        problem.K = k;
        problem.Alpha = T.CreateTruncating(factor);
        problem.TransA = ta;
        problem.TransB = tb;
        problem.A = (T*)pa;
        problem.Lda = (nint)lda;
        problem.B = (T*)pb;
        problem.Ldb = (nint)ldb;
        problem.C = (T*)pc;
        problem.Ldc = (nint)ldc;
        problem.Bias = (T*)bias;
        problem.Finish = finish;
        Gemm.RunBatched(axes, ref problem);
    }

    /// <summary>The axes before the last two, the outermost first, and the elements between the rows of the result.</summary>
    public static long Axes(NDArray a, NDArray b, NDArray c, Span<BatchAxis> axes)
    {
        Span<long> sa = stackalloc long[axes.Length], sb = stackalloc long[axes.Length], sc = stackalloc long[c.Rank];
        c.CopyStrides(sc);
        if (!axes.IsEmpty)
        {
            BatchStrides(a, c.Shape, sa);
            BatchStrides(b, c.Shape, sb);
        }

        for (int i = 0; i < axes.Length; i++) axes[i] = new BatchAxis(c.Shape[i], sa[i], sb[i], sc[i]);
        return sc[^2];
    }

    private static void BatchStrides(NDArray x, Shape target, Span<long> result)
    {
        Span<long> strides = stackalloc long[x.Rank];
        x.CopyStrides(strides);
        Span<long> full = stackalloc long[target.Rank];
        Shape batch = Shape.Create([.. x.Shape.Dimensions[..^2], target[-2], target[-1]]);
        Broadcasting.Strides(strides, batch, target, full);
        full[..^2].CopyTo(result);
    }

    /// <summary>The array with its last two axes readable by the product: row-major, or column-major and then read transposed; else a copy.</summary>
    public static NDArray Matrix(NDArray x, ref bool transpose, out long leading)
    {
        leading = x.Shape[-1];
        if (x.IsContiguous) return x;
        Span<long> strides = stackalloc long[x.Rank];
        x.CopyStrides(strides);
        if (strides[^1] == 1 && strides[^2] >= x.Shape[-1])
        {
            leading = strides[^2];
            return x;
        }

        if (strides[^2] == 1 && strides[^1] >= x.Shape[-2])
        {
            leading = strides[^1];
            transpose = !transpose;
            return x;
        }

        return x.Contiguous();
    }

    private static void CheckTypes(string op, DType a, DType b)
    {
        if (a != b || !a.IsFloat) throw new DTypeException($"{op}: {a} × {b}; both must be of one floating-point type. Convert with AsType.");
    }
}
