using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// One double of a kernel as a lane: a formula runs on it as written, where a kernel is C# and not a tree. Its operations are those of
/// <see cref="DeviceMath"/>, so that results have the processor's bits.
/// </summary>
internal readonly struct DeviceDouble(double value) : ILane<DeviceDouble>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public readonly double Value = value;

    public static bool Is64 => true;

    public static bool HasScaleB => false;

    [MethodImpl(Inline)]
    public static DeviceDouble Const(double value) => new(value);

    [MethodImpl(Inline)]
    public static DeviceDouble Bits(long pattern) => new(DeviceMath.FromBits(pattern));

    [MethodImpl(Inline)]
    public static DeviceDouble operator +(DeviceDouble a, DeviceDouble b) => new(DeviceMath.Add(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble operator -(DeviceDouble a, DeviceDouble b) => new(DeviceMath.Subtract(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble operator *(DeviceDouble a, DeviceDouble b) => new(DeviceMath.Multiply(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble operator /(DeviceDouble a, DeviceDouble b) => new(DeviceMath.Divide(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble operator -(DeviceDouble a) => new(DeviceMath.Negate(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Fma(DeviceDouble a, DeviceDouble b, DeviceDouble c) => new(DeviceMath.Fma(a.Value, b.Value, c.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble MinNative(DeviceDouble a, DeviceDouble b) => new(DeviceMath.MinNative(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble MaxNative(DeviceDouble a, DeviceDouble b) => new(DeviceMath.MaxNative(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Sqrt(DeviceDouble a) => new(DeviceMath.Sqrt(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Abs(DeviceDouble a) => new(DeviceMath.Abs(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Round(DeviceDouble a) => new(DeviceMath.Round(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Floor(DeviceDouble a) => new(DeviceMath.Floor(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Ceiling(DeviceDouble a) => new(DeviceMath.Ceiling(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Truncate(DeviceDouble a) => new(DeviceMath.Truncate(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble ScaleB(DeviceDouble x, DeviceDouble n) => LaneFallback.ScaleB(x, n);

    public static DeviceDouble Remainder(DeviceDouble a, DeviceDouble b)
    {
        DeviceDouble quotient = a / b;
        return IsSet(LaneFallback.IsSimpleRemainder(quotient, b))
            ? LaneFallback.SimpleRemainder(a, b, quotient)
            : new DeviceDouble(DeviceRemainder.Exact(a.Value, b.Value));
    }

    public static DeviceDouble LargeAngle(AngleFunction function, DeviceDouble x, DeviceDouble value)
    {
        if (!IsSet(AngleReduction.IsLarge(x))) return value;
        var rest = new DeviceDouble(DeviceAngles.Rest(x.Value));
        double sine = Formulas.SinePolynomial(rest).Value, cosine = Formulas.CosinePolynomial(rest).Value;
        return new DeviceDouble(DeviceAngles.Combine((int)function, x.Value, DeviceAngles.Quadrant(x.Value), sine, cosine));
    }

    [MethodImpl(Inline)]
    public static DeviceDouble Less(DeviceDouble a, DeviceDouble b) => Mask(DeviceMath.Less(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble LessOrEqual(DeviceDouble a, DeviceDouble b) => Mask(DeviceMath.LessOrEqual(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Greater(DeviceDouble a, DeviceDouble b) => Mask(DeviceMath.Greater(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble GreaterOrEqual(DeviceDouble a, DeviceDouble b) => Mask(DeviceMath.GreaterOrEqual(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Equal(DeviceDouble a, DeviceDouble b) => Mask(DeviceMath.Equal(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble NotEqual(DeviceDouble a, DeviceDouble b) => Mask(DeviceMath.NotEqual(a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble Select(DeviceDouble mask, DeviceDouble a, DeviceDouble b) => new(DeviceMath.Select(IsSet(mask), a.Value, b.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble And(DeviceDouble a, DeviceDouble b) => Bits(Pattern(a) & Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceDouble Or(DeviceDouble a, DeviceDouble b) => Bits(Pattern(a) | Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceDouble Xor(DeviceDouble a, DeviceDouble b) => Bits(Pattern(a) ^ Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceDouble Not(DeviceDouble a) => Bits(~Pattern(a));

    [MethodImpl(Inline)]
    public static DeviceDouble AddInteger(DeviceDouble a, DeviceDouble b) => Bits(Pattern(a) + Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceDouble SubtractInteger(DeviceDouble a, DeviceDouble b) => Bits(Pattern(a) - Pattern(b));

    [MethodImpl(Inline)]
    public static DeviceDouble ShiftLeft(DeviceDouble a, int count) => Bits(Pattern(a) << count);

    [MethodImpl(Inline)]
    public static DeviceDouble ShiftRightArithmetic(DeviceDouble a, int count) => Bits(Pattern(a) >> count);

    [MethodImpl(Inline)]
    public static DeviceDouble ShiftRightLogical(DeviceDouble a, int count) => Bits(DeviceMath.ShiftRightLogical(Pattern(a), count));

    [MethodImpl(Inline)]
    public static DeviceDouble ToInteger(DeviceDouble a) => Bits(DeviceMath.Truncated(a.Value));

    [MethodImpl(Inline)]
    public static DeviceDouble FromInteger(DeviceDouble a) => new(DeviceMath.Nearest(Pattern(a)));

    [MethodImpl(Inline)]
    private static long Pattern(DeviceDouble a) => DeviceMath.ToBits(a.Value);

    // A mask has all bits set or none.
    [MethodImpl(Inline)]
    private static DeviceDouble Mask(bool set) => Bits(DeviceMath.MaskBits64(set));

    [MethodImpl(Inline)]
    private static bool IsSet(DeviceDouble mask) => Pattern(mask) != 0;
}
