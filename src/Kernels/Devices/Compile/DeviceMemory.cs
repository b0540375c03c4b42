using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Util;

namespace Fusion.Kernels;

/// <summary>Four elements that are moved together: 16 bytes are one instruction.</summary>
internal struct Quad<T> where T : unmanaged
{
    public T X, Y, Z, W;
}

/// <summary>Loads, stores and indices of device kernels.</summary>
internal static class DeviceMemory
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The number of this thread in the grid.</summary>
    [MethodImpl(Inline)]
    public static int Thread() => (Grid.IdxX * Group.DimX) + Group.IdxX;

    /// <summary>Threads in the grid.</summary>
    [MethodImpl(Inline)]
    public static int Threads() => Grid.DimX * Group.DimX;

    /// <summary>The number of this thread among those of so many groups before its own, and its own.</summary>
    [MethodImpl(Inline)]
    public static int ThreadAfter(int groups) => (groups * Group.DimX) + Group.IdxX;

    /// <summary>Threads in so many groups.</summary>
    [MethodImpl(Inline)]
    public static int ThreadsOf(int groups) => groups * Group.DimX;

    /// <summary>i &lt; n; an index that passed 2³¹ is not.</summary>
    [MethodImpl(Inline)]
    public static bool IsBelow(int i, int n) => (uint)i < (uint)n;

    /// <summary>i / divisor for 0 ≤ i &lt; 2³¹, given the multiplier of <see cref="DeviceDivisor"/> and its shift less 32.</summary>
    [MethodImpl(Inline)]
    public static int Quotient(int i, int multiplier, int shift) => (int)(DeviceMath.MultiplyHigh((uint)i, (uint)multiplier) >> shift);

    [MethodImpl(Inline)]
    public static T Load<T>(ArrayView<T> source, int i) where T : unmanaged => source[i];

    [MethodImpl(Inline)]
    public static void Store<T>(ArrayView<T> target, int i, T value) where T : unmanaged => target[i] = value;

    [MethodImpl(Inline)]
    public static int LoadByte(ArrayView<byte> source, int i) => source[i];

    [MethodImpl(Inline)]
    public static void StoreByte(ArrayView<byte> target, int i, int value) => target[i] = (byte)value;

    [MethodImpl(Inline)]
    public static bool LoadMask(ArrayView<byte> source, int i) => source[i] != 0;

    [MethodImpl(Inline)]
    public static void StoreMask(ArrayView<byte> target, int i, bool value) => target[i] = (byte)Utilities.Select(value, 1, 0);

    /// <summary>A mask that came as an argument.</summary>
    [MethodImpl(Inline)]
    public static bool IsSet(int mask) => mask != 0;

    /// <summary>Elements 4i to 4i + 3.</summary>
    [MethodImpl(Inline)]
    public static Quad<T> LoadQuad<T>(ArrayView<T> source, int i) where T : unmanaged => source.Cast<Quad<T>>()[i];

    [MethodImpl(Inline)]
    public static void StoreQuad<T>(ArrayView<T> target, int i, T x, T y, T z, T w) where T : unmanaged =>
        target.Cast<Quad<T>>()[i] = new Quad<T> { X = x, Y = y, Z = z, W = w };

    /// <summary>Bytes 4i to 4i + 3 in one number.</summary>
    [MethodImpl(Inline)]
    public static int LoadBytes(ArrayView<byte> source, int i) => source.Cast<int>()[i];

    /// <summary>Byte <paramref name="k"/> of four.</summary>
    [MethodImpl(Inline)]
    public static int ByteOf(int bytes, int k) => (bytes >> (8 * k)) & 255;

    [MethodImpl(Inline)]
    public static bool MaskOf(int bytes, int k) => ((bytes >> (8 * k)) & 255) != 0;

    [MethodImpl(Inline)]
    public static void StoreBytes(ArrayView<byte> target, int i, int x, int y, int z, int w) =>
        target.Cast<int>()[i] = (x & 255) | ((y & 255) << 8) | ((z & 255) << 16) | (w << 24);

    [MethodImpl(Inline)]
    public static void StoreMasks(ArrayView<byte> target, int i, bool x, bool y, bool z, bool w) =>
        StoreBytes(target, i, Utilities.Select(x, 1, 0), Utilities.Select(y, 1, 0), Utilities.Select(z, 1, 0), Utilities.Select(w, 1, 0));
}
