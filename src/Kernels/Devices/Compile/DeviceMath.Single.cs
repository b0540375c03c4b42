using System.Runtime.CompilerServices;
using ILGPU.IR.Intrinsics;

namespace Fusion.Kernels;

/// <summary>The operations of <see cref="ILane{L}"/> on one number, float: each is one instruction of a device, see <see cref="DeviceIntrinsics"/>.</summary>
internal static partial class DeviceMath
{
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Add(float a, float b) => a + b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Subtract(float a, float b) => a - b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Multiply(float a, float b) => a * b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Divide(float a, float b) => a / b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Fma(float a, float b, float c) => MathF.FusedMultiplyAdd(a, b, c);

    /// <summary>An operand of the instruction that reads it: assemblers make no instruction of it.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Negate(float a) => -a;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Sqrt(float a) => MathF.Sqrt(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Abs(float a) => MathF.Abs(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Floor(float a) => MathF.Floor(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Ceiling(float a) => MathF.Ceiling(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Truncate(float a) => MathF.Truncate(a);

    /// <summary>To the nearest integer, ties to even.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Round(float a) => MathF.Round(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool Less(float a, float b) => a < b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool LessOrEqual(float a, float b) => a <= b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool Greater(float a, float b) => a > b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool GreaterOrEqual(float a, float b) => a >= b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool Equal(float a, float b) => a == b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static bool NotEqual(float a, float b) => a != b;

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static int ToBits(float a) => BitConverter.SingleToInt32Bits(a);

    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float FromBits(int pattern) => BitConverter.Int32BitsToSingle(pattern);

    /// <summary>Towards zero, saturated; NaN is 0.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static int Truncated(float a) => (int)a;

    /// <summary>The nearest number.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static float Nearest(int a) => a;
}
