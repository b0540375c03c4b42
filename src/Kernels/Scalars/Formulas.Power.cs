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
        L product = PowerExponent(x, y, out L productLow);

        // Within the limits the low part is far below 1.
        productLow = L.MinNative(C<L>(1), L.MaxNative(C<L>(-1), productLow));
        L exponent = L.Let(L.MinNative(PowerLimit<L>(), L.MaxNative(-PowerLimit<L>(), product)));
        L n = L.Let(L.Round(exponent));
        L r = L.Let(((exponent - n) + productLow) * C<L>(0.69314718055994530942));
        return Scale(C<L>(1) + ExpM1Polynomial(r), n);
    }

    // 2 to this power is ∞ and to its negative 0, also when that is multiplied by a number of this size.
    [MethodImpl(Inline)]
    private static L PowerLimit<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? 1200 : 200);

    // 1/ln 2 as a sum.
    [MethodImpl(Inline)]
    private static L InverseLn2<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? 1.4426950408889634074 : 1.44269502162933349609);

    [MethodImpl(Inline)]
    private static L InverseLn2Low<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? 2.0355273740931033e-17 : 1.92596299112661746887e-8);

    /// <summary>y·log₂ x as a sum, for x &gt; 0.</summary>
    [MethodImpl(Inline)]
    private static L PowerExponent<L>(L x, L y, out L productLow) where L : struct, ILane<L>
    {
        Split(x, out L f, out L k);

        // s = f/(2 + f) as high + low, one division for both; ln(1 + f) = 2·atanh s.
        L t = L.Let(C<L>(2) + f);
        L lost = (t - C<L>(2)) - f;
        L inverse = L.Let(C<L>(1) / t);
        L high = L.Let(f * inverse);
        L low = L.Let(L.Fma(high, lost, L.Fma(-high, t, f)) * inverse);
        L log = LogOfRatio(high, low, out L logLow);

        // log₂ = ln · (1/ln 2), then + k.
        L scaled = L.Let(log * InverseLn2<L>());
        L scaledLow = L.Fma(log, InverseLn2<L>(), -scaled) + L.Fma(log, InverseLn2Low<L>(), logLow * InverseLn2<L>());
        L sum = L.Let(k + scaled);
        L sumLow = L.Let((k - sum) + scaled + scaledLow);

        L product = L.Let(y * sum);
        productLow = L.Fma(y, sum, -product) + y * sumLow;
        return product;
    }

    // 2·atanh s for s = high + low, |s| ≤ 0.172, as a sum.
    [MethodImpl(Inline)]
    private static L LogOfRatio<L>(L high, L low, out L second) where L : struct, ILane<L>
    {
        L twice = L.Let(high + high);
        if (!L.Is64)
        {
            L z = L.Let(L.Fma(high, high, twice * low));
            L part = L.Let(z * AtanhSeries(z));
            L tail = L.Let(L.Fma(high, part, L.Fma(low, part, low + low)));
            L total = L.Let(twice + tail);
            second = (twice - total) + tail;
            return total;
        }

        // 2s + ⅔s³ + s⁵·Q(s²): the square and the cube in the second term in two parts, what follows in one.
        L square = L.Let(high * high);
        L squareLow = L.Fma(twice, low, L.Fma(high, high, -square));
        L cube = L.Let(high * square);
        L cubeLow = L.Fma(high, squareLow, L.Fma(low, square, L.Fma(high, square, -cube)));
        L lead = L.Let(cube * C<L>(2.0 / 3));
        L leadLow = L.Fma(cubeLow, C<L>(2.0 / 3), L.Fma(cube, C<L>(3.7007434154171885e-17), L.Fma(cube, C<L>(2.0 / 3), -lead)));
        L rest = L.Let(cube * square * AtanhSeries(square));
        L log = L.Let(twice + (lead + rest));
        second = (((twice - log) + lead) + rest) + L.Fma(C<L>(2), low, leadLow);
        return log;
    }

    // 2·atanh s = 2s + s³·(2/3 + 2/5 z + …), z = s² (DLMF 4.38.5). Float: the factor of s³ as it is. Double: that of s⁵, 2/5 + 2/7 z + …, interpolated at
    // the Chebyshev nodes of the z of √½ … √2, to 2⁻⁵⁵.
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
        p = L.Fma(p, z, C<L>(2.0 / 5));
        return L.Fma(p, z, C<L>(2.0 / 3));
    }
}
