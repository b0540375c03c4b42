using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>P·A = L·U with the largest element of a column as pivot (Golub and Van Loan, Matrix Computations, 4th ed., algorithm 3.4.1).</summary>
internal static class LuKernel
{
    /// <summary>
    /// Factors <paramref name="a"/> (n × n, row-major) in place: U on and above the diagonal, L below it with a unit diagonal. <paramref name="order"/>[i] is
    /// the
    /// original row at i. Returns whether the permutation is odd; zeros on the diagonal of U mean a singular matrix.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Factor<T>(Span<T> a, Span<int> order, int n)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        bool odd = false;
        for (int i = 0; i < n; i++) order[i] = i;
        for (int k = 0; k < n; k++)
        {
            int best = k;
            for (int i = k + 1; i < n; i++)
                if (T.Abs(a[i * n + k]) > T.Abs(a[best * n + k])) best = i;
            if (best != k)
            {
                for (int j = 0; j < n; j++) (a[k * n + j], a[best * n + j]) = (a[best * n + j], a[k * n + j]);
                (order[k], order[best]) = (order[best], order[k]);
                odd = !odd;
            }

            T pivot = a[k * n + k];
            if (pivot == T.Zero) continue;
            ReadOnlySpan<T> row = a.Slice(k * n + k + 1, n - k - 1);
            for (int i = k + 1; i < n; i++)
            {
                T factor = a[i * n + k] /= pivot;
                if (factor != T.Zero) RowUpdate.SubtractScaled(a.Slice(i * n + k + 1, n - k - 1), row, factor);
            }
        }

        return odd;
    }

    /// <summary>x ← A⁻¹·b from the factors of A; both (n × columns).</summary>
    public static void Solve<T>(ReadOnlySpan<T> lu, ReadOnlySpan<int> order, ReadOnlySpan<T> b, Span<T> x, int n, int columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int i = 0; i < n; i++) b.Slice(order[i] * columns, columns).CopyTo(x[(i * columns)..]);
        TriangularKernel.Solve(lu, x, n, columns, lower: true, transpose: false, unitDiagonal: true);
        TriangularKernel.Solve(lu, x, n, columns, lower: false, transpose: false, unitDiagonal: false);
    }
}
