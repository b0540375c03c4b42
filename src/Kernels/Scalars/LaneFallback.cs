using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Operations that are not one instruction everywhere, spelled with those that are; the same bits on every machine.</summary>
internal static unsafe class LaneFallback
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
        return x * PowerOfTwo(n - b, 0) * PowerOfTwo(b, 0);
    }

    /// <summary>x·2^a·2^b with a and b the halves of n, |n| ≤ 252 (float) or 2044 (double): rounded once where x·2^a is a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L ScaleByHalves<L>(L x, L n) where L : struct, ILane<L>
    {
        // n and twice the bias are in the low bits: a shift by one makes a biased exponent of it, and the other is the rest.
        L sum = L.Let(n + L.Const(L.Is64 ? Magic64 + 2046 : Magic32 + 254));
        L half = L.Let(L.ShiftRightLogical(sum, 1));
        L rest = L.SubtractInteger(sum, half);
        return L.Is64 ? x * L.ShiftLeft(half, 52) * L.ShiftLeft(rest, 52) : x * L.ShiftLeft(half, 23) * L.ShiftLeft(rest, 23);
    }

    /// <summary>The pattern of an integral double, |a| ≤ 2^51.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L ToInteger<L>(L a) where L : struct, ILane<L> =>
        L.SubtractInteger(a + L.Const(Magic64), L.Const(Magic64));

    /// <summary>Where <see cref="SimpleRemainder"/> holds: the quotient is small enough to be truncated exactly (or NaN), and b is not infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L IsSimpleRemainder<L>(L quotient, L b) where L : struct, ILane<L>
    {
        L limit = L.Is64 ? L.Const(1L << 52) : L.Const(1 << 23);
        return L.Not(L.Or(L.GreaterOrEqual(L.Abs(quotient), limit), L.Equal(L.Abs(b), L.Const(double.PositiveInfinity))));
    }

    /// <summary>a − trunc(a/b)·b for a small quotient a/b.</summary>
    /// <remarks>
    /// The rounded quotient may have reached the next integer, one too far from zero; then the rest has the wrong sign, and b corrects it.
    /// Both steps are exact: rests are multiples of the last place of b and smaller than b.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L SimpleRemainder<L>(L a, L b, L quotient) where L : struct, ILane<L>
    {
        L sign = L.And(a, L.Const(-0.0));
        L rest = L.Xor(L.Fma(-L.Truncate(quotient), b, a), sign);
        rest = L.Select(L.Less(rest, L.Const(0)), rest + L.Abs(b), rest);
        return L.Or(L.Abs(rest), sign);
    }

    /// <summary>x[i] %= y[i]</summary>
    public static void Remainder<T>(T* x, T* y, int count) where T : unmanaged
    {
        for (int i = 0; i < count; i++)
        {
            if (typeof(T) == typeof(float)) ((float*)x)[i] %= ((float*)y)[i];
            if (typeof(T) == typeof(double)) ((double*)x)[i] %= ((double*)y)[i];
        }
    }

    /// <summary>What an exponent is added to, so that it comes to lie biased in the low bits of the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Bias<L>() where L : struct, ILane<L> => L.Is64 ? Magic64 + 1023 : Magic32 + 127;

    /// <summary>The power of two whose exponent was added to <see cref="Bias"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L ToExponent<L>(L sum) where L : struct, ILane<L> => L.ShiftLeft(sum, L.Is64 ? 52 : 23);

    /// <summary>2^(n + m), a normal number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L PowerOfTwo<L>(L n, int m) where L : struct, ILane<L> => ToExponent(n + L.Const(Bias<L>() + m));
}
