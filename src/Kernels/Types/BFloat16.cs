using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Fusion;

/// <summary>
/// The brain floating-point format: the upper 16 bits of a <see cref="float"/>, with its range and 8 significant bits. A type to store numbers in;
/// convert to <see cref="float"/> to compute. (.NET 10 has <see cref="Half"/>, but no such type.)
/// </summary>
public readonly struct BFloat16 : IEquatable<BFloat16>, IComparable<BFloat16>, IComparable, IFormattable
{
    private const ushort Magnitude = 0x7FFF;
    private const ushort InfinityBits = 0x7F80;

    private readonly ushort _bits;

    private BFloat16(ushort bits) => _bits = bits;

    /// <summary>The smallest positive number, 2⁻¹³³.</summary>
    public static BFloat16 Epsilon => new(1);

    /// <summary>The largest finite number, about 3.39·10³⁸.</summary>
    public static BFloat16 MaxValue => new(0x7F7F);

    /// <summary>The smallest finite number, −<see cref="MaxValue"/>.</summary>
    public static BFloat16 MinValue => new(0xFF7F);

    /// <summary>Not a number.</summary>
    public static BFloat16 NaN => new(0xFFC0);

    /// <summary>+∞.</summary>
    public static BFloat16 PositiveInfinity => new(InfinityBits);

    /// <summary>−∞.</summary>
    public static BFloat16 NegativeInfinity => new(0xFF80);

    /// <summary>The number with these bits.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bits: sign, eight of the exponent, seven of the fraction.</summary>
    public static ushort ToBits(BFloat16 value) => value._bits;

    /// <summary>Not a number.</summary>
    public static bool IsNaN(BFloat16 value) => (value._bits & Magnitude) > InfinityBits;

    /// <summary>Neither infinite nor NaN.</summary>
    public static bool IsFinite(BFloat16 value) => (value._bits & Magnitude) < InfinityBits;

    /// <summary>+∞ or −∞.</summary>
    public static bool IsInfinity(BFloat16 value) => (value._bits & Magnitude) == InfinityBits;

    /// <summary>The sign bit is set, that of −0 and of some NaN too.</summary>
    public static bool IsNegative(BFloat16 value) => (short)value._bits < 0;

    /// <summary>The next number down; of −∞ and NaN they themselves.</summary>
    public static BFloat16 BitDecrement(BFloat16 value)
    {
        if (IsNaN(value) || value._bits == NegativeInfinity._bits) return value;
        if ((value._bits & Magnitude) == 0) return new(0x8001);
        return new((ushort)(value._bits + (IsNegative(value) ? 1 : -1)));
    }

    /// <summary>The next number up; of +∞ and NaN they themselves.</summary>
    public static BFloat16 BitIncrement(BFloat16 value)
    {
        if (IsNaN(value) || value._bits == InfinityBits) return value;
        if ((value._bits & Magnitude) == 0) return new(1);
        return new((ushort)(value._bits + (IsNegative(value) ? -1 : 1)));
    }

    /// <summary>The same number; exact.</summary>
    public static explicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value._bits << 16);

    /// <summary>The same number; exact.</summary>
    public static explicit operator double(BFloat16 value) => (float)value;

    /// <summary>The nearest number, ties to the even one; what is too large becomes infinite. NaN stays a (quiet) NaN.</summary>
    public static explicit operator BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return new((ushort)((bits >> 16) | 0x40));
        return new((ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16));
    }

    /// <summary>The nearest number, ties to the even one, in one rounding.</summary>
    public static explicit operator BFloat16(double value) => (BFloat16)RoundToOdd(value);

    /// <summary>Equal as numbers: +0 and −0 are, NaN is to nothing.</summary>
    public static bool operator ==(BFloat16 left, BFloat16 right) => (float)left == (float)right;

    /// <summary>Not equal as numbers.</summary>
    public static bool operator !=(BFloat16 left, BFloat16 right) => (float)left != (float)right;

    /// <summary>Less as numbers; never with NaN.</summary>
    public static bool operator <(BFloat16 left, BFloat16 right) => (float)left < (float)right;

    /// <summary>Greater as numbers; never with NaN.</summary>
    public static bool operator >(BFloat16 left, BFloat16 right) => (float)left > (float)right;

    /// <summary>Less or equal as numbers; never with NaN.</summary>
    public static bool operator <=(BFloat16 left, BFloat16 right) => (float)left <= (float)right;

    /// <summary>Greater or equal as numbers; never with NaN.</summary>
    public static bool operator >=(BFloat16 left, BFloat16 right) => (float)left >= (float)right;

    /// <summary>Equal, where NaN equals NaN (as for <see cref="float.Equals(float)"/>).</summary>
    public bool Equals(BFloat16 other) => ((float)this).Equals((float)other);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <summary>An order of all values, with NaN before the numbers (as for <see cref="float.CompareTo(float)"/>).</summary>
    public int CompareTo(BFloat16 other) => ((float)this).CompareTo((float)other);

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">Not a <see cref="BFloat16"/>.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        BFloat16 other => CompareTo(other),
        _ => throw new ArgumentException($"A BFloat16 does not compare with a {obj.GetType().Name}.", nameof(obj)),
    };

    /// <summary>The fewest digits that name this number and no other of the type.</summary>
    public override string ToString() => ToString(null, null);

    /// <summary>The number in one of <see cref="float"/>'s formats; null, "G" and "R": the fewest digits that name this number and no other of the type.</summary>
    public string ToString(string? format, IFormatProvider? formatProvider)
    {
        if (!string.IsNullOrEmpty(format) && format is not ("G" or "g" or "R" or "r")) return ((float)this).ToString(format, formatProvider);
        if (!IsFinite(this)) return ((float)this).ToString(formatProvider);
        // Four significant digits tell any two numbers of 8 bits apart.
        for (int digits = 1; ; digits++)
        {
            double shortened = double.Parse(((double)this).ToString($"E{digits - 1}", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            if (digits == 4 || ((BFloat16)shortened)._bits == _bits) return ((float)shortened).ToString(formatProvider);
        }
    }

    /// <summary>
    /// The float next to a number towards zero, with the last bit set where that is not exact: rounded once more, to at most 22 bits, it gives what rounding
    /// the number itself gives.
    /// </summary>
    /// <remarks>Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", IEEE Trans. Computers, 2008.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float RoundToOdd(double value)
    {
        float nearest = (float)value;
        int bits = BitConverter.SingleToInt32Bits(nearest);
        if (nearest == value || double.IsNaN(value) || (bits & 1) != 0) return nearest;
        return BitConverter.Int32BitsToSingle(Math.Abs((double)nearest) > Math.Abs(value) ? bits - 1 : bits + 1);
    }

    /// <summary>As <see cref="RoundToOdd(double)"/>.</summary>
    internal static float RoundToOdd(long value)
    {
        ulong magnitude = value < 0 ? 0UL - (ulong)value : (ulong)value;
        int shift = 40 - System.Numerics.BitOperations.LeadingZeroCount(magnitude);
        if (shift > 0)
        {
            ulong lost = magnitude & ((1UL << shift) - 1);
            magnitude = ((magnitude >> shift) | (lost != 0 ? 1UL : 0)) << shift;
        }

        return value < 0 ? -(float)magnitude : magnitude;
    }
}
