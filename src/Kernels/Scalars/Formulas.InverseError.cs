using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// erf⁻¹. M. Giles, "Approximating the erfinv function", GPU Computing Gems Jade Edition, 2011, ch. 10: polynomials in w = −ln(1 − x²) near 0 and in √w
// towards ±1. For double they are the start of two steps of Halley's method.
internal static partial class Formulas
{
    private static ReadOnlySpan<double> ErfInvCenter =>
    [
        2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 2.1858087e-04, -1.25372503e-03, -4.17768164e-03, 2.46640727e-01, 1.50140941,
    ];

    private static ReadOnlySpan<double> ErfInvTail =>
    [
        -2.00214257e-04, 1.00950558e-04, 1.34934322e-03, -3.67342844e-03, 5.73950773e-03, -7.6224613e-03, 9.43887047e-03, 1.00167406, 2.83297682,
    ];

    // erf⁻¹(x)/x in s = √w − 4 for √5 ≤ √w ≤ 6.15 (all doubles below 1), interpolated at the Chebyshev nodes; relative error 2·10⁻⁶.
    private static ReadOnlySpan<double> ErfInvTailDouble =>
    [
        -3.5196875193454659e-6, 2.2550298862290831e-5, -5.2723944154672643e-5, 6.205663438455988e-5, -9.4433970681035876e-5, 3.0834660078313543e-4,
        -8.7728899152202576e-4, 1.263901389907993e-3, 1.0094935379618012, 3.8397837682263431,
    ];

    [MethodImpl(Inline)]
    public static L ErfInv<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L rest = L.Let(C<L>(1) - magnitude);
        L w = L.Let(-Log(rest * (C<L>(1) + magnitude)));
        L root = L.Let(L.Sqrt(w));
        L tail = L.Is64 ? Horner(root - C<L>(4), ErfInvTailDouble) : Horner(root - C<L>(3), ErfInvTail);
        L y = L.Let(magnitude * L.Select(L.Less(w, C<L>(5)), Horner(w - C<L>(2.5), ErfInvCenter), tail));
        if (L.Is64)
        {
            for (int i = 0; i < 2; i++)
            {
                // erf(y) − x, towards 1 as (1 − x) − erfc(y); times √π/2·exp(y²).
                L e = L.Let(Gauss(y, 1));
                L near = L.Let(L.Less(y, C<L>(0.84375)));
                L middle = L.Let(ErfMiddle(y - C<L>(1)));
                L outside = L.Let(L.MaxNative(C<L>(1), y));
                L erfc = L.Select(L.Less(y, C<L>(1.25)), C<L>(1 - 8.45062911510467529297e-01) - middle, ErfcTail(outside, e) / outside);
                L residual = L.Select(near, ErfInner(y) - magnitude, rest - erfc);
                L step = L.Let(residual * C<L>(0.88622692545275801365) / e);
                y = L.Let(y - step / (C<L>(1) + y * step));
            }
        }

        L value = WithSign(y, x);
        value = L.Select(L.Equal(magnitude, C<L>(1)), WithSign(C<L>(double.PositiveInfinity), x), value);
        return L.Select(L.Equal(x, C<L>(0)), x, L.Select(L.Greater(magnitude, C<L>(1)), C<L>(double.NaN), value));
    }
}
