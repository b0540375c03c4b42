using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// erf and erfc. Float: Cephes ndtrf.c (Moshier). Double: FreeBSD msun s_erf.c (Sun Microsystems).
internal static partial class Formulas
{
    [MethodImpl(Inline)]
    public static L Erf<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        if (!L.Is64)
        {
            L outer = C<L>(1) - ErfcTail(magnitude, Gauss(magnitude, 1)) / magnitude;
            return L.Select(L.Less(magnitude, C<L>(1)), ErfInner(x), L.Select(L.NotEqual(x, x), x, WithSign(outer, x)));
        }

        L middle = C<L>(8.45062911510467529297e-01) + ErfMiddle(magnitude - C<L>(1));
        L far = C<L>(1) - ErfcTail(magnitude, Gauss(magnitude, 1)) / magnitude;
        L result = WithSign(L.Select(L.Less(magnitude, C<L>(1.25)), middle, far), x);
        return L.Select(L.Less(magnitude, C<L>(0.84375)), ErfInner(x), L.Select(L.NotEqual(x, x), x, result));
    }

    // erf for small arguments.
    [MethodImpl(Inline)]
    private static L ErfInner<L>(L x) where L : struct, ILane<L> => L.Fma(x, ErfExcess(x), x);

    // erf(x)/x − 1 for |x| < 1 (float), |x| < 0.84375 (double).
    [MethodImpl(Inline)]
    private static L ErfExcess<L>(L x) where L : struct, ILane<L>
    {
        L z = L.Let(x * x);
        if (L.Is64)
        {
            L r = L.Fma(C<L>(-2.37630166566501626084e-05), z, C<L>(-5.77027029648944159157e-03));
            r = L.Fma(L.Fma(L.Fma(r, z, C<L>(-2.84817495755985104766e-02)), z, C<L>(-3.25042107247001499370e-01)), z, C<L>(1.28379167095512558561e-01));
            L s = L.Fma(C<L>(-3.96022827877536812320e-06), z, C<L>(1.32494738004321644526e-04));
            s = L.Fma(L.Fma(s, z, C<L>(5.08130628187576562776e-03)), z, C<L>(6.50222499887672944485e-02));
            s = L.Fma(L.Fma(s, z, C<L>(3.97917223959155352819e-01)), z, C<L>(1));
            return r / s;
        }

        L p = L.Fma(C<L>(7.853861353153693e-5), z, C<L>(-8.010193625184903e-4));
        p = L.Fma(p, z, C<L>(5.188327685732524e-3));
        p = L.Fma(p, z, C<L>(-2.685381193529856e-2));
        p = L.Fma(p, z, C<L>(1.128358514861418e-1));
        p = L.Fma(p, z, C<L>(-3.761262582423300e-1));
        return L.Fma(p, z, C<L>(0.128379165726710));
    }

    // erf(1 + s) − 0.845… for |s| ≤ ¼, double.
    [MethodImpl(Inline)]
    private static L ErfMiddle<L>(L s) where L : struct, ILane<L>
    {
        s = L.Let(s);
        L p = L.Fma(C<L>(-2.16637559486879084300e-03), s, C<L>(3.54783043256182359371e-02));
        p = L.Fma(L.Fma(p, s, C<L>(-1.10894694282396677476e-01)), s, C<L>(3.18346619901161753674e-01));
        p = L.Fma(L.Fma(L.Fma(p, s, C<L>(-3.72207876035701323847e-01)), s, C<L>(4.14856118683748331666e-01)), s, C<L>(-2.36211856075265944077e-03));
        L q = L.Fma(C<L>(1.19844998467991074170e-02), s, C<L>(1.36370839120290507362e-02));
        q = L.Fma(L.Fma(q, s, C<L>(1.26171219808761642112e-01)), s, C<L>(7.18286544141962662868e-02));
        q = L.Fma(L.Fma(L.Fma(q, s, C<L>(5.40397917702171048937e-01)), s, C<L>(1.06420880400844228286e-01)), s, C<L>(1));
        return p / q;
    }

    /// <summary>exp(−scale·x²), scale a power of two.</summary>
    [MethodImpl(Inline)]
    private static L Gauss<L>(L x, double scale) where L : struct, ILane<L> =>
        L.Let(ScaleDown(C<L>(1) + GaussM1PartsWithin(L.Let(GaussLimited(x, scale)), scale, out L n), n, out _));

    /// <summary>|x|, at most the number at which exp(−scale·x²) is 0.</summary>
    [MethodImpl(Inline)]
    private static L GaussLimited<L>(L x, double scale) where L : struct, ILane<L> => L.MinNative(C<L>(Math.Sqrt(ExponentLimit<L>() / scale)), L.Abs(x));

    /// <summary>exp(−scale·x²) = (1 + result)·2ⁿ for such x; the square, whose rounding error the exponential would amplify, is not rounded.</summary>
    [MethodImpl(Inline)]
    private static L GaussM1PartsWithin<L>(L x, double scale, out L n) where L : struct, ILane<L>
    {
        n = L.Let(L.Round(x * x * C<L>(-scale * Log2E)));
        return ExpM1Polynomial(L.Let(ReduceProduct(C<L>(-scale) * x, x, n)));
    }

    // x·erfc(x) for x ≥ 1 (float) or 1.25 (double): e·R(1/x²) with e = exp(−x²).
    [MethodImpl(Inline)]
    private static L ErfcTail<L>(L x, L e) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L square = x * x;
        L y = L.Let(C<L>(1) / square);
        if (L.Is64) return e * ErfcRational(x, y);
        L a = L.Fma(C<L>(2.326819970068386e-2), y, C<L>(-1.387039388740657e-1));
        a = L.Fma(L.Fma(a, y, C<L>(3.687424674597105e-1)), y, C<L>(-5.824733027278666e-1));
        a = L.Fma(L.Fma(a, y, C<L>(6.210004621745983e-1)), y, C<L>(-4.944515323274145e-1));
        a = L.Fma(L.Fma(L.Fma(a, y, C<L>(3.404879937665872e-1)), y, C<L>(-2.741127028184656e-1)), y, C<L>(5.638259427386472e-1));
        L b = L.Fma(C<L>(-1.047766399936249e+1), y, C<L>(1.297719955372516e+1));
        b = L.Fma(L.Fma(b, y, C<L>(-7.495518717768503)), y, C<L>(2.921019019210786));
        b = L.Fma(L.Fma(b, y, C<L>(-1.015265279202700)), y, C<L>(4.218463358204948e-1));
        b = L.Fma(L.Fma(b, y, C<L>(-2.820767439740514e-1)), y, C<L>(5.641895067754075e-1));
        return e * L.Select(L.Less(x, C<L>(2)), a, b);
    }

    // exp(R/S − 0.5625) with the intervals [1.25, 1/0.35) and beyond.
    [MethodImpl(Inline)]
    private static L ErfcRational<L>(L x, L y) where L : struct, ILane<L>
    {
        L near = L.Let(L.Less(x, C<L>(1 / 0.35)));
        L r = L.Fma(L.Select(near, C<L>(-9.81432934416914548592), C<L>(0)), y, L.Select(near, C<L>(-8.12874355063065934246e+01), C<L>(-4.83519191608651397019e+02)));
        r = L.Fma(r, y, L.Select(near, C<L>(-1.84605092906711035994e+02), C<L>(-1.02509513161107724954e+03)));
        r = L.Fma(r, y, L.Select(near, C<L>(-1.62396669462573470355e+02), C<L>(-6.37566443368389627722e+02)));
        r = L.Fma(r, y, L.Select(near, C<L>(-6.23753324503260060396e+01), C<L>(-1.60636384855821916062e+02)));
        r = L.Fma(r, y, L.Select(near, C<L>(-1.05586262253232909814e+01), C<L>(-1.77579549177547519889e+01)));
        r = L.Fma(r, y, L.Select(near, C<L>(-6.93858572707181764372e-01), C<L>(-7.99283237680523006574e-01)));
        r = L.Fma(r, y, L.Select(near, C<L>(-9.86494403484714822705e-03), C<L>(-9.86494292470009928597e-03)));
        L s = L.Fma(L.Select(near, C<L>(-6.04244152148580987438e-02), C<L>(0)), y, L.Select(near, C<L>(6.57024977031928170135), C<L>(-2.24409524465858183362e+01)));
        s = L.Fma(s, y, L.Select(near, C<L>(1.08635005541779435134e+02), C<L>(4.74528541206955367215e+02)));
        s = L.Fma(s, y, L.Select(near, C<L>(4.29008140027567833386e+02), C<L>(2.55305040643316442583e+03)));
        s = L.Fma(s, y, L.Select(near, C<L>(6.45387271733267880336e+02), C<L>(3.19985821950859553908e+03)));
        s = L.Fma(s, y, L.Select(near, C<L>(4.34565877475229228821e+02), C<L>(1.53672958608443695994e+03)));
        s = L.Fma(s, y, L.Select(near, C<L>(1.37657754143519042600e+02), C<L>(3.25792512996573918826e+02)));
        s = L.Fma(s, y, L.Select(near, C<L>(1.96512716674392571292e+01), C<L>(3.03380607434824582924e+01)));
        s = L.Fma(s, y, C<L>(1));
        return Exp(r / s - C<L>(0.5625));
    }
}
