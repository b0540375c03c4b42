using System.Runtime.CompilerServices;

namespace Fusion.Kernels;

/// <summary>
/// Eigenvalues and eigenvectors of symmetric matrices: <see cref="Tridiagonal"/> form, then implicit QL steps with Wilkinson's shift (Golub and Van Loan,
/// Matrix Computations, 4th ed., algorithm 8.3.3; Dubrulle, Martin and Wilkinson, "The implicit QL algorithm", Numer. Math. 12, 1968). Backward stable: the
/// error of a value is some units of the matrix's norm in the last place.
/// </summary>
internal static unsafe class EigenKernel
{
    private const double Epsilon = 1.1102230246251565e-16;
    private const int MaxSteps = 50;

    /// <summary>
    /// Of the symmetric matrix whose lower triangle is in <paramref name="a"/> (n × n) the ascending eigenvalues and the eigenvectors as columns. The largest
    /// component of each vector is positive. Without room for the vectors nothing is accumulated or rotated; the values have the same bits. False: no convergence.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Run(ReadOnlySpan<double> a, Span<double> values, Span<double> vectors, int n)
    {
        int pitch = Reflections.Pitch(n), matrices = vectors.IsEmpty ? 2 : 3;
        long square = (long)n * pitch;
        using var memory = new NativeScratch(((matrices * square) + (7 * pitch)) * sizeof(double));
        double* matrix = (double*)memory.Pointer, reflections = matrix + square, rows = reflections + square, d = matrix + (matrices * square);
        double* e = d + pitch, tau = e + pitch, c = tau + pitch, s = c + pitch, work = s + pitch;
        new Span<double>(matrix, checked((int)(matrices * square))).Clear();
        int exponent = Exponent(a);
        double scale = Math.ScaleB(1, -exponent);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++) matrix[((long)i * pitch) + j] = matrix[((long)j * pitch) + i] = a[(i * n) + j] * scale;
        }

        Tridiagonal.Reduce(matrix, pitch, n, d, e, reflections, tau, work);
        if (vectors.IsEmpty)
        {
            if (!Iterate(d, e, n, null, pitch, c, s)) return false;
            for (int k = 0; k < n; k++) values[k] = Math.ScaleB(d[k], exponent);
            values.Sort();
            return true;
        }

        for (int i = 0; i < n; i++) rows[((long)i * pitch) + i] = 1;
        Tridiagonal.Accumulate(rows, pitch, n, reflections, tau);
        if (!Iterate(d, e, n, rows, pitch, c, s)) return false;

        int[] order = Order(new Span<double>(d, n));
        for (int k = 0; k < n; k++)
        {
            values[k] = Math.ScaleB(d[k], exponent);
            ReadOnlySpan<double> row = new(rows + ((long)order[k] * pitch), n);
            double sign = SignOfLargest(row);
            for (int i = 0; i < n; i++) vectors[(i * n) + k] = sign * row[i];
        }

        return true;
    }

    /// <summary>The power of 2 that brings the largest element near 1.</summary>
    public static int Exponent(ReadOnlySpan<double> a)
    {
        double largest = 0;
        foreach (double x in a) largest = Math.Max(largest, Math.Abs(x));
        return largest > 0 ? Math.Clamp(Math.ILogB(largest), -1000, 1000) : 0;
    }

    /// <summary>Sorts the keys; where each one was.</summary>
    public static int[] Order(Span<double> keys)
    {
        int[] order = new int[keys.Length];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        keys.Sort(order.AsSpan());
        return order;
    }

    public static double SignOfLargest(ReadOnlySpan<double> x)
    {
        double largest = 0;
        foreach (double value in x)
            if (Math.Abs(value) > Math.Abs(largest)) largest = value;
        return largest < 0 ? -1 : 1;
    }

    // The diagonal becomes the values, the rows, where there are any, their vectors.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool Iterate(double* d, double* e, int n, double* rows, int pitch, double* c, double* s)
    {
        if (n > 0) e[n - 1] = 0;
        for (int l = 0; l < n; l++)
        {
            for (int step = 0; ; step++)
            {
                int m = l;
                while (m < n - 1 && Math.Abs(e[m]) > (Epsilon * (Math.Abs(d[m]) + Math.Abs(d[m + 1]))) + 1e-200) m++;
                if (m == l) break;
                if (step == MaxSteps) return false;
                int first = Step(d, e, l, m, c, s);
                if (rows != null) Rotations.Backward(rows + ((long)first * pitch), pitch, Reflections.Padded(n), c + first, s + first, m - first);
            }
        }

        return true;
    }

    // One QL step on rows l … m; the first row that was rotated.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Step(double* d, double* e, int l, int m, double* cosines, double* sines)
    {
        double g = (d[l + 1] - d[l]) / (2 * e[l]);
        g = d[m] - d[l] + (e[l] / (g + Math.CopySign(Math.Sqrt((g * g) + 1), g)));
        double s = 1, c = 1, p = 0;
        for (int i = m - 1; i >= l; i--)
        {
            double f = s * e[i], b = c * e[i];
            double r = Rotations.Make(g, f, out c, out s);
            e[i + 1] = r;
            if (r == 0)
            {
                // The matrix falls apart here.
                d[i + 1] -= p;
                e[m] = 0;
                return i + 1;
            }

            g = d[i + 1] - p;
            r = ((d[i] - g) * s) + (2 * c * b);
            p = s * r;
            d[i + 1] = g + p;
            g = (c * r) - b;
            (cosines[i], sines[i]) = (c, s);
        }

        d[l] -= p;
        e[l] = g;
        e[m] = 0;
        return l;
    }
}
