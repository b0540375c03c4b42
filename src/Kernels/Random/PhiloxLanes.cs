using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// A register of 64-bit elements whose low halves hold 32-bit words. The high halves are undefined: widening products ignore them, and they are
/// cut off when the words are stored. So a round of the generator needs no shuffles.
/// </summary>
internal unsafe interface IPhiloxLane<V>
    where V : struct, IPhiloxLane<V>
{
    /// <summary>Elements in one register.</summary>
    static abstract int Count { get; }

    static abstract V Broadcast(ulong value);

    /// <summary>first, first + 2, first + 4, …</summary>
    static abstract V EverySecond(ulong first);

    /// <summary>The 64-bit products of the low halves.</summary>
    static abstract V Multiply(V a, V b);

    /// <summary>The high halves, moved to the low ones.</summary>
    static abstract V High(V a);

    /// <summary>a ⊕ (b ⊕ c): b and c are known first.</summary>
    static abstract V Xor(V a, V b, V c);

    /// <summary>Writes the low halves, alternating: even[0], odd[0], even[1], odd[1], …</summary>
    static abstract void Store(V even, V odd, uint* destination);
}

internal readonly unsafe struct PhiloxLane512(Vector512<ulong> v) : IPhiloxLane<PhiloxLane512>
{
    private readonly Vector512<ulong> _v = v;

    public static int Count => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane512 Broadcast(ulong value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane512 EverySecond(ulong first) => new(Vector512.Create(first) + Vector512.Create(0UL, 2, 4, 6, 8, 10, 12, 14));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane512 Multiply(PhiloxLane512 a, PhiloxLane512 b) =>
        Avx512F.IsSupported
            ? new(Avx512F.Multiply(a._v.AsUInt32(), b._v.AsUInt32()))
            : new((a._v & Vector512.Create(0xFFFF_FFFFUL)) * (b._v & Vector512.Create(0xFFFF_FFFFUL)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane512 High(PhiloxLane512 a) => new(a._v >>> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane512 Xor(PhiloxLane512 a, PhiloxLane512 b, PhiloxLane512 c) =>
        Avx512F.IsSupported ? new(Avx512F.TernaryLogic(a._v, b._v, c._v, 0x96)) : new(a._v ^ (b._v ^ c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(PhiloxLane512 even, PhiloxLane512 odd, uint* destination) =>
        ((even._v & Vector512.Create(0xFFFF_FFFFUL)) | (odd._v << 32)).AsUInt32().Store(destination);
}

internal readonly unsafe struct PhiloxLane256(Vector256<ulong> v) : IPhiloxLane<PhiloxLane256>
{
    private readonly Vector256<ulong> _v = v;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane256 Broadcast(ulong value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane256 EverySecond(ulong first) => new(Vector256.Create(first) + Vector256.Create(0UL, 2, 4, 6));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane256 Multiply(PhiloxLane256 a, PhiloxLane256 b) =>
        Avx2.IsSupported
            ? new(Avx2.Multiply(a._v.AsUInt32(), b._v.AsUInt32()))
            : new((a._v & Vector256.Create(0xFFFF_FFFFUL)) * (b._v & Vector256.Create(0xFFFF_FFFFUL)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane256 High(PhiloxLane256 a) => new(a._v >>> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane256 Xor(PhiloxLane256 a, PhiloxLane256 b, PhiloxLane256 c) =>
        Avx512F.VL.IsSupported ? new(Avx512F.VL.TernaryLogic(a._v, b._v, c._v, 0x96)) : new(a._v ^ (b._v ^ c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(PhiloxLane256 even, PhiloxLane256 odd, uint* destination) =>
        ((even._v & Vector256.Create(0xFFFF_FFFFUL)) | (odd._v << 32)).AsUInt32().Store(destination);
}

internal readonly unsafe struct PhiloxLane128(Vector128<ulong> v) : IPhiloxLane<PhiloxLane128>
{
    private readonly Vector128<ulong> _v = v;

    public static int Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane128 Broadcast(ulong value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane128 EverySecond(ulong first) => new(Vector128.Create(first, first + 2));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane128 Multiply(PhiloxLane128 a, PhiloxLane128 b) =>
        Sse2.IsSupported
            ? new(Sse2.Multiply(a._v.AsUInt32(), b._v.AsUInt32()))
            : new((a._v & Vector128.Create(0xFFFF_FFFFUL)) * (b._v & Vector128.Create(0xFFFF_FFFFUL)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane128 High(PhiloxLane128 a) => new(a._v >>> 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxLane128 Xor(PhiloxLane128 a, PhiloxLane128 b, PhiloxLane128 c) =>
        Avx512F.VL.IsSupported ? new(Avx512F.VL.TernaryLogic(a._v, b._v, c._v, 0x96)) : new(a._v ^ (b._v ^ c._v));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(PhiloxLane128 even, PhiloxLane128 odd, uint* destination) =>
        ((even._v & Vector128.Create(0xFFFF_FFFFUL)) | (odd._v << 32)).AsUInt32().Store(destination);
}
