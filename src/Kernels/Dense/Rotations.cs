using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Plane rotations of neighbouring rows, a whole sweep at once: the row that two rotations share stays in registers between them. Rows are padded with zeros to
/// a multiple of <see cref="Reflections.Pad"/>.
/// </summary>
internal static unsafe class Rotations
{
    private const int Strip = 4 * Reflections.Pad;

    /// <summary>c and s with c·f + s·g = r and c·g − s·f = 0 (Golub and Van Loan, Matrix Computations, 4th ed., algorithm 5.1.3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Make(double f, double g, out double c, out double s)
    {
        double square = (f * f) + (g * g);
        if (g == 0 || square < 1e-280) return MakeOfSmall(f, g, out c, out s);
        double r = Math.Sqrt(square);
        (c, s) = (f / r, g / r);
        return r;
    }

    // Squares have too few bits down there.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double MakeOfSmall(double f, double g, out double c, out double s)
    {
        (c, s) = (1, 0);
        if (g == 0) return f;
        (f, g) = (Math.ScaleB(f, 500), Math.ScaleB(g, 500));
        double r = Math.Sqrt((f * f) + (g * g));
        (c, s) = (f / r, g / r);
        return Math.ScaleB(r, -500);
    }

    /// <summary>For i = 0, 1, …, count − 1: rows (i, i + 1) ← (c·rowᵢ + s·rowᵢ₊₁, c·rowᵢ₊₁ − s·rowᵢ).</summary>
    public static void Forward(double* rows, int pitch, int width, double* c, double* s, int count) => Run(rows, pitch, width, c, s, 1, count);

    /// <summary>For i = count − 1, …, 1, 0: rows (i, i + 1) ← (c·rowᵢ − s·rowᵢ₊₁, c·rowᵢ₊₁ + s·rowᵢ).</summary>
    public static void Backward(double* rows, int pitch, int width, double* c, double* s, int count) =>
        Run(rows + ((long)count * pitch), -pitch, width, c + count - 1, s + count - 1, -1, count);

    // From one row to the next, which is a pitch away: (row, next) ← (c·row + s·next, c·next − s·row).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run(double* rows, int pitch, int width, double* c, double* s, int step, int count)
    {
        int column = 0;
        for (; column + Strip <= width; column += Strip)
        {
            double* row = rows + column, cAt = c, sAt = s;
            Vector256<double> k0 = Vector256.Load(row), k1 = Vector256.Load(row + 4), k2 = Vector256.Load(row + 8), k3 = Vector256.Load(row + 12);
            for (int i = 0; i < count; i++, row += pitch, cAt += step, sAt += step)
            {
                Vector256<double> cosine = Vector256.Create(*cAt), sine = Vector256.Create(*sAt);
                double* next = row + pitch;
                Vector256<double> n0 = Vector256.Load(next), n1 = Vector256.Load(next + 4), n2 = Vector256.Load(next + 8), n3 = Vector256.Load(next + 12);
                Vector256.FusedMultiplyAdd(cosine, k0, sine * n0).Store(row);
                Vector256.FusedMultiplyAdd(cosine, k1, sine * n1).Store(row + 4);
                Vector256.FusedMultiplyAdd(cosine, k2, sine * n2).Store(row + 8);
                Vector256.FusedMultiplyAdd(cosine, k3, sine * n3).Store(row + 12);
                k0 = Vector256.FusedMultiplyAdd(-sine, k0, cosine * n0);
                k1 = Vector256.FusedMultiplyAdd(-sine, k1, cosine * n1);
                k2 = Vector256.FusedMultiplyAdd(-sine, k2, cosine * n2);
                k3 = Vector256.FusedMultiplyAdd(-sine, k3, cosine * n3);
            }

            k0.Store(row);
            k1.Store(row + 4);
            k2.Store(row + 8);
            k3.Store(row + 12);
        }

        for (; column < width; column += Reflections.Pad)
        {
            double* row = rows + column, cAt = c, sAt = s;
            Vector256<double> kept = Vector256.Load(row);
            for (int i = 0; i < count; i++, row += pitch, cAt += step, sAt += step)
            {
                Vector256<double> cosine = Vector256.Create(*cAt), sine = Vector256.Create(*sAt), next = Vector256.Load(row + pitch);
                Vector256.FusedMultiplyAdd(cosine, kept, sine * next).Store(row);
                kept = Vector256.FusedMultiplyAdd(-sine, kept, cosine * next);
            }

            kept.Store(row);
        }
    }
}
