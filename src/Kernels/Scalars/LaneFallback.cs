using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Operations that only AVX-512 has as one instruction, spelled with those that every machine has; the same bits.</summary>
internal static class LaneFallback
{
    // 1.5·2^52 and 1.5·2^23: adding one leaves the integer value in the low bits of the pattern (the sum is exact to the unit).
    private const double Magic64 = 6755399441055744, Magic32 = 12582912;

    /// <summary>x·2^a·2^b with a + b = n; b alone where one factor suffices.</summary>
    /// <remarks>
    /// b = n clamped to the exponents of normal numbers. The first product is exact unless it underflows or overflows, and then the second is
    /// zero or infinite anyway: so the result is rounded once, as <c>vscalef</c> does it. Needs |n| ≤ 252 (float) or 2044 (double).
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L ScaleB<L>(L x, L n) where L : struct, ILane<L>
    {
        n = L.Let(n);
        L b = L.Let(L.Is64
            ? L.MinNative(L.Const(1023), L.MaxNative(L.Const(-1022), n))
            : L.MinNative(L.Const(127), L.MaxNative(L.Const(-126), n)));
        return x * PowerOfTwo(n - b) * PowerOfTwo(b);
    }

    /// <summary>The pattern of an integral double, |a| ≤ 2^51.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L ToInteger<L>(L a) where L : struct, ILane<L> =>
        L.SubtractInteger(a + L.Const(Magic64), L.Const(Magic64));

    // The biased exponent comes to lie in the low bits, and the shift moves it to its place.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L PowerOfTwo<L>(L n) where L : struct, ILane<L> =>
        L.Is64 ? L.ShiftLeft(n + L.Const(Magic64 + 1023), 52) : L.ShiftLeft(n + L.Const(Magic32 + 127), 23);
}
