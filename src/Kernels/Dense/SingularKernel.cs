using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Singular values and vectors by <see cref="Bidiagonal"/> form and QR steps (Golub and Van Loan, Matrix Computations, 4th ed., section 8.6). Backward stable:
/// the error of a value is some units of the largest one in the last place.
/// </summary>
internal static unsafe class SingularKernel
{
    /// <summary>
    /// Of <paramref name="a"/> (m × n, m ≥ n, row-major) the descending singular values, Uᵀ (n × m) and Vᵀ (n × n). The largest component of each right
    /// vector is positive. Without room for the vectors nothing is accumulated or rotated; the values have the same bits. False: no convergence.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Run(ReadOnlySpan<double> a, Span<double> ut, Span<double> values, Span<double> vt, int m, int n)
    {
        bool vectors = !ut.IsEmpty;
        int pitch = Reflections.Pitch(n), tall = Reflections.Pitch(m);
        long sides = (long)n * (pitch + tall), cells = ((long)m * pitch) + (vectors ? 2 * sides : sides), lines = (11L * pitch) + (2L * tall);
        using var memory = new NativeScratch((cells + lines) * sizeof(double));
        double* matrix = (double*)memory.Pointer, leftVectors = matrix + ((long)m * pitch), rightVectors = leftVectors + ((long)n * tall);
        double* u = leftVectors + sides, v = u + ((long)n * tall), d = matrix + cells, e = d + pitch, work = e + pitch;
        new Span<double>(matrix, checked((int)cells)).Clear();
        Bidiagonal.Side left = new() { Vectors = leftVectors, Factors = work + (2 * (pitch + tall)), Pitch = tall, Count = n };
        Bidiagonal.Side right = new() { Vectors = rightVectors, Factors = left.Factors + pitch, Pitch = pitch, Count = n - 1 };
        double* logs = right.Factors + pitch;
        int exponent = EigenKernel.Exponent(a);
        double scale = Math.ScaleB(1, -exponent);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) matrix[((long)i * pitch) + j] = a[(i * n) + j] * scale;
        Bidiagonal.Reduce(matrix, pitch, m, n, d, e, left, right, work);
        if (!vectors)
        {
            if (!new BidiagonalQr(d, e, n, default, default, logs).Run()) return false;
            for (int i = 0; i < n; i++) values[i] = Math.ScaleB(Math.Abs(d[i]), exponent);
            values.Sort();
            values.Reverse();
            return true;
        }

        for (int i = 0; i < n; i++) u[((long)i * tall) + i] = v[((long)i * pitch) + i] = 1;
        Bidiagonal.Accumulate(v, pitch, n, right, shift: 1, isUnit: true);
        // Rotations of long rows cost more than reflections of full ones: these then come last.
        bool reflectLast = m > n + (n / 2);
        if (!reflectLast) Bidiagonal.Accumulate(u, tall, n, left, shift: 0, isUnit: true);
        BidiagonalQr.Rows leftRows = new() { Data = u, Pitch = tall, Width = Reflections.Padded(reflectLast ? n : m) };
        BidiagonalQr.Rows rightRows = new() { Data = v, Pitch = pitch, Width = Reflections.Padded(n) };
        if (!new BidiagonalQr(d, e, n, leftRows, rightRows, logs).Run()) return false;
        if (reflectLast) Bidiagonal.Accumulate(u, tall, n, left, shift: 0, isUnit: false);

        double* signs = e;
        for (int i = 0; i < n; i++) (signs[i], d[i]) = (double.IsNegative(d[i]) ? -1 : 1, -Math.Abs(d[i]));
        int[] order = EigenKernel.Order(new Span<double>(d, n));
        for (int k = 0; k < n; k++)
        {
            ReadOnlySpan<double> from = new(u + ((long)order[k] * tall), m), row = new(v + ((long)order[k] * pitch), n);
            double sign = EigenKernel.SignOfLargest(row), other = sign * signs[order[k]];
            values[k] = Math.ScaleB(-d[k], exponent);
            for (int i = 0; i < n; i++) vt[(k * n) + i] = sign * row[i];
            for (int i = 0; i < m; i++) ut[(k * m) + i] = other * from[i];
        }

        return true;
    }
}
