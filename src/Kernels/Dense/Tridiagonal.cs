using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// Symmetric A = Q·T·Qᵀ with a tridiagonal T by reflections (Golub and Van Loan, Matrix Computations, 4th ed., algorithm 8.3.1), from the last row upwards.
/// The update of one step and the product A·v of the next one are one pass over the matrix (Howell, Demmel, Fulton, Hammarling and Marmol, "Cache efficient
/// bidiagonalization using BLAS 2.5 operators", ACM TOMS 34, 2008, LAPACK working note 174).
/// </summary>
internal static unsafe class Tridiagonal
{
    /// <summary>
    /// Of <paramref name="a"/> (both triangles; destroyed) the diagonal d (n) and the elements e (n − 1) beside it; row i of <paramref name="vectors"/>, which
    /// is 0, receives the reflection that cleared row i, with factor tau[i]. Work has two rows.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reduce(double* a, int pitch, int n, double* d, double* e, double* vectors, double* tau, double* work)
    {
        double* q = work, p = work + pitch, last = vectors;
        new Span<double>(work, 2 * pitch).Clear();
        for (int i = n - 1; i > 0; i--)
        {
            double* row = a + ((long)i * pitch), v = vectors + ((long)i * pitch);
            if (i < n - 1) UpdateRow(row, last, q, last[i], q[i], Reflections.Padded(i + 1));
            d[i] = row[i];
            Unsafe.CopyBlockUnaligned(v, row, (uint)(i * sizeof(double)));
            int length = Reflections.Padded(i);
            tau[i] = Reflections.Make(v, length, i - 1, out e[i - 1]);
            Update(a, pitch, i, length, last, q, v, p);
            double factor = tau[i];
            for (int j = 0; j < i; j++) p[j] *= factor;
            for (int j = i; j < length; j++) p[j] = 0;
            double half = -factor / 2 * Reflections.Dot(p, v, length);
            for (int j = 0; j < length; j++) q[j] = p[j] + (half * v[j]);
            last = v;
        }

        if (n > 0) d[0] = a[0];
    }

    /// <summary>
    /// Qᵀ from the reflections: rows that are columns of Q. <paramref name="rows"/> is the unit matrix before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate(double* rows, int pitch, int n, double* vectors, double* tau)
    {
        for (int i = 2; i < n; i++) Reflections.Apply(rows, pitch, i, vectors + ((long)i * pitch), tau[i], Reflections.Padded(i));
    }

    // A ← A − u·qᵀ − q·uᵀ and p ← A·v, rows and columns 0 … rows − 1.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Update(double* a, int pitch, int rows, int length, double* u, double* q, double* v, double* p)
    {
        int j = 0;
        for (; j + 4 <= rows; j += 4, a += 4 * pitch)
        {
            Vector256<double> s0 = Vector256<double>.Zero, s1 = s0, s2 = s0, s3 = s0;
            Vector256<double> u0 = Vector256.Create(-u[j]), u1 = Vector256.Create(-u[j + 1]), u2 = Vector256.Create(-u[j + 2]), u3 = Vector256.Create(-u[j + 3]);
            Vector256<double> q0 = Vector256.Create(-q[j]), q1 = Vector256.Create(-q[j + 1]), q2 = Vector256.Create(-q[j + 2]), q3 = Vector256.Create(-q[j + 3]);
            double* a1 = a + pitch, a2 = a1 + pitch, a3 = a2 + pitch;
            for (int i = 0; i < length; i += Reflections.Pad)
            {
                Vector256<double> x = Vector256.Load(q + i), y = Vector256.Load(u + i), z = Vector256.Load(v + i);
                Vector256<double> t = Vector256.FusedMultiplyAdd(q0, y, Vector256.FusedMultiplyAdd(u0, x, Vector256.Load(a + i)));
                t.Store(a + i);
                s0 = Vector256.FusedMultiplyAdd(t, z, s0);
                t = Vector256.FusedMultiplyAdd(q1, y, Vector256.FusedMultiplyAdd(u1, x, Vector256.Load(a1 + i)));
                t.Store(a1 + i);
                s1 = Vector256.FusedMultiplyAdd(t, z, s1);
                t = Vector256.FusedMultiplyAdd(q2, y, Vector256.FusedMultiplyAdd(u2, x, Vector256.Load(a2 + i)));
                t.Store(a2 + i);
                s2 = Vector256.FusedMultiplyAdd(t, z, s2);
                t = Vector256.FusedMultiplyAdd(q3, y, Vector256.FusedMultiplyAdd(u3, x, Vector256.Load(a3 + i)));
                t.Store(a3 + i);
                s3 = Vector256.FusedMultiplyAdd(t, z, s3);
            }

            (p[j], p[j + 1], p[j + 2], p[j + 3]) = (Reflections.Total(s0), Reflections.Total(s1), Reflections.Total(s2), Reflections.Total(s3));
        }

        for (; j < rows; j++, a += pitch)
        {
            UpdateRow(a, u, q, u[j], q[j], length);
            p[j] = Reflections.Dot(a, v, length);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void UpdateRow(double* row, double* u, double* q, double uj, double qj, int length)
    {
        Vector256<double> first = Vector256.Create(-uj), second = Vector256.Create(-qj);
        for (int i = 0; i < length; i += Reflections.Pad)
            Vector256.FusedMultiplyAdd(second, Vector256.Load(u + i), Vector256.FusedMultiplyAdd(first, Vector256.Load(q + i), Vector256.Load(row + i))).Store(row + i);
    }
}
