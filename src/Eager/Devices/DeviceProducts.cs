using Fusion.Kernels;

namespace Fusion;

/// <summary>Matrix products on an accelerator: batch axes as runs of equal stride, one launch a run.</summary>
internal static class DeviceProducts
{
    /// <param name="a">The left operand.</param>
    /// <param name="b">The right operand.</param>
    /// <param name="bias">Added to every row, or null.</param>
    /// <param name="attributes">Transpositions.</param>
    /// <param name="c">The result.</param>
    /// <param name="work">A kernel on its elements.</param>
    public static void Run(NDArray a, NDArray b, NDArray? bias, MatMulAttributes attributes, NDArray c, ProductWork work = default)
    {
        (bool ta, bool tb) = attributes;
        a = MatrixProducts.Matrix(a, ref ta, out long lda);
        b = MatrixProducts.Matrix(b, ref tb, out long ldb);
        bias = bias?.Contiguous();
        int k = attributes.TransposeA ? a.Shape[-2] : a.Shape[-1];
        if (c.DType == DType.Float32) Run<float>(a, ta, lda, b, tb, ldb, bias, c, k, work);
        else Run<double>(a, ta, lda, b, tb, ldb, bias, c, k, work);
        GC.KeepAlive(a);
        GC.KeepAlive(b);
        GC.KeepAlive(bias);
    }

    private static void Run<T>(NDArray a, bool ta, long lda, NDArray b, bool tb, long ldb, NDArray? bias, NDArray c, int k, ProductWork work)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        GpuDevice device = c.Accelerator!;
        (int m, int n) = (c.Shape[-2], c.Shape[-1]);
        DeviceMatrix? row = bias is null ? null : new DeviceMatrix((DeviceBlock)bias.Storage, bias.Offset, n);
        ReadOnlySpan<int> sizes = c.Shape.Dimensions[..^2];
        Span<long> sa = stackalloc long[sizes.Length], sb = stackalloc long[sizes.Length];
        MatrixProducts.BatchStrides(a, c.Shape, sa);
        MatrixProducts.BatchStrides(b, c.Shape, sb);
        int inner = Inner(sizes, sa, sb, out int run);
        long last = sizes.IsEmpty ? 1 : run, lines = c.Size == 0 ? 0 : c.Size / ((long)m * n * last);
        (long stepA, long stepB) = sizes.IsEmpty ? (0, 0) : (sa[^1], sb[^1]);
        ProductCode<T>? code = work.IsNone ? null : work.Code<T>();
        Span<int> index = stackalloc int[inner];
        index.Clear();
        for (long line = 0; line < lines; line++)
        {
            (long oa, long ob) = (a.Offset, b.Offset);
            for (int i = 0; i < inner; i++)
            {
                oa += index[i] * sa[i];
                ob += index[i] * sb[i];
            }

            DeviceMatrix left = new((DeviceBlock)a.Storage, oa, lda, stepA), right = new((DeviceBlock)b.Storage, ob, ldb, stepB);
            long done = line * last * m * n;
            DeviceMatrix to = new((DeviceBlock)c.Storage, c.Offset + done, n, (long)m * n);
            if (code is null) DeviceGemm.Run<T>(device, ta, tb, m, n, k, left, right, to, last, row);
            else code.Product(device, ta, tb, m, n, k, left, right, to, last, row, work.Bind(done, last * m * n, to.Block));
            for (int i = inner - 1; i >= 0 && ++index[i] == sizes[i]; i--) index[i] = 0;
        }
    }

    // The last axes that one stride steps through become one run; so many axes are left before it.
    private static int Inner(ReadOnlySpan<int> sizes, ReadOnlySpan<long> sa, ReadOnlySpan<long> sb, out int run)
    {
        run = sizes.IsEmpty ? 1 : sizes[^1];
        int axis = sizes.Length - 1;
        while (axis > 0 && (sizes[axis - 1] == 1 || (sa[axis - 1] == sa[^1] * run && sb[axis - 1] == sb[^1] * run))) run *= sizes[--axis];
        return Math.Max(0, axis);
    }
}
