using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>A format of two bytes: sixteen elements to and from Float32. To Float32 is exact; from it to the nearest, ties to even, NaN to a quiet NaN.</summary>
internal interface IHalfFormat
{
    static abstract Vector512<float> Widen(Vector256<ushort> bits);

    static abstract Vector256<ushort> Narrow(Vector512<float> values);
}

/// <summary>The conversions of <see cref="Half"/>, to the bit. (.NET 10 does not expose the processor's own.)</summary>
/// <remarks>Giesen, "Float→half variants" and "half_to_float_fast5", 2012, with integers; subnormal numbers by one addition of Float32, which rounds them.</remarks>
internal readonly struct Float16Format : IHalfFormat
{
    private const uint Rebias = 112u << 23; // the difference of the exponents' biases, 127 − 15

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector256<ushort> bits)
    {
        (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(bits);
        Vector512<uint> half = Vector512.Create(low, high), magnitude = half & Vector512.Create(0x7FFFu), shifted = magnitude << 13;
        Vector512<uint> normal = shifted + Vector512.Create(Rebias);
        Vector512<uint> special = Vector512.GreaterThanOrEqual(magnitude.AsInt32(), Vector512.Create(0x7C00)).AsUInt32();
        Vector512<uint> isNaN = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create(0x7C00)).AsUInt32();
        Vector512<uint> isSubnormal = Vector512.LessThan(magnitude.AsInt32(), Vector512.Create(0x400)).AsUInt32();
        // The fraction as one of 2⁻¹⁴·(1 + …), less that 1.
        Vector512<float> one = Vector512.Create(Rebias + (1u << 23)).AsSingle();
        Vector512<uint> subnormal = ((shifted + Vector512.Create(Rebias + (1u << 23))).AsSingle() - one).AsUInt32();
        Vector512<uint> result = Vector512.ConditionalSelect(isSubnormal, subnormal, normal + (special & Vector512.Create(Rebias)));
        return (result | (isNaN & Vector512.Create(0x400000u)) | ((half ^ magnitude) << 16)).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrow(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32(), magnitude = bits & Vector512.Create(0x7FFFFFFFu), sign = (bits ^ magnitude) >> 16;
        Vector512<uint> fraction = magnitude >> 13;
        Vector512<uint> normal = (magnitude + Vector512.Create(0xFFFu) - Vector512.Create(Rebias) + (fraction & Vector512<uint>.One)) >> 13;
        // The last place of 0.5 is 2⁻²⁴, the smallest Float16.
        Vector512<uint> half = Vector512.Create(0x3F000000u);
        Vector512<uint> subnormal = (magnitude.AsSingle() + half.AsSingle()).AsUInt32() - half;
        Vector512<uint> isSubnormal = Vector512.LessThan(magnitude.AsInt32(), Vector512.Create(113 << 23)).AsUInt32();
        Vector512<uint> isLarge = Vector512.GreaterThanOrEqual(magnitude.AsInt32(), Vector512.Create(143 << 23)).AsUInt32();
        Vector512<uint> isNaN = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create(0x7F800000)).AsUInt32();
        Vector512<uint> large = Vector512.Create(0x7C00u) | (isNaN & ((fraction & Vector512.Create(0x3FFu)) | Vector512.Create(0x200u)));
        Vector512<uint> result = Vector512.ConditionalSelect(isLarge, large, Vector512.ConditionalSelect(isSubnormal, subnormal, normal)) | sign;
        return Vector256.Narrow(result.GetLower(), result.GetUpper());
    }
}

/// <summary>The conversions of <see cref="BFloat16"/>.</summary>
internal readonly struct BFloat16Format : IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector256<ushort> bits)
    {
        (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(bits);
        return (Vector512.Create(low, high) << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrow(Vector512<float> values)
    {
        Vector512<uint> bits = values.AsUInt32(), upper = bits >> 16;
        Vector512<uint> rounded = (bits + Vector512.Create(0x7FFFu) + (upper & Vector512<uint>.One)) >> 16;
        Vector512<uint> isNaN = Vector512.GreaterThan((bits & Vector512.Create(0x7FFFFFFFu)).AsInt32(), Vector512.Create(0x7F800000)).AsUInt32();
        Vector512<uint> result = Vector512.ConditionalSelect(isNaN, upper | Vector512.Create(0x40u), rounded);
        return Vector256.Narrow(result.GetLower(), result.GetUpper());
    }
}
