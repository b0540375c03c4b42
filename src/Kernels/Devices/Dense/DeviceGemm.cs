using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace Fusion.Kernels;

/// <summary>
/// Matrix products of Float32 and Float64 in the memory of a device. The order of operations of an element depends on the sizes only, so results are the
/// same from run to run; it is not that of <see cref="Gemm"/>, and where the device contracts a · b + c, it is rounded once.
/// </summary>
/// <remarks>
/// Which kernel runs:
/// <list type="bullet">
/// <item>groups of fewer than 256 threads, or at most 1024 elements a matrix and at most 64 deep: <see cref="ElementKernels.Product{T, TTarget}"/>;</item>
/// <item>at most 8 rows or columns: <see cref="ThinKernels"/> from a depth of 32 on, else <see cref="ElementKernels.Product{T, TTarget}"/>;</item>
/// <item>the rest: <see cref="TileKernels"/>, see <see cref="GemmTiles{T, TBody}"/>; with <c>FUSION_CUBLAS=1</c> on a machine that has it
/// <see cref="CuBlas"/>, and the bias and the work on the elements are a launch after it.</item>
/// </list>
/// </remarks>
internal static class DeviceGemm
{
    private const int MaxThin = 8;
    private const int MinThinDepth = 32;
    private const int MaxElements = 1024;
    private const int MaxElementDepth = 64;

    /// <summary>
    /// Queues C[i] = op(A[i]) · op(B[i]) + bias for all i of a batch. C overlaps neither A nor B.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="device">Where the operands are.</param>
    /// <param name="transA">Every A is stored k × m.</param>
    /// <param name="transB">Every B is stored n × k.</param>
    /// <param name="m">Rows of each C.</param>
    /// <param name="n">Columns of each C.</param>
    /// <param name="k">The inner dimension; where it is 0 the product is 0.</param>
    /// <param name="a">The left operands.</param>
    /// <param name="b">The right operands.</param>
    /// <param name="c">The results.</param>
    /// <param name="batch">How many products.</param>
    /// <param name="bias">n values added to every row of every product, or null.</param>
    public static void Run<T>(
        GpuDevice device, bool transA, bool transB, long m, long n, long k, DeviceMatrix a, DeviceMatrix b, DeviceMatrix c, long batch = 1,
        DeviceMatrix? bias = null)
        where T : unmanaged, INumber<T> => Run<T, NoBody<T>>(device, transA, transB, m, n, k, a, b, c, batch, bias, default);

    /// <summary>As above, with work on the elements where they are finished.</summary>
    public static void Run<T, TBody>(
        GpuDevice device, bool transA, bool transB, long m, long n, long k, DeviceMatrix a, DeviceMatrix b, DeviceMatrix c, long batch, DeviceMatrix? bias, TBody body)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        if (m == 0 || n == 0 || batch == 0) return;
        var shape = new GemmShape<T, TBody>
        {
            M = DeviceGrid.Index(m),
            N = DeviceGrid.Index(n),
            K = DeviceGrid.Index(k),
            Batch = DeviceGrid.Index(batch),
            TransA = transA,
            TransB = transB,
            // Nothing is read of operands without elements, but their views must lie somewhere.
            A = k == 0 ? c : a,
            B = k == 0 ? c : b,
            C = c,
            Bias = bias,
            Body = body,
        };
        using (device.Enter())
        {
            if (k == 0 || IsSmall(device, shape)) Elements(device, shape);
            else if (Math.Min(m, n) <= MaxThin) ThinLaunch<T, TBody>.Run(device, shape);
            else if (CuBlas.For(device) is { } blas && CuBlas.Takes(a, shape.SizeA.Columns) && CuBlas.Takes(b, shape.SizeB.Columns)) Vendor(device, blas, shape);
            else GemmTiles<T, TBody>.Run(device, shape);
        }

        GC.KeepAlive(a.Block);
        GC.KeepAlive(b.Block);
        GC.KeepAlive(c.Block);
        GC.KeepAlive(bias?.Block);
    }

    private static void Vendor<T, TBody>(GpuDevice device, CuBlas blas, in GemmShape<T, TBody> s)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        device.LaunchCount++;
        if (typeof(TBody) == typeof(NoBody<T>) && s.Bias is null && CuBlas.Takes(s.C, s.N))
        {
            blas.Run(s, s.View(s.C, s.M, s.N), (int)s.C.Leading, s.C.Stride);
            return;
        }

        int size = checked(s.M * s.N);
        var product = new DeviceBlock(device, (long)s.Batch * size * Unsafe.SizeOf<T>());
        ArrayView<T> elements = product.View<T>(0, checked(s.Batch * size));
        blas.Run(s, elements, s.N, size);
        GemmPieces<T>.Add(device, elements, s.Target(false), s.Batch, 1, s.M, s.N);
        product.Release(); // reused in the order of the stream
    }

    private static bool IsSmall<T, TBody>(GpuDevice device, in GemmShape<T, TBody> s)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T> =>
        DeviceGrid.GroupSize(device) < TileKernels.Threads
        || (s.K <= MaxElementDepth && (long)s.M * s.N <= MaxElements)
        || (s.K < MinThinDepth && Math.Min(s.M, s.N) <= MaxThin);

    private static void Elements<T, TBody>(GpuDevice device, in GemmShape<T, TBody> s)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        var kernel = device.Kernel(ProductKernel<T, TBody>.Key, ProductKernel<T, TBody>.Load);
        int count = s.Batch * s.M * s.N;
        StridedElements<T> a = s.K == 0 ? default : s.RowsOfA, b = s.K == 0 ? default : s.ColumnsOfB;
        kernel(device.Stream, DeviceGrid.For(device, count), a, b, s.Target(false), s.M, s.N, s.K, count);
        device.LaunchCount++;
    }

    private static class ProductKernel<T, TBody>
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        public static readonly object Key = new();

        public static Action<AcceleratorStream, KernelConfig, StridedElements<T>, StridedElements<T>, StridedTarget<T, TBody>, int, int, int, int> Load(
            Accelerator accelerator) =>
            accelerator.LoadKernel<StridedElements<T>, StridedElements<T>, StridedTarget<T, TBody>, int, int, int, int>(
                ElementKernels.Product<T, StridedTarget<T, TBody>>);
    }
}
