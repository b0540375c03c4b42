namespace Fusion.Kernels;

/// <summary>
/// Singular values and vectors by <see cref="Bidiagonal"/> form and QR steps (Golub and Van Loan, Matrix Computations, 4th ed., section 8.6). Backward stable:
/// the error of a value is some units of the largest one in the last place.
/// </summary>
internal static unsafe class SingularKernel
{
    /// <summary>
    /// Of <paramref name="a"/> (m × n, m ≥ n, row-major) the descending singular values, Uᵀ (n × m) and Vᵀ (n × n). The largest component of each right
    /// vector is positive. False: no convergence.
    /// </summary>
    public static bool Run(ReadOnlySpan<double> a, Span<double> ut, Span<double> values, Span<double> vt, int m, int n)
    {
        int pitch = Reflections.Pitch(n), tall = Reflections.Pitch(m);
        long cells = ((long)m * pitch) + (2L * n * (pitch + tall)), lines = (11L * pitch) + (2L * tall);
        using var memory = new NativeScratch((cells + lines) * sizeof(double));
        double* matrix = (double*)memory.Pointer, u = matrix + ((long)m * pitch), v = u + ((long)n * tall), leftVectors = v + ((long)n * pitch);
        double* rightVectors = leftVectors + ((long)n * tall), d = rightVectors + ((long)n * pitch), e = d + pitch, work = e + pitch;
        new Span<double>(matrix, checked((int)cells)).Clear();
        Bidiagonal.Side left = new() { Vectors = leftVectors, Factors = work + (2 * (pitch + tall)), Pitch = tall, Count = n };
        Bidiagonal.Side right = new() { Vectors = rightVectors, Factors = left.Factors + pitch, Pitch = pitch, Count = n - 1 };
        double* logs = right.Factors + pitch;
        int exponent = Scale(a, matrix, pitch, m, n);
        for (int i = 0; i < n; i++) u[((long)i * tall) + i] = v[((long)i * pitch) + i] = 1;

        Bidiagonal.Reduce(matrix, pitch, m, n, d, e, left, right, work);
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
    /// <summary>The values alone, the same bits: nothing is accumulated or rotated.</summary>
    public static bool Run(ReadOnlySpan<double> a, Span<double> values, int m, int n)
    {
        int pitch = Reflections.Pitch(n), tall = Reflections.Pitch(m);
        long cells = ((long)m * pitch) + ((long)n * (pitch + tall)), lines = (11L * pitch) + (2L * tall);
        using var memory = new NativeScratch((cells + lines) * sizeof(double));
        double* matrix = (double*)memory.Pointer, leftVectors = matrix + ((long)m * pitch), rightVectors = leftVectors + ((long)n * tall);
        double* d = rightVectors + ((long)n * pitch), e = d + pitch, work = e + pitch;
        new Span<double>(matrix, checked((int)cells)).Clear();
        Bidiagonal.Side left = new() { Vectors = leftVectors, Factors = work + (2 * (pitch + tall)), Pitch = tall, Count = n };
        Bidiagonal.Side right = new() { Vectors = rightVectors, Factors = left.Factors + pitch, Pitch = pitch, Count = n - 1 };
        int exponent = Scale(a, matrix, pitch, m, n);
        Bidiagonal.Reduce(matrix, pitch, m, n, d, e, left, right, work);
        if (!new BidiagonalQr(d, e, n, default, default, right.Factors + pitch).Run()) return false;

        for (int i = 0; i < n; i++) values[i] = Math.ScaleB(Math.Abs(d[i]), exponent);
        values.Sort();
        values.Reverse();
        return true;
    }

    // Copies the matrix, divided by a power of two near its largest element.
    private static int Scale(ReadOnlySpan<double> a, double* matrix, int pitch, int m, int n)
    {
        int exponent = EigenKernel.Exponent(a);
        double scale = Math.ScaleB(1, -exponent);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) matrix[((long)i * pitch) + j] = a[(i * n) + j] * scale;
        return exponent;
    }
}
