using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// x·Φ(x) and its slope, Φ and φ the normal distribution function and its density; and the tanh form.
internal static partial class Formulas
{
    private const double OneOverSqrt2 = 0.70710678118654752440;
    private const double OneOverSqrt2Pi = 0.39894228040143267794;

    /// <summary>x·Φ(x) = max(x, 0) − |x|·Φ(−|x|): accurate also where Φ is tiny.</summary>
    [MethodImpl(Inline)]
    public static L Gelu<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        if (L.Is64)
        {
            L erfc = NormalByRanges(x, out L e, out L tail, out L far, out L negative);
            L value = L.Select(far, L.Select(negative, C<L>(0), x) - tail, x * C<L>(0.5) * erfc);
            value = L.Select(L.Less(x, C<L>(-40)), C<L>(-0.0), value);
            return L.Select(L.NotEqual(x, x), x, value);
        }

        L ratio = MillsRatio(x, out L magnitude, out L u);
        return L.MaxNative(C<L>(-0.0), x) - TimesGauss(L.Let(u * ratio), magnitude);
    }

    /// <summary>The derivative of <see cref="Gelu"/>, Φ(x) + x·φ(x) = 1 − s(|x|), or s(|x|) for x &lt; 0, where s(a) = Φ(−a) − a·φ(a).</summary>
    [MethodImpl(Inline)]
    public static L GeluSlope<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        if (L.Is64)
        {
            L erfc = NormalByRanges(x, out L e, out L tail, out L far, out L negative);
            L density = e * C<L>(OneOverSqrt2Pi);
            L beyond = L.Let(tail / L.Abs(x) - L.Abs(x) * density);
            L value = L.Select(far, L.Select(negative, beyond, C<L>(1) - beyond), L.Fma(x, density, C<L>(0.5) * erfc));
            value = L.Select(L.Less(x, C<L>(-40)), C<L>(-0.0), L.Select(L.Greater(x, C<L>(40)), C<L>(1), value));
            return L.Select(L.NotEqual(x, x), x, value);
        }

        // With u = a/(a + c), 1/(a + c) is (1 − u)/c.
        L ratio = MillsRatio(x, out L magnitude, out L u);
        L t = L.Fma(u, C<L>(-1 / MillsCentre), C<L>(1 / MillsCentre));
        L s = L.Let(TimesGauss(L.Let(L.Fma(ratio, t, magnitude * C<L>(-OneOverSqrt2Pi))), magnitude));
        return L.Select(L.Less(x, C<L>(0)), s, C<L>(1) - s);
    }

    private const double MillsCentre = 3.5;
    private const double MillsShift = 0.21875;

    /// <summary>Φ(−a)·exp(a²/2)·(a + c) for a = |x|, as far as the exponential is not 0. A kernel that has both the value and its slope computes it once.</summary>
    /// <param name="x">The argument.</param>
    /// <param name="a">|x|.</param>
    /// <param name="u">a/(a + c).</param>
    [MethodImpl(Inline)]
    private static L MillsRatio<L>(L x, out L a, out L u) where L : struct, ILane<L>
    {
        a = L.Let(GaussLimited(x, 0.5));
        u = L.Let(a / (a + C<L>(MillsCentre)));
        return L.Let(MillsPolynomial(u - C<L>(MillsShift)));
    }

    /// <summary>
    /// Φ(−a)·exp(a²/2)·(a + c), from 1.75 to 0.4, of w = a/(a + c) − 7/32 with c = 3.5, to 2⁻²⁷ (tools/gelu_tail.py). The shift is where roundings count as much
    /// near 0 as far out.
    /// </summary>
    [MethodImpl(Inline)]
    private static L MillsPolynomial<L>(L w) where L : struct, ILane<L>
    {
        w = L.Let(w);
        L p = L.Fma(C<L>(0.0609289072), w, C<L>(-0.0423741415));
        p = L.Fma(p, w, C<L>(-0.141519994));
        p = L.Fma(p, w, C<L>(0.0546901412));
        p = L.Fma(p, w, C<L>(0.35526368));
        p = L.Fma(p, w, C<L>(-0.170690656));
        p = L.Fma(p, w, C<L>(-1.00911224));
        p = L.Fma(p, w, C<L>(2.11549139));
        p = L.Fma(p, w, C<L>(-2.07760668));
        return L.Fma(p, w, C<L>(1.18429077));
    }

    /// <summary>x·exp(−a²/2) for x that are small only beside an exponential of nearly 1; the exponential itself is not rounded.</summary>
    [MethodImpl(Inline)]
    private static L TimesGauss<L>(L x, L a) where L : struct, ILane<L>
    {
        L m1 = L.Let(GaussM1PartsWithin(a, 0.5, out L n));
        return ScaleDown(L.Fma(x, m1, x), n, out _);
    }

    /// <summary>erfc(−x/√2), which is 2Φ(x), for x that are not far from 0, double.</summary>
    /// <param name="x">The argument.</param>
    /// <param name="e">exp(−x²/2).</param>
    /// <param name="tail">|x|·Φ(−|x|) for the others.</param>
    /// <param name="far">Which these are.</param>
    /// <param name="negative">Which are below 0.</param>
    [MethodImpl(Inline)]
    private static L NormalByRanges<L>(L x, out L e, out L tail, out L far, out L negative) where L : struct, ILane<L>
    {
        L z = L.Let(x * C<L>(OneOverSqrt2));
        L magnitude = L.Let(L.Abs(z));
        negative = L.Let(L.Less(x, C<L>(0)));
        far = L.Let(L.GreaterOrEqual(magnitude, C<L>(1.25)));

        // Three ranges of |z|: ½ − (erf excess), 1 − erf(1) − …, the tail; the subtractions of the first two are exact. In the tail ½·x·erfc(|z|) is
        // |z|·erfc(|z|)/√2, without a division by z and a product with x.
        L excess = ErfExcess(magnitude) * magnitude;
        L near = L.Select(negative, C<L>(0.5) - (excess + (magnitude - C<L>(0.5))), C<L>(1) + (excess + magnitude));
        L middle = L.Let(ErfMiddle(magnitude - C<L>(1)));
        L mid = L.Select(negative, C<L>(1 - 8.45062911510467529297e-01) - middle, C<L>(1 + 8.45062911510467529297e-01) + middle);

        // What was lost in z = x/√2, times the derivative 2/√π·exp(−z²), is put back.
        e = L.Let(Gauss(x, 0.5));
        L lost = L.Fma(x, C<L>(OneOverSqrt2), -z) + x * C<L>(-4.8336466567264567e-17);
        tail = ErfcTail(magnitude, e) * C<L>(OneOverSqrt2);
        return L.Fma(C<L>(1.12837916709551257390) * e, lost, L.Select(L.Less(magnitude, C<L>(0.84375)), near, mid));
    }

    [MethodImpl(Inline)]
    public static L GeluTanh<L>(L x) where L : struct, ILane<L>
    {
        // ½x(1 + tanh u) = x·σ(2u), 2u = x·(b + a·x²) with a, b in two parts each: for negative u the result is x·e^2u, which amplifies the
        // rounding of u.
        x = L.Let(x);
        L aHigh = C<L>(L.Is64 ? 0.07135481627260025 : 0.07135481387376785);
        L aLow = C<L>(L.Is64 ? -6.1751499181553154e-19 : 2.398832395993135628e-9);
        L bHigh = C<L>(L.Is64 ? 1.5957691216057308 : 1.5957691669464111);
        L bLow = C<L>(L.Is64 ? -9.96930880911092031e-17 : -4.534068042105271576e-8);
        L square = L.Let(x * x);
        L squareLow = L.Fma(x, x, -square);
        L product = L.Let(square * aHigh);
        L t = L.Let(product + bHigh);
        L part = L.Let(t - product);
        L tLow = (product - (t - part)) + (bHigh - part) + L.Fma(square, aHigh, -product) + L.Fma(square, aLow, L.Fma(squareLow, aHigh, bLow));
        L u = L.Let(x * t);
        L uLow = L.Fma(x, t, -u) + x * tLow;
        L significand = L.Let(C<L>(1) + ExpM1PartsWithin(LimitedBelow(-L.Abs(u)), out L n));
        L negative = L.Let(L.Less(x, C<L>(0)));
        L corrected = L.Let(L.Select(negative, L.Fma(significand, uLow, significand), significand));
        L e = ScaleDown(corrected, n, out L lifted);
        L value = Lower(x * L.Select(negative, lifted, C<L>(1)) / (C<L>(1) + e), n, negative);
        value = L.Select(L.Less(x, C<L>(-30)), C<L>(-0.0), L.Select(L.Greater(x, C<L>(30)), x, value));
        return L.Select(L.NotEqual(x, x), x, value);
    }
}
