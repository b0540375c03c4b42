using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// ln x = ln(1 + f) + k·ln 2 with 1 + f in [√½, √2]. Float: Cephes logf (Moshier). Double: FreeBSD msun e_log.c.
internal static partial class Formulas
{
    [MethodImpl(Inline)]
    public static L Log<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        Split(x, out L f, out L k);
        return L.LogEdges(x, LogReduced(f, k));
    }

    [MethodImpl(Inline)]
    public static L Log2<L>(L x) where L : struct, ILane<L>
    {
        // The exponent is exact; only ln(1 + f) is scaled, in two parts.
        x = L.Let(x);
        Split(x, out L f, out L k);
        L y = L.Let(LogReduced(f, C<L>(0)));
        L high = C<L>(L.Is64 ? 1.44269504072144627571 : 1.4426950216293335);
        L low = C<L>(L.Is64 ? 1.67517131648865118353e-10 : 1.9259629911266175e-8);
        return L.LogEdges(x, L.Fma(y, high, k) + y * low);
    }

    [MethodImpl(Inline)]
    public static L Log10<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        Split(x, out L f, out L k);
        L y = L.Let(LogReduced(f, C<L>(0)));

        // log₁₀ 2 in two parts, the first with trailing zeros so that k times it is exact.
        L high = C<L>(L.Is64 ? 3.01029995663611771306e-01 : 3.0102920532e-01);
        L low = C<L>(L.Is64 ? 3.69423907715893078616e-13 : 7.9034151668e-07);
        L part = L.Fma(k, low, y * C<L>(0.43429448190325182765));
        return L.LogEdges(x, L.Fma(k, high, part));
    }

    [MethodImpl(Inline)]
    public static L LogP1<L>(L x) where L : struct, ILane<L>
    {
        // u = 1 + x rounded; what was lost, (x − (u − 1))/u, is added again.
        x = L.Let(x);
        L u = L.Let(C<L>(1) + x);
        L lost = (x - (u - C<L>(1))) / u;
        L y = Log(u) + L.Select(L.Less(L.Abs(u), C<L>(double.PositiveInfinity)), L.Select(L.Equal(u, C<L>(0)), C<L>(0), lost), C<L>(0));
        return L.Select(L.Equal(x, C<L>(0)), x, y);
    }

    // x = 2ᵏ·(1 + f); denormals are scaled up first.
    [MethodImpl(Inline)]
    private static void Split<L>(L x, out L f, out L k) where L : struct, ILane<L>
    {
        // The comparison is written twice: it stays a mask of the processor then, and the product and the difference are computed where it is set.
        L least = L.Bits(L.Is64 ? 0x0010000000000000 : 0x00800000);
        L scaled = L.Select(L.Less(x, least), x * C<L>(L.Is64 ? 18014398509481984.0 : 33554432.0), x);
        L bits = L.Let(L.SubtractInteger(scaled, L.Bits(L.Is64 ? 0x3FE6A09E667F3BCD : 0x3F3504F3)));
        L exponent = L.ShiftRightArithmetic(bits, L.Is64 ? 52 : 23);
        k = L.Let(L.FromInteger(exponent));
        k = L.Let(L.Select(L.Less(x, least), k - C<L>(L.Is64 ? 54 : 25), k));
        L mantissa = L.AddInteger(L.And(bits, L.Bits(L.Is64 ? 0x000FFFFFFFFFFFFF : 0x007FFFFF)), L.Bits(L.Is64 ? 0x3FE6A09E667F3BCD : 0x3F3504F3));
        f = L.Let(mantissa - C<L>(1));
    }

    [MethodImpl(Inline)]
    private static L LogReduced<L>(L f, L k) where L : struct, ILane<L>
    {
        if (L.Is64)
        {
            L s = L.Let(f / (C<L>(2) + f));
            L z = L.Let(s * s);
            L w = L.Let(z * z);
            L t1 = w * L.Fma(w, L.Fma(w, C<L>(1.531383769920937332e-01), C<L>(2.222219843214978396e-01)), C<L>(3.999999999940941908e-01));
            L t2 = z * L.Fma(w, L.Fma(w, L.Fma(w, C<L>(1.479819860511658591e-01), C<L>(1.818357216161805012e-01)), C<L>(2.857142874366239149e-01)), C<L>(6.666666666666735130e-01));
            L half = L.Let(C<L>(0.5) * f * f);
            L r = s * (half + (t1 + t2)) + k * C<L>(1.90821492927058770002e-10);
            return k * C<L>(6.93147180369123816490e-01) - ((half - r) - f);
        }

        L square = L.Let(f * f);
        L p = L.Fma(C<L>(7.0376836292e-2), f, C<L>(-1.1514610310e-1));
        p = L.Fma(p, f, C<L>(1.1676998740e-1));
        p = L.Fma(p, f, C<L>(-1.2420140846e-1));
        p = L.Fma(p, f, C<L>(1.4249322787e-1));
        p = L.Fma(p, f, C<L>(-1.6668057665e-1));
        p = L.Fma(p, f, C<L>(2.0000714765e-1));
        p = L.Fma(p, f, C<L>(-2.4999993993e-1));
        p = L.Fma(p, f, C<L>(3.3333331174e-1));
        L y = L.Fma(p * f, square, k * C<L>(-2.12194440e-4));
        y = L.Fma(C<L>(-0.5), square, y);
        return L.Fma(k, C<L>(0.693359375), f + y);
    }

    /// <summary><see cref="ILane{L}.LogEdges"/> with comparisons.</summary>
    [MethodImpl(Inline)]
    public static L LogEdges<L>(L x, L y) where L : struct, ILane<L>
    {
        L ordinary = L.Select(L.Less(x, C<L>(double.PositiveInfinity)), y, x);
        ordinary = L.Select(L.Less(x, C<L>(0)), C<L>(double.NaN), ordinary);
        return L.Select(L.Equal(x, C<L>(0)), C<L>(double.NegativeInfinity), L.Select(L.NotEqual(x, x), x, ordinary));
    }
}
