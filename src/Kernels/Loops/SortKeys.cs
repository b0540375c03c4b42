using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Elements, seen as integers of their width, as keys: integers of the same type whose order is the order that sorting gives. The complement of a key
/// is the key of the reverse order.
/// </summary>
internal interface ISortKeys<T>
    where T : unmanaged
{
    /// <summary>The key of an element.</summary>
    static abstract T Key(T element);

    /// <summary>The keys of a register of elements.</summary>
    static abstract Vector<T> Keys(Vector<T> elements);

    /// <summary>A key as an unsigned number in the same order.</summary>
    static abstract ulong Rank(T key);
}

/// <summary>Two's complement of the magnitude for negative numbers; both zeros are 0, every NaN is the largest.</summary>
internal readonly struct FloatKeys : ISortKeys<int>
{
    private const int Infinity = 0x7F800000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Key(int element)
    {
        int magnitude = element & int.MaxValue, sign = element >> 31;
        return magnitude > Infinity ? int.MaxValue : (magnitude ^ sign) - sign;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<int> Keys(Vector<int> elements)
    {
        Vector<int> largest = new(int.MaxValue), magnitude = elements & largest, sign = elements >> 31;
        return Vector.ConditionalSelect(Vector.GreaterThan(magnitude, new(Infinity)), largest, (magnitude ^ sign) - sign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Rank(int key) => (uint)key ^ 0x80000000;
}

/// <summary>As <see cref="FloatKeys"/>.</summary>
internal readonly struct DoubleKeys : ISortKeys<long>
{
    private const long Infinity = 0x7FF0000000000000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Key(long element)
    {
        long magnitude = element & long.MaxValue, sign = element >> 63;
        return magnitude > Infinity ? long.MaxValue : (magnitude ^ sign) - sign;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<long> Keys(Vector<long> elements)
    {
        Vector<long> largest = new(long.MaxValue), magnitude = elements & largest, sign = elements >> 63;
        return Vector.ConditionalSelect(Vector.GreaterThan(magnitude, new(Infinity)), largest, (magnitude ^ sign) - sign);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Rank(long key) => (ulong)key ^ 0x8000000000000000;
}

/// <summary>Integers are their own keys.</summary>
internal readonly struct IntegerKeys<T> : ISortKeys<T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    public static T Key(T element) => element;

    public static Vector<T> Keys(Vector<T> elements) => elements;

    // Relative to the least number of the type.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Rank(T key) => ulong.CreateTruncating(key) - ulong.CreateTruncating(T.MinValue);
}
