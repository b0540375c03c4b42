using System.Runtime.CompilerServices;
using ILGPU.Util;

namespace Fusion.Kernels;

/// <summary>Integers: two's complement, overflow wraps. Bytes are computed as int and cut by who writes them.</summary>
internal static partial class DeviceMath
{
    [MethodImpl(Inline)]
    public static int Add(int a, int b) => a + b;

    [MethodImpl(Inline)]
    public static int Subtract(int a, int b) => a - b;

    [MethodImpl(Inline)]
    public static int Multiply(int a, int b) => a * b;

    [MethodImpl(Inline)]
    public static int And(int a, int b) => a & b;

    [MethodImpl(Inline)]
    public static int Or(int a, int b) => a | b;

    [MethodImpl(Inline)]
    public static int Xor(int a, int b) => a ^ b;

    [MethodImpl(Inline)]
    public static int Not(int a) => ~a;

    [MethodImpl(Inline)]
    public static int Negate(int a) => -a;

    /// <summary>|a|; the most negative number is itself.</summary>
    [MethodImpl(Inline)]
    public static int Abs(int a) => Utilities.Select(a < 0, -a, a);

    [MethodImpl(Inline)]
    public static int MinNative(int a, int b) => Utilities.Select(a < b, a, b);

    [MethodImpl(Inline)]
    public static int MaxNative(int a, int b) => Utilities.Select(a > b, a, b);

    [MethodImpl(Inline)]
    public static bool Less(int a, int b) => a < b;

    [MethodImpl(Inline)]
    public static bool LessOrEqual(int a, int b) => a <= b;

    [MethodImpl(Inline)]
    public static bool Greater(int a, int b) => a > b;

    [MethodImpl(Inline)]
    public static bool GreaterOrEqual(int a, int b) => a >= b;

    [MethodImpl(Inline)]
    public static bool Equal(int a, int b) => a == b;

    [MethodImpl(Inline)]
    public static bool NotEqual(int a, int b) => a != b;

    /// <summary>⌊x/y⌋ as <see cref="IntegerDivision"/> defines it: 0 for y = 0, and the most negative number by −1 is itself.</summary>
    [MethodImpl(Inline)]
    public static int FloorDivide(int x, int y)
    {
        // What traps on some machine is divided by 1.
        int divisor = Utilities.Select(y == 0 | y == -1, 1, y);
        int quotient = x / divisor;
        int rest = x - (quotient * divisor);
        quotient = Utilities.Select(rest != 0 & (rest ^ divisor) < 0, quotient - 1, quotient);
        return Utilities.Select(y == 0, 0, Utilities.Select(y == -1, -x, quotient));
    }

    /// <summary>x − ⌊x/y⌋·y; 0 for y = 0.</summary>
    [MethodImpl(Inline)]
    public static int Mod(int x, int y) => Utilities.Select(y == 0, 0, x - (FloorDivide(x, y) * y));

    [MethodImpl(Inline)]
    public static long Add(long a, long b) => a + b;

    [MethodImpl(Inline)]
    public static long Subtract(long a, long b) => a - b;

    [MethodImpl(Inline)]
    public static long Multiply(long a, long b) => a * b;

    [MethodImpl(Inline)]
    public static long And(long a, long b) => a & b;

    [MethodImpl(Inline)]
    public static long Or(long a, long b) => a | b;

    [MethodImpl(Inline)]
    public static long Xor(long a, long b) => a ^ b;

    [MethodImpl(Inline)]
    public static long Not(long a) => ~a;

    [MethodImpl(Inline)]
    public static long Negate(long a) => -a;

    /// <summary>|a|; the most negative number is itself.</summary>
    [MethodImpl(Inline)]
    public static long Abs(long a) => Utilities.Select(a < 0, -a, a);

    [MethodImpl(Inline)]
    public static long MinNative(long a, long b) => Utilities.Select(a < b, a, b);

    [MethodImpl(Inline)]
    public static long MaxNative(long a, long b) => Utilities.Select(a > b, a, b);

    [MethodImpl(Inline)]
    public static bool Less(long a, long b) => a < b;

    [MethodImpl(Inline)]
    public static bool LessOrEqual(long a, long b) => a <= b;

    [MethodImpl(Inline)]
    public static bool Greater(long a, long b) => a > b;

    [MethodImpl(Inline)]
    public static bool GreaterOrEqual(long a, long b) => a >= b;

    [MethodImpl(Inline)]
    public static bool Equal(long a, long b) => a == b;

    [MethodImpl(Inline)]
    public static bool NotEqual(long a, long b) => a != b;

    /// <summary>⌊x/y⌋ as <see cref="IntegerDivision"/> defines it: 0 for y = 0, and the most negative number by −1 is itself.</summary>
    [MethodImpl(Inline)]
    public static long FloorDivide(long x, long y)
    {
        // What traps on some machine is divided by 1.
        long divisor = Utilities.Select(y == 0 | y == -1, 1, y);
        long quotient = x / divisor;
        long rest = x - (quotient * divisor);
        quotient = Utilities.Select(rest != 0 & (rest ^ divisor) < 0, quotient - 1, quotient);
        return Utilities.Select(y == 0, 0, Utilities.Select(y == -1, -x, quotient));
    }

    /// <summary>x − ⌊x/y⌋·y; 0 for y = 0.</summary>
    [MethodImpl(Inline)]
    public static long Mod(long x, long y) => Utilities.Select(y == 0, 0, x - (FloorDivide(x, y) * y));
}
