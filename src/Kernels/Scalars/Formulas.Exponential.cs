using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// exp and relatives. Cody–Waite reduction x = n·ln 2 + r, |r| ≤ ½ ln 2; polynomial: float minimax (Remez exchange, then a search among floats: eʳ within 2⁻²⁷·²,
// eʳ − 1 within 2⁻²⁶ of themselves), double the Taylor series (DLMF 4.2.19) to r¹³, whose remainder 0.35¹⁴/14! is below 2⁻⁵⁷.
internal static partial class Formulas
{
    private const double Log2E = 1.44269504088896340736;

    [MethodImpl(Inline)]
    public static L Exp<L>(L x) where L : struct, ILane<L>
    {
        L m1 = ExpM1Parts(x, out L n);
        return Scale(C<L>(1) + m1, n);
    }

    /// <summary>eˣ for x ≤ 0, or NaN: the bits of <see cref="Exp"/>.</summary>
    [MethodImpl(Inline)]
    internal static L ExpOfNegative<L>(L x) where L : struct, ILane<L>
    {
        L m1 = ExpM1PartsWithin(LimitedBelow(x), out L n);
        return L.HasScaleB ? L.ScaleB(C<L>(1) + m1, n) : (C<L>(1) + m1) * LaneFallback.PowerOfTwo(n, Lift<L>()) * Lowered<L>();
    }

    /// <summary>eˣ = (1 + result)·2ⁿ, for functions of eˣ that round once at the end.</summary>
    [MethodImpl(Inline)]
    private static L ExpM1Parts<L>(L x, out L n) where L : struct, ILane<L>
    {
        // x is the second operand: NaN passes through.
        return ExpM1PartsWithin(L.MinNative(C<L>(ExponentLimit<L>()), L.MaxNative(C<L>(-ExponentLimit<L>()), x)), out n);
    }

    /// <summary>The same for |x| within <see cref="ExponentLimit"/>, or NaN.</summary>
    [MethodImpl(Inline)]
    private static L ExpM1PartsWithin<L>(L x, out L n) where L : struct, ILane<L>
    {
        x = L.Let(x);
        n = L.Let(L.Round(x * C<L>(Log2E)));
        return ExpM1Polynomial(L.Let(Reduce(x, n)));
    }

    [MethodImpl(Inline)]
    private static L LimitedBelow<L>(L x) where L : struct, ILane<L> => L.MaxNative(C<L>(-ExponentLimit<L>()), x);

    // e to this power is ∞ and to its negative 0, also when that is multiplied by a number of this size.
    [MethodImpl(Inline)]
    private static double ExponentLimit<L>() where L : struct, ILane<L> => L.Is64 ? 760 : 120;

    [MethodImpl(Inline)]
    public static L Exp2<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(L.MinNative(C<L>(L.Is64 ? 1100 : 160), L.MaxNative(C<L>(L.Is64 ? -1200 : -170), x)));
        L n = L.Let(L.Round(x));
        L r = L.Let((x - n) * C<L>(0.69314718055994530942));
        return Scale(C<L>(1) + ExpM1Polynomial(r), n);
    }

    [MethodImpl(Inline)]
    public static L ExpM1<L>(L x) where L : struct, ILane<L>
    {
        L input = L.Let(x);
        L y = L.Let(L.MinNative(C<L>(L.Is64 ? 709.9 : 88.8), L.MaxNative(C<L>(L.Is64 ? -60 : -30), input)));
        L n = L.Let(L.Round(y * C<L>(Log2E)));
        L r = L.Let(Reduce(y, n));
        L p = ExpM1Polynomial(r);

        // 2·(p·2ⁿ⁻¹ + (2ⁿ⁻¹ − ½)): 2ⁿ⁻¹ does not overflow where the result does not.
        L scale = L.Let(HalfPowerOfTwo(n));
        L half = L.Fma(p, scale, scale - C<L>(0.5));
        return L.Select(L.Equal(input, C<L>(0)), input, half + half);
    }

    [MethodImpl(Inline)]
    public static L Sigmoid<L>(L x) where L : struct, ILane<L>
    {
        // e^|x| = (1 + q)·2ⁿ and s = 2⁻ⁿ: s/(1 + (q + s)) for x < 0, and what is left of 1 otherwise. The numerator is exact, so a denormal result is rounded once.
        x = L.Let(x);
        L q = ExpM1PartsWithin(L.MinNative(C<L>(ExponentLimit<L>()), L.Abs(x)), out L n);
        L s = L.Let(InversePowerOfTwo(n));
        L small = L.Let(s / (C<L>(1) + (q + s)));
        return L.Select(L.Less(x, C<L>(0)), small, C<L>(1) - small);
    }

    [MethodImpl(Inline)]
    public static L Silu<L>(L x) where L : struct, ILane<L>
    {
        // As the sigmoid; the scale of a numerator that is small goes last, so that a denormal result is rounded once.
        x = L.Let(LimitedBelow(x));
        L denominator = C<L>(1) + ScaleDown(C<L>(1) + ExpM1PartsWithin(LimitedBelow(-L.Abs(x)), out L n), n, out L lifted);
        L negative = L.Let(L.Less(x, C<L>(0)));
        return Lower(x * L.Select(negative, lifted, C<L>(1)) / denominator, n, negative);
    }

    [MethodImpl(Inline)]
    public static L Tanh<L>(L x) where L : struct, ILane<L>
    {
        // (1 − e)/(1 + e) with e = e^−2|x| = (1 + q)·s, s = 2ⁿ; sums of 1 and a power of two are exact, and beyond the limit the result is 1. An error of ln 2 counts as much
        // as e does: one constant will do.
        x = L.Let(x);
        L y = L.Let(L.MaxNative(C<L>(L.Is64 ? -40 : -20), L.Or(x + x, C<L>(-0.0))));
        L s = L.Let(NearestPowerOfTwo(y, Log2E, out L n));
        L q = L.Let(ExpM1Polynomial(L.Let(L.Fma(n, C<L>(-0.69314718055994530942), y))));
        return WithSign(L.Fma(-q, s, C<L>(1) - s) / L.Fma(q, s, C<L>(1) + s), x);
    }

    [MethodImpl(Inline)]
    public static L Softplus<L>(L x) where L : struct, ILane<L>
    {
        // max(x, 0) + ln(1 + e^−|x|): stable at both ends.
        x = L.Let(x);
        return L.MaxNative(C<L>(0), x) + LogP1(ExpOfNegative(-L.Abs(x)));
    }

    /// <summary>The bits of |magnitude| with the sign of <paramref name="sign"/>.</summary>
    [MethodImpl(Inline)]
    internal static L WithSign<L>(L magnitude, L sign) where L : struct, ILane<L> => L.Or(magnitude, L.And(sign, C<L>(-0.0)));

    // −ln 2 in two parts, of which the first has few enough digits for its products with the exponents of an exponential to be exact.
    [MethodImpl(Inline)]
    private static L MinusLn2High<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? -6.93147180369123816490e-01 : -0.693145752);

    [MethodImpl(Inline)]
    private static L MinusLn2Low<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? -1.90821492927058770002e-10 : -1.42860677e-6);

    /// <summary>x − n·ln 2.</summary>
    [MethodImpl(Inline)]
    private static L Reduce<L>(L x, L n) where L : struct, ILane<L> => L.Fma(n, MinusLn2Low<L>(), L.Fma(n, MinusLn2High<L>(), x));

    /// <summary>x·y − n·ln 2 of the product as it is before rounding.</summary>
    [MethodImpl(Inline)]
    private static L ReduceProduct<L>(L x, L y, L n) where L : struct, ILane<L> => L.Fma(n, MinusLn2Low<L>(), L.Fma(x, y, n * MinusLn2High<L>()));

    /// <summary>eʳ − 1 for |r| ≤ ½ ln 2.</summary>
    [MethodImpl(Inline)]
    private static L ExpM1Polynomial<L>(L r) where L : struct, ILane<L>
    {
        L p;
        if (L.Is64)
        {
            p = L.Fma(C<L>(1.0 / 6227020800), r, C<L>(1.0 / 479001600));
            p = L.Fma(p, r, C<L>(1.0 / 39916800));
            p = L.Fma(p, r, C<L>(1.0 / 3628800));
            p = L.Fma(p, r, C<L>(1.0 / 362880));
            p = L.Fma(p, r, C<L>(1.0 / 40320));
            p = L.Fma(p, r, C<L>(1.0 / 5040));
            p = L.Fma(p, r, C<L>(1.0 / 720));
            p = L.Fma(p, r, C<L>(1.0 / 120));
            p = L.Fma(p, r, C<L>(1.0 / 24));
            p = L.Fma(p, r, C<L>(1.0 / 6));
            p = L.Fma(p, r, C<L>(0.5));
        }
        else
        {
            p = L.Fma(C<L>(1.39400852e-3), r, C<L>(8.36693868e-3));
            p = L.Fma(p, r, C<L>(4.16663513e-2));
            p = L.Fma(p, r, C<L>(1.66665375e-1));
            p = L.Fma(p, r, C<L>(0.5));
        }

        return L.Fma(r * r, p, r);
    }
}
