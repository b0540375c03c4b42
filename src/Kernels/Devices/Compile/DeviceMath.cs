using System.Runtime.CompilerServices;
using ILGPU.IR.Intrinsics;
using ILGPU.Util;

namespace Fusion.Kernels;

/// <summary>
/// The operations of <see cref="ILane{L}"/> on one number, as kernels of devices call them; names are those of <see cref="LaneOp"/>. Masks are bool here.
/// The same bits on CUDA, OpenCL and the debug device as on the processor's registers, which NaN apart.
/// </summary>
internal static partial class DeviceMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The high half of the product of two unsigned numbers.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static uint MultiplyHigh(uint a, uint b) => (uint)(((ulong)a * b) >> 32);

    /// <summary>The high half of the product of two unsigned numbers.</summary>
    [IntrinsicImplementation]
    [MethodImpl(Inline)]
    public static ulong MultiplyHigh(ulong a, ulong b) => Math.BigMul(a, b, out _);

    /// <summary>The smaller; <paramref name="b"/> when one of them is NaN or both are zeros.</summary>
    [MethodImpl(Inline)]
    public static float MinNative(float a, float b) => Utilities.Select(Less(a, b), a, b);

    /// <summary>The larger; <paramref name="b"/> when one of them is NaN or both are zeros.</summary>
    [MethodImpl(Inline)]
    public static float MaxNative(float a, float b) => Utilities.Select(Greater(a, b), a, b);

    /// <summary>The smaller; <paramref name="b"/> when one of them is NaN or both are zeros.</summary>
    [MethodImpl(Inline)]
    public static double MinNative(double a, double b) => Utilities.Select(Less(a, b), a, b);

    /// <summary>The larger; <paramref name="b"/> when one of them is NaN or both are zeros.</summary>
    [MethodImpl(Inline)]
    public static double MaxNative(double a, double b) => Utilities.Select(Greater(a, b), a, b);

    [MethodImpl(Inline)]
    public static float Select(bool mask, float a, float b) => Utilities.Select(mask, a, b);

    [MethodImpl(Inline)]
    public static double Select(bool mask, double a, double b) => Utilities.Select(mask, a, b);

    [MethodImpl(Inline)]
    public static int Select(bool mask, int a, int b) => Utilities.Select(mask, a, b);

    [MethodImpl(Inline)]
    public static long Select(bool mask, long a, long b) => Utilities.Select(mask, a, b);

    /// <summary>A mask has every bit set.</summary>
    [MethodImpl(Inline)]
    public static int MaskBits32(bool mask) => Utilities.Select(mask, -1, 0);

    /// <summary>A mask has every bit set.</summary>
    [MethodImpl(Inline)]
    public static long MaskBits64(bool mask) => Utilities.Select(mask, -1L, 0L);

    [MethodImpl(Inline)]
    public static bool And(bool a, bool b) => a & b;

    [MethodImpl(Inline)]
    public static bool Or(bool a, bool b) => a | b;

    [MethodImpl(Inline)]
    public static bool Xor(bool a, bool b) => a ^ b;

    [MethodImpl(Inline)]
    public static bool Not(bool a) => !a;

    [MethodImpl(Inline)]
    public static int ShiftRightLogical(int a, int count) => (int)((uint)a >> count);

    [MethodImpl(Inline)]
    public static long ShiftRightLogical(long a, int count) => (long)((ulong)a >> count);
}
