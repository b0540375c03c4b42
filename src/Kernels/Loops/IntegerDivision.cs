using System.Numerics;

namespace Fusion.Kernels;

/// <summary>Division of integers, rounded towards −∞, one element at a time: no vector unit divides integers.</summary>
/// <remarks>As in NumPy, x / 0 and x mod 0 are 0, and the most negative number divided by −1 is itself.</remarks>
internal static unsafe class IntegerDivision
{
    public static void FloorDivide<T>(nint table, long start, long end, int scalars)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        T** operands = (T**)table;
        long xMask = (scalars & 1) - 1, yMask = ((scalars >> 1) & 1) - 1;
        for (long i = start; i < end; i++)
        {
            T x = operands[0][i & xMask], y = operands[1][i & yMask];
            operands[2][i] = FloorDivide(x, y);
        }
    }

    public static void Mod<T>(nint table, long start, long end, int scalars)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        T** operands = (T**)table;
        long xMask = (scalars & 1) - 1, yMask = ((scalars >> 1) & 1) - 1;
        for (long i = start; i < end; i++)
        {
            T x = operands[0][i & xMask], y = operands[1][i & yMask];
            operands[2][i] = T.IsZero(y) ? T.Zero : unchecked(x - (FloorDivide(x, y) * y));
        }
    }

    private static T FloorDivide<T>(T x, T y)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        if (T.IsZero(y)) return T.Zero;
        if (T.IsNegative(y) && y + T.One == T.Zero) return unchecked(T.Zero - x);
        T q = x / y;
        return unchecked(q * y) != x && T.IsNegative(x) != T.IsNegative(y) ? q - T.One : q;
    }
}
