using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// The gamma function, its logarithm and the derivatives of that. Below 8.5 the argument is brought to 2 + t, |t| ≤ ½, by the recurrence
// Γ(x + 1) = x·Γ(x), above it Stirling's series holds, and negative arguments are reflected (NIST DLMF 5.5.1, 5.5.3, 5.11.1, 5.11.2). The polynomials
// interpolate at the Chebyshev nodes of [−½, ½]; their relative error is below 2⁻²⁸ (float) and 2⁻⁵⁶ (double).
internal static partial class Formulas
{
    private const double HalfLogTwoPi = 0.91893853320467274178;
    private const double SqrtTwoPi = 2.50662827463100050242;
    private const double Pi = 3.14159265358979323846;
    private const double LogPi = 1.14472988584940017414;

    // ln Γ(2 + t)/(t·(1 + t))
    private static ReadOnlySpan<double> LogGammaFloat =>
    [
        2.058857899642238667e-4, -4.564478114250902042e-4, 9.108883048531923997e-4, -2.098373118523120196e-3, 4.99895631917415954e-3,
        -1.238487720395773717e-2, 3.296499468798302295e-2, -1.00317288778857102e-1, 4.227843350984671394e-1,
    ];

    private static ReadOnlySpan<double> LogGammaDouble =>
    [
        -2.489029529650395745e-7, 5.236568534841362137e-7, -8.247688082905913122e-7, 1.749054030806818986e-6, -3.854622136251583319e-6,
        8.23747667463625009e-6, -1.766058623165229748e-5, 3.816660593339991608e-5, -8.309522146915126139e-5, 1.825528383907225927e-4,
        -4.05707392856115851e-4, 9.15376912508783129e-4, -2.108130834069471947e-3, 4.998641164935372875e-3, -1.238419219337021027e-2,
        3.296500062115359002e-2, -1.003173016743539228e-1, 4.227843350984671428e-1,
    ];

    // Γ(2 + t)
    private static ReadOnlySpan<double> GammaFloat =>
    [
        -1.08700619499358146e-3, 2.444134930267851794e-3, -2.814797280131890402e-3, 1.107717978725679804e-2, -2.704113907656840131e-4,
        7.425597381431254544e-2, 8.157702712701050096e-2, 4.118401114027936211e-1, 4.227843345583868735e-1, 1.000000001096480256,
    ];

    private static ReadOnlySpan<double> GammaDouble =>
    [
        2.584210735300929068e-6, -5.167425827999643757e-6, 7.263295634606490325e-6, -1.451803069439013505e-5, 3.055430876487692627e-5,
        -6.099437734759249274e-5, 1.216571711373742554e-4, -2.409081678851826011e-4, 4.903901012192666537e-4, -9.19577139338106654e-4,
        2.103933244851737695e-3, -2.852645629480312417e-3, 1.115404572113896001e-2, -2.6698207476044322e-4, 7.424901075347106403e-2,
        8.157691924717192771e-2, 4.118403304264398735e-1, 4.227843350984667821e-1, 1.0,
    ];

    // Bernoulli numbers: B₂ₖ/(2k(2k − 1)) of ln Γ, from the highest k down.
    private static ReadOnlySpan<double> StirlingFloat => [1.0 / 1260, -1.0 / 360, 1.0 / 12];

    private static ReadOnlySpan<double> StirlingDouble =>
        [-3617.0 / 122400, 1.0 / 156, -691.0 / 360360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12];

    // −B₂ₖ/(2k) of ψ, from the highest k down.
    private static ReadOnlySpan<double> DigammaFloat => [-1.0 / 252, 1.0 / 120, -1.0 / 12];

    private static ReadOnlySpan<double> DigammaDouble =>
        [-1.0 / 12, 691.0 / 32760, -1.0 / 132, 1.0 / 240, -1.0 / 252, 1.0 / 120, -1.0 / 12];

    // B₂ₖ of ψ′, from the highest k down.
    private static ReadOnlySpan<double> TrigammaFloat => [5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6];

    private static ReadOnlySpan<double> TrigammaDouble =>
        [43867.0 / 798, -3617.0 / 510, 7.0 / 6, -691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6];

    [MethodImpl(Inline)]
    public static L LogGamma<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L z = L.Let(L.Abs(x));
        L t = L.Let(ToTwo(z, out L product, out L quotient));
        L inner = t * (C<L>(1) + t) * Horner(t, L.Is64 ? LogGammaDouble : LogGammaFloat);
        L large = L.Let(L.Greater(z, C<L>(8.5)));
        L below = L.Let(L.Greater(quotient, C<L>(0)));
        L logarithm = L.Let(Log(L.Let(L.Select(large, z, L.Select(below, quotient, product)))));
        L outer = L.Fma(z - C<L>(0.5), logarithm - C<L>(1), C<L>(HalfLogTwoPi - 0.5)) + Stirling(L.Let(L.MaxNative(C<L>(8), z)));
        L value = L.Let(L.Select(large, outer, inner + L.Select(below, -logarithm, logarithm)));
        value = L.Let(L.Select(L.Equal(z, C<L>(double.PositiveInfinity)), z, value));

        // ln Γ(x) = ln π − ln |x·sin πx| − ln Γ(−x); −∞ gives +∞, as in C, and so does what is so large that ln Γ overflows: it is an integer.
        // Next to 0, where the product underflows, ln Γ(x) = −ln |x| on both sides.
        L reflected = C<L>(LogPi) - Log(z * L.Abs(SinPi(z))) - value;
        reflected = L.Select(L.Less(z, NextToZero<L>()), value, reflected);
        reflected = L.Select(L.Equal(value, C<L>(double.PositiveInfinity)), value, reflected);
        return L.Select(L.Less(x, C<L>(0)), reflected, L.Select(L.Equal(z, C<L>(0)), C<L>(double.PositiveInfinity), value));
    }

    [MethodImpl(Inline)]
    public static L Gamma<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L z = L.Let(L.Abs(x));
        L t = L.Let(ToTwo(z, out L product, out L quotient));
        L inner = Horner(t, L.Is64 ? GammaDouble : GammaFloat) * product / L.Select(L.Greater(quotient, C<L>(0)), quotient, C<L>(1));

        // √2π·e^c·2^e with e = (z − ½)·log₂ z − z·log₂ e, a sum of two numbers: what is lost of either product would be many units of Γ. z − ½ is exact.
        L large = L.Let(L.MinNative(C<L>(L.Is64 ? 320 : 60), L.MaxNative(C<L>(8), z)));
        L whole = L.Let(PowerExponent(large, large - C<L>(0.5), out L wholeLow));
        L turns = L.Let(large * InverseLn2<L>());
        L turnsLow = L.Fma(large, InverseLn2<L>(), -turns) + large * InverseLn2Low<L>();
        L exponent = L.Let(whole - turns);
        L exponentLow = ((whole - exponent) - turns) + (wholeLow - turnsLow);
        exponent = L.Let(L.MinNative(PowerLimit<L>(), exponent));
        L n = L.Let(L.Round(exponent));
        L power = L.Let(ExpM1Polynomial(L.Let(((exponent - n) + exponentLow) * C<L>(0.69314718055994530942))));
        L correction = L.Let(ExpM1Polynomial(L.Let(Stirling(large))));
        L stirling = L.Let(L.Greater(z, C<L>(8.5)));
        L value = L.Let(L.Select(stirling, L.Fma(power + L.Fma(power, correction, correction), C<L>(SqrtTwoPi), C<L>(SqrtTwoPi)), inner));
        L scale = L.Let(L.Select(stirling, n, C<L>(0)));

        // Γ(x) = −π/(z·sin πz·Γ(z)) for x = −z; a pole at every integer, where the sine is 0. It is scaled last: 1/Γ(z) is a number where Γ(z) is none.
        L sine = L.Let(SinPi(z));
        L reflected = L.Select(L.Equal(sine, C<L>(0)), C<L>(double.NaN), C<L>(-Pi) / (z * sine) / value);
        L negative = L.Let(L.Less(x, C<L>(0)));
        L result = Scale(L.Let(L.Select(negative, reflected, value)), L.Let(L.Select(negative, -scale, scale)));
        result = L.Select(L.Less(z, NextToZero<L>()), C<L>(1) / x, result);
        return L.Select(L.NotEqual(x, x), x, L.Select(L.Equal(x, C<L>(double.PositiveInfinity)), x, result));
    }

    [MethodImpl(Inline)]
    public static L Digamma<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);

        // ψ(x) = ψ(1 − x) − π/tan πx on the left of ½, then ψ(z) = ψ(z + 1) − 1/z until the series holds.
        L left = L.Let(L.Less(x, C<L>(0.5)));
        L z = L.Let(L.Select(left, C<L>(1) - x, x));
        L sum = C<L>(0);
        for (int i = 0; i < (L.Is64 ? 10 : 6); i++)
        {
            L low = L.Let(L.Less(z, C<L>(L.Is64 ? 10 : 6)));
            // Not a selection: a division under a mask of the processor would wait for the mask.
            sum = L.Let(sum + L.And(low, C<L>(1) / z));
            z = L.Let(L.Select(low, z + C<L>(1), z));
        }

        L inverse = L.Let(C<L>(1) / z);
        L square = L.Let(inverse * inverse);
        L value = Log(z) - C<L>(0.5) * inverse + square * Horner(square, L.Is64 ? DigammaDouble : DigammaFloat) - sum;
        L r = L.Let(x - L.Round(x));
        L cotangent = L.Select(L.Equal(r, C<L>(0)), C<L>(double.NaN), C<L>(Pi) * SinPi(C<L>(0.5) - L.Abs(r)) / SinPi(L.Abs(r)));
        value = L.Select(left, value - WithSign(cotangent, r), value);
        value = L.Select(L.Equal(x, C<L>(0)), C<L>(-1) / x, value);
        return L.Select(L.Equal(x, C<L>(double.PositiveInfinity)), x, value);
    }

    [MethodImpl(Inline)]
    public static L Trigamma<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);

        // ψ′(x) = π²/sin² πx − ψ′(1 − x) on the left of 0. ψ′(z) = Σ (z + i)⁻² + ψ′(z + steps) where the series does not hold yet, two terms a division.
        L left = L.Let(L.Less(x, C<L>(0)));
        L z = L.Let(L.Select(left, C<L>(1) - x, x));
        int steps = L.Is64 ? 9 : 5;
        L first = L.Let(C<L>(1) / z);
        L sum = L.Let(first * first);
        for (int i = 1; i < steps; i += 2)
        {
            L a = L.Let(z + C<L>(i));
            L b = L.Let(z + C<L>(i + 1));
            L product = L.Let(a * b);
            sum = L.Let(sum + (L.Fma(a, a, b * b) / (product * product)));
        }

        L low = L.Let(L.Less(z, C<L>(steps)));
        L inverse = L.Let(C<L>(1) / L.Select(low, z + C<L>(steps), z));
        L square = L.Let(inverse * inverse);
        L tail = C<L>(0.5) * square + square * inverse * Horner(square, L.Is64 ? TrigammaDouble : TrigammaFloat);
        L value = L.Let(L.Select(low, sum, C<L>(0)) + (inverse + tail));
        L cosecant = L.Let(C<L>(Pi) / SinPi(x));
        return L.Select(left, cosecant * cosecant - value, value);
    }

    // Below, Γ(x) = 1/x to the last place: the next term is γ·x.
    [MethodImpl(Inline)]
    private static L NextToZero<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? 1e-20 : 1e-10);

    // 0 ≤ z ≤ 8.5 as 2 + t with |t| ≤ ½. Γ(z) is Γ(2 + t)·product, or Γ(2 + t)/quotient where the quotient is not 0. The differences are exact.
    [MethodImpl(Inline)]
    private static L ToTwo<L>(L z, out L product, out L quotient) where L : struct, ILane<L>
    {
        L shift = L.Let(L.MinNative(C<L>(6), L.Round(z - C<L>(2))));
        L p = C<L>(1);
        for (int i = 1; i <= 6; i++) p = L.Let(p * L.Select(L.GreaterOrEqual(shift, C<L>(i)), z - C<L>(i), C<L>(1)));
        product = p;
        quotient = L.Let(L.Select(L.Less(shift, C<L>(0)), L.Select(L.Less(shift, C<L>(-1)), z * (z + C<L>(1)), z), C<L>(0)));
        return z - (shift + C<L>(2));
    }

    [MethodImpl(Inline)]
    private static L Stirling<L>(L z) where L : struct, ILane<L>
    {
        L inverse = L.Let(C<L>(1) / z);
        return inverse * Horner(L.Let(inverse * inverse), L.Is64 ? StirlingDouble : StirlingFloat);
    }

    /// <summary>sin πx, with the exact zeros at the integers.</summary>
    [MethodImpl(Inline)]
    private static L SinPi<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L n = L.Let(L.Round(x));
        L r = L.Let(x - n);
        L a = L.Let(L.Abs(r));
        L cosine = CosinePolynomial(C<L>(Pi) * (C<L>(0.5) - a));
        L value = L.Select(L.Greater(a, C<L>(0.25)), WithSign(cosine, r), SinePolynomial(C<L>(Pi) * r));
        L half = L.Let(n * C<L>(0.5));
        return L.Select(L.NotEqual(L.Round(half), half), -value, value);
    }

    /// <summary>The polynomial with these coefficients, the highest power first. In a tree the loop is unrolled.</summary>
    [MethodImpl(Inline)]
    private static L Horner<L>(L z, ReadOnlySpan<double> coefficients) where L : struct, ILane<L>
    {
        z = L.Let(z);
        L p = C<L>(coefficients[0]);
        for (int i = 1; i < coefficients.Length; i++) p = L.Fma(p, z, C<L>(coefficients[i]));
        return p;
    }
}
