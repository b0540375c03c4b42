namespace Fusion.Kernels;

/// <summary>
/// The cofactors C of a matrix, det A·A⁻ᵀ where that exists, and their derivative. Elimination gives them of a matrix that is far from singular; of any other the
/// decomposition A = U·diag(s)·Vᵀ does, as det U·det V·U·diag(∏_{j≠i} s_j)·Vᵀ (Stewart, "On the adjugate matrix", Linear Algebra and its Applications 283, 1998).
/// </summary>
internal static class CofactorKernel
{
    // Of the smallest to the largest pivot: the root of the precision, half of the digits.
    private const double Singular = 1.4901161193847656e-8;

    /// <summary>Writes the cofactors of <paramref name="a"/> (n × n, row-major, finite) to <paramref name="result"/>. False: no convergence.</summary>
    public static bool Run(ReadOnlySpan<double> a, Span<double> result, int n)
    {
        double[] inverse = new double[n * n];
        if (!TryInvert(a, inverse, n, out double determinant, out int exponent)) return OfSingular(a, [], result, n);
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) result[i * n + j] = Scaled(determinant * inverse[j * n + i], exponent);
        return true;
    }

    /// <summary>
    /// Writes the gradient of ⟨H, C⟩, for H = <paramref name="direction"/>: ⟨H, C⟩·A⁻ᵀ − C·Hᵀ·A⁻ᵀ where A is regular, in general a polynomial of minors of
    /// order n − 2. Linear in H and its own transpose. False: no convergence.
    /// </summary>
    public static bool Derivative(ReadOnlySpan<double> a, ReadOnlySpan<double> direction, Span<double> result, int n)
    {
        double[] inverse = new double[n * n];
        if (!TryInvert(a, inverse, n, out double determinant, out int exponent)) return OfSingular(a, direction, result, n);
        double[] first = new double[n * n], both = new double[n * n];
        Multiply(inverse, direction, first, n);
        Multiply(first, inverse, both, n);
        double trace = 0;
        for (int i = 0; i < n; i++) trace += first[i * n + i];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) result[i * n + j] = Scaled(determinant * (trace * inverse[j * n + i] - both[j * n + i]), exponent);
        return true;
    }

    // False: the matrix is singular, or near to it. The determinant is times 2^exponent.
    private static bool TryInvert(ReadOnlySpan<double> a, Span<double> inverse, int n, out double determinant, out int exponent)
    {
        double[] lu = [.. a], identity = new double[n * n];
        int[] order = new int[n];
        determinant = ScaledProduct.Of<double>(LuKernel.Factor<double>(lu, order, n) ? -1 : 1, lu, n + 1, n, out exponent);
        double smallest = double.PositiveInfinity, largest = 0;
        for (int k = 0; k < n; k++)
        {
            double pivot = lu[k * n + k];
            smallest = Math.Min(smallest, Math.Abs(pivot));
            largest = Math.Max(largest, Math.Abs(pivot));
            identity[k * n + k] = 1;
        }

        if (smallest <= Singular * largest) return false;
        LuKernel.Solve<double>(lu, order, identity, inverse, n, n);
        return true;
    }

    // ±U·B·Vᵀ. Of diag(s) the cofactors are B = diag(∏_{j≠i} s_j); for X = Uᵀ·H·V their derivative has the diagonal Σ_{j≠i} p_ij·x_jj and elsewhere −p_ij·x_ji, with
    // p_ij = ∏_{k≠i,j} s_k.
    private static bool OfSingular(ReadOnlySpan<double> a, ReadOnlySpan<double> direction, Span<double> result, int n)
    {
        double[] ut = new double[n * n], s = new double[n], vt = new double[n * n], u = new double[n * n], v = new double[n * n];
        if (!SingularKernel.Run(a, ut, s, vt, n, n)) return false;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) (u[i * n + j], v[i * n + j]) = (ut[j * n + i], vt[j * n + i]);
        double[] left = new double[n * n], x = new double[n * n], b = new double[n * n];

        // Without the smallest values the product is the largest one: where it is beyond the numbers, all are smaller by its excess until the end.
        double largest = ScaledProduct.Of<double>(1, s, 1, n, out int excess, n - 1, direction.IsEmpty ? n - 1 : n - 2);
        if (excess != 0) excess += Math.ILogB(largest);
        excess -= Math.Clamp(excess, -900, 900);
        if (direction.IsEmpty)
        {
            for (int i = 0; i < n; i++) b[i * n + i] = Product(s, i, i, excess);
        }
        else
        {
            Multiply(ut, direction, left, n);
            Multiply(left, v, x, n);
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++)
                {
                    if (i == j) continue;
                    double others = Product(s, i, j, excess);
                    b[i * n + i] += others * x[j * n + j];
                    b[i * n + j] = -others * x[j * n + i];
                }
            }
        }

        Multiply(u, b, left, n);
        Multiply(left, vt, result, n);
        if (IsReflection(u, n) != IsReflection(v, n))
            foreach (ref double element in result) element = -element;
        foreach (ref double element in result) element = Scaled(element, excess);
        return true;
    }

    // Divided by 2^excess.
    private static double Product(double[] s, int without, int or, int excess)
    {
        double product = ScaledProduct.Of<double>(1, s, 1, s.Length, out int exponent, without, or);
        return Scaled(product, exponent - excess);
    }

    private static double Scaled(double x, int exponent) => exponent == 0 ? x : Math.ScaleB(x, exponent);

    private static void Multiply(ReadOnlySpan<double> x, ReadOnlySpan<double> y, Span<double> to, int n)
    {
        to.Clear();
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++) RowUpdate.SubtractScaled(to.Slice(i * n, n), y.Slice(k * n, n), -x[i * n + k]);
    }

    // Of an orthogonal matrix, which it overwrites: whether its determinant is −1.
    private static bool IsReflection(Span<double> q, int n)
    {
        bool odd = LuKernel.Factor<double>(q, new int[n], n);
        for (int k = 0; k < n; k++) odd ^= q[k * n + k] < 0;
        return odd;
    }
}
