using System.Numerics;
using System.Runtime.CompilerServices;
using ILGPU.Util;

namespace Fusion.Kernels;

/// <summary><see cref="AngleReduction"/> for devices: without tables and 128-bit integers, to the same bits.</summary>
internal static class DeviceAngles
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The rest of |x| by π/2, at most π/4 in magnitude. x is at least 2¹⁸ in magnitude; of no meaning if it is not finite.</summary>
    public static double Rest(double x)
    {
        Multiply(x, out _, out ulong high, out ulong low);
        bool up = high >> 63 != 0;
        if (up)
        {
            low = 0 - low;
            high = ~high + (low == 0 ? 1UL : 0UL);
        }

        // The leading 64 bits of the fraction, what follows in the last one: rounded once to double.
        int zeros = high != 0 ? BitOperations.LeadingZeroCount(high) : 64 + BitOperations.LeadingZeroCount(low | 1);
        ulong leading = zeros >= 64 ? low << (zeros - 64) : zeros > 0 ? (high << zeros) | (low >> (64 - zeros)) : high;
        ulong rest = zeros >= 64 ? 0 : low << zeros;
        long odd = (long)((leading >> 1) | (leading & 1) | (rest != 0 ? 1UL : 0UL));
        double scale = DeviceMath.FromBits((1023L - 63 - zeros) << 52);
        double angle = DeviceMath.Multiply(DeviceMath.Multiply(DeviceMath.Nearest(odd), scale), Math.PI / 2);
        return Utilities.Select(up, -angle, angle);
    }

    /// <summary>The quadrant of |x|, of which <see cref="Rest"/> is the rest.</summary>
    public static int Quadrant(double x)
    {
        Multiply(x, out int quadrant, out ulong high, out _);
        return high >> 63 != 0 ? (quadrant + 1) & 3 : quadrant;
    }

    /// <summary>The function of x, given the sine and the cosine of its rest.</summary>
    [MethodImpl(Inline)]
    public static double Combine(int function, double x, int quadrant, double sine, double cosine)
    {
        bool isCosine = function == (int)AngleFunction.Cosine, isTangent = function == (int)AngleFunction.Tangent;
        bool odd = (quadrant & 1) != 0;
        double tangent = DeviceMath.Divide(Utilities.Select(odd, -cosine, sine), Utilities.Select(odd, sine, cosine));
        int turned = isCosine ? quadrant + 1 : quadrant;
        double value = Utilities.Select((turned & 1) != 0, cosine, sine);
        value = Utilities.Select((turned & 2) != 0, -value, value);
        value = Utilities.Select(isTangent, tangent, value);
        bool negative = !isCosine & DeviceMath.ToBits(x) < 0;
        value = Utilities.Select(negative, -value, value);
        return Utilities.Select(DeviceMath.Less(DeviceMath.Abs(x), DeviceMath.FromBits(0x7FF0000000000000)), value, DeviceMath.FromBits(0x7FF8000000000000));
    }

    // |x|·2/π modulo 4: the quadrant and 128 bits of fraction.
    private static void Multiply(double x, out int quadrant, out ulong fractionHigh, out ulong fractionLow)
    {
        long bits = DeviceMath.ToBits(x) & long.MaxValue;
        int exponent = (int)(bits >> 52) - 1075;
        ulong significand = ((ulong)bits & 0xFFFFFFFFFFFFF) | 0x10000000000000;
        int skip = exponent > 2 ? exponent - 2 : 0;
        int word = skip >> 6, started = skip & 63;
        ulong a = Word(word), b = Word(word + 1), c = Word(word + 2), d = Word(word + 3);
        ulong w2 = Window(a, b, started), w1 = Window(b, c, started), w0 = Window(c, d, started);

        // Three words of bits times the significand, four words: p3 p2 p1 p0.
        ulong p0 = significand * w0, carry = DeviceMath.MultiplyHigh(significand, w0);
        ulong p1 = (significand * w1) + carry;
        carry = DeviceMath.MultiplyHigh(significand, w1) + (p1 < carry ? 1UL : 0UL);
        ulong p2 = (significand * w2) + carry;
        ulong p3 = DeviceMath.MultiplyHigh(significand, w2) + (p2 < carry ? 1UL : 0UL);

        // The binary point comes to lie two bits below the top of p2.
        int shift = exponent < 2 ? 2 - exponent : 0;
        if (shift > 0)
        {
            p0 = (p0 >> shift) | (p1 << (64 - shift));
            p1 = (p1 >> shift) | (p2 << (64 - shift));
            p2 = (p2 >> shift) | (p3 << (64 - shift));
        }

        quadrant = (int)(p2 >> 62);
        fractionHigh = (p2 << 2) | (p1 >> 62);
        fractionLow = (p1 << 2) | (p0 >> 62);
    }

    [MethodImpl(Inline)]
    private static ulong Window(ulong first, ulong second, int started) => started == 0 ? first : (first << started) | (second >> (64 - started));

    /// <summary>Word <paramref name="i"/> of the bits of 2/π.</summary>
    /// <remarks>A device has no cheap table of constants, and this is rare. Those that float needs come first.</remarks>
    internal static ulong Word(int i)
    {
        if (i == 0) return 0xA2F9836E4E441529;
        if (i == 1) return 0xFC2757D1F534DDC0;
        if (i == 2) return 0xDB6295993C439041;
        if (i == 3) return 0xFE5163ABDEBBC561;
        if (i == 4) return 0xB7246E3A424DD2E0;
        if (i == 5) return 0x06492EEA09D1921C;
        if (i == 6) return 0xFE1DEB1CB129A73E;
        if (i == 7) return 0xE88235F52EBB4484;
        if (i == 8) return 0xE99C7026B45F7E41;
        if (i == 9) return 0x3991D639835339F4;
        if (i == 10) return 0x9C845F8BBDF9283B;
        if (i == 11) return 0x1FF897FFDE05980F;
        if (i == 12) return 0xEF2F118B5A0A6D1F;
        if (i == 13) return 0x6D367ECF27CB09B7;
        if (i == 14) return 0x4F463F669E5FEA2D;
        if (i == 15) return 0x7527BAC7EBE5F17B;
        if (i == 16) return 0x3D0739F78A5292EA;
        if (i == 17) return 0x6BFB5FB11F8D5D08;
        if (i == 18) return 0x56033046FC7B6BAB;
        return 0xF0CFBC209AF4361D;
    }
}
