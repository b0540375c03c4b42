using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>Loads and stores of less than a register. Loads read the whole register (blocks are padded), stores write exactly what was asked.</summary>
internal static unsafe class LaneTail
{
    // 64 bytes of ones, then 64 bytes of zeros: read at 64 − bytes it is the mask of the first bytes.
    private static ReadOnlySpan<byte> MaskBytes =>
    [
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>The address behind 64 bytes of ones and before 64 bytes of zeros. In line, for a call would keep every register of the loops around it in memory.</summary>
    public static byte* MaskEnd
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(MaskBytes)) + 64;
    }

    /// <summary>The mask of the first <paramref name="n"/> elements of a register.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Mask<L, T>(long n)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        => L.Load((T*)(MaskEnd - n * sizeof(T)));

    /// <summary>The first element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T First<L, T>(L value)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        if (Unsafe.SizeOf<L>() == 64) return Unsafe.BitCast<L, Vector512<T>>(value).ToScalar();
        return Unsafe.SizeOf<L>() == 32 ? Unsafe.BitCast<L, Vector256<T>>(value).ToScalar() : Unsafe.BitCast<L, Vector128<T>>(value).ToScalar();
    }

    /// <summary>The first <paramref name="n"/> elements (all, when n is a register or more), the rest from <paramref name="padding"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Load<L, T>(T* source, long n, L padding)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
        => n >= L.Count ? L.Load(source) : L.Select(Mask<L, T>(n), L.Load(source), padding);

    /// <summary>Writes the first <paramref name="n"/> elements and nothing else.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<L, T>(L value, T* destination, long n)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        if (n >= L.Count) L.Store(value, destination);
        else if (Avx512F.IsSupported && Unsafe.SizeOf<L>() == 64 && sizeof(T) == 4) StoreMasked((float*)destination, Mask<L, T>(n), value);
        else if (Avx512F.IsSupported && Unsafe.SizeOf<L>() == 64 && sizeof(T) == 8) StoreMasked((double*)destination, Mask<L, T>(n), value);
        else StorePart<L, T>(value, destination, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreMasked<L>(float* destination, L mask, L value)
        where L : struct
        => Avx512F.MaskStore(destination, Unsafe.BitCast<L, Vector512<float>>(mask), Unsafe.BitCast<L, Vector512<float>>(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreMasked<L>(double* destination, L mask, L value)
        where L : struct
        => Avx512F.MaskStore(destination, Unsafe.BitCast<L, Vector512<double>>(mask), Unsafe.BitCast<L, Vector512<double>>(value));

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void StorePart<L, T>(L value, T* destination, long n)
        where L : struct, IVectorLane<L, T>
        where T : unmanaged
    {
        // Two overlapping moves of the largest power of two that fits.
        byte* d = (byte*)destination, s = stackalloc byte[64];
        L.Store(value, (T*)s);
        var bytes = (int)n * sizeof(T);
        if (bytes >= 32) Move<Vector256<byte>>(d, s, bytes - 32);
        else if (bytes >= 16) Move<Vector128<byte>>(d, s, bytes - 16);
        else if (bytes >= 8) Move<long>(d, s, bytes - 8);
        else if (bytes >= 4) Move<int>(d, s, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Move<B>(byte* d, byte* s, int last)
        where B : unmanaged
    {
        var upper = *(B*)(s + last);
        *(B*)d = *(B*)s;
        *(B*)(d + last) = upper;
    }
}
