using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// asin, acos, atan, atan2. Float: Cephes asinf, atanf (Moshier). Double: FreeBSD msun e_asin.c (Sun Microsystems) and Cephes atan.
internal static partial class Formulas
{
    private const double HalfPi = 1.57079632679489661923;

    // π/2 − (its double or float), the part that rounding loses.
    private const double HalfPiLow64 = 6.123233995736765886130e-17;
    private const double HalfPiLow32 = -4.37113900018624283e-8;

    [MethodImpl(Inline)]
    public static L Asin<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L outer = L.Let(L.Greater(magnitude, C<L>(0.5)));

        // asin x = π/2 − 2·asin √((1 − x)/2)
        L z = L.Let(L.Select(outer, L.Fma(C<L>(-0.5), magnitude, C<L>(0.5)), magnitude * magnitude));
        L root = L.Let(L.Select(outer, L.Sqrt(z), magnitude));
        L half = L.Let(L.Fma(root, AsinExcess(z), root));
        L value = L.Select(outer, C<L>(HalfPi) - (half + half - C<L>(L.Is64 ? HalfPiLow64 : HalfPiLow32)), half);
        return L.Select(L.NotEqual(x, x), x, WithSign(value, x));
    }

    [MethodImpl(Inline)]
    public static L Acos<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L low = C<L>(L.Is64 ? HalfPiLow64 : HalfPiLow32);
        L outer = L.Let(L.Greater(magnitude, C<L>(0.5)));
        L z = L.Let(L.Select(outer, L.Fma(C<L>(-0.5), magnitude, C<L>(0.5)), magnitude * magnitude));
        L root = L.Let(L.Select(outer, L.Sqrt(z), x));
        L half = L.Let(L.Fma(root, AsinExcess(z), root));
        L twice = L.Let(half + half);
        L right = L.Select(L.Less(x, C<L>(0)), C<L>(2 * HalfPi) - (twice - (low + low)), twice);
        return L.Select(outer, right, C<L>(HalfPi) - (half - low));
    }

    [MethodImpl(Inline)]
    public static L Atan<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L outer = L.Let(L.Greater(magnitude, C<L>(2.41421356237309504880)));
        L middle = L.Let(L.Greater(magnitude, C<L>(L.Is64 ? 0.66 : 0.41421356237309504880)));

        // atan x = π/2 − atan(1/x) = π/4 + atan((x − 1)/(x + 1))
        L numerator = L.Select(outer, C<L>(-1), L.Select(middle, magnitude - C<L>(1), magnitude));
        L denominator = L.Select(outer, magnitude, L.Select(middle, magnitude + C<L>(1), C<L>(1)));
        L t = L.Let(numerator / denominator);
        L low = C<L>(L.Is64 ? HalfPiLow64 : HalfPiLow32);
        L rest = L.Fma(t, AtanExcess(t * t), t + L.Select(outer, low, L.Select(middle, low * C<L>(0.5), C<L>(0))));
        L value = L.Select(outer, C<L>(HalfPi), L.Select(middle, C<L>(0.5 * HalfPi), C<L>(0))) + rest;
        return L.Select(L.NotEqual(x, x), x, WithSign(L.Select(L.Equal(x, C<L>(0)), C<L>(0), value), x));
    }

    /// <summary>The angle of the point (x, y), with the special cases of C99 Annex F.9.1.4.</summary>
    [MethodImpl(Inline)]
    public static L Atan2<L>(L y, L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        y = L.Let(y);
        L a = L.Let(L.Abs(x));
        L b = L.Let(L.Abs(y));
        L steep = L.Let(L.Greater(b, a));
        L small = L.Let(L.Select(steep, a, b));
        L large = L.Let(L.Select(steep, b, a));

        // Both zero: 0; both infinite: 1.
        L t = small / large;
        t = L.Let(L.Select(L.Equal(large, C<L>(0)), C<L>(0), L.Select(L.Equal(small, C<L>(double.PositiveInfinity)), C<L>(1), t)));

        // t is in [0, 1]; above tan π/8 it is reduced as in Atan.
        L low = C<L>(L.Is64 ? HalfPiLow64 : HalfPiLow32);
        L middle = L.Let(L.Greater(t, C<L>(0.41421356237309504880)));
        L s = L.Let(L.Select(middle, (t - C<L>(1)) / (t + C<L>(1)), t));
        L rest = L.Fma(s, AtanExcess(s * s), s + L.Select(middle, low * C<L>(0.5), C<L>(0)));
        L angle = L.Let(L.Select(middle, C<L>(0.5 * HalfPi), C<L>(0)) + rest);
        angle = L.Let(L.Select(steep, C<L>(HalfPi) - (angle - low), angle));
        L left = L.Less(WithSign(C<L>(1), x), C<L>(0));
        angle = L.Select(left, C<L>(2 * HalfPi) - (angle - (low + low)), angle);
        return L.Select(L.NotEqual(x, x), x, L.Select(L.NotEqual(y, y), y, WithSign(angle, y)));
    }

    // asin(√z)/√z − 1 for z ≤ ¼.
    [MethodImpl(Inline)]
    private static L AsinExcess<L>(L z) where L : struct, ILane<L>
    {
        L p;
        if (L.Is64)
        {
            p = L.Fma(C<L>(3.47933107596021167570e-05), z, C<L>(7.91534994289814532176e-04));
            p = L.Fma(L.Fma(p, z, C<L>(-4.00555345006794114027e-02)), z, C<L>(2.01212532134862925881e-01));
            p = L.Fma(L.Fma(p, z, C<L>(-3.25565818622400915405e-01)), z, C<L>(1.66666666666666657415e-01));
            L q = L.Fma(C<L>(7.70381505559019352791e-02), z, C<L>(-6.88283971605453293030e-01));
            q = L.Fma(L.Fma(q, z, C<L>(2.02094576023350569471)), z, C<L>(-2.40339491173441421878));
            return p * z / L.Fma(q, z, C<L>(1));
        }

        p = L.Fma(C<L>(4.2163199048e-2), z, C<L>(2.4181311049e-2));
        p = L.Fma(L.Fma(p, z, C<L>(4.5470025998e-2)), z, C<L>(7.4953002686e-2));
        return L.Fma(p, z, C<L>(1.6666752422e-1)) * z;
    }

    // atan(√z)/√z − 1 for √z ≤ tan(π/8) (float) or 0.66 (double).
    [MethodImpl(Inline)]
    private static L AtanExcess<L>(L z) where L : struct, ILane<L>
    {
        z = L.Let(z);
        L p;
        if (L.Is64)
        {
            p = L.Fma(C<L>(-8.750608600031904122785e-1), z, C<L>(-1.615753718733365076637e1));
            p = L.Fma(L.Fma(p, z, C<L>(-7.500855792314704667340e1)), z, C<L>(-1.228866684490136173410e2));
            p = L.Fma(p, z, C<L>(-6.485021904942025371773e1));
            L q = L.Fma(z + C<L>(2.485846490142306297962e1), z, C<L>(1.650270098316988542046e2));
            q = L.Fma(L.Fma(q, z, C<L>(4.328810604912902668951e2)), z, C<L>(4.853903996359136964868e2));
            return p * z / L.Fma(q, z, C<L>(1.945506571482613964425e2));
        }

        p = L.Fma(C<L>(8.05374449538e-2), z, C<L>(-1.38776856032e-1));
        return L.Fma(L.Fma(p, z, C<L>(1.99777106478e-1)), z, C<L>(-3.33329491539e-1)) * z;
    }
}
