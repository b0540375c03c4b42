using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// Conversions between Float32 and the formats of two bytes, whose patterns lie in the lower halves of the elements. To the nearest, ties to even; a NaN
// becomes quiet. Giesen, "Float→half variants" and "half_to_float_fast5", 2012: with integers, and subnormal numbers by one addition, which rounds them.
internal static partial class Formulas
{
    // The difference of the exponents' biases, 127 − 15, and the smallest normal Float16.
    private const long Rebias = 112L << 23;
    private const double SmallestFloat16 = 6.103515625E-05;

    /// <summary>The numbers of patterns of <see cref="Half"/>, as its own conversion gives them; float lanes only.</summary>
    [MethodImpl(Inline)]
    public static L FromFloat16<L>(L pattern) where L : struct, ILane<L>
    {
        L bits = L.Let(pattern), magnitude = L.Let(L.And(bits, L.Bits(0x7FFF)));
        L number = L.Let(L.AddInteger(L.ShiftLeft(magnitude, 13), L.Bits(Rebias)));

        // The fraction as one of 2⁻¹⁴·(1 + …), less that 1.
        L subnormal = L.AddInteger(number, L.Bits(1 << 23)) - L.Const(SmallestFloat16);
        L quiet = L.And(L.Greater(number, L.Const(65536)), L.Bits(0x400000));
        L special = L.Or(L.AddInteger(number, L.Bits(Rebias)), quiet);
        L normal = L.Select(L.Less(number, L.Const(65536)), number, special);
        return L.Or(L.Select(L.Less(number, L.Const(SmallestFloat16)), subnormal, normal), L.ShiftLeft(L.Xor(bits, magnitude), 16));
    }

    /// <summary>The patterns of <see cref="Half"/>, as its own conversion gives them; float lanes only.</summary>
    [MethodImpl(Inline)]
    public static L ToFloat16<L>(L x) where L : struct, ILane<L>
    {
        L value = L.Let(x), magnitude = L.Let(L.Abs(value)), fraction = L.Let(L.ShiftRightLogical(magnitude, 13));
        L sum = L.AddInteger(L.AddInteger(magnitude, L.Bits(0xFFF - Rebias)), L.And(fraction, L.Bits(1)));

        // The last place of 0.5 is 2⁻²⁴, the smallest Float16. From 65520 on all is infinite, but for NaN.
        L subnormal = L.SubtractInteger(magnitude + L.Const(0.5), L.Const(0.5));
        L nan = L.Or(L.And(fraction, L.Bits(0x3FF)), L.Bits(0x7E00));
        L large = L.Select(L.Equal(magnitude, magnitude), L.Bits(0x7C00), nan);
        L normal = L.Select(L.Less(magnitude, L.Const(65520)), L.ShiftRightLogical(sum, 13), large);
        L pattern = L.Select(L.Less(magnitude, L.Const(SmallestFloat16)), subnormal, normal);
        return L.Or(pattern, L.ShiftRightLogical(L.Xor(value, magnitude), 16));
    }

    /// <summary>The numbers of patterns of <see cref="BFloat16"/>; float lanes only.</summary>
    [MethodImpl(Inline)]
    public static L FromBFloat16<L>(L pattern) where L : struct, ILane<L> => L.ShiftLeft(pattern, 16);

    /// <summary>The patterns of <see cref="BFloat16"/>; float lanes only.</summary>
    [MethodImpl(Inline)]
    public static L ToBFloat16<L>(L x) where L : struct, ILane<L>
    {
        L value = L.Let(x), upper = L.Let(L.ShiftRightLogical(value, 16));
        L sum = L.AddInteger(L.AddInteger(value, L.Bits(0x7FFF)), L.And(upper, L.Bits(1)));
        return L.Select(L.Equal(value, value), L.ShiftRightLogical(sum, 16), L.Or(upper, L.Bits(0x40)));
    }
}
