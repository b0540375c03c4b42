using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// destination[k·stride + r] = source[r·sourceStride + k] for r below <c>rows</c> and k below <c>depth</c>, in square blocks transposed in registers.
/// Reads up to 63 bytes past a source row; writes are exact: the last block of a row is placed to end with it and overlaps the one before.
/// </summary>
internal static unsafe class CopyTranspose
{
    private const long Page = 4096;

    public static void Run<T>(T* source, long sourceStride, long rows, long depth, T* destination, long stride)
        where T : unmanaged
    {
        long block = Block<T>();
        if (rows == 2 && stride == 2 && sizeof(T) <= 4)
        {
            CopyRows.Interleave(source, source + sourceStride, destination, depth);
            return;
        }
        if (block == 0 || rows < block)
        {
            TransposePacker.Portable(source, (nint)sourceStride, (nint)rows, (nint)depth, destination, (nint)stride);
            return;
        }
        if (stride * sizeof(T) % Page == 0)
        {
            Staged(source, sourceStride, rows, depth, destination, stride, block);
            return;
        }
        Exact(source, sourceStride, rows, depth, destination, stride, block);
    }

    private static void Exact<T>(T* source, long sourceStride, long rows, long depth, T* destination, long stride, long block)
        where T : unmanaged
    {
        long whole = rows / block * block;
        Blocks(source, sourceStride, whole, depth, destination, stride);
        if (whole == rows) return;
        long last = rows - block;
        Blocks(source + (last * sourceStride), sourceStride, block, depth, destination + last, stride);
    }

    // Rows whole pages apart share few cache sets: a column of register-wide stores evicts itself. So a tile is transposed in first-level cache and
    // then written row by row, several lines at a time.
    private static void Staged<T>(T* source, long sourceStride, long rows, long depth, T* destination, long stride, long block)
        where T : unmanaged
    {
        long tile = 256 / sizeof(T), pitch = tile + (64 / sizeof(T));
        using var memory = new NativeScratch(depth * pitch * sizeof(T));
        T* stage = (T*)memory.Pointer;
        for (long r = 0; r < rows; r += tile)
        {
            long count = Math.Min(tile, rows - r);
            if (count < block)
            {
                Exact(source + ((rows - block) * sourceStride), sourceStride, block, depth, destination + rows - block, stride, block);
                return;
            }
            Exact(source + (r * sourceStride), sourceStride, count, depth, stage, pitch, block);
            uint bytes = (uint)(count * sizeof(T));
            for (long k = 0; k < depth; k++) Unsafe.CopyBlockUnaligned(destination + (k * stride) + r, stage + (k * pitch), bytes);
        }
    }

    // Elements along the side of a block, 0 where there is no block kernel.
    private static long Block<T>()
        where T : unmanaged
    {
        if (sizeof(T) <= 2) return Sse2.IsSupported || AdvSimd.Arm64.IsSupported ? 16 / sizeof(T) : 0;
        if (sizeof(T) == 4) return Avx512F.IsSupported ? 16 : Avx.IsSupported ? 8 : 0;
        return Avx512F.IsSupported ? 8 : 0;
    }

    private static void Blocks<T>(T* source, long sourceStride, long rows, long depth, T* destination, long stride)
        where T : unmanaged
    {
        nint s = (nint)sourceStride, r = (nint)rows, k = (nint)depth, d = (nint)stride;
        if (sizeof(T) == 1) Bytes((byte*)source, s, r, k, (byte*)destination, d);
        else if (sizeof(T) == 2) Words((ushort*)source, s, r, k, (ushort*)destination, d);
        else if (sizeof(T) == 8) TransposePacker.Double512((double*)source, s, r, k, (double*)destination, d);
        else if (Avx512F.IsSupported) TransposePacker.Float512((float*)source, s, r, k, (float*)destination, d);
        else TransposePacker.Float256((float*)source, s, r, k, (float*)destination, d);
    }

    // 16 × 16 bytes: four rounds that interleave register i with register i + 8, each a perfect shuffle of the 256 bytes.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Bytes(byte* source, nint sourceStride, nint rows, nint depth, byte* destination, nint stride)
    {
        Vector128<byte>* a = stackalloc Vector128<byte>[16];
        Vector128<byte>* b = stackalloc Vector128<byte>[16];
        for (nint r = 0; r < rows; r += 16)
        {
            for (nint k = 0; k < depth; k += 16)
            {
                for (nint i = 0; i < 16; i++) a[i] = Vector128.Load(source + ((r + i) * sourceStride) + k);
                Interleave(a, b);
                Interleave(b, a);
                Interleave(a, b);
                Interleave(b, a);
                nint whole = Math.Min(16, depth - k);
                for (nint i = 0; i < whole; i++) a[i].Store(destination + ((k + i) * stride) + r);
            }
        }
    }

    // 8 × 8 elements of two bytes: three such rounds, of register i with register i + 4.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Words(ushort* source, nint sourceStride, nint rows, nint depth, ushort* destination, nint stride)
    {
        Vector128<ushort>* a = stackalloc Vector128<ushort>[8];
        Vector128<ushort>* b = stackalloc Vector128<ushort>[8];
        for (nint r = 0; r < rows; r += 8)
        {
            for (nint k = 0; k < depth; k += 8)
            {
                for (nint i = 0; i < 8; i++) a[i] = Vector128.Load(source + ((r + i) * sourceStride) + k);
                Interleave(a, b);
                Interleave(b, a);
                Interleave(a, b);
                nint whole = Math.Min(8, depth - k);
                for (nint i = 0; i < whole; i++) b[i].Store(destination + ((k + i) * stride) + r);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector128<ushort>* from, Vector128<ushort>* to)
    {
        for (int i = 0; i < 4; i++)
        {
            to[2 * i] = Sse2.IsSupported ? Sse2.UnpackLow(from[i], from[i + 4]) : AdvSimd.Arm64.ZipLow(from[i], from[i + 4]);
            to[(2 * i) + 1] = Sse2.IsSupported ? Sse2.UnpackHigh(from[i], from[i + 4]) : AdvSimd.Arm64.ZipHigh(from[i], from[i + 4]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector128<byte>* from, Vector128<byte>* to)
    {
        for (int i = 0; i < 8; i++)
        {
            to[2 * i] = Sse2.IsSupported ? Sse2.UnpackLow(from[i], from[i + 8]) : AdvSimd.Arm64.ZipLow(from[i], from[i + 8]);
            to[(2 * i) + 1] = Sse2.IsSupported ? Sse2.UnpackHigh(from[i], from[i + 8]) : AdvSimd.Arm64.ZipHigh(from[i], from[i + 8]);
        }
    }
}
