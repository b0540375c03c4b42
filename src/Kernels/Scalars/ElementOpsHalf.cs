using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

/// <summary>The nearest Float16, ties to even, as a number of the lane: conversion to it and back in one step.</summary>
internal readonly struct RoundToFloat16Op : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L> => NarrowFormat.Round(x, 10, L.Const(L.Is64 ? 268435456 : 0.5), L.Const(65520));
}

/// <summary>The nearest BFloat16, ties to even, as a number of the lane: conversion to it and back in one step.</summary>
internal readonly struct RoundToBFloat16Op : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        // 2⁻⁸¹, and the middle between the largest BFloat16 and 2¹²⁸.
        if (L.Is64) return NarrowFormat.Round(x, 7, L.Const(4.1359030627651384E-25), L.Const(3.3961775292304957E+38));

        // It has the exponents of a float, so that adding half a place to the pattern is enough; the carry goes where it belongs.
        L value = L.Let(x);
        L odd = L.And(L.ShiftRightLogical(value, 16), L.Bits(1));
        L rounded = L.And(L.AddInteger(L.AddInteger(value, L.Bits(0x7FFF)), odd), L.Bits(-0x10000));
        return L.Select(L.Equal(value, value), rounded, value);
    }
}

/// <summary>Rounding to numbers of fewer digits in the registers of wider ones.</summary>
internal static class NarrowFormat
{
    /// <summary>
    /// (|x| + m) − m for a power of two m whose last place is that of the result: the addition rounds, to even. m follows the exponent of x down to
    /// <paramref name="least"/>, where the last place is the smallest number of the format.
    /// </summary>
    /// <param name="x">The numbers.</param>
    /// <param name="fraction">Bits of the fraction that are kept.</param>
    /// <param name="least">The smallest m.</param>
    /// <param name="limit">What becomes infinite: half a place above the largest number.</param>
    [MethodImpl(AggressiveInlining)]
    public static L Round<L>(L x, int fraction, L least, L limit) where L : struct, ILane<L>
    {
        int digits = L.Is64 ? 52 : 23;
        L exponent = L.Bits(L.Is64 ? 0x7FF0000000000000 : 0x7F800000), places = L.Bits((long)(digits - fraction) << digits);
        L value = L.Let(x), magnitude = L.Let(L.Abs(value));

        // Beyond the limit m may be anything; NaN stays NaN in the sum.
        L m = L.Let(L.MaxNative(L.AddInteger(L.And(magnitude, exponent), places), least));
        L rounded = L.Select(L.GreaterOrEqual(magnitude, limit), L.Const(double.PositiveInfinity), magnitude + m - m);
        return L.Or(rounded, L.Xor(value, magnitude));
    }
}
