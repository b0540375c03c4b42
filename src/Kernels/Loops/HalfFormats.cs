using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fusion.Kernels;

/// <summary>A format of two bytes: sixteen elements to and from Float32. (.NET 10 does not expose the processor's own conversions.)</summary>
internal interface IHalfFormat
{
    static abstract Vector512<float> Widen(Vector256<ushort> patterns);

    static abstract Vector256<ushort> Narrow(Vector512<float> values);
}

/// <summary>The conversions of <see cref="Half"/>, to the bit.</summary>
internal readonly struct Float16Format : IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector256<ushort> patterns) =>
        Formulas.FromFloat16(new Lane512<float> { V = HalfPatterns.Extend(patterns).AsSingle() }).V;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrow(Vector512<float> values) => HalfPatterns.Truncate(Formulas.ToFloat16(new Lane512<float> { V = values }).V.AsUInt32());
}

/// <summary>The conversions of <see cref="BFloat16"/>.</summary>
internal readonly struct BFloat16Format : IHalfFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Widen(Vector256<ushort> patterns) =>
        Formulas.FromBFloat16(new Lane512<float> { V = HalfPatterns.Extend(patterns).AsSingle() }).V;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<ushort> Narrow(Vector512<float> values) => HalfPatterns.Truncate(Formulas.ToBFloat16(new Lane512<float> { V = values }).V.AsUInt32());
}

/// <summary>Two bytes in memory, four in a register.</summary>
internal static class HalfPatterns
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static Vector512<uint> Extend(Vector256<ushort> patterns)
    {
        if (Avx512F.IsSupported) return Avx512F.ConvertToVector512UInt32(patterns);
        (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(patterns);
        return Vector512.Create(low, high);
    }

    [MethodImpl(Inline)]
    public static Vector256<uint> Extend(Vector128<ushort> patterns)
    {
        if (Avx2.IsSupported) return Avx2.ConvertToVector256Int32(patterns).AsUInt32();
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(patterns);
        return Vector256.Create(low, high);
    }

    /// <summary>Four patterns.</summary>
    [MethodImpl(Inline)]
    public static Vector128<uint> Extend(ulong patterns) => Vector128.WidenLower(Vector128.CreateScalar(patterns).AsUInt16());

    [MethodImpl(Inline)]
    public static Vector256<ushort> Truncate(Vector512<uint> patterns) =>
        Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(patterns) : Vector256.Narrow(patterns.GetLower(), patterns.GetUpper());

    [MethodImpl(Inline)]
    public static Vector128<ushort> Truncate(Vector256<uint> patterns) => Vector128.Narrow(patterns.GetLower(), patterns.GetUpper());

    /// <summary>Four patterns.</summary>
    [MethodImpl(Inline)]
    public static ulong Truncate(Vector128<uint> patterns) => Vector128.Narrow(patterns, patterns).AsUInt64().ToScalar();
}
