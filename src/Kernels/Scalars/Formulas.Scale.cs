using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

// Products with 2ⁿ. Where x·2ⁿ is no instruction, what is known of x and n saves half of the general one's operations; the bits are the same.
internal static partial class Formulas
{
    // 2 to this power lifts every result of an exponential of a negative number out of the denormal numbers: n ≥ −174 (float), −1097 (double).
    [MethodImpl(Inline)]
    private static int Lift<L>() where L : struct, ILane<L> => L.Is64 ? 128 : 64;

    // 2^−Lift.
    [MethodImpl(Inline)]
    private static L Lowered<L>() where L : struct, ILane<L> => C<L>(L.Is64 ? 2.938735877055719e-39 : 5.421010862427522e-20);

    /// <summary>2ⁿ, a normal number.</summary>
    [MethodImpl(Inline)]
    private static L PowerOfTwo<L>(L n) where L : struct, ILane<L> => L.HasScaleB ? L.ScaleB(C<L>(1), n) : LaneFallback.PowerOfTwo(n, 0);

    /// <summary>2ⁿ⁻¹, a normal number.</summary>
    [MethodImpl(Inline)]
    private static L HalfPowerOfTwo<L>(L n) where L : struct, ILane<L> => L.HasScaleB ? L.ScaleB(C<L>(0.5), n) : LaneFallback.PowerOfTwo(n, -1);

    /// <summary>2ⁿ, a normal number, for the integer n next to the product, of which the sum with a large number has the biased exponent in its low bits.</summary>
    [MethodImpl(Inline)]
    private static L NearestPowerOfTwo<L>(L x, double factor, out L n) where L : struct, ILane<L>
    {
        L bias = C<L>(LaneFallback.Bias<L>());
        L sum = L.Let(L.Fma(x, C<L>(factor), bias));
        n = L.Let(sum - bias);
        return LaneFallback.ToExponent(sum);
    }

    /// <summary>2⁻ⁿ for n ≥ 0 as exponentials have it, a denormal number or 0 from some n on.</summary>
    [MethodImpl(Inline)]
    private static L InversePowerOfTwo<L>(L n) where L : struct, ILane<L> =>
        L.HasScaleB ? L.ScaleB(C<L>(1), -n) : LaneFallback.ToExponent(C<L>(LaneFallback.Bias<L>() + Lift<L>()) - n) * Lowered<L>();

    /// <summary>x·2ⁿ, rounded once, where x·2^(n/2) is a normal number: |n| ≤ 252 (float) or 2044 (double).</summary>
    [MethodImpl(Inline)]
    private static L Scale<L>(L x, L n) where L : struct, ILane<L> => L.HasScaleB ? L.ScaleB(x, n) : LaneFallback.ScaleByHalves(x, n);

    /// <summary>x·2ⁿ, rounded once, for x from ½ to 2 and n ≤ 0 as exponentials have it.</summary>
    /// <param name="x">What is scaled.</param>
    /// <param name="n">The exponent, integral.</param>
    /// <param name="lifted">x or x times a power of two, for <see cref="Lower"/>.</param>
    [MethodImpl(Inline)]
    private static L ScaleDown<L>(L x, L n, out L lifted) where L : struct, ILane<L>
    {
        lifted = L.Let(Lifted(x, n));
        return L.HasScaleB ? L.ScaleB(lifted, n) : lifted * Lowered<L>();
    }

    /// <summary>x, or x·2ⁿ times a power of two that keeps it a normal number, for <see cref="Lower"/>.</summary>
    [MethodImpl(Inline)]
    private static L Lifted<L>(L x, L n) where L : struct, ILane<L> => L.HasScaleB ? x : x * LaneFallback.PowerOfTwo(n, Lift<L>());

    /// <summary>
    /// For a product of <c>lifted</c> (<see cref="ScaleDown"/>), where <paramref name="negative"/> is set, that with x·2ⁿ in its place, rounded once; elsewhere as it is.
    /// </summary>
    [MethodImpl(Inline)]
    private static L Lower<L>(L product, L n, L negative) where L : struct, ILane<L> => L.HasScaleB
        ? L.ScaleB(product, L.Select(negative, n, C<L>(0)))
        : product * L.Select(negative, Lowered<L>(), C<L>(1));
}
