namespace Fusion.Kernels;

/// <summary>A format of two bytes, element by element, with the bits of <see cref="IHalfFormat"/>'s conversions.</summary>
internal interface IDeviceHalf
{
    static abstract float Widen(ushort bits);

    static abstract ushort Narrow(float value);
}

/// <summary>In the integers of <see cref="Float16Format"/>.</summary>
internal readonly struct Float16Bits : IDeviceHalf
{
    private const int Rebias = 112 << 23; // the difference of the exponents' biases, 127 − 15

    public static float Widen(ushort bits)
    {
        int half = bits, magnitude = half & 0x7FFF, shifted = magnitude << 13, result;
        if (magnitude >= 0x7C00) result = shifted + (2 * Rebias) | (magnitude > 0x7C00 ? 0x400000 : 0);
        else if (magnitude >= 0x400) result = shifted + Rebias;
        else result = DeviceMath.ToBits(DeviceMath.Subtract(DeviceMath.FromBits(shifted + Rebias + (1 << 23)), DeviceMath.FromBits(Rebias + (1 << 23))));
        return DeviceMath.FromBits(result | ((half ^ magnitude) << 16));
    }

    public static ushort Narrow(float value)
    {
        const int Half = 0x3F000000; // its last place is 2⁻²⁴, the smallest Float16
        int bits = DeviceMath.ToBits(value), magnitude = bits & int.MaxValue, fraction = magnitude >> 13, result;
        if (magnitude > 0x7F800000) result = 0x7C00 | (fraction & 0x3FF) | 0x200;
        else if (magnitude >= 143 << 23) result = 0x7C00;
        else if (magnitude >= 113 << 23) result = (magnitude + 0xFFF - Rebias + (fraction & 1)) >> 13;
        else result = DeviceMath.ToBits(DeviceMath.Add(DeviceMath.FromBits(magnitude), DeviceMath.FromBits(Half))) - Half;
        return (ushort)(result | ((bits >> 16) & 0x8000));
    }
}

/// <summary>The upper half of a Float32.</summary>
internal readonly struct BFloat16Bits : IDeviceHalf
{
    public static float Widen(ushort bits) => DeviceMath.FromBits(bits << 16);

    public static ushort Narrow(float value)
    {
        int bits = DeviceMath.ToBits(value), upper = (bits >> 16) & 0xFFFF;
        return (ushort)((bits & int.MaxValue) > 0x7F800000 ? upper | 0x40 : (bits + 0x7FFF + (upper & 1)) >> 16);
    }
}

/// <summary>From a format of two bytes: exact to Float32, and from there on.</summary>
internal readonly struct CastFromHalf<THalf, TRest, TTo> : IDeviceCast<ushort, TTo>
    where THalf : struct, IDeviceHalf
    where TRest : struct, IDeviceCast<float, TTo>
{
    public static TTo Convert(ushort x) => TRest.Convert(THalf.Widen(x));
}

/// <summary>To a format of two bytes, from a Float32 that is exact or rounded to odd, so that all is rounded once.</summary>
internal readonly struct CastToHalf<THalf, TFirst, TFrom> : IDeviceCast<TFrom, ushort>
    where THalf : struct, IDeviceHalf
    where TFirst : struct, IDeviceCast<TFrom, float>
{
    public static ushort Convert(TFrom x) => THalf.Narrow(TFirst.Convert(x));
}

/// <summary>To Float32, inexact results with an odd last bit: see <see cref="BFloat16.RoundToOdd(double)"/>.</summary>
internal readonly struct CastToOdd : IDeviceCast<double, float>, IDeviceCast<long, float>, IDeviceCast<int, float>
{
    static float IDeviceCast<double, float>.Convert(double x)
    {
        float nearest = (float)x;
        int bits = DeviceMath.ToBits(nearest);
        if (double.IsNaN(x) || DeviceMath.Equal(nearest, x) || (bits & 1) != 0) return nearest;
        return DeviceMath.FromBits(DeviceMath.Greater(DeviceMath.Abs((double)nearest), DeviceMath.Abs(x)) ? bits - 1 : bits + 1);
    }

    static float IDeviceCast<long, float>.Convert(long x)
    {
        // What is cut off is kept as one bit, until 24 bits are left.
        ulong magnitude = x < 0 ? 0UL - (ulong)x : (ulong)x;
        int shift = 0;
        for (; magnitude >> 24 != 0; shift++) magnitude = (magnitude >> 1) | (magnitude & 1);
        float rounded = (float)(magnitude << shift);
        return x < 0 ? -rounded : rounded;
    }

    static float IDeviceCast<int, float>.Convert(int x)
    {
        uint magnitude = x < 0 ? 0U - (uint)x : (uint)x;
        int shift = 0;
        for (; magnitude >> 24 != 0; shift++) magnitude = (magnitude >> 1) | (magnitude & 1);
        float rounded = (float)(magnitude << shift);
        return x < 0 ? -rounded : rounded;
    }
}
