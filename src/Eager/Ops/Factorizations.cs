using System.Numerics;
using System.Runtime.InteropServices;
using Fusion.Kernels;

namespace Fusion;

/// <summary>Which triangle is read, how, and whether its diagonal counts as ones.</summary>
internal sealed record TriangularAttributes(bool Lower, bool Transpose, bool UnitDiagonal);

/// <summary>Singular values below this part of the largest count as zero; negative: the precision of the type times the larger size.</summary>
internal sealed record CutoffAttributes(double Relative);

/// <summary>Shape rules and kernel calls of the matrix factorisations; the last two axes are matrices, the others count them.</summary>
internal static class Factorizations
{
    public static void InferSquare(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        CheckMatrix(op, x[0], square: true);
        y[0] = x[0];
    }

    /// <summary>Two square matrices of one size.</summary>
    public static void InferPair(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        InferSquare(op, x, y);
        if (x[0] != x[1]) throw new ShapeException($"{op}: {x[0]} and {x[1]} must be the same.");
    }

    /// <summary>One number per matrix.</summary>
    public static void InferScalar(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        CheckMatrix(op, x[0], square: true);
        y[0] = x[0] with { Shape = Shape.Create(x[0].Shape.Dimensions[..^2]) };
    }

    public static void InferSystem(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        CheckMatrix(op, x[0], square: true);
        CheckMatrix(op, x[1], square: false);
        if (x[0].DType != x[1].DType) throw new DTypeException($"{op}: {x[0].DType} and {x[1].DType}. Convert one with AsType.");
        if (x[0].Shape[-1] != x[1].Shape[-2] || !x[0].Shape.Dimensions[..^2].SequenceEqual(x[1].Shape.Dimensions[..^2]))
            throw new ShapeException($"{op}: the matrix {x[0].Shape} needs right-hand sides (…, {x[0].Shape[-1]}, k) of the same batch, not {x[1].Shape}.");
        y[0] = x[1];
    }

    /// <summary>
    /// The parts of a factorisation one after the other in one line per matrix, of the size that <paramref name="length"/> gives for (rows, columns).
    /// </summary>
    public static void InferPacked(string op, ReadOnlySpan<TensorType> x, Span<TensorType> y, Func<long, long, long> length)
    {
        CheckMatrix(op, x[0], square: false);
        y[0] = x[0] with { Shape = Shape.Create([.. x[0].Shape.Dimensions[..^2], Errors.Extent(op, length(x[0].Shape[-2], x[0].Shape[-1]))]) };
    }

    public static void InferPinv(ReadOnlySpan<TensorType> x, Span<TensorType> y)
    {
        CheckMatrix("Pinv", x[0], square: false);
        y[0] = x[0] with { Shape = Shape.Create([.. x[0].Shape.Dimensions[..^2], x[0].Shape[-1], x[0].Shape[-2]]) };
    }

    public static void Cholesky(NDArray x, NDArray y)
    {
        if (x.DType == DType.Float32) Run<float>(x, y);
        else Run<double>(x, y);

        static void Run<T>(NDArray x, NDArray y)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            int n = x.Shape[-1];
            ReadOnlySpan<T> from = Elements<T>(x = x.Contiguous());
            Span<T> to = Elements<T>(y);
            for (int at = 0; at < to.Length; at += n * n)
            {
                int bad = CholeskyKernel.Run(from.Slice(at, n * n), to.Slice(at, n * n), n);
                if (bad >= 0)
                    throw new LinearAlgebraException(
                        $"Cholesky: matrix {at / (n * n)} of {x.Shape} is not positive definite: pivot {bad} is not positive. Check its symmetry, or add a multiple of Eye.");
            }

            GC.KeepAlive(x);
        }
    }

    public static void TriangularSolve(NDArray a, NDArray b, TriangularAttributes t, NDArray y)
    {
        if (a.DType == DType.Float32) Run<float>(a, b, t, y);
        else Run<double>(a, b, t, y);

        static void Run<T>(NDArray a, NDArray b, TriangularAttributes t, NDArray y)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            (int n, int columns) = (y.Shape[-2], y.Shape[-1]);
            ReadOnlySpan<T> matrices = Elements<T>(a = a.Contiguous());
            Span<T> x = Elements<T>(y);
            Elements<T>(b = b.Contiguous()).CopyTo(x);
            for (int i = 0; i * n * columns < x.Length; i++)
            {
                Span<T> system = x.Slice(i * n * columns, n * columns);
                TriangularKernel.Solve(matrices.Slice(i * n * n, n * n), system, n, columns, t.Lower, t.Transpose, t.UnitDiagonal);
            }

            GC.KeepAlive(a);
            GC.KeepAlive(b);
        }
    }

    public static void Solve(string op, NDArray a, NDArray b, NDArray y)
    {
        if (a.DType == DType.Float32) Run<float>(op, a, b, y);
        else Run<double>(op, a, b, y);

        static void Run<T>(string op, NDArray a, NDArray b, NDArray y)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            (int n, int columns) = (y.Shape[-2], y.Shape[-1]);
            NDArray right = b.Contiguous();
            EachLu<T>(a, (index, lu, order, _) =>
            {
                for (int k = 0; k < n; k++)
                    if (lu[k * n + k] == T.Zero)
                        throw new LinearAlgebraException(
                            $"{op}: matrix {index} of {a.Shape} is singular: pivot {k} is 0. Use Pinv or Lstsq, or add a multiple of Eye.");
                int start = index * n * columns, length = n * columns;
                LuKernel.Solve(lu, order, Elements<T>(right).Slice(start, length), Elements<T>(y).Slice(start, length), n, columns);
            });
            GC.KeepAlive(right);
        }
    }

    /// <summary>Inverses; of a singular matrix the adjugate times infinity, which is NaN in elements that are 0.</summary>
    public static void InverseOrInfinite(NDArray x, NDArray y)
    {
        if (x.DType == DType.Float32) Run<float>(x, y);
        else Run<double>(x, y);

        static void Run<T>(NDArray x, NDArray y)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            int n = x.Shape[-1];
            if (x.Size == 0) return;
            T[] identity = new T[n * n];
            for (int k = 0; k < n; k++) identity[k * n + k] = T.One;
            NDArray dense = x.Contiguous();
            EachLu<T>(dense, (index, lu, order, _) =>
            {
                Span<T> inverse = Elements<T>(y).Slice(index * n * n, n * n);
                bool singular = false;
                for (int k = 0; k < n; k++) singular |= lu[k * n + k] == T.Zero;
                if (singular) Infinite(Elements<T>(dense).Slice(index * n * n, n * n), inverse, n);
                else LuKernel.Solve(lu, order, identity, inverse, n, n);
            });
            GC.KeepAlive(dense);
        }

        static void Infinite<T>(ReadOnlySpan<T> a, Span<T> result, int n)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            double[] matrix = new double[n * n], cofactors = new double[n * n];
            for (int i = 0; i < matrix.Length; i++) matrix[i] = double.CreateChecked(a[i]);
            if (!IsFinite(matrix) || !CofactorKernel.Run(matrix, cofactors, n)) Array.Fill(cofactors, double.NaN);
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++) result[i * n + j] = T.CreateChecked(cofactors[j * n + i] * double.PositiveInfinity);
        }
    }

    /// <summary>Determinants, or their signs, or the logarithms of their absolute values.</summary>
    public static void Determinant(NDArray x, NDArray y, bool sign, bool logarithm)
    {
        if (x.DType == DType.Float32) Run<float>(x, y, sign, logarithm);
        else Run<double>(x, y, sign, logarithm);

        static void Run<T>(NDArray x, NDArray y, bool sign, bool logarithm)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            int n = x.Shape[-1];
            EachLu<T>(x, (index, lu, _, odd) =>
            {
                T value = logarithm ? T.Zero : odd ? -T.One : T.One;
                if (!sign && !logarithm)
                {
                    value = ScaledProduct.Of(value, lu, n + 1, n, out int exponent);
                    Elements<T>(y)[index] = exponent == 0 ? value : T.ScaleB(value, exponent);
                    return;
                }

                for (int k = 0; k < n; k++)
                {
                    T pivot = lu[k * n + k];
                    value = logarithm ? value + T.Log(T.Abs(pivot)) : value * (T.IsNaN(pivot) ? pivot : T.CreateChecked(T.Sign(pivot)));
                }

                Elements<T>(y)[index] = value;
            });
        }
    }

    public static void Cofactors(NDArray x, NDArray y) => Each(x, y, (a, result, n, _) =>
    {
        if (!IsFinite(a)) result.Fill(double.NaN);
        else if (!CofactorKernel.Run(a, result, n)) throw Unsettled("Det");
    });

    public static void CofactorsGradient(NDArray x, NDArray direction, NDArray y)
    {
        NDArray directions = direction.DType == DType.Float64 ? direction.Contiguous() : Movement.Cast(direction, DType.Float64);
        int at = 0;
        Each(x, y, (a, result, n, _) =>
        {
            ReadOnlySpan<double> h = Elements<double>(directions).Slice(at++ * n * n, n * n);
            if (!IsFinite(a) || !IsFinite(h)) result.Fill(double.NaN);
            else if (!CofactorKernel.Derivative(a, h, result, n)) throw Unsettled("Det");
        });
        GC.KeepAlive(directions);
    }

    public static void Qr(NDArray x, NDArray y) => Each(x, y, (a, packed, m, n) =>
    {
        if (IsFinite(a)) QrKernel.Run(a, packed[..(m * n)], packed[(m * n)..], m, n);
        else packed.Fill(double.NaN);
    });

    public static void Eigh(NDArray x, NDArray y) => Each(x, y, (a, packed, n, _) =>
    {
        CheckFinite("Eigh", a);
        if (!EigenKernel.Run(a, packed[..n], packed[n..], n)) throw Unsettled("Eigh");
    });

    /// <summary>The eigenvalues (n).</summary>
    public static void EighVals(NDArray x, NDArray y) => Each(x, y, (a, values, n, _) =>
    {
        CheckFinite("EighVals", a);
        if (!EigenKernel.Run(a, values, [], n)) throw Unsettled("EighVals");
    });

    /// <summary>U (m, n), values (n), Vᵀ (n, n) of matrices with m ≥ n.</summary>
    public static void Svd(NDArray x, NDArray y)
    {
        double[] ut = new double[x.Shape[-2] * x.Shape[-1]];
        Each(x, y, (a, packed, m, n) =>
        {
            CheckFinite("Svd", a);
            if (!SingularKernel.Run(a, ut, packed.Slice(m * n, n), packed[(m * n + n)..], m, n)) throw Unsettled("Svd");
            Transpose(ut, packed[..(m * n)], n, m);
        });
    }

    /// <summary>The singular values (n) of matrices with m ≥ n.</summary>
    public static void SvdVals(NDArray x, NDArray y) => Each(x, y, (a, values, m, n) =>
    {
        CheckFinite("SvdVals", a);
        if (!SingularKernel.Run(a, [], values, [], m, n)) throw Unsettled("SvdVals");
    });

    public static void Pinv(NDArray x, CutoffAttributes cutoff, NDArray y)
    {
        double precision = x.DType == DType.Float32 ? 1.1920929e-7 : 2.220446049250313e-16;
        Each(x, y, (a, result, m, n) =>
        {
            CheckFinite("Pinv", a);
            bool wide = n > m;
            (int rows, int k) = (Math.Max(m, n), Math.Min(m, n));
            double[] tall = new double[a.Length], ut = new double[a.Length], s = new double[k], vt = new double[k * k];
            if (wide) Transpose(a, tall, m, n);
            if (!SingularKernel.Run(wide ? tall : a, ut, s, vt, rows, k)) throw Unsettled("Pinv");
            double limit = (cutoff.Relative < 0 ? precision * rows : cutoff.Relative) * (k > 0 ? s[0] : 0);
            // V·diag(1/s)·Uᵀ (k × rows), the transpose of the result of a wide matrix.
            Span<double> inverse = wide ? tall : result;
            inverse.Clear();
            for (int j = 0; j < k; j++)
            {
                if (!(s[j] > limit)) continue;
                for (int i = 0; i < k; i++) RowUpdate.SubtractScaled<double>(inverse.Slice(i * rows, rows), ut.AsSpan(j * rows, rows), -vt[j * k + i] / s[j]);
            }

            if (wide) Transpose(inverse, result, k, rows);
        });
    }

    private delegate void MatrixAction(Span<double> matrix, Span<double> result, int rows, int columns);

    private delegate void LuAction<T>(int index, ReadOnlySpan<T> lu, ReadOnlySpan<int> order, bool odd);

    // In Float64 throughout: the iterations need it, and Float32 results are then correctly rounded.
    private static void Each(NDArray x, NDArray y, MatrixAction action)
    {
        (int m, int n) = (x.Shape[-2], x.Shape[-1]);
        int count = 1;
        foreach (int size in x.Shape.Dimensions[..^2]) count *= size;
        if (count == 0 || y.Size == 0) return;
        NDArray from = x.DType == DType.Float64 ? x.Contiguous() : Movement.Cast(x, DType.Float64);
        NDArray to = y.DType == DType.Float64 ? y : NDArray.Allocate(DType.Float64, y.Shape);
        double[] matrix = new double[m * n];
        int length = (int)(y.Size / count);
        for (int i = 0; i < count; i++)
        {
            Elements<double>(from).Slice(i * m * n, m * n).CopyTo(matrix);
            action(matrix, Elements<double>(to).Slice(i * length, length), m, n);
        }

        if (!ReferenceEquals(to, y)) Movement.CastTo(to, y);
        GC.KeepAlive(from);
    }

    private static void EachLu<T>(NDArray x, LuAction<T> action)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = x.Shape[-1];
        NDArray dense = x.Contiguous();
        int count = 1;
        foreach (int size in x.Shape.Dimensions[..^2]) count *= size;
        if (count == 0) return;
        T[] lu = new T[n * n];
        int[] order = new int[n];
        for (int i = 0; i < count; i++)
        {
            Elements<T>(dense).Slice(i * n * n, n * n).CopyTo(lu);
            bool odd = LuKernel.Factor<T>(lu, order, n);
            action(i, lu, order, odd);
        }

        GC.KeepAlive(dense);
    }

    private static LinearAlgebraException Unsettled(string op) => new($"{op}: the iteration did not converge. Scale the matrix, or look for extreme elements.");

    private static void Transpose(ReadOnlySpan<double> a, Span<double> result, int m, int n)
    {
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) result[j * m + i] = a[i * n + j];
    }

    private static bool IsFinite(ReadOnlySpan<double> a)
    {
        foreach (double x in a)
            if (!double.IsFinite(x)) return false;
        return true;
    }

    private static void CheckFinite(string op, ReadOnlySpan<double> a)
    {
        foreach (double x in a)
            if (!double.IsFinite(x)) throw new LinearAlgebraException($"{op}: the matrix has an element {x}. All elements must be finite.");
    }

    private static void CheckMatrix(string op, TensorType x, bool square)
    {
        if (x.Shape.Rank < 2) throw new ShapeException($"{op}: {x.Shape} has no matrices in its last two axes. Reshape or ExpandDims first.");
        if (!x.DType.IsFloat) throw new DTypeException($"{op}: {x.DType} is not supported. Convert with AsType(DType.Float64).");
        if (square && x.Shape[-1] != x.Shape[-2]) throw new ShapeException($"{op}: the matrices of {x.Shape} are not square: {x.Shape[-2]} × {x.Shape[-1]}.");
    }

    private static Span<T> Elements<T>(NDArray x)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(x.Bytes);
}
