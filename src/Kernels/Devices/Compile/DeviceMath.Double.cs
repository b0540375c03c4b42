using System.Runtime.CompilerServices;
using ILGPU.IR.Intrinsics;

namespace Fusion.Kernels;

/// <summary>The operations of <see cref="ILane{L}"/> on one number, double: each is one instruction of a device, see <see cref="DeviceIntrinsics"/>.</summary>
internal static partial class DeviceMath
{
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Add(double a, double b) => a + b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Subtract(double a, double b) => a - b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Multiply(double a, double b) => a * b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Divide(double a, double b) => a / b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Fma(double a, double b, double c) => Math.FusedMultiplyAdd(a, b, c);

    /// <summary>An operand of the instruction that reads it: assemblers make no instruction of it.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Negate(double a) => -a;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Sqrt(double a) => Math.Sqrt(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Abs(double a) => Math.Abs(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Floor(double a) => Math.Floor(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Ceiling(double a) => Math.Ceiling(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Truncate(double a) => Math.Truncate(a);

    /// <summary>To the nearest integer, ties to even.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Round(double a) => Math.Round(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool Less(double a, double b) => a < b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool LessOrEqual(double a, double b) => a <= b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool Greater(double a, double b) => a > b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool GreaterOrEqual(double a, double b) => a >= b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool Equal(double a, double b) => a == b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool NotEqual(double a, double b) => a != b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static long ToBits(double a) => BitConverter.DoubleToInt64Bits(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double FromBits(long pattern) => BitConverter.Int64BitsToDouble(pattern);

    /// <summary>Towards zero, saturated; NaN is 0.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static long Truncated(double a) => (long)a;

    /// <summary>The nearest number.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static double Nearest(long a) => a;
}
