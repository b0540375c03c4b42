using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Householder reflections H = I − τ·v·vᵀ (Golub and Van Loan, Matrix Computations, 4th ed., section 5.1) on rows of Float64 that are padded with zeros to a
/// multiple of <see cref="Pad"/>. Sums have four lanes whatever the register width, so the bits depend on no machine.
/// </summary>
internal static unsafe class Reflections
{
    /// <summary>Lengths are multiples of it.</summary>
    public const int Pad = 4;

    // Squares below it have too few bits; next to a matrix of norm 1 they are nothing.
    private const double Negligible = 1e-280;

    /// <summary>The next multiple of <see cref="Pad"/>.</summary>
    public static int Padded(int length) => (length + Pad - 1) & -Pad;

    /// <summary>Doubles from one row to the next: a multiple of <see cref="Pad"/>, and not one of a page, where rows would share a place in the cache.</summary>
    public static int Pitch(int length) => Padded(length) is var padded && padded % 64 == 0 ? padded + (2 * Pad) : padded;

    /// <summary>
    /// Turns <paramref name="v"/> into the vector of the reflection that leaves of it only β at <paramref name="pivot"/>, where v becomes 1. Without anything
    /// to remove v and τ become 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Make(double* v, int length, int pivot, out double beta)
    {
        double alpha = v[pivot];
        v[pivot] = 0;
        double rest = Dot(v, v, length);
        if (!(rest > Negligible))
        {
            new Span<double>(v, length).Clear();
            beta = alpha;
            return 0;
        }

        beta = -Math.CopySign(Math.Sqrt((alpha * alpha) + rest), alpha);
        double scale = 1 / (alpha - beta);
        for (int i = 0; i < length; i++) v[i] *= scale;
        v[pivot] = 1;
        return (beta - alpha) / beta;
    }

    /// <summary>Each row becomes row·H.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(double* rows, int pitch, int count, double* v, double tau, int length)
    {
        if (tau == 0) return;
        double* dots = stackalloc double[4];
        for (; count >= 4; count -= 4, rows += 4 * pitch)
        {
            FourDots(rows, pitch, v, length, dots);
            Vector256<double> a = Vector256.Create(-tau * dots[0]), b = Vector256.Create(-tau * dots[1]);
            Vector256<double> c = Vector256.Create(-tau * dots[2]), d = Vector256.Create(-tau * dots[3]);
            double* r1 = rows + pitch, r2 = r1 + pitch, r3 = r2 + pitch;
            for (int i = 0; i < length; i += Pad)
            {
                Vector256<double> x = Vector256.Load(v + i);
                Vector256.FusedMultiplyAdd(a, x, Vector256.Load(rows + i)).Store(rows + i);
                Vector256.FusedMultiplyAdd(b, x, Vector256.Load(r1 + i)).Store(r1 + i);
                Vector256.FusedMultiplyAdd(c, x, Vector256.Load(r2 + i)).Store(r2 + i);
                Vector256.FusedMultiplyAdd(d, x, Vector256.Load(r3 + i)).Store(r3 + i);
            }
        }

        for (; count > 0; count--, rows += pitch) AddScaled(rows, v, -tau * Dot(rows, v, length), length);
    }

    /// <summary>The products of four rows with v.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FourDots(double* rows, int pitch, double* v, int length, double* result)
    {
        Vector256<double> a = Vector256<double>.Zero, b = a, c = a, d = a;
        double* r1 = rows + pitch, r2 = r1 + pitch, r3 = r2 + pitch;
        for (int i = 0; i < length; i += Pad)
        {
            Vector256<double> x = Vector256.Load(v + i);
            a = Vector256.FusedMultiplyAdd(Vector256.Load(rows + i), x, a);
            b = Vector256.FusedMultiplyAdd(Vector256.Load(r1 + i), x, b);
            c = Vector256.FusedMultiplyAdd(Vector256.Load(r2 + i), x, c);
            d = Vector256.FusedMultiplyAdd(Vector256.Load(r3 + i), x, d);
        }

        (result[0], result[1], result[2], result[3]) = (Total(a), Total(b), Total(c), Total(d));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Dot(double* x, double* y, int length)
    {
        Vector256<double> sum = Vector256<double>.Zero;
        for (int i = 0; i < length; i += Pad) sum = Vector256.FusedMultiplyAdd(Vector256.Load(x + i), Vector256.Load(y + i), sum);
        return Total(sum);
    }

    /// <summary>y ← y + factor·x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddScaled(double* y, double* x, double factor, int length)
    {
        Vector256<double> scale = Vector256.Create(factor);
        for (int i = 0; i < length; i += Pad) Vector256.FusedMultiplyAdd(scale, Vector256.Load(x + i), Vector256.Load(y + i)).Store(y + i);
    }

    /// <summary>The lanes' sum in a fixed order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Total(Vector256<double> lanes)
    {
        Vector128<double> pair = lanes.GetLower() + lanes.GetUpper();
        return pair.ToScalar() + pair.GetElement(1);
    }
}
