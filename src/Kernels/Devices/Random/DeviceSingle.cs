using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// One float of a kernel as a lane: a formula runs on it as written, where a kernel is C# and not a tree. Its operations are those of
/// <see cref="DeviceMath"/>, so that results have the processor's bits.
/// </summary>
internal readonly struct DeviceSingle(float value) : ILane<DeviceSingle>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public readonly float Value = value;

    public static bool Is64 => false;

    public static bool HasScaleB => false;

    [MethodImpl(Inline)]
    public static DeviceSingle Const(double value) => new((float)value);

    [MethodImpl(Inline)]
    public static DeviceSingle Bits(long pattern) => new(DeviceMath.FromBits((int)pattern));

    [MethodImpl(Inline)]
    public static DeviceSingle operator +(DeviceSingle a, DeviceSingle b) => new(DeviceMath.Add(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle operator -(DeviceSingle a, DeviceSingle b) => new(DeviceMath.Subtract(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle operator *(DeviceSingle a, DeviceSingle b) => new(DeviceMath.Multiply(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle operator /(DeviceSingle a, DeviceSingle b) => new(DeviceMath.Divide(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle operator -(DeviceSingle a) => new(DeviceMath.Negate(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Fma(DeviceSingle a, DeviceSingle b, DeviceSingle c) => new(DeviceMath.Fma(a.Value, b.Value, c.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle MinNative(DeviceSingle a, DeviceSingle b) => new(DeviceMath.MinNative(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle MaxNative(DeviceSingle a, DeviceSingle b) => new(DeviceMath.MaxNative(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Sqrt(DeviceSingle a) => new(DeviceMath.Sqrt(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Abs(DeviceSingle a) => new(DeviceMath.Abs(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Round(DeviceSingle a) => new(DeviceMath.Round(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Floor(DeviceSingle a) => new(DeviceMath.Floor(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Ceiling(DeviceSingle a) => new(DeviceMath.Ceiling(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Truncate(DeviceSingle a) => new(DeviceMath.Truncate(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle ScaleB(DeviceSingle x, DeviceSingle n) => LaneFallback.ScaleB(x, n);

    public static DeviceSingle Remainder(DeviceSingle a, DeviceSingle b)
    {
        DeviceSingle quotient = a / b;
        return IsSet(LaneFallback.IsSimpleRemainder(quotient, b))
            ? LaneFallback.SimpleRemainder(a, b, quotient)
            : new DeviceSingle(DeviceRemainder.Exact(a.Value, b.Value));
    }

    public static DeviceSingle LargeAngle(AngleFunction function, DeviceSingle x, DeviceSingle value)
    {
        if (!IsSet(AngleReduction.IsLarge(x))) return value;
        var rest = new DeviceDouble(DeviceAngles.Rest(x.Value));
        double sine = Formulas.SinePolynomial(rest).Value, cosine = Formulas.CosinePolynomial(rest).Value;
        return new DeviceSingle((float)DeviceAngles.Combine((int)function, x.Value, DeviceAngles.Quadrant(x.Value), sine, cosine));
    }

    [MethodImpl(Inline)]
    public static DeviceSingle Less(DeviceSingle a, DeviceSingle b) => Mask(DeviceMath.Less(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle LessOrEqual(DeviceSingle a, DeviceSingle b) => Mask(DeviceMath.LessOrEqual(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Greater(DeviceSingle a, DeviceSingle b) => Mask(DeviceMath.Greater(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle GreaterOrEqual(DeviceSingle a, DeviceSingle b) => Mask(DeviceMath.GreaterOrEqual(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Equal(DeviceSingle a, DeviceSingle b) => Mask(DeviceMath.Equal(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle NotEqual(DeviceSingle a, DeviceSingle b) => Mask(DeviceMath.NotEqual(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle Select(DeviceSingle mask, DeviceSingle a, DeviceSingle b) => new(DeviceMath.Select(IsSet(mask), a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle And(DeviceSingle a, DeviceSingle b) => Bits(Pattern(a) & Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceSingle Or(DeviceSingle a, DeviceSingle b) => Bits(Pattern(a) | Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceSingle Xor(DeviceSingle a, DeviceSingle b) => Bits(Pattern(a) ^ Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceSingle Not(DeviceSingle a) => Bits(~Pattern(a));

    [MethodImpl(Inline)]
    public static DeviceSingle AddInteger(DeviceSingle a, DeviceSingle b) => Bits(Pattern(a) + Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceSingle SubtractInteger(DeviceSingle a, DeviceSingle b) => Bits(Pattern(a) - Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceSingle ShiftLeft(DeviceSingle a, int count) => Bits(Pattern(a) << count);

    [MethodImpl(Inline)]
    public static DeviceSingle ShiftRightArithmetic(DeviceSingle a, int count) => Bits(Pattern(a) >> count);

    [MethodImpl(Inline)]
    public static DeviceSingle ShiftRightLogical(DeviceSingle a, int count) => Bits(DeviceMath.ShiftRightLogical(Pattern(a), count));

    [MethodImpl(Inline)]
    public static DeviceSingle ToInteger(DeviceSingle a) => Bits(DeviceMath.Truncated(a.Value));

    [MethodImpl(Inline)]
    public static DeviceSingle FromInteger(DeviceSingle a) => new(DeviceMath.Nearest(Pattern(a)));

    [MethodImpl(Inline)]
    private static int Pattern(DeviceSingle a) => DeviceMath.ToBits(a.Value);

    // A mask has all bits set or none.
    [MethodImpl(Inline)]
    private static DeviceSingle Mask(bool set) => Bits(DeviceMath.MaskBits32(set));

    [MethodImpl(Inline)]
    private static bool IsSet(DeviceSingle mask) => Pattern(mask) != 0;
}
