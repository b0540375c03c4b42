namespace Fusion;

/// <summary>Which norm of a matrix.</summary>
public enum MatrixNormKind
{
    /// <summary>√Σ x².</summary>
    Frobenius,

    /// <summary>The sum of the singular values.</summary>
    Nuclear,

    /// <summary>The largest singular value.</summary>
    Spectral,

    /// <summary>The largest column sum of absolute values.</summary>
    One,

    /// <summary>The largest row sum of absolute values.</summary>
    Infinity,
}

// Linear algebra on the matrices in the last two axes; the other axes count them and broadcast. Integers become Float32.
public static partial class Nd
{
    /// <summary>The lower triangular L with L·Lᵀ = A of a symmetric positive definite A, whose lower triangle is read.</summary>
    /// <exception cref="LinearAlgebraException">A matrix is not positive definite.</exception>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static NDArray Cholesky(this NDArray a) => OpTable.Cholesky.Apply(RealInput(a));

    /// <summary>X of op(A)·X = B for a triangular A, whose other triangle is not read; op is the transpose if asked.</summary>
    /// <exception cref="ShapeException">A is not square, or B has another number of rows.</exception>
    public static NDArray TriangularSolve(this NDArray a, NDArray b, bool lower = true, bool transpose = false, bool unitDiagonal = false) =>
        SolveSystem(OpTable.TriangularSolve, a, b, new TriangularAttributes(lower, transpose, unitDiagonal));

    /// <summary>X of A·X = B, by elimination with partial pivoting; a B of rank 1 is one right-hand side.</summary>
    /// <exception cref="LinearAlgebraException">A matrix is singular.</exception>
    /// <exception cref="ShapeException">A is not square, or B has another number of rows.</exception>
    public static NDArray Solve(this NDArray a, NDArray b) => SolveSystem(OpTable.Solve, a, b, null);

    /// <summary>A⁻¹. Prefer <see cref="Solve"/> where the inverse only multiplies something.</summary>
    /// <exception cref="LinearAlgebraException">A matrix is singular.</exception>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static NDArray Inverse(this NDArray a)
    {
        NDArray real = RealInput(a);
        (int rows, int columns) = MatrixSize(real, "Inverse");
        if (rows != columns) throw new ShapeException($"Inverse: the matrices of {a.Shape} are not square: {rows} × {columns}. Use Pinv.");
        return OpTable.Solve.Apply(real, BroadcastTo(Eye(rows, real.DType, real.Device), real.Shape), "Inverse");
    }

    /// <summary>
    /// det A. Gradients of the first order (the cofactors of A) and of the second one exist for every matrix; those of higher order need an invertible one.
    /// </summary>
    /// <remarks>
    /// By elimination with partial pivoting; partial products do not overflow. Gradients of matrices near a singular one come from the singular values, in Float64 (Stewart, "On the adjugate
    /// matrix", 1998).
    /// </remarks>
    /// <exception cref="LinearAlgebraException">In gradients of the third order and above: a matrix is singular.</exception>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static NDArray Det(this NDArray a) => OpTable.Det.Apply(RealInput(a));

    /// <summary>
    /// The sign (−1, 0, 1) and ln |det A|, where the determinant itself would overflow; the gradient of the logarithm is A⁻ᵀ. Of a singular matrix they are 0 and
    /// −∞, and the gradient has no finite element: no exception, as ln 0 has none.
    /// </summary>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static (NDArray Sign, NDArray LogAbsDet) SlogDet(this NDArray a)
    {
        NDArray real = RealInput(a);
        return (OpTable.DetSign.Apply(real), OpTable.LogAbsDet.Apply(real));
    }

    /// <summary>
    /// A = Q·R, reduced: for (m, n) and k = min(m, n) Q is (m, k) with orthonormal columns and R (k, n) upper triangular, its diagonal with LAPACK's signs. The
    /// gradient needs the first k columns to be independent.
    /// </summary>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static (NDArray Q, NDArray R) Qr(this NDArray a)
    {
        NDArray real = RealInput(a);
        (int m, int n) = MatrixSize(real, "Qr");
        if (real.DType.IsHalf && n > m)
        {
            (NDArray wideQ, NDArray wideR) = Qr(Elements.Wide(real));
            return (wideQ.AsType(real.DType), wideR.AsType(real.DType));
        }

        int k = Math.Min(m, n);
        NDArray packed = OpTable.Qr.Apply(n > m ? Slice(real, -1, 0, m) : real);
        (NDArray q, NDArray r) = (OpTable.Part(packed, 0, m, k), OpTable.Part(packed, m * k, k, k));
        return (q, n > m ? Concat([r, OpTable.MatMul.Apply(q, Slice(real, -1, m, n), new MatMulAttributes(true, false))], -1) : r);
    }

    /// <summary>
    /// The ascending eigenvalues (…, n) and the eigenvectors (…, n, n), as columns, of a symmetric A, whose lower triangle is read. The largest component of a
    /// vector is positive. Gradients through the vectors need distinct eigenvalues.
    /// </summary>
    /// <remarks>
    /// Tridiagonal form by reflections, then implicit QL steps (Golub and Van Loan, Matrix Computations, 4th ed., section 8.3), in Float64: errors of values are
    /// some units of ‖A‖ in the last place, so those far below ‖A‖ have fewer right digits.
    /// </remarks>
    /// <exception cref="LinearAlgebraException">An element is not finite.</exception>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static (NDArray Values, NDArray Vectors) Eigh(this NDArray a)
    {
        NDArray packed = OpTable.Eigh.Apply(RealInput(a));
        int n = a.Shape[-1];
        return (Slice(packed, -1, 0, n), OpTable.Part(packed, n, n, n));
    }

    /// <summary>The ascending eigenvalues (…, n) alone of a symmetric A, whose lower triangle is read: those of <see cref="Eigh"/> without the time that vectors take.</summary>
    /// <exception cref="LinearAlgebraException">An element is not finite.</exception>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static NDArray EighVals(this NDArray a) => OpTable.EighVals.Apply(RealInput(a));

    /// <summary>
    /// A = U·diag(S)·Vᵀ, reduced: for (m, n) and k = min(m, n) U is (m, k), S (k) descending, Vᵀ (k, n). Gradients through U and Vᵀ need distinct singular
    /// values that are not 0. The largest component of each right vector (each row of Vᵀ, for wide matrices each column of U) is positive.
    /// </summary>
    /// <remarks>
    /// Bidiagonal form by reflections, then implicit QR steps (Golub and Van Loan, Matrix Computations, 4th ed., section 8.6; Demmel and Kahan, LAPACK working note 3),
    /// in Float64: errors of values are some units of ‖A‖ in the last place, so those far below ‖A‖ have fewer right digits.
    /// </remarks>
    /// <exception cref="LinearAlgebraException">An element is not finite.</exception>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static (NDArray U, NDArray S, NDArray Vt) Svd(this NDArray a)
    {
        NDArray real = RealInput(a);
        (int m, int n) = MatrixSize(real, "Svd");
        bool wide = n > m;
        (int rows, int k) = (Math.Max(m, n), Math.Min(m, n));
        NDArray packed = OpTable.Svd.Apply(wide ? SwapAxes(real, -1, -2) : real);
        NDArray u = OpTable.Part(packed, 0, rows, k), vt = OpTable.Part(packed, rows * k + k, k, k);
        NDArray s = Slice(packed, -1, rows * k, rows * k + k);
        return wide ? (SwapAxes(vt, -1, -2), s, SwapAxes(u, -1, -2)) : (u, s, vt);
    }

    /// <summary>The descending singular values (…, k) alone, k = min(m, n): those of <see cref="Svd"/> without the time that vectors take.</summary>
    /// <exception cref="LinearAlgebraException">An element is not finite.</exception>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static NDArray SvdVals(this NDArray a)
    {
        NDArray real = RealInput(a);
        (int m, int n) = MatrixSize(real, "SvdVals");
        return OpTable.SvdVals.Apply(n > m ? SwapAxes(real, -1, -2) : real);
    }

    /// <summary>The pseudo-inverse of Moore and Penrose; singular values up to <paramref name="cutoff"/> times the largest count as 0.</summary>
    /// <param name="a">The matrices.</param>
    /// <param name="cutoff">By default the precision of the type times the larger size.</param>
    /// <exception cref="LinearAlgebraException">An element is not finite.</exception>
    public static NDArray Pinv(this NDArray a, double? cutoff = null) => OpTable.Pinv.Apply(RealInput(a), new CutoffAttributes(cutoff ?? -1));

    /// <summary>The X of least norm that minimises ‖A·X − B‖; a B of rank 1 is one right-hand side.</summary>
    /// <exception cref="ShapeException">B has another number of rows than A.</exception>
    public static NDArray Lstsq(this NDArray a, NDArray b, double? cutoff = null)
    {
        DType dtype = DTypes.Promote(Checked(a).DType, Checked(b).DType);
        if (dtype.IsHalf) return Lstsq(Elements.Wide(a), Elements.Wide(b), cutoff).AsType(dtype);
        (int rows, _) = MatrixSize(a, "Lstsq");
        if (b.Rank == 0 || b.Shape[b.Rank == 1 ? 0 : -2] != rows)
            throw new ShapeException($"Lstsq: the matrix {a.Shape} needs right-hand sides of {rows} rows, not {b.Shape}.");
        if (b.Rank > 2 && !Broadcasting.Fit(a.Shape.Dimensions[..^2].ToArray(), b.Shape.Dimensions[..^2].ToArray()))
            throw new ShapeException($"Lstsq: the axes of {a.Shape} and {b.Shape} before the last two do not broadcast. Reshape or ExpandDims one operand.");
        return MatMul(Pinv(a, cutoff), b);
    }

    /// <summary>Aᵖ for an integer p; a negative one is a power of the inverse.</summary>
    /// <exception cref="ShapeException">The matrices are not square.</exception>
    public static NDArray MatrixPower(this NDArray a, int power)
    {
        if (Checked(a).DType.IsHalf) return MatrixPower(Elements.Wide(a), power).AsType(a.DType);
        (int rows, int columns) = MatrixSize(a, "MatrixPower");
        if (rows != columns) throw new ShapeException($"MatrixPower: the matrices of {a.Shape} are not square: {rows} × {columns}.");
        NDArray square = power < 0 ? Inverse(a) : RealInput(a);
        NDArray? result = null;
        for (uint rest = (uint)Math.Abs((long)power); rest > 0; rest >>= 1)
        {
            if ((rest & 1) != 0) result = result is null ? square : MatMul(result, square);
            if (rest > 1) square = MatMul(square, square);
        }

        if (ReferenceEquals(result, a)) return a.Alias();
        return result ?? BroadcastTo(Eye(rows, square.DType, square.Device), square.Shape);
    }

    /// <summary>
    /// (Σ |x|ᵖ)^(1/p) over axes; the largest |x| for ∞, the smallest for −∞, the number of elements that are not 0 for 0. The gradient is 0 where the norm is 0,
    /// and in elements that are 0.
    /// </summary>
    public static NDArray VectorNorm(this NDArray x, double order = 2, int[]? axes = null, bool keepDims = false)
    {
        if (Checked(x).DType.IsHalf) return VectorNorm(Elements.Wide(x), order, axes, keepDims).AsType(x.DType);
        using Temporaries made = Temporaries.Collect();
        NDArray real = RealInput(x);
        ReduceAttributes reduced = Reductions.Attributes("VectorNorm", x, axes, keepDims);
        if (double.IsInfinity(order)) CheckNotEmpty("VectorNorm", x, reduced);
        return made.Keep(order switch
        {
            2 => Norm(real, axes, keepDims),
            1 => Sum(Abs(real), axes, keepDims),
            0 => Sum(NotEqual(real, 0), axes, keepDims).AsType(real.DType),
            double.PositiveInfinity => Max(Abs(real), axes, keepDims),
            double.NegativeInfinity => Min(Abs(real), axes, keepDims),
            _ => Power(),
        });

        // At 0 powers below 1 have infinite slopes, of which 0 times would be NaN: they are computed at 1 there and not selected.
        NDArray Power()
        {
            NDArray none = Equal(real, 0);
            NDArray sum = Sum(Where(none, order > 0 ? 0 : double.PositiveInfinity, Pow(Where(none, 1, Abs(real)), order)), axes, keepDims);
            NDArray zero = order > 0 ? Equal(sum, 0) : IsInfinity(sum);
            return Where(zero, 0, Pow(Where(zero, 1, sum), 1 / order));
        }
    }

    /// <summary>A norm of each matrix in the last two axes.</summary>
    /// <exception cref="ShapeException">The rank is below 2.</exception>
    public static NDArray MatrixNorm(this NDArray x, MatrixNormKind kind = MatrixNormKind.Frobenius, bool keepDims = false)
    {
        if (Checked(x).DType.IsHalf) return MatrixNorm(Elements.Wide(x), kind, keepDims).AsType(x.DType);
        NDArray real = RealInput(x);
        (int rows, int columns) = MatrixSize(real, "MatrixNorm");
        if ((rows == 0 || columns == 0) && kind is not (MatrixNormKind.Frobenius or MatrixNormKind.Nuclear))
            throw new ShapeException($"MatrixNorm: the matrices of {x.Shape} are empty and have no norm {kind}.");
        using Temporaries made = Temporaries.Collect();
        return made.Keep(kind switch
        {
            MatrixNormKind.Frobenius => Norm(real, [-2, -1], keepDims),
            MatrixNormKind.Nuclear => Kept(Sum(SvdVals(real), -1)),
            MatrixNormKind.Spectral => Kept(Max(SvdVals(real), -1)),
            MatrixNormKind.One => Max(Sum(Abs(real), [-2], keepDims: true), [-2, -1], keepDims),
            MatrixNormKind.Infinity => Max(Sum(Abs(real), [-1], keepDims: true), [-2, -1], keepDims),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "MatrixNorm: unknown norm."),
        });

        NDArray Kept(NDArray norms) => keepDims ? ExpandDims(ExpandDims(norms, -1), -1) : norms;
    }

    private static NDArray SolveSystem(Op op, NDArray a, NDArray b, object? attributes)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        DType dtype = Elements.RealType(DTypes.Promote(a.DType, b.DType));
        if (a.Rank < 2 || b.Rank == 0)
            throw new ShapeException($"{op.Name}: {a.Shape}, {b.Shape}: a matrix (…, n, n) and right-hand sides (…, n, k) or (n,) are needed.");
        NDArray right = Elements.To(b.Rank == 1 ? ExpandDims(b, 1) : b, dtype), left = Elements.To(a, dtype);
        Shape batch = Broadcasting.Infer(op.Name, Shape.Create(left.Shape.Dimensions[..^2]), Shape.Create(right.Shape.Dimensions[..^2]));
        left = BroadcastTo(left, Shape.Create([.. batch.Dimensions, .. left.Shape.Dimensions[^2..]]));
        right = BroadcastTo(right, Shape.Create([.. batch.Dimensions, .. right.Shape.Dimensions[^2..]]));
        NDArray x = op.Apply(left, right, attributes);
        return b.Rank == 1 ? Squeeze(x, -1) : x;
    }
}
