using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>A = Q·R by Householder reflections (Golub and Van Loan, Matrix Computations, 4th ed., section 5.2), with LAPACK's signs.</summary>
internal static unsafe class QrKernel
{
    /// <summary>
    /// Of <paramref name="a"/> (m × n, m ≥ n, row-major) writes Q (m × n) with orthonormal columns and R (n × n), upper triangular.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(ReadOnlySpan<double> a, Span<double> q, Span<double> r, int m, int n)
    {
        // Columns as rows: reflections then run along memory.
        int pitch = Reflections.Pitch(m);
        long square = (long)n * pitch;
        using var memory = new NativeScratch(((2 * square) + n) * sizeof(double));
        double* columns = (double*)memory.Pointer, rows = columns + square, factors = rows + square;
        new Span<double>(columns, checked((int)(2 * square))).Clear();
        int exponent = EigenKernel.Exponent(a);
        double scale = Math.ScaleB(1, -exponent);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) columns[(j * (long)pitch) + i] = a[(i * n) + j] * scale;

        r.Clear();
        for (int k = 0; k < n; k++)
        {
            double* v = columns + (k * (long)pitch);
            for (int i = 0; i < k; i++)
            {
                r[(i * n) + k] = Math.ScaleB(v[i], exponent);
                v[i] = 0;
            }

            int start = k & -Reflections.Pad, length = pitch - start;
            factors[k] = Reflections.Make(v + start, length, k - start, out double beta);
            r[(k * n) + k] = Math.ScaleB(beta, exponent);
            Reflections.Apply(v + pitch + start, pitch, n - k - 1, v + start, factors[k], length);
        }

        for (int k = n - 1; k >= 0; k--)
        {
            int start = k & -Reflections.Pad;
            rows[(k * (long)pitch) + k] = 1;
            Reflections.Apply(rows + (k * (long)pitch) + start, pitch, n - k, columns + (k * (long)pitch) + start, factors[k], pitch - start);
        }

        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) q[(i * n) + j] = rows[(j * (long)pitch) + i];
    }
}
