using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Fusion.Kernels;

/// <summary>
/// NVIDIA's library of matrix products, where the machine has it and <c>FUSION_CUBLAS=1</c> asks for it; nothing needs it. It computes in full
/// Float32 and Float64 (no TF32), and the same bits from run to run; the order of its sums is its own, and may depend on how operands lie in memory.
/// </summary>
/// <remarks>The functions and their column-major convention: NVIDIA, cuBLAS Library User's Guide, 2.7.8 <c>cublas&lt;t&gt;gemmStridedBatched</c>.</remarks>
internal sealed unsafe class CuBlas
{
    private const int Untransposed = 0, Transposed = 1; // cublasOperation_t

    private static readonly Lazy<nint> s_library = new(Find);
    private static readonly ConcurrentDictionary<GpuDevice, CuBlas> s_opened = new();

    private readonly nint _handle;
    private readonly delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, long, nint, int, long, float*, nint, int, long, int, int> _single;
    private readonly delegate* unmanaged<nint, int, int, int, int, int, double*, nint, int, long, nint, int, long, double*, nint, int, long, int, int> _double;

    // Of the accelerator that is bound to this thread; it lives as long as the process, as accelerators do.
    private CuBlas(nint library, CudaStream stream)
    {
        var create = (delegate* unmanaged<nint*, int>)NativeLibrary.GetExport(library, "cublasCreate_v2");
        var setStream = (delegate* unmanaged<nint, nint, int>)NativeLibrary.GetExport(library, "cublasSetStream_v2");
        nint handle;
        Check(create(&handle));
        Check(setStream(handle, stream.StreamPtr));
        _handle = handle;
        _single = (delegate* unmanaged<nint, int, int, int, int, int, float*, nint, int, long, nint, int, long, float*, nint, int, long, int, int>)
            NativeLibrary.GetExport(library, "cublasSgemmStridedBatched");
        _double = (delegate* unmanaged<nint, int, int, int, int, int, double*, nint, int, long, nint, int, long, double*, nint, int, long, int, int>)
            NativeLibrary.GetExport(library, "cublasDgemmStridedBatched");
    }

    /// <summary>The library for products of a device, which the caller has entered, or null.</summary>
    public static CuBlas? For(GpuDevice device) => device.Backend == GpuBackend.Cuda && s_library.Value != 0
        ? s_opened.GetOrAdd(device, static one => new CuBlas(s_library.Value, (CudaStream)one.Stream))
        : null;

    /// <summary>Its rows have a stride that the library takes: operands that are broadcast by a stride of 0 do not.</summary>
    public static bool Takes(DeviceMatrix x, int columns) => x.Leading >= Math.Max(1, columns);

    /// <summary>Queues C[i] = op(A[i]) · op(B[i]), without bias and body. The caller has entered the device.</summary>
    public void Run<T, TBody>(in GemmShape<T, TBody> s, ArrayView<T> c, int leading, long stride)
        where T : unmanaged, INumber<T>
        where TBody : struct, IProductBody<T>
    {
        // Rows are columns to the library: it computes the transpose of C, which is op(B)ᵀ · op(A)ᵀ.
        nint a = Address(s.View(s.A, s.SizeA.Rows, s.SizeA.Columns)), b = Address(s.View(s.B, s.SizeB.Rows, s.SizeB.Columns)), to = Address(c);
        int ofA = s.TransA ? Transposed : Untransposed, ofB = s.TransB ? Transposed : Untransposed, lda = (int)s.A.Leading, ldb = (int)s.B.Leading;
        if (typeof(T) == typeof(float))
        {
            float one = 1, zero = 0;
            Check(_single(_handle, ofB, ofA, s.N, s.M, s.K, &one, b, ldb, s.B.Stride, a, lda, s.A.Stride, &zero, to, leading, stride, s.Batch));
        }
        else
        {
            double one = 1, zero = 0;
            Check(_double(_handle, ofB, ofA, s.N, s.M, s.K, &one, b, ldb, s.B.Stride, a, lda, s.A.Stride, &zero, to, leading, stride, s.Batch));
        }
    }

    private static nint Address<T>(ArrayView<T> view) where T : unmanaged => view.LoadEffectiveAddressAsPtr();

    private static void Check(int status)
    {
        if (status != 0) throw new DeviceException($"cuBLAS refused a matrix product with status {status}. Run without FUSION_CUBLAS=1.");
    }

    private static nint Find()
    {
        if (Environment.GetEnvironmentVariable("FUSION_CUBLAS") != "1") return 0;
        foreach (int version in (ReadOnlySpan<int>)[13, 12, 11])
        {
            string name = OperatingSystem.IsWindows() ? $"cublas64_{version}.dll" : $"libcublas.so.{version}";
            if (NativeLibrary.TryLoad(name, out nint library)) return library;
        }

        return 0;
    }
}
