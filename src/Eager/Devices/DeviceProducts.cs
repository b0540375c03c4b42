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
        Span<BatchAxis> all = stackalloc BatchAxis[c.Rank - 2];
        MatrixProducts.Axes(a, b, c, all);
        ReadOnlySpan<BatchAxis> axes = BatchAxis.Joined(all);
        BatchAxis run = axes.IsEmpty ? new BatchAxis(1, 0, 0, 0) : axes[^1];
        if (!axes.IsEmpty) axes = axes[..^1];
        long lines = c.Size == 0 ? 0 : BatchAxis.Count(axes);
        ProductCode<T>? code = work.IsNone ? null : work.Code<T>();
        for (long line = 0; line < lines; line++)
        {
            (long oa, long ob, _) = BatchAxis.Place(axes, line);
            DeviceMatrix left = new((DeviceBlock)a.Storage, a.Offset + oa, lda, run.A), right = new((DeviceBlock)b.Storage, b.Offset + ob, ldb, run.B);
            long done = line * run.Size * m * n;
            DeviceMatrix to = new((DeviceBlock)c.Storage, c.Offset + done, n, (long)m * n);
            if (code is null) DeviceGemm.Run<T>(device, ta, tb, m, n, k, left, right, to, run.Size, row);
            else code.Product(device, ta, tb, m, n, k, left, right, to, run.Size, row, work.Bind(done, run.Size * m * n, to.Block));
        }
    }
}
