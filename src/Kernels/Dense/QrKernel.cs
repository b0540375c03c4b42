namespace Fusion.Kernels;

/// <summary>A = Q·R by Householder reflections (Golub and Van Loan, Matrix Computations, 4th ed., section 5.2), with LAPACK's signs.</summary>
internal static class QrKernel
{
    /// <summary>Of <paramref name="a"/> (m × n, m ≥ n, row-major; destroyed) writes Q (m × n) with orthonormal columns and R (n × n), upper triangular.</summary>
    public static void Run(Span<double> a, Span<double> q, Span<double> r, int m, int n)
    {
        // Columns as rows: reflections then run along memory.
        double[] columns = new double[m * n];
        double[] scales = new double[n];
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) columns[j * m + i] = a[i * n + j];
        for (int k = 0; k < n; k++)
        {
            Span<double> v = columns.AsSpan(k * m + k, m - k);
            double norm = Math.Sqrt(RowUpdate.Dot(v, v));
            double beta = v[0] > 0 ? -norm : norm;
            if (norm != 0 && m - k > 1)
            {
                // v is scaled to start with 1: H = I − τ·v·vᵀ.
                double head = v[0] - beta;
                scales[k] = -head / beta;
                for (int i = 1; i < v.Length; i++) v[i] /= head;
            }
            else
            {
                beta = v[0];
            }

            v[0] = 1;
            for (int j = k + 1; j < n; j++) Reflect(v, columns.AsSpan(j * m + k, m - k), scales[k]);
            for (int j = 0; j < k; j++) r[k * n + j] = 0;
            r[k * n + k] = beta;
            for (int j = k + 1; j < n; j++) r[k * n + j] = columns[j * m + k];
        }

        double[] column = new double[m];
        for (int j = 0; j < n; j++)
        {
            Array.Clear(column);
            column[j] = 1;
            for (int k = Math.Min(j, n - 1); k >= 0; k--) Reflect(columns.AsSpan(k * m + k, m - k), column.AsSpan(k), scales[k]);
            for (int i = 0; i < m; i++) q[i * n + j] = column[i];
        }
    }

    private static void Reflect(ReadOnlySpan<double> v, Span<double> x, double scale)
    {
        if (scale != 0) RowUpdate.SubtractScaled(x, v, scale * RowUpdate.Dot(v, x));
    }
}
