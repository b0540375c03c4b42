using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// sinh, cosh and the inverse hyperbolic functions, from exp and log1p; arguments are arranged so that nothing cancels and nothing overflows early.
internal static partial class Formulas
{
    [MethodImpl(Inline)]
    public static L Sinh<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L half = L.Let(HalfExp(magnitude));
        L outer = WithSign(half - C<L>(0.25) / half, x);
        L value = L.Select(L.Less(magnitude, C<L>(1)), SinhSeries(x), outer);
        return L.Select(L.Equal(x, C<L>(0)), x, value);
    }

    [MethodImpl(Inline)]
    public static L Cosh<L>(L x) where L : struct, ILane<L>
    {
        L half = L.Let(HalfExp(L.Abs(x)));
        return half + C<L>(0.25) / half;
    }

    /// <summary>sign(x)·ln(|x| + √(x² + 1)), as log1p(|x| + x²/(1 + √(x² + 1))).</summary>
    [MethodImpl(Inline)]
    public static L Asinh<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L large = L.Let(L.Greater(magnitude, C<L>(L.Is64 ? 1e10 : 1e5)));
        L square = L.Let(magnitude * magnitude);
        L inner = magnitude + square / (C<L>(1) + L.Sqrt(square + C<L>(1)));
        L value = LogP1(L.Select(large, magnitude - C<L>(1), inner)) + L.Select(large, C<L>(Ln2), C<L>(0));
        return L.Select(L.Equal(x, C<L>(0)), x, WithSign(value, x));
    }

    /// <summary>ln(x + √(x² − 1)), with t = x − 1 as log1p(t + √(2t + t²)).</summary>
    [MethodImpl(Inline)]
    public static L Acosh<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L large = L.Let(L.Greater(x, C<L>(L.Is64 ? 1e10 : 1e5)));
        L t = L.Let(x - C<L>(1));
        L inner = t + L.Sqrt(L.Fma(t, t, t + t));
        L value = LogP1(L.Select(large, x - C<L>(1), inner)) + L.Select(large, C<L>(Ln2), C<L>(0));
        return L.Select(L.Less(x, C<L>(1)), C<L>(double.NaN), value);
    }

    /// <summary>½·ln((1 + x)/(1 − x)), as ½·log1p(2|x|/(1 − |x|)) with the sign of x.</summary>
    [MethodImpl(Inline)]
    public static L Atanh<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(x);
        L magnitude = L.Let(L.Abs(x));
        L twice = L.Let(magnitude + magnitude);
        L rest = C<L>(1) - magnitude;
        L argument = L.Select(L.Less(magnitude, C<L>(0.5)), L.Fma(twice, magnitude / rest, twice), twice / rest);
        L value = WithSign(C<L>(0.5) * LogP1(argument), x);
        return L.Select(L.Greater(magnitude, C<L>(1)), C<L>(double.NaN), L.Select(L.Equal(x, C<L>(0)), x, value));
    }

    private const double Ln2 = 0.69314718055994530942;

    // eˣ/2, which overflows where sinh and cosh do.
    [MethodImpl(Inline)]
    private static L HalfExp<L>(L x) where L : struct, ILane<L>
    {
        x = L.Let(L.MinNative(C<L>(L.Is64 ? 720 : 104), x));
        L n = L.Let(L.Round(x * C<L>(Log2E)));
        L r = L.Let(Reduce(x, n));
        return Scale(C<L>(1) + ExpM1Polynomial(r), n - C<L>(1));
    }

    // The Taylor series for |x| < 1: to x⁹ (1/11! < 2⁻²⁵) in float, to x¹⁷ (1/19! < 2⁻⁵⁶) in double.
    [MethodImpl(Inline)]
    private static L SinhSeries<L>(L x) where L : struct, ILane<L>
    {
        L z = L.Let(x * x);
        L p = C<L>(1.0 / 362880);
        if (L.Is64)
        {
            p = L.Fma(C<L>(1.0 / 355687428096000), z, C<L>(1.0 / 1307674368000));
            p = L.Fma(L.Fma(L.Fma(p, z, C<L>(1.0 / 6227020800)), z, C<L>(1.0 / 39916800)), z, C<L>(1.0 / 362880));
        }

        p = L.Fma(L.Fma(L.Fma(p, z, C<L>(1.0 / 5040)), z, C<L>(1.0 / 120)), z, C<L>(1.0 / 6));
        return L.Fma(p * z, x, x);
    }
}
