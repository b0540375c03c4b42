using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Fusion.Kernels;

/// <summary>
/// A = U·B·Vᵀ with an upper bidiagonal B by reflections from both sides (Golub and Van Loan, Matrix Computations, 4th ed., algorithm 5.4.2). The update of one
/// step and the product Aᵀ·v of the next one are one pass over the matrix, A·u another (Howell, Demmel, Fulton, Hammarling and Marmol, "Cache efficient
/// bidiagonalization using BLAS 2.5 operators", ACM TOMS 34, 2008, LAPACK working note 174).
/// </summary>
internal static unsafe class Bidiagonal
{
    /// <summary>Reflections from one side: row k is the vector of step k, with its factor.</summary>
    internal struct Side
    {
        public double* Vectors;
        public double* Factors;
        public int Pitch;
        public int Count;
    }

    /// <summary>
    /// Of <paramref name="a"/> (m × n, m ≥ n; destroyed) the diagonal d (n) and the elements e (n − 1) above it. The vectors of both sides are 0 before. Work
    /// has two rows of A and two columns.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Reduce(double* a, int pitch, int m, int n, double* d, double* e, Side left, Side right, double* work)
    {
        // A − v·wᵀ − x·uᵀ is the matrix; the first step has none of them yet.
        double* w = work, next = w + pitch, x = next + pitch, v = x + left.Pitch, u = next;
        new Span<double>(work, 2 * (pitch + left.Pitch)).Clear();
        for (int k = 0; k < n; k++)
        {
            double* newV = left.Vectors + ((long)k * left.Pitch), newU = right.Vectors + ((long)k * right.Pitch);
            for (int i = k; i < m; i++) newV[i] = a[((long)i * pitch) + k] - (v[i] * w[k]) - (x[i] * u[k]);
            int start = k & -Reflections.Pad;
            left.Factors[k] = Reflections.Make(newV + start, left.Pitch - start, k - start, out d[k]);
            if (k == n - 1) break;

            start = (k + 1) & -Reflections.Pad;
            int length = pitch - start;
            double* corner = a + ((long)k * pitch) + start;
            double* sums = (k & 1) == 0 ? next : work;
            if (k == 0) u = right.Vectors + ((long)(n - 1) * right.Pitch); // a row of zeros
            new Span<double>(sums + start, length).Clear();
            Update(corner, pitch, m - k, length, v + k, w + start, x + k, u + start, newV + k, sums + start);
            for (int j = start; j < pitch; j++) sums[j] *= left.Factors[k];
            double* row = a + ((long)k * pitch);
            for (int j = k + 1; j < n; j++) newU[j] = row[j] - (newV[k] * sums[j]);
            right.Factors[k] = Reflections.Make(newU + start, length, k + 1 - start, out e[k]);

            double overlap = Reflections.Dot(sums + start, newU + start, length), factor = right.Factors[k];
            Multiply(corner + pitch, pitch, m - k - 1, length, newU + start, x + k + 1);
            for (int i = k + 1; i < m; i++) x[i] = factor * (x[i] - (newV[i] * overlap));
            v = newV;
            w = sums;
            u = newU;
        }
    }

    /// <summary>
    /// Each row times the transpose of the product of the reflections: rows of the unit matrix become columns of U or V. From row k on a vector acts;
    /// <paramref name="shift"/> is 1 where step k begins one element later.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Accumulate(double* rows, int pitch, int count, in Side side, int shift, bool isUnit)
    {
        for (int k = side.Count - 1; k >= 0; k--)
        {
            int first = isUnit ? Math.Min(k + shift, count) : 0, start = (k + shift) & -Reflections.Pad;
            Reflections.Apply(rows + ((long)first * pitch) + start, pitch, count - first, side.Vectors + ((long)k * side.Pitch) + start, side.Factors[k],
                Reflections.Padded(side.Pitch) - start);
        }
    }

    // A ← A − v·wᵀ − x·uᵀ and sums ← sums + Aᵀ·y.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Update(double* a, int pitch, int rows, int length, double* v, double* w, double* x, double* u, double* y, double* sums)
    {
        int j = 0;
        for (; j + 2 <= rows; j += 2, a += 2 * pitch)
        {
            Vector256<double> v0 = Vector256.Create(-v[j]), v1 = Vector256.Create(-v[j + 1]), x0 = Vector256.Create(-x[j]), x1 = Vector256.Create(-x[j + 1]);
            Vector256<double> y0 = Vector256.Create(y[j]), y1 = Vector256.Create(y[j + 1]);
            double* below = a + pitch;
            for (int i = 0; i < length; i += Reflections.Pad)
            {
                Vector256<double> right = Vector256.Load(w + i), other = Vector256.Load(u + i);
                Vector256<double> s = Vector256.FusedMultiplyAdd(x0, other, Vector256.FusedMultiplyAdd(v0, right, Vector256.Load(a + i)));
                Vector256<double> t = Vector256.FusedMultiplyAdd(x1, other, Vector256.FusedMultiplyAdd(v1, right, Vector256.Load(below + i)));
                s.Store(a + i);
                t.Store(below + i);
                Vector256.FusedMultiplyAdd(y1, t, Vector256.FusedMultiplyAdd(y0, s, Vector256.Load(sums + i))).Store(sums + i);
            }
        }

        if (j == rows) return;
        Reflections.AddScaled(a, w, -v[j], length);
        Reflections.AddScaled(a, u, -x[j], length);
        Reflections.AddScaled(sums, a, y[j], length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(double* a, int pitch, int rows, int length, double* u, double* x)
    {
        int i = 0;
        for (; i + 4 <= rows; i += 4, a += 4 * pitch) Reflections.FourDots(a, pitch, u, length, x + i);
        for (; i < rows; i++, a += pitch) x[i] = Reflections.Dot(a, u, length);
    }
}
