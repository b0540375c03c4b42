using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// Packs rows whose k is contiguous into panels whose rows lie side by side: destination[k·stride + r] = source[r·sourceStride + k]. Square blocks are
/// transposed in registers. Columns from <c>rows</c> up to the next whole block hold copies of the last row, which no result uses; the stride has room for them.
/// </summary>
internal static unsafe class TransposePacker
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Portable<T>(T* source, nint sourceStride, nint rows, nint depth, T* destination, nint stride)
        where T : unmanaged
    {
        for (nint r = 0; r < rows; r++)
        {
            T* s = source + r * sourceStride, d = destination + r;
            for (nint k = 0; k < depth; k++) d[k * stride] = s[k];
        }
    }

    /// <summary>Blocks of 16 × 16.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Float512(float* source, nint sourceStride, nint rows, nint depth, float* destination, nint stride)
    {
        float** row = stackalloc float*[16];
        float* rest = stackalloc float[256];
        for (nint r = 0; r < rows; r += 16)
        {
            for (nint i = 0; i < 16; i++) row[i] = source + Math.Min(r + i, rows - 1) * sourceStride;
            nint k = 0;
            for (; k + 16 <= depth; k += 16) Block16(row, k, destination + k * stride + r, stride);
            if (k == depth) continue;
            Block16(row, k, rest, 16);
            for (nint i = 0; k < depth; k++, i++) Vector512.Store(Vector512.Load(rest + i * 16), destination + k * stride + r);
        }
    }

    /// <summary>Blocks of 8 × 8.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Float256(float* source, nint sourceStride, nint rows, nint depth, float* destination, nint stride)
    {
        float** row = stackalloc float*[8];
        float* rest = stackalloc float[64];
        for (nint r = 0; r < rows; r += 8)
        {
            for (nint i = 0; i < 8; i++) row[i] = source + Math.Min(r + i, rows - 1) * sourceStride;
            nint k = 0;
            for (; k + 8 <= depth; k += 8) Block8(row, k, destination + k * stride + r, stride);
            if (k == depth) continue;
            Block8(row, k, rest, 8);
            for (nint i = 0; k < depth; k++, i++) Vector256.Store(Vector256.Load(rest + i * 8), destination + k * stride + r);
        }
    }

    /// <summary>Blocks of 4 × 4: four floats, or doubles with AVX2, in a register.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fours<T>(T* source, nint sourceStride, nint rows, nint depth, T* destination, nint stride)
        where T : unmanaged
    {
        T* rest = stackalloc T[16];
        for (nint r = 0; r < rows; r += 4)
        {
            T* a = source + r * sourceStride, b = source + Math.Min(r + 1, rows - 1) * sourceStride;
            T* c = source + Math.Min(r + 2, rows - 1) * sourceStride, d = source + Math.Min(r + 3, rows - 1) * sourceStride;
            nint k = 0;
            for (; k + 4 <= depth; k += 4) Block4(a + k, b + k, c + k, d + k, destination + k * stride + r, stride);
            if (k == depth) continue;
            Block4(a + k, b + k, c + k, d + k, rest, 4);
            for (nint i = 0; k < depth; k++, i++) Unsafe.CopyBlockUnaligned(destination + k * stride + r, rest + i * 4, (uint)(4 * sizeof(T)));
        }
    }

    /// <summary>Blocks of 8 × 8.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Double512(double* source, nint sourceStride, nint rows, nint depth, double* destination, nint stride)
    {
        double** row = stackalloc double*[8];
        double* rest = stackalloc double[64];
        for (nint r = 0; r < rows; r += 8)
        {
            for (nint i = 0; i < 8; i++) row[i] = source + Math.Min(r + i, rows - 1) * sourceStride;
            nint k = 0;
            for (; k + 8 <= depth; k += 8) Block8(row, k, destination + k * stride + r, stride);
            if (k == depth) continue;
            Block8(row, k, rest, 8);
            for (nint i = 0; k < depth; k++, i++) Vector512.Store(Vector512.Load(rest + i * 8), destination + k * stride + r);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block16(float** row, nint k, float* d, nint stride)
    {
        var r0 = Vector512.Load(row[0] + k);
        var r1 = Vector512.Load(row[1] + k);
        var r2 = Vector512.Load(row[2] + k);
        var r3 = Vector512.Load(row[3] + k);
        var r4 = Vector512.Load(row[4] + k);
        var r5 = Vector512.Load(row[5] + k);
        var r6 = Vector512.Load(row[6] + k);
        var r7 = Vector512.Load(row[7] + k);
        var r8 = Vector512.Load(row[8] + k);
        var r9 = Vector512.Load(row[9] + k);
        var r10 = Vector512.Load(row[10] + k);
        var r11 = Vector512.Load(row[11] + k);
        var r12 = Vector512.Load(row[12] + k);
        var r13 = Vector512.Load(row[13] + k);
        var r14 = Vector512.Load(row[14] + k);
        var r15 = Vector512.Load(row[15] + k);

        // 4 × 4 elements inside the 128-bit lanes, then 4 × 4 such lanes: register i of the groups of four becomes columns i, i + 4, i + 8, i + 12.
        Quads(ref r0, ref r1, ref r2, ref r3);
        Quads(ref r4, ref r5, ref r6, ref r7);
        Quads(ref r8, ref r9, ref r10, ref r11);
        Quads(ref r12, ref r13, ref r14, ref r15);
        Lanes(ref r0, ref r4, ref r8, ref r12);
        Lanes(ref r1, ref r5, ref r9, ref r13);
        Lanes(ref r2, ref r6, ref r10, ref r14);
        Lanes(ref r3, ref r7, ref r11, ref r15);
        Vector512.Store(r0, d);
        Vector512.Store(r1, d += stride);
        Vector512.Store(r2, d += stride);
        Vector512.Store(r3, d += stride);
        Vector512.Store(r4, d += stride);
        Vector512.Store(r5, d += stride);
        Vector512.Store(r6, d += stride);
        Vector512.Store(r7, d += stride);
        Vector512.Store(r8, d += stride);
        Vector512.Store(r9, d += stride);
        Vector512.Store(r10, d += stride);
        Vector512.Store(r11, d += stride);
        Vector512.Store(r12, d += stride);
        Vector512.Store(r13, d += stride);
        Vector512.Store(r14, d += stride);
        Vector512.Store(r15, d + stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads(ref Vector512<float> a, ref Vector512<float> b, ref Vector512<float> c, ref Vector512<float> d)
    {
        var ab0 = Avx512F.UnpackLow(a, b).AsDouble();
        var ab1 = Avx512F.UnpackHigh(a, b).AsDouble();
        var cd0 = Avx512F.UnpackLow(c, d).AsDouble();
        var cd1 = Avx512F.UnpackHigh(c, d).AsDouble();
        a = Avx512F.UnpackLow(ab0, cd0).AsSingle();
        b = Avx512F.UnpackHigh(ab0, cd0).AsSingle();
        c = Avx512F.UnpackLow(ab1, cd1).AsSingle();
        d = Avx512F.UnpackHigh(ab1, cd1).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(ref Vector512<float> a, ref Vector512<float> b, ref Vector512<float> c, ref Vector512<float> d)
    {
        var ab0 = Avx512F.Shuffle4x128(a, b, 0x44);
        var ab1 = Avx512F.Shuffle4x128(a, b, 0xEE);
        var cd0 = Avx512F.Shuffle4x128(c, d, 0x44);
        var cd1 = Avx512F.Shuffle4x128(c, d, 0xEE);
        a = Avx512F.Shuffle4x128(ab0, cd0, 0x88);
        b = Avx512F.Shuffle4x128(ab0, cd0, 0xDD);
        c = Avx512F.Shuffle4x128(ab1, cd1, 0x88);
        d = Avx512F.Shuffle4x128(ab1, cd1, 0xDD);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block8(double** row, nint k, double* d, nint stride)
    {
        Vector512<double> r0 = Vector512.Load(row[0] + k), r1 = Vector512.Load(row[1] + k), r2 = Vector512.Load(row[2] + k), r3 = Vector512.Load(row[3] + k);
        Vector512<double> r4 = Vector512.Load(row[4] + k), r5 = Vector512.Load(row[5] + k), r6 = Vector512.Load(row[6] + k), r7 = Vector512.Load(row[7] + k);
        var a0 = Avx512F.UnpackLow(r0, r1).AsSingle();
        var a1 = Avx512F.UnpackHigh(r0, r1).AsSingle();
        var b0 = Avx512F.UnpackLow(r2, r3).AsSingle();
        var b1 = Avx512F.UnpackHigh(r2, r3).AsSingle();
        var c0 = Avx512F.UnpackLow(r4, r5).AsSingle();
        var c1 = Avx512F.UnpackHigh(r4, r5).AsSingle();
        var d0 = Avx512F.UnpackLow(r6, r7).AsSingle();
        var d1 = Avx512F.UnpackHigh(r6, r7).AsSingle();
        Lanes(ref a0, ref b0, ref c0, ref d0);
        Lanes(ref a1, ref b1, ref c1, ref d1);
        Vector512.Store(a0.AsDouble(), d);
        Vector512.Store(a1.AsDouble(), d += stride);
        Vector512.Store(b0.AsDouble(), d += stride);
        Vector512.Store(b1.AsDouble(), d += stride);
        Vector512.Store(c0.AsDouble(), d += stride);
        Vector512.Store(c1.AsDouble(), d += stride);
        Vector512.Store(d0.AsDouble(), d += stride);
        Vector512.Store(d1.AsDouble(), d + stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block4<T>(T* a, T* b, T* c, T* d, T* destination, nint stride)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float)) Block4((float*)a, (float*)b, (float*)c, (float*)d, (float*)destination, stride);
        else Block4((double*)a, (double*)b, (double*)c, (double*)d, (double*)destination, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block4(float* a, float* b, float* c, float* d, float* destination, nint stride)
    {
        Vector128<float> ra = Vector128.Load(a), rb = Vector128.Load(b), rc = Vector128.Load(c), rd = Vector128.Load(d);
        Vector128<double> ab0 = Low(ra, rb).AsDouble(), ab1 = High(ra, rb).AsDouble(), cd0 = Low(rc, rd).AsDouble(), cd1 = High(rc, rd).AsDouble();
        Vector128.Store(Low(ab0, cd0).AsSingle(), destination);
        Vector128.Store(High(ab0, cd0).AsSingle(), destination + stride);
        Vector128.Store(Low(ab1, cd1).AsSingle(), destination + 2 * stride);
        Vector128.Store(High(ab1, cd1).AsSingle(), destination + 3 * stride);
    }

    /// <summary>a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> a, Vector128<float> b) => Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> a, Vector128<float> b) => Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> Low(Vector128<double> a, Vector128<double> b) => Sse2.IsSupported ? Sse2.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> High(Vector128<double> a, Vector128<double> b) => Sse2.IsSupported ? Sse2.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block4(double* a, double* b, double* c, double* d, double* destination, nint stride)
    {
        Vector256<double> ra = Vector256.Load(a), rb = Vector256.Load(b), rc = Vector256.Load(c), rd = Vector256.Load(d);
        Vector256<double> ab0 = Avx.UnpackLow(ra, rb), ab1 = Avx.UnpackHigh(ra, rb), cd0 = Avx.UnpackLow(rc, rd), cd1 = Avx.UnpackHigh(rc, rd);
        Vector256.Store(Avx.Permute2x128(ab0, cd0, 0x20), destination);
        Vector256.Store(Avx.Permute2x128(ab1, cd1, 0x20), destination + stride);
        Vector256.Store(Avx.Permute2x128(ab0, cd0, 0x31), destination + 2 * stride);
        Vector256.Store(Avx.Permute2x128(ab1, cd1, 0x31), destination + 3 * stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block8(float** row, nint k, float* d, nint stride)
    {
        Vector256<float> r0 = Vector256.Load(row[0] + k), r1 = Vector256.Load(row[1] + k), r2 = Vector256.Load(row[2] + k), r3 = Vector256.Load(row[3] + k);
        Vector256<float> r4 = Vector256.Load(row[4] + k), r5 = Vector256.Load(row[5] + k), r6 = Vector256.Load(row[6] + k), r7 = Vector256.Load(row[7] + k);
        Quads(ref r0, ref r1, ref r2, ref r3);
        Quads(ref r4, ref r5, ref r6, ref r7);
        Vector256.Store(Avx.Permute2x128(r0, r4, 0x20), d);
        Vector256.Store(Avx.Permute2x128(r1, r5, 0x20), d += stride);
        Vector256.Store(Avx.Permute2x128(r2, r6, 0x20), d += stride);
        Vector256.Store(Avx.Permute2x128(r3, r7, 0x20), d += stride);
        Vector256.Store(Avx.Permute2x128(r0, r4, 0x31), d += stride);
        Vector256.Store(Avx.Permute2x128(r1, r5, 0x31), d += stride);
        Vector256.Store(Avx.Permute2x128(r2, r6, 0x31), d += stride);
        Vector256.Store(Avx.Permute2x128(r3, r7, 0x31), d + stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads(ref Vector256<float> a, ref Vector256<float> b, ref Vector256<float> c, ref Vector256<float> d)
    {
        var ab0 = Avx.UnpackLow(a, b).AsDouble();
        var ab1 = Avx.UnpackHigh(a, b).AsDouble();
        var cd0 = Avx.UnpackLow(c, d).AsDouble();
        var cd1 = Avx.UnpackHigh(c, d).AsDouble();
        a = Avx.UnpackLow(ab0, cd0).AsSingle();
        b = Avx.UnpackHigh(ab0, cd0).AsSingle();
        c = Avx.UnpackLow(ab1, cd1).AsSingle();
        d = Avx.UnpackHigh(ab1, cd1).AsSingle();
    }
}
