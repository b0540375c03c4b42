using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// x = n·π/2 + r with a Cody–Waite reduction by fused multiply-adds (large x: AngleReduction); polynomials: float Cephes sinf/cosf, double FreeBSD msun k_sin.c/k_cos.c.
internal static partial class Formulas
{
    [MethodImpl(Inline)]
    public static L Sin<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L r = L.Let(ReduceAngle(x, out L quadrant));
        L value = L.Select(L.Equal(x, C<L>(0)), x, Quadrant(r, quadrant, 0));
        return L.LargeAngle(AngleFunction.Sine, x, L.Let(value));
    }

    [MethodImpl(Inline)]
    public static L Cos<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L r = L.Let(ReduceAngle(x, out L quadrant));
        return L.LargeAngle(AngleFunction.Cosine, x, L.Let(Quadrant(r, quadrant, 1)));
    }

    [MethodImpl(Inline)]
    public static L Tan<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L r = L.Let(ReduceAngle(x, out L quadrant));
        L sine = L.Let(SinePolynomial(r));
        L cosine = L.Let(CosinePolynomial(r));
        L odd = L.Let(L.NotEqual(L.FromInteger(L.And(quadrant, L.Bits(1))), C<L>(0)));
        L value = L.Select(L.Equal(x, C<L>(0)), x, L.Select(odd, -cosine, sine) / L.Select(odd, sine, cosine));
        return L.LargeAngle(AngleFunction.Tangent, x, L.Let(value));
    }

    [MethodImpl(Inline)]
    private static L ReduceAngle<L>(L x, out L quadrant) where L : struct, ILane<L>
    {
        L n = L.Let(L.Round(x * C<L>(0.63661977236758134308)));
        quadrant = L.Let(L.ToInteger(n));
        if (L.Is64)
        {
            L a = L.Fma(n, C<L>(-1.5707963267948966), x);
            a = L.Fma(n, C<L>(-6.123233995736766e-17), a);
            return L.Fma(n, C<L>(1.4973849048591833e-33), a);
        }

        L r = L.Fma(n, C<L>(-1.5707963705062866), x);
        r = L.Fma(n, C<L>(4.371139000186243e-08), r);
        return L.Fma(n, C<L>(1.7151245100058785e-15), r);
    }

    // Quadrants 0, 1, 2, 3 of the sine are sin, cos, −sin, −cos of the rest.
    [MethodImpl(Inline)]
    private static L Quadrant<L>(L r, L quadrant, int shift) where L : struct, ILane<L>
    {
        L q = L.Let(L.AddInteger(quadrant, L.Bits(shift)));
        L odd = L.NotEqual(L.FromInteger(L.And(q, L.Bits(1))), C<L>(0));
        L value = L.Select(odd, CosinePolynomial(r), SinePolynomial(r));
        L sign = L.ShiftLeft(L.And(q, L.Bits(2)), L.Is64 ? 62 : 30);
        return L.Xor(value, sign);
    }

    [MethodImpl(Inline)]
    public static L SinePolynomial<L>(L r) where L : struct, ILane<L>
    {
        L z = L.Let(r * r);
        L p;
        if (L.Is64)
        {
            p = L.Fma(C<L>(1.58969099521155010221e-10), z, C<L>(-2.50507602534068634195e-08));
            p = L.Fma(p, z, C<L>(2.75573137070700676789e-06));
            p = L.Fma(p, z, C<L>(-1.98412698298579493134e-04));
            p = L.Fma(p, z, C<L>(8.33333333332248946124e-03));
            p = L.Fma(p, z, C<L>(-1.66666666666666324348e-01));
        }
        else
        {
            p = L.Fma(C<L>(2.86567956e-6), z, C<L>(-1.98559923e-4));
            p = L.Fma(p, z, C<L>(8.33338592e-3));
            p = L.Fma(p, z, C<L>(-1.66666672e-1));
        }

        return L.Fma(p * z, r, r);
    }

    [MethodImpl(Inline)]
    public static L CosinePolynomial<L>(L r) where L : struct, ILane<L>
    {
        L z = L.Let(r * r);
        L p;
        if (L.Is64)
        {
            p = L.Fma(C<L>(-1.13596475577881948265e-11), z, C<L>(2.08757232129817482790e-09));
            p = L.Fma(p, z, C<L>(-2.75573143513906633035e-07));
            p = L.Fma(p, z, C<L>(2.48015872894767294178e-05));
            p = L.Fma(p, z, C<L>(-1.38888888888741095749e-03));
            p = L.Fma(p, z, C<L>(4.16666666666666019037e-02));
        }
        else
        {
            p = L.Fma(C<L>(2.44331571e-5), z, C<L>(-1.38873162e-3));
            p = L.Fma(p, z, C<L>(4.16666456e-2));
        }

        L h = L.Let(C<L>(0.5) * z);
        L w = L.Let(C<L>(1) - h);
        return w + L.Fma(p * z, z, (C<L>(1) - w) - h);
    }
}
