using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// xʸ = 2^(y·log₂ x) with log₂ x as an unevaluated sum of two numbers, so that the product is good to half a unit in the last place of the exponent's
// fraction: to 2⁻⁶⁴ of itself for doubles, whose products reach 2¹⁰. Technique of FreeBSD msun e_pow.c; special cases of C99 Annex F.9.4.4.
internal static partial class Formulas
{
    [MethodImpl(Inline)]
    public static L Pow<L>(L x, L y) where L : struct, ILane<L>
    {
        x = L.Let(x);
        y = L.Let(y);
        L magnitude = L.Let(L.Abs(x));
        L infinity = C<L>(double.PositiveInfinity);
        L value = L.Let(PowPositive(magnitude, L.MinNative(C<L>(1e30), L.MaxNative(C<L>(-1e30), y))));

        // 0 and ∞ as bases.
        L rises = L.Let(L.Greater(y, C<L>(0)));
        value = L.Select(L.Equal(magnitude, C<L>(0)), L.Select(rises, C<L>(0), infinity), value);
        value = L.Let(L.Select(L.Equal(magnitude, infinity), L.Select(rises, infinity, C<L>(0)), value));

        // Negative bases: only integral exponents, odd ones keep the sign.
        L half = L.Let(y * C<L>(0.5));
        L integral = L.Let(L.Equal(L.Truncate(y), y));
        L odd = L.And(integral, L.NotEqual(L.Truncate(half), half));
        L negative = L.Let(L.And(x, C<L>(-0.0)));
        value = L.Or(value, L.And(negative, odd));
        value = L.Select(L.And(L.Less(x, C<L>(0)), L.And(L.Not(integral), L.Less(magnitude, infinity))), C<L>(double.NaN), value);
        value = L.Select(L.NotEqual(x, x), x, L.Select(L.NotEqual(y, y), y, value));
        L one = L.Or(L.Equal(y, C<L>(0)), L.Or(L.Equal(x, C<L>(1)), L.And(L.Equal(magnitude, C<L>(1)), L.Equal(L.Abs(y), infinity))));
        return L.Select(one, C<L>(1), value);
    }

    /// <summary>For x &gt; 0 and finite y.</summary>
    [MethodImpl(Inline)]
    private static L PowPositive<L>(L x, L y) where L : struct, ILane<L>
    {
        Split(x, out L f, out L k);

        // s = f/(2 + f) as high + low, one division for both; ln(1 + f) = 2s + ⅔s³ + s⁵·Q(s²).
        L t = L.Let(C<L>(2) + f);
        L lost = f - (t - C<L>(2));
        L inverse = L.Let(C<L>(1) / t);
        L high = L.Let(f * inverse);
        L low = L.Let(L.Fma(-high, lost, L.Fma(-high, t, f)) * inverse);

        // The square and the cube in ⅔s³ in two parts, what follows in one.
        L twice = L.Let(high + high);
        L square = L.Let(high * high);
        L squareLow = L.Fma(twice, low, L.Fma(high, high, -square));
        L cube = L.Let(high * square);
        L cubeLow = L.Fma(high, squareLow, L.Fma(low, square, L.Fma(high, square, -cube)));
        L lead = L.Let(cube * C<L>(2.0 / 3));
        L leadLow = L.Fma(cubeLow, C<L>(2.0 / 3), L.Fma(cube, C<L>(L.Is64 ? 3.7007434154171885e-17 : -1.9868214925130207e-8), L.Fma(cube, C<L>(2.0 / 3), -lead)));
        L rest = L.Let(cube * square * AtanhSeries(square));
        L log = L.Let(twice + (lead + rest));
        L logLow = (((twice - log) + lead) + rest) + L.Fma(C<L>(2), low, leadLow);

        // log₂ = ln · (1/ln 2), then + k.
        L c = C<L>(L.Is64 ? 1.4426950408889634074 : 1.44269502162933349609);
        L cLow = C<L>(L.Is64 ? 2.0355273740931033e-17 : 1.92596299112661746887e-8);
        L scaled = L.Let(log * c);
        L scaledLow = L.Fma(log, c, -scaled) + L.Fma(log, cLow, logLow * c);
        L sum = L.Let(k + scaled);
        L sumLow = L.Let((k - sum) + scaled + scaledLow);

        L product = L.Let(y * sum);
        L productLow = L.Fma(y, sum, -product) + y * sumLow;
        L limit = C<L>(L.Is64 ? 1200 : 200);
        L inRange = L.Less(L.Abs(product), limit);
        L exponent = L.Let(L.MinNative(limit, L.MaxNative(-limit, product)));
        L n = L.Let(L.Round(exponent));
        L r = L.Let(((exponent - n) + L.Select(inRange, productLow, C<L>(0))) * C<L>(0.69314718055994530942));
        return Scale(C<L>(1) + ExpM1Polynomial(r), n);
    }

    // Q(z) = 2/5 + 2/7 z + … of 2·atanh s (DLMF 4.38.5): float as it is, double interpolated at the Chebyshev nodes of the z of √½ … √2, to 2⁻⁵⁵.
    [MethodImpl(Inline)]
    private static L AtanhSeries<L>(L z) where L : struct, ILane<L>
    {
        L p;
        if (L.Is64)
        {
            p = L.Fma(C<L>(0.11723051028097752901), z, C<L>(0.11706248540922385704));
            p = L.Fma(p, z, C<L>(0.13334804238225345108));
            p = L.Fma(p, z, C<L>(0.15384594970895457133));
            p = L.Fma(p, z, C<L>(0.18181818335314403612));
            p = L.Fma(p, z, C<L>(0.22222222221656232066));
            p = L.Fma(p, z, C<L>(0.28571428571429363652));
            return L.Fma(p, z, C<L>(0.4));
        }

        p = L.Fma(C<L>(2.0 / 11), z, C<L>(2.0 / 9));
        p = L.Fma(p, z, C<L>(2.0 / 7));
        return L.Fma(p, z, C<L>(2.0 / 5));
    }
}
