using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>The Cholesky factorisation A = L·Lᵀ (Golub and Van Loan, Matrix Computations, 4th ed., algorithm 4.2.2).</summary>
internal static class CholeskyKernel
{
    /// <summary>
    /// Writes L, lower with zeros above, of the symmetric matrix whose lower triangle is in <paramref name="a"/> (n × n, row-major). Returns the first
    /// pivot that is not positive, or −1.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Run<T>(ReadOnlySpan<T> a, Span<T> l, int n)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Worked out as the rows of Lᵀ, above the diagonal, and then turned over.
        for (int i = 0; i < n; i++)
            for (int j = i; j < n; j++) l[i * n + j] = a[j * n + i];
        for (int k = 0; k < n; k++)
        {
            T pivot = l[k * n + k];
            if (!(pivot > T.Zero)) return k;
            Span<T> row = l.Slice(k * n + k, n - k);
            T root = T.Sqrt(pivot);
            row[0] = root;
            for (int j = 1; j < row.Length; j++) row[j] /= root;
            for (int i = k + 1; i < n; i++) RowUpdate.SubtractScaled(l.Slice(i * n + i, n - i), row[(i - k)..], row[i - k]);
        }

        for (int i = 0; i < n; i++)
        {
            for (int j = i + 1; j < n; j++) (l[j * n + i], l[i * n + j]) = (l[i * n + j], T.Zero);
        }

        return -1;
    }
}
