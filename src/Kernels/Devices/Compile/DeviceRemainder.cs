namespace Fusion.Kernels;

/// <summary>C# <c>%</c> of floating-point numbers by integer arithmetic, exact as every one: subtraction and doubling of the significand.</summary>
internal static class DeviceRemainder
{
    /// <summary>The remainder of a/b rounded towards zero, with the sign of a; NaN for an infinite a or b = 0.</summary>
    public static float Exact(float a, float b)
    {
        const int Fraction = 23, Hidden = 1 << Fraction, Exponents = 0xFF;
        int x = DeviceMath.ToBits(a), y = DeviceMath.ToBits(b) & int.MaxValue;
        int sign = x & int.MinValue;
        x &= int.MaxValue;
        if (y == 0 || y > Exponents << Fraction || x >= Exponents << Fraction) return DeviceMath.FromBits(0x7FC00000);
        if (x < y) return a;
        int exponent = x >> Fraction, lowest = y >> Fraction;
        // Denormal numbers have no hidden bit, and the exponent of the smallest normal ones.
        x = exponent == 0 ? x : (x & (Hidden - 1)) | Hidden;
        y = lowest == 0 ? y : (y & (Hidden - 1)) | Hidden;
        exponent = exponent == 0 ? 1 : exponent;
        lowest = lowest == 0 ? 1 : lowest;
        // Both significands are brought under the hidden bit, so that one subtraction per digit is enough.
        while (y < Hidden)
        {
            y <<= 1;
            lowest--;
        }

        while (x < Hidden)
        {
            x <<= 1;
            exponent--;
        }

        for (; exponent > lowest; exponent--)
        {
            x = x >= y ? x - y : x;
            x <<= 1;
        }

        x = x >= y ? x - y : x;
        if (x == 0) return DeviceMath.FromBits(sign);
        while (x < Hidden)
        {
            x <<= 1;
            exponent--;
        }

        x = exponent > 0 ? (x - Hidden) | (exponent << Fraction) : x >> (1 - exponent);
        return DeviceMath.FromBits(x | sign);
    }

    /// <summary>The same for double.</summary>
    public static double Exact(double a, double b)
    {
        const int Fraction = 52;
        const long Hidden = 1L << Fraction, Exponents = 0x7FF;
        long x = DeviceMath.ToBits(a), y = DeviceMath.ToBits(b) & long.MaxValue;
        long sign = x & long.MinValue;
        x &= long.MaxValue;
        if (y == 0 || y > Exponents << Fraction || x >= Exponents << Fraction) return DeviceMath.FromBits(0x7FF8000000000000);
        if (x < y) return a;
        int exponent = (int)(x >> Fraction), lowest = (int)(y >> Fraction);
        x = exponent == 0 ? x : (x & (Hidden - 1)) | Hidden;
        y = lowest == 0 ? y : (y & (Hidden - 1)) | Hidden;
        exponent = exponent == 0 ? 1 : exponent;
        lowest = lowest == 0 ? 1 : lowest;
        while (y < Hidden)
        {
            y <<= 1;
            lowest--;
        }

        while (x < Hidden)
        {
            x <<= 1;
            exponent--;
        }

        for (; exponent > lowest; exponent--)
        {
            x = x >= y ? x - y : x;
            x <<= 1;
        }

        x = x >= y ? x - y : x;
        if (x == 0) return DeviceMath.FromBits(sign);
        while (x < Hidden)
        {
            x <<= 1;
            exponent--;
        }

        x = exponent > 0 ? (x - Hidden) | ((long)exponent << Fraction) : x >> (1 - exponent);
        return DeviceMath.FromBits(x | sign);
    }
}
