using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>
/// What a compiled kernel calls besides the vector intrinsics: loads, stores and the operand table. Public only so that kernels printed as C#
/// compile anywhere; not meant to be called by hand. Pointers are not checked.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class KernelMemory
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The pointer of operand <paramref name="index"/> in an operand table.</summary>
    [MethodImpl(Inline)]
    public static nint Pointer(nint table, int index) => ((nint*)table)[index];

    /// <summary>The number at position <paramref name="index"/> of an operand table.</summary>
    [MethodImpl(Inline)]
    public static long Number(nint table, int index) => ((long*)table)[index];

    /// <summary>The address so many bytes behind another.</summary>
    [MethodImpl(Inline)]
    public static nint Offset(nint address, long bytes) => address + (nint)bytes;

    /// <summary>Asks for the memory at an address, which may be any, into the second-level cache.</summary>
    [MethodImpl(Inline)]
    public static void Fetch(nint address, long bytes)
    {
        if (Sse.IsSupported) Sse.Prefetch1((void*)(address + (nint)bytes));
    }

    /// <summary>Asks for the memory at an address, which may be any, into the first-level cache.</summary>
    [MethodImpl(Inline)]
    public static void FetchNear(nint address, long bytes) => RowAhead.Fetch((void*)(address + (nint)bytes));

    /// <summary>Loads a register from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> Load128<T>(nint source, long i) where T : unmanaged => Vector128.Load((T*)source + i);

    /// <summary>Stores a register from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void Store128<T>(Vector128<T> value, nint destination, long i) where T : unmanaged => value.Store((T*)destination + i);

    /// <summary>Stores the elements whose mask is set, from element <paramref name="i"/> on.</summary>
    public static void StoreMasked128<T>(Vector128<T> value, Vector128<T> mask, nint destination, long i) where T : unmanaged
    {
        for (int k = 0; k < Vector128<T>.Count; k++)
            if (mask.AsByte()[k * sizeof(T)] != 0) ((T*)destination)[i + k] = value[k];
    }

    /// <summary>Stores the first element.</summary>
    [MethodImpl(Inline)]
    public static void StoreFirst128<T>(Vector128<T> value, nint destination) where T : unmanaged => *(T*)destination = value.ToScalar();

    /// <summary>The one element at <paramref name="source"/>, in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> Broadcast128<T>(nint source) where T : unmanaged => Vector128.Create(*(T*)source);

    /// <summary>Loads Bool bytes from element <paramref name="i"/> on: all bits where they are not 0.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> LoadMask128<T>(nint source, long i) where T : unmanaged => Lane128<T>.LoadMask((byte*)source + i).V;

    /// <summary>Stores a mask as Bool bytes, 0 or 1, from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void StoreMask128<T>(Vector128<T> mask, nint destination, long i) where T : unmanaged => Lane128<T>.StoreMask(new() { V = mask }, (byte*)destination + i);

    /// <summary>The one Bool byte at <paramref name="source"/>, as a mask.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> BroadcastMask128<T>(nint source) where T : unmanaged => *(byte*)source != 0 ? Vector128<T>.AllBitsSet : Vector128<T>.Zero;

    /// <summary>Loads patterns of two bytes from element <paramref name="i"/> on, each in the lower half of an element of four.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> LoadHalf128<T>(nint source, long i) where T : unmanaged => HalfPatterns.Extend(*(ulong*)((ushort*)source + i)).As<uint, T>();

    /// <summary>Stores the lower halves of elements of four bytes from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void StoreHalf128<T>(Vector128<T> value, nint destination, long i) where T : unmanaged =>
        *(ulong*)((ushort*)destination + i) = HalfPatterns.Truncate(value.As<T, uint>());

    /// <summary>The one Float16 at <paramref name="source"/>, as a Float32 in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> BroadcastFloat16128<T>(nint source) where T : unmanaged => Vector128.Create((float)*(Half*)source).As<float, T>();

    /// <summary>The one BFloat16 at <paramref name="source"/>, as a Float32 in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> BroadcastBFloat16128<T>(nint source) where T : unmanaged => Vector128.Create((float)*(BFloat16*)source).As<float, T>();

    /// <summary>The exact remainder of a/b rounded towards zero, C# <c>%</c>.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> Remainder128<T>(Vector128<T> a, Vector128<T> b) where T : unmanaged => Lane128<T>.Remainder(new() { V = a }, new() { V = b }).V;

    /// <summary><paramref name="value"/>, but sine (0), cosine (1) or tangent (2) of <paramref name="x"/> where |x| is too <paramref name="large"/> to be reduced in line.</summary>
    [MethodImpl(Inline)]
    public static Vector128<T> LargeAngle128<T>(int function, Vector128<T> x, Vector128<T> value, Vector128<T> large) where T : unmanaged =>
        large.AsByte() == Vector128<byte>.Zero ? value : Lane128<T>.LargeAngleByElement((AngleFunction)function, new() { V = x }, new() { V = value }, new() { V = large }).V;

    /// <summary>The rare case of <see cref="LargeAngle128"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Vector128<T> LargeAngleByElement128<T>(int function, Vector128<T> x, Vector128<T> value, Vector128<T> large) where T : unmanaged =>
        Lane128<T>.LargeAngleByElement((AngleFunction)function, new() { V = x }, new() { V = value }, new() { V = large }).V;

    /// <summary>Loads a register from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> Load256<T>(nint source, long i) where T : unmanaged => Vector256.Load((T*)source + i);

    /// <summary>Stores a register from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void Store256<T>(Vector256<T> value, nint destination, long i) where T : unmanaged => value.Store((T*)destination + i);

    /// <summary>Stores the elements whose mask is set, from element <paramref name="i"/> on.</summary>
    public static void StoreMasked256<T>(Vector256<T> value, Vector256<T> mask, nint destination, long i) where T : unmanaged
    {
        for (int k = 0; k < Vector256<T>.Count; k++)
            if (mask.AsByte()[k * sizeof(T)] != 0) ((T*)destination)[i + k] = value[k];
    }

    /// <summary>Stores the first element.</summary>
    [MethodImpl(Inline)]
    public static void StoreFirst256<T>(Vector256<T> value, nint destination) where T : unmanaged => *(T*)destination = value.ToScalar();

    /// <summary>The one element at <paramref name="source"/>, in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> Broadcast256<T>(nint source) where T : unmanaged => Vector256.Create(*(T*)source);

    /// <summary>Loads Bool bytes from element <paramref name="i"/> on: all bits where they are not 0.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> LoadMask256<T>(nint source, long i) where T : unmanaged => Lane256<T>.LoadMask((byte*)source + i).V;

    /// <summary>Stores a mask as Bool bytes, 0 or 1, from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void StoreMask256<T>(Vector256<T> mask, nint destination, long i) where T : unmanaged => Lane256<T>.StoreMask(new() { V = mask }, (byte*)destination + i);

    /// <summary>The one Bool byte at <paramref name="source"/>, as a mask.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> BroadcastMask256<T>(nint source) where T : unmanaged => *(byte*)source != 0 ? Vector256<T>.AllBitsSet : Vector256<T>.Zero;

    /// <summary>Loads patterns of two bytes from element <paramref name="i"/> on, each in the lower half of an element of four.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> LoadHalf256<T>(nint source, long i) where T : unmanaged => HalfPatterns.Extend(Vector128.Load((ushort*)source + i)).As<uint, T>();

    /// <summary>Stores the lower halves of elements of four bytes from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void StoreHalf256<T>(Vector256<T> value, nint destination, long i) where T : unmanaged =>
        HalfPatterns.Truncate(value.As<T, uint>()).Store((ushort*)destination + i);

    /// <summary>The one Float16 at <paramref name="source"/>, as a Float32 in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> BroadcastFloat16256<T>(nint source) where T : unmanaged => Vector256.Create((float)*(Half*)source).As<float, T>();

    /// <summary>The one BFloat16 at <paramref name="source"/>, as a Float32 in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> BroadcastBFloat16256<T>(nint source) where T : unmanaged => Vector256.Create((float)*(BFloat16*)source).As<float, T>();

    /// <summary>The exact remainder of a/b rounded towards zero, C# <c>%</c>.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> Remainder256<T>(Vector256<T> a, Vector256<T> b) where T : unmanaged => Lane256<T>.Remainder(new() { V = a }, new() { V = b }).V;

    /// <summary><paramref name="value"/>, but sine (0), cosine (1) or tangent (2) of <paramref name="x"/> where |x| is too <paramref name="large"/> to be reduced in line.</summary>
    [MethodImpl(Inline)]
    public static Vector256<T> LargeAngle256<T>(int function, Vector256<T> x, Vector256<T> value, Vector256<T> large) where T : unmanaged =>
        large.AsByte() == Vector256<byte>.Zero ? value : Lane256<T>.LargeAngleByElement((AngleFunction)function, new() { V = x }, new() { V = value }, new() { V = large }).V;

    /// <summary>The rare case of <see cref="LargeAngle256"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Vector256<T> LargeAngleByElement256<T>(int function, Vector256<T> x, Vector256<T> value, Vector256<T> large) where T : unmanaged =>
        Lane256<T>.LargeAngleByElement((AngleFunction)function, new() { V = x }, new() { V = value }, new() { V = large }).V;

    /// <summary>Loads a register from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> Load512<T>(nint source, long i) where T : unmanaged => Vector512.Load((T*)source + i);

    /// <summary>Stores a register from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void Store512<T>(Vector512<T> value, nint destination, long i) where T : unmanaged => value.Store((T*)destination + i);

    /// <summary>Stores a register from element <paramref name="i"/> on, where a line begins, past the caches.</summary>
    [MethodImpl(Inline)]
    internal static void Stream512<T>(Vector512<T> value, nint destination, long i) where T : unmanaged => value.StoreAlignedNonTemporal((T*)destination + i);

    /// <summary>Stores the elements whose mask is set, from element <paramref name="i"/> on.</summary>
    public static void StoreMasked512<T>(Vector512<T> value, Vector512<T> mask, nint destination, long i) where T : unmanaged
    {
        for (int k = 0; k < Vector512<T>.Count; k++)
            if (mask.AsByte()[k * sizeof(T)] != 0) ((T*)destination)[i + k] = value[k];
    }

    /// <summary>Stores the first element.</summary>
    [MethodImpl(Inline)]
    public static void StoreFirst512<T>(Vector512<T> value, nint destination) where T : unmanaged => *(T*)destination = value.ToScalar();

    /// <summary>The one element at <paramref name="source"/>, in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> Broadcast512<T>(nint source) where T : unmanaged => Vector512.Create(*(T*)source);

    /// <summary>Loads Bool bytes from element <paramref name="i"/> on: all bits where they are not 0.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> LoadMask512<T>(nint source, long i) where T : unmanaged => Lane512<T>.LoadMask((byte*)source + i).V;

    /// <summary>Stores a mask as Bool bytes, 0 or 1, from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void StoreMask512<T>(Vector512<T> mask, nint destination, long i) where T : unmanaged => Lane512<T>.StoreMask(new() { V = mask }, (byte*)destination + i);

    /// <summary>The one Bool byte at <paramref name="source"/>, as a mask.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> BroadcastMask512<T>(nint source) where T : unmanaged => *(byte*)source != 0 ? Vector512<T>.AllBitsSet : Vector512<T>.Zero;

    /// <summary>Loads patterns of two bytes from element <paramref name="i"/> on, each in the lower half of an element of four.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> LoadHalf512<T>(nint source, long i) where T : unmanaged => HalfPatterns.Extend(Vector256.Load((ushort*)source + i)).As<uint, T>();

    /// <summary>Stores the lower halves of elements of four bytes from element <paramref name="i"/> on.</summary>
    [MethodImpl(Inline)]
    public static void StoreHalf512<T>(Vector512<T> value, nint destination, long i) where T : unmanaged =>
        HalfPatterns.Truncate(value.As<T, uint>()).Store((ushort*)destination + i);

    /// <summary>The one Float16 at <paramref name="source"/>, as a Float32 in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> BroadcastFloat16512<T>(nint source) where T : unmanaged => Vector512.Create((float)*(Half*)source).As<float, T>();

    /// <summary>The one BFloat16 at <paramref name="source"/>, as a Float32 in every element of a register.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> BroadcastBFloat16512<T>(nint source) where T : unmanaged => Vector512.Create((float)*(BFloat16*)source).As<float, T>();

    /// <summary>The exact remainder of a/b rounded towards zero, C# <c>%</c>.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> Remainder512<T>(Vector512<T> a, Vector512<T> b) where T : unmanaged => Lane512<T>.Remainder(new() { V = a }, new() { V = b }).V;

    /// <summary><paramref name="value"/>, but sine (0), cosine (1) or tangent (2) of <paramref name="x"/> where |x| is too <paramref name="large"/> to be reduced in line.</summary>
    [MethodImpl(Inline)]
    public static Vector512<T> LargeAngle512<T>(int function, Vector512<T> x, Vector512<T> value, Vector512<T> large) where T : unmanaged =>
        large.AsByte() == Vector512<byte>.Zero ? value : Lane512<T>.LargeAngleByElement((AngleFunction)function, new() { V = x }, new() { V = value }, new() { V = large }).V;

    /// <summary>The rare case of <see cref="LargeAngle512"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Vector512<T> LargeAngleByElement512<T>(int function, Vector512<T> x, Vector512<T> value, Vector512<T> large) where T : unmanaged =>
        Lane512<T>.LargeAngleByElement((AngleFunction)function, new() { V = x }, new() { V = value }, new() { V = large }).V;
}
