namespace Fusion.Kernels;

/// <summary>
/// The cofactors of a matrix, det A·A⁻ᵀ where that exists. Elimination gives them of a matrix that is far from singular; of any other the decomposition
/// A = U·diag(s)·Vᵀ does, as det U·det V·U·diag(∏_{j≠i} s_j)·Vᵀ (Stewart, "On the adjugate matrix", Linear Algebra and its Applications 283, 1998).
/// </summary>
internal static class CofactorKernel
{
    // Of the smallest to the largest pivot: the root of the precision, half of the digits.
    private const double Singular = 1.4901161193847656e-8;

    /// <summary>Writes the cofactors of <paramref name="a"/> (n × n, row-major, finite) to <paramref name="result"/>. False: no convergence.</summary>
    public static bool Run(ReadOnlySpan<double> a, Span<double> result, int n)
    {
        double[] lu = [.. a];
        int[] order = new int[n];
        double determinant = LuKernel.Factor<double>(lu, order, n) ? -1 : 1, smallest = double.PositiveInfinity, largest = 0;
        for (int k = 0; k < n; k++)
        {
            double pivot = lu[k * n + k];
            determinant *= pivot;
            smallest = Math.Min(smallest, Math.Abs(pivot));
            largest = Math.Max(largest, Math.Abs(pivot));
        }

        if (smallest <= Singular * largest) return Decomposed(a, result, n);
        double[] scaled = new double[n * n], inverse = new double[n * n];
        for (int i = 0; i < n; i++) scaled[i * n + i] = 1;
        LuKernel.Solve<double>(lu, order, scaled, inverse, n, n);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) result[i * n + j] = determinant * inverse[j * n + i];
        return true;
    }

    private static bool Decomposed(ReadOnlySpan<double> a, Span<double> result, int n)
    {
        double[] ut = new double[n * n], s = new double[n], vt = new double[n * n];
        if (!SingularKernel.Run(a, ut, s, vt, n, n)) return false;
        result.Clear();
        double[] after = new double[n];
        double product = 1;
        for (int k = n - 1; k >= 0; k--) (after[k], product) = (product, product * s[k]);
        product = 1;
        for (int k = 0; k < n; k++)
        {
            double others = product * after[k];
            for (int i = 0; i < n; i++) RowUpdate.SubtractScaled<double>(result.Slice(i * n, n), vt.AsSpan(k * n, n), -others * ut[k * n + i]);
            product *= s[k];
        }

        if (IsReflection(ut, n) != IsReflection(vt, n))
            foreach (ref double x in result) x = -x;
        return true;
    }

    // Of an orthogonal matrix, which it overwrites: whether its determinant is −1.
    private static bool IsReflection(Span<double> q, int n)
    {
        bool odd = LuKernel.Factor<double>(q, new int[n], n);
        for (int k = 0; k < n; k++) odd ^= q[k * n + k] < 0;
        return odd;
    }
}
