using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The two halves of the Box–Muller transform, straight from random words. Sine and cosine are those of a fraction of a turn, whose reduction to
/// [−π/4, π/4) is exact and free.
/// </summary>
internal static class BoxMuller
{
    /// <summary>√(−2 ln u), where u = (the upper 31 or 63 bits + ½) / 2³¹ or 2⁶³: never 0, at most 6.7 or 9.4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Radius<L>(L word) where L : struct, ILane<L>
    {
        L integer = L.FromInteger(L.ShiftRightLogical(word, 1));
        L u = (integer + L.Const(0.5)) * L.Const(L.Is64 ? 1.0 / (1UL << 63) : 1.0 / (1UL << 31));
        return L.Sqrt(L.Const(-2) * Formulas.Log(u));
    }

    /// <summary>The point of the unit circle at an angle that is uniform in the word: two bits choose the quadrant, the others the angle in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Direction<L>(L word, out L x, out L y) where L : struct, ILane<L>
    {
        int bits = L.Is64 ? 64 : 32;
        L inQuadrant = L.SubtractInteger(L.And(word, L.Bits((1L << (bits - 2)) - 1)), L.Bits(1L << (bits - 3)));
        L angle = L.FromInteger(inQuadrant) * L.Const(Math.PI / 2 / (1L << (bits - 2)));
        L sine = Formulas.SinePolynomial(angle), cosine = Formulas.CosinePolynomial(angle);
        L odd = L.ShiftRightArithmetic(L.ShiftLeft(word, 1), bits - 1);
        L sign = L.Bits(long.MinValue >> (64 - bits));
        x = L.Xor(L.Select(odd, sine, cosine), L.And(L.Xor(word, L.ShiftLeft(word, 1)), sign));
        y = L.Xor(L.Select(odd, cosine, sine), L.And(word, sign));
    }
}
