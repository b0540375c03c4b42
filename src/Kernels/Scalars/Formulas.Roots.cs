using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// Cube root and the length of a vector.
internal static partial class Formulas
{
    /// <summary>∛x: exponent and mantissa apart, a linear start and Halley's iteration t ← t·(t³ + 2m)/(2t³ + m), which triples the correct digits.</summary>
    [MethodImpl(Inline)]
    public static L Cbrt<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        Split(L.Let(L.Abs(x)), out L f, out L k);
        L third = L.Let(L.Round(k * C<L>(1.0 / 3)));

        // m = mantissa · 2^(k − 3·third) in [0.35, 2.83]; the start is within 8 %.
        L m = L.Let(L.ScaleB(C<L>(1) + f, L.Fma(C<L>(-3), third, k)));
        L t = L.Let(L.Fma(C<L>(0.30), m, C<L>(0.66)));
        t = L.Let(HalleyCubeRoot(t, m));
        t = L.Let(HalleyCubeRoot(t, m));

        // One Newton step whose residual is exact to twice the precision: within 1 ULP.
        L square = L.Let(t * t);
        L lost = L.Fma(t, t, -square);
        L residual = L.Fma(lost, t, L.Fma(square, t, -m));
        t -= residual / (C<L>(3) * square);
        L value = L.ScaleB(t, third);
        L plain = L.And(L.Less(L.Abs(x), C<L>(double.PositiveInfinity)), L.NotEqual(x, C<L>(0)));
        return L.Select(plain, WithSign(value, x), x);
    }

    /// <summary>√(x² + y²) without overflow or underflow of the squares: both are scaled by the power of two of the larger.</summary>
    [MethodImpl(Inline)]
    public static L Hypot<L>(L x, L y) where L : struct, ILane<L>
    {
        L a = L.Let(L.Abs(x));
        L b = L.Let(L.Abs(y));
        L large = L.Let(L.Select(L.Greater(a, b), a, b));
        L small = L.Let(L.Select(L.Greater(a, b), b, a));

        // A large argument is multiplied by 2⁻ˢ, a small one by 2ˢ, s a little more than half the exponent range.
        L shift = L.Let(L.Select(L.Greater(large, C<L>(L.Is64 ? 1e150 : 1e18)), C<L>(L.Is64 ? -600 : -100), L.Select(L.Less(large, C<L>(L.Is64 ? 1e-130 : 1e-15)), C<L>(L.Is64 ? 600 : 100), C<L>(0))));
        L u = L.Let(L.ScaleB(large, shift));
        L v = L.Let(L.ScaleB(small, shift));
        L value = L.ScaleB(L.Sqrt(L.Fma(u, u, v * v)), -shift);

        // An infinity wins over NaN (C99 F.9.4.3).
        L infinity = C<L>(double.PositiveInfinity);
        L infinite = L.Or(L.Equal(a, infinity), L.Equal(b, infinity));
        return L.Select(infinite, infinity, L.Select(L.NotEqual(a, a), a, L.Select(L.NotEqual(b, b), b, value)));
    }

    [MethodImpl(Inline)]
    private static L HalleyCubeRoot<L>(L t, L m) where L : struct, ILane<L>
    {
        L cube = L.Let(t * t * t);
        return t * (cube + (m + m)) / (cube + cube + m);
    }
}
