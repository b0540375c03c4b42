using System.Runtime.CompilerServices;
using static System.Runtime.CompilerServices.MethodImplOptions;

namespace Fusion.Kernels;

/// <summary>The nearest Float16, ties to even, as a number of the lane: conversion to it and back in one step.</summary>
internal readonly struct RoundToFloat16Op : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        (L value, L magnitude, L normal) = NarrowFormat.Parts(x, 10);
        // A sum whose last place is that of the subnormal numbers, 2⁻²⁴, is rounded there.
        L shift = L.Const(L.Is64 ? 268435456 : 0.5);
        L rounded = L.Let(L.Select(L.Less(magnitude, L.Const(6.103515625E-05)), magnitude + shift - shift, normal));
        L infinity = L.Const(double.PositiveInfinity);
        return NarrowFormat.Signed(value, magnitude, L.Select(L.Less(rounded, L.Const(65536)), rounded, infinity));
    }
}

/// <summary>The nearest BFloat16, ties to even, as a number of the lane: conversion to it and back in one step.</summary>
internal readonly struct RoundToBFloat16Op : IUnaryOp
{
    [MethodImpl(AggressiveInlining)]
    public static L Invoke<L>(L x) where L : struct, ILane<L>
    {
        (L value, L magnitude, L rounded) = NarrowFormat.Parts(x, 7);
        if (L.Is64)
        {
            // The exponents of a float are its own, those of a double are wider: 2⁻⁸¹ has the last place of the subnormal numbers, 2⁻¹³³.
            L shift = L.Const(4.1359030627651384E-25);
            rounded = L.Let(L.Select(L.Less(magnitude, L.Const(1.1754943508222875E-38)), magnitude + shift - shift, rounded));
            rounded = L.Select(L.Less(rounded, L.Const(3.4028236692093846E+38)), rounded, L.Const(double.PositiveInfinity));
        }

        return NarrowFormat.Signed(value, magnitude, rounded);
    }
}

/// <summary>Rounding of the fraction by integer arithmetic on the pattern: a carry goes into the exponent, where it belongs.</summary>
internal static class NarrowFormat
{
    [MethodImpl(AggressiveInlining)]
    public static (L Value, L Magnitude, L Rounded) Parts<L>(L x, int fraction) where L : struct, ILane<L>
    {
        int drop = (L.Is64 ? 52 : 23) - fraction;
        L value = L.Let(x), magnitude = L.Let(L.Abs(value));
        L odd = L.And(L.ShiftRightLogical(magnitude, drop), L.Bits(1));
        L sum = L.AddInteger(L.AddInteger(magnitude, L.Bits((1L << (drop - 1)) - 1)), odd);
        return (value, magnitude, L.And(sum, L.Bits(-(1L << drop))));
    }

    // With the sign of the value; NaN stays what it is (its pattern would have been carried into the sign).
    [MethodImpl(AggressiveInlining)]
    public static L Signed<L>(L value, L magnitude, L rounded) where L : struct, ILane<L> =>
        L.Select(L.Equal(value, value), L.Or(rounded, L.Xor(value, magnitude)), value);
}
