using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// Activation functions made of exp, log1p and tanh.
internal static partial class Formulas
{
    // Klambauer et al., "Self-Normalizing Neural Networks", NeurIPS 2017: the fixed point of mean 0, variance 1.
    internal const double SeluAlpha = 1.6732632423543772848170429916717;
    internal const double SeluScale = 1.0507009873554804934193349852946;

    /// <summary>x for x &gt; 0, α·(eˣ − 1) otherwise.</summary>
    [MethodImpl(Inline)]
    public static L Elu<L>(L x, L alpha) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return L.Select(L.Greater(x, C<L>(0)), x, alpha * ExpM1(x));
    }

    [MethodImpl(Inline)]
    public static L Selu<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return L.Select(L.Greater(x, C<L>(0)), C<L>(SeluScale) * x, C<L>(SeluScale * SeluAlpha) * ExpM1(x));
    }

    /// <summary>x·tanh(softplus x): with n = eˣ(eˣ + 2) it is x·n/(n + 2); computed from e^−|x|, so that nothing overflows.</summary>
    [MethodImpl(Inline)]
    public static L Mish<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(L.MaxNative(C<L>(-ExponentLimit<L>()), x));
        L q = L.Let(ExpM1PartsWithin(LimitedBelow(-L.Abs(x)), out L n));
        L e = L.Let(ScaleDown(C<L>(1) + q, n, out _));
        L negative = L.Let(L.Less(x, C<L>(0)));

        // x < 0: e(e + 2) over e(e + 2) + 2, where one e = (1 + q)·2ⁿ is not rounded and scaled last. x ≥ 0, both times e²: 1 + 2e over 1 + 2e + 2e².
        L sum = L.Let(e + C<L>(2));
        L positive = L.Let(L.Fma(C<L>(2), e, C<L>(1)));
        L denominator = L.Select(negative, L.Fma(e, sum, C<L>(2)), L.Fma(e + e, e, positive));
        L numerator = L.Let(sum + L.Fma(q, sum, e - (sum - C<L>(2))));

        // Near 0, where n is 0 and the quotient may be denormal, nothing is lifted: that would round it twice.
        L scaled = L.HasScaleB ? negative : L.Let(L.Less(x, C<L>(-0.25)));
        L others = L.HasScaleB ? positive : L.Select(negative, numerator, positive);
        return Lower(x * L.Select(scaled, Lifted(numerator, n), others) / denominator, n, scaled);
    }

    /// <summary>ln σ(x) = −softplus(−x).</summary>
    [MethodImpl(Inline)]
    public static L LogSigmoid<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        return L.MinNative(C<L>(0), x) - LogP1(ExpOfNegative(-L.Abs(x)));
    }

    /// <summary>x/(1 + |x|), ±1 at ±∞.</summary>
    [MethodImpl(Inline)]
    public static L Softsign<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        return L.Select(L.Equal(magnitude, C<L>(double.PositiveInfinity)), WithSign(C<L>(1), x), x / (C<L>(1) + magnitude));
    }

    /// <summary>ln(eˣ + eʸ) = max + ln(1 + e^−|x − y|).</summary>
    [MethodImpl(Inline)]
    public static L LogAddExp<L>(L x, L y) where L : struct, ILane<L>
    {
        x = L.Let(x);
        y = L.Let(y);
        L larger = L.Let(L.Select(L.Greater(x, y), x, y));
        L difference = L.Let(L.Abs(x - y));

        // Equal arguments, two equal infinities among them, differ by 0.
        difference = L.Select(L.Equal(x, y), C<L>(0), difference);
        L value = larger + LogP1(ExpOfNegative(-difference));
        return L.Select(L.NotEqual(x, x), x, value);
    }
}
