using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// The two halves of the Box–Muller transform, straight from random words. They need less than general functions do: the logarithm only of normal
/// numbers in (0, 1], sine and cosine only of an angle given as a fraction of a turn, whose reduction is exact and free.
/// </summary>
internal static class BoxMuller
{
    /// <summary>√(−2 ln u), where u = (the upper 31 or 63 bits + ½) / 2³¹ or 2⁶³: never 0, at most 6.7 or 9.4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static L Radius<L>(L word) where L : struct, ILane<L>
    {
        L integer = L.FromInteger(L.ShiftRightLogical(word, 1));
        L u = (integer + L.Const(0.5)) * L.Const(L.Is64 ? 1.0 / (1UL << 63) : 1.0 / (1UL << 31));
        return L.Sqrt(L.Const(-2) * Log(u));
    }

    /// <summary>The point of the unit circle at an angle that is uniform in the word: two bits choose the quadrant, the others the angle in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Direction<L>(L word, out L x, out L y) where L : struct, ILane<L>
    {
        int bits = L.Is64 ? 64 : 32;
        L inQuadrant = L.SubtractInteger(L.And(word, L.Bits((1L << (bits - 2)) - 1)), L.Bits(1L << (bits - 3)));
        L angle = L.FromInteger(inQuadrant) * L.Const(Math.PI / 2 / (1L << (bits - 2)));
        L square = angle * angle;
        L sine = Sine(angle, square), cosine = Cosine(square);
        L odd = L.ShiftRightArithmetic(L.ShiftLeft(word, 1), bits - 1);
        L sign = L.Bits(long.MinValue >> (64 - bits));
        x = L.Xor(L.Select(odd, sine, cosine), L.And(L.Xor(word, L.ShiftLeft(word, 1)), sign));
        y = L.Xor(L.Select(odd, cosine, sine), L.And(word, sign));
    }

    // FreeBSD msun e_log.c and e_logf.c (Sun Microsystems, 1993): ln(2^k·(1 + f)) with s = f/(2 + f), without the cases that cannot occur.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Log<L>(L u) where L : struct, ILane<L>
    {
        int fraction = L.Is64 ? 52 : 23;
        // Moving the borders of the binades from 1 to √½ makes 1 + f lie in [√½, √2).
        L shift = L.Bits(L.Is64 ? 0x3FF0000000000000 - 0x3FE6A09E00000000 : 0x3F800000 - 0x3F3504F3);
        L moved = L.AddInteger(u, shift);
        L one = L.Bits(L.Is64 ? 0x3FF0000000000000 : 0x3F800000);
        L k = L.FromInteger(L.ShiftRightArithmetic(L.SubtractInteger(moved, one), fraction));
        L mantissa = L.SubtractInteger(L.AddInteger(L.And(moved, L.Bits((1L << fraction) - 1)), one), shift);
        L f = mantissa - L.Const(1);
        L s = f / (L.Const(2) + f);
        L z = s * s;
        L w = z * z;
        L even, odd;
        if (L.Is64)
        {
            odd = w * L.Fma(w, L.Fma(w, L.Const(1.531383769920937332e-01), L.Const(2.222219843214978396e-01)), L.Const(3.999999999940941908e-01));
            even = L.Fma(w, L.Const(1.479819860511658591e-01), L.Const(1.818357216161805012e-01));
            even = z * L.Fma(w, L.Fma(w, even, L.Const(2.857142874366239149e-01)), L.Const(6.666666666666735130e-01));
        }
        else
        {
            odd = w * L.Fma(w, L.Const(0.24279078841), L.Const(0.40000972152));
            even = z * L.Fma(w, L.Const(0.28498786688), L.Const(0.66666662693));
        }

        L half = L.Const(0.5) * f * f;
        L high = L.Const(L.Is64 ? 6.93147180369123816490e-01 : 6.9313812256e-01);
        L low = L.Const(L.Is64 ? 1.90821492927058770002e-10 : 9.0580006145e-06);
        L tail = L.Fma(s, half + (even + odd), k * low);
        return L.Fma(k, high, f - (half - tail));
    }

    // |angle| ≤ π/4. Double: FreeBSD msun k_sin.c, k_cos.c; float: Cephes sinf.c (S. Moshier).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Sine<L>(L angle, L z) where L : struct, ILane<L>
    {
        L p;
        if (L.Is64)
        {
            p = L.Fma(z, L.Const(1.58969099521155010221e-10), L.Const(-2.50507602534068634195e-08));
            p = L.Fma(z, L.Fma(z, p, L.Const(2.75573137070700676789e-06)), L.Const(-1.98412698298579493134e-04));
            p = L.Fma(z, L.Fma(z, p, L.Const(8.33333333332248946124e-03)), L.Const(-1.66666666666666324348e-01));
        }
        else
        {
            p = L.Fma(z, L.Fma(z, L.Const(-1.9515295891e-4), L.Const(8.3321608736e-3)), L.Const(-1.6666654611e-1));
        }

        return L.Fma(angle * z, p, angle);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static L Cosine<L>(L z) where L : struct, ILane<L>
    {
        L p;
        if (L.Is64)
        {
            p = L.Fma(z, L.Const(-1.13596475577881948265e-11), L.Const(2.08757232129817482790e-09));
            p = L.Fma(z, L.Fma(z, p, L.Const(-2.75573143513906633035e-07)), L.Const(2.48015872894767294178e-05));
            p = L.Fma(z, L.Fma(z, p, L.Const(-1.38888888888741095749e-03)), L.Const(4.16666666666666019037e-02));
        }
        else
        {
            p = L.Fma(z, L.Fma(z, L.Const(2.443315711809948e-5), L.Const(-1.388731625493765e-3)), L.Const(4.166664568298827e-2));
        }

        return L.Fma(z * z, p, L.Fma(z, L.Const(-0.5), L.Const(1)));
    }
}
