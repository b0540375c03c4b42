using System.Numerics;
using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>Triangular systems by substitution, row by row of the right-hand sides.</summary>
internal static class TriangularKernel
{
    /// <summary>
    /// x ← op(A)⁻¹·x for a triangular A (n × n) and x (n × columns), both row-major; the other triangle of A is not read. A zero on the diagonal gives
    /// infinities, as division does.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Solve<T>(ReadOnlySpan<T> a, Span<T> x, int n, int columns, bool lower, bool transpose, bool unitDiagonal)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        bool forward = lower != transpose;
        for (int step = 0; step < n; step++)
        {
            int i = forward ? step : n - 1 - step;
            Span<T> row = x.Slice(i * columns, columns);
            for (int k = 0; k < step; k++)
            {
                int j = forward ? k : n - 1 - k;
                T factor = transpose ? a[j * n + i] : a[i * n + j];
                if (factor != T.Zero) RowUpdate.SubtractScaled(row, x.Slice(j * columns, columns), factor);
            }

            if (unitDiagonal) continue;
            T pivot = a[i * n + i];
            for (int c = 0; c < columns; c++) row[c] /= pivot;
        }
    }
}
