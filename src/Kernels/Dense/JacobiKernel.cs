namespace Fusion.Kernels;

/// <summary>
/// Eigenvalues of symmetric matrices and singular values by plane rotations: slower than tridiagonalisation for large matrices, and accurate for small values,
/// too (Demmel and Veselić, "Jacobi's method is more accurate than QR", SIAM J. Matrix Anal. 13, 1992).
/// </summary>
internal static class JacobiKernel
{
    private const int MaxSweeps = 64;
    private const double Epsilon = 2.220446049250313e-16;

    /// <summary>
    /// Of the symmetric matrix whose lower triangle is in <paramref name="a"/> (n × n; destroyed) the ascending eigenvalues and the eigenvectors as columns.
    /// The largest component of each vector is positive.
    /// </summary>
    public static void Eigen(Span<double> a, Span<double> values, Span<double> vectors, int n)
    {
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) a[i * n + j] = a[j * n + i];
        double[] rows = Identity(n);
        double limit = Epsilon / 4 / Math.Max(1, n) * Math.Sqrt(RowUpdate.Dot(a, a));
        for (int sweep = 0, rotations = 1; sweep < MaxSweeps && rotations > 0; sweep++)
        {
            rotations = 0;
            for (int p = 0; p < n; p++)
            {
                for (int q = p + 1; q < n; q++)
                {
                    if (!(Math.Abs(a[p * n + q]) > limit)) continue;
                    rotations++;
                    (double c, double s) = Rotation((a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]));
                    RowUpdate.Rotate(a.Slice(p * n, n), a.Slice(q * n, n), c, s);
                    for (int i = 0; i < n; i++) (a[i * n + p], a[i * n + q]) = (c * a[i * n + p] - s * a[i * n + q], s * a[i * n + p] + c * a[i * n + q]);
                    a[p * n + q] = a[q * n + p] = 0;
                    RowUpdate.Rotate(rows.AsSpan(p * n, n), rows.AsSpan(q * n, n), c, s);
                }
            }
        }

        double[] unsorted = new double[n];
        for (int i = 0; i < n; i++) unsorted[i] = a[i * n + i];
        int[] order = Order(unsorted);
        for (int k = 0; k < n; k++)
        {
            values[k] = unsorted[order[k]];
            ReadOnlySpan<double> row = rows.AsSpan(order[k] * n, n);
            double sign = SignOfLargest(row);
            for (int i = 0; i < n; i++) vectors[i * n + k] = sign * row[i];
        }
    }

    /// <summary>
    /// Of <paramref name="a"/> (m × n, m ≥ n, row-major) the descending singular values, U (m × n) as columns and Vᵀ (n × n) as rows. The largest component of
    /// each right vector is positive. One-sided rotations (Hestenes, J. SIAM 6, 1958).
    /// </summary>
    public static void Singular(ReadOnlySpan<double> a, Span<double> u, Span<double> values, Span<double> vt, int m, int n)
    {
        double largest = 0;
        foreach (double x in a) largest = Math.Max(largest, Math.Abs(x));
        double scale = largest > 0 ? largest : 1;
        double[] columns = new double[m * n];
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) columns[j * m + i] = a[i * n + j] / scale;
        double[] rows = Identity(n);
        for (int sweep = 0, rotations = 1; sweep < MaxSweeps && rotations > 0; sweep++)
        {
            rotations = 0;
            for (int p = 0; p < n; p++)
            {
                for (int q = p + 1; q < n; q++)
                {
                    Span<double> x = columns.AsSpan(p * m, m), y = columns.AsSpan(q * m, m);
                    double xx = RowUpdate.Dot(x, x), yy = RowUpdate.Dot(y, y), xy = RowUpdate.Dot(x, y);
                    if (!(Math.Abs(xy) > Epsilon * Math.Sqrt(xx * yy))) continue;
                    rotations++;
                    (double c, double s) = Rotation((yy - xx) / (2 * xy));
                    RowUpdate.Rotate(x, y, c, s);
                    RowUpdate.Rotate(rows.AsSpan(p * n, n), rows.AsSpan(q * n, n), c, s);
                }
            }
        }

        double[] lengths = new double[n];
        for (int j = 0; j < n; j++) lengths[j] = -Math.Sqrt(RowUpdate.Dot(columns.AsSpan(j * m, m), columns.AsSpan(j * m, m)));
        int[] order = Order(lengths);
        for (int k = 0; k < n; k++)
        {
            double length = -lengths[order[k]];
            ReadOnlySpan<double> right = rows.AsSpan(order[k] * n, n);
            double sign = SignOfLargest(right);
            values[k] = length * scale;
            for (int i = 0; i < n; i++) vt[k * n + i] = sign * right[i];
            if (length > 0)
                for (int i = 0; i < m; i++) u[i * n + k] = sign * columns[order[k] * m + i] / length;
            else Complete(u, m, n, k);
        }
    }

    // The k-th column becomes a unit vector orthogonal to those before it: the best remainder of the unit vectors, orthogonalised twice.
    private static void Complete(Span<double> u, int m, int n, int k)
    {
        double[] best = new double[m];
        double bestNorm = -1;
        for (int e = 0; e < m && bestNorm < 0.5; e++)
        {
            double[] candidate = new double[m];
            candidate[e] = 1;
            for (int pass = 0; pass < 2; pass++)
            {
                for (int j = 0; j < k; j++)
                {
                    double dot = 0;
                    for (int i = 0; i < m; i++) dot += u[i * n + j] * candidate[i];
                    for (int i = 0; i < m; i++) candidate[i] -= dot * u[i * n + j];
                }
            }

            double norm = Math.Sqrt(RowUpdate.Dot(candidate, candidate));
            if (norm > bestNorm) (best, bestNorm) = (candidate, norm);
        }

        for (int i = 0; i < m; i++) u[i * n + k] = best[i] / bestNorm;
    }

    // The smaller of the two angles that make the pair orthogonal.
    private static (double C, double S) Rotation(double cotangent)
    {
        double t = Math.CopySign(1, cotangent) / (Math.Abs(cotangent) + Math.Sqrt(1 + cotangent * cotangent));
        double c = 1 / Math.Sqrt(1 + t * t);
        return (c, t * c);
    }

    private static double[] Identity(int n)
    {
        double[] rows = new double[n * n];
        for (int i = 0; i < n; i++) rows[i * n + i] = 1;
        return rows;
    }

    private static int[] Order(double[] keys)
    {
        int[] order = new int[keys.Length];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        return [.. order.OrderBy(i => keys[i])];
    }

    private static double SignOfLargest(ReadOnlySpan<double> x)
    {
        double largest = 0;
        foreach (double value in x)
            if (Math.Abs(value) > Math.Abs(largest)) largest = value;
        return largest < 0 ? -1 : 1;
    }
}
