namespace Fusion;

// Factorisations of the matrices in the last two axes. A factorisation of several parts is one row whose output is the parts one after the other; Nd cuts it.
// Gradients of symmetric matrices are symmetric: only one triangle is read, both are differentiated.
internal static partial class OpTable
{
    /// <summary>
    /// A = L·Lᵀ. Ā = L⁻ᵀ·Φ(Lᵀ·L̄)·L⁻¹, symmetrised, where Φ keeps the lower triangle and halves the diagonal (Murray, "Differentiation of the Cholesky
    /// decomposition", 2016).
    /// </summary>
    public static readonly Op Cholesky = Row(new Op
    {
        Name = "Cholesky",
        Infer = (x, _, y) => Factorizations.InferSquare("Cholesky", x, y),
        Run = (x, _, y) => Factorizations.Cholesky(x[0], y[0]),
        Gradient = [CholeskyGradient],
        Saves = Saved.Output,
    }).Named("mx.np.linalg.cholesky, np.linalg.cholesky, torch.linalg.cholesky", "real");

    /// <summary>op(A)·X = B with a triangular A. B̄ = op(A)⁻ᵀ·X̄, Ā = −B̄·Xᵀ (−X·B̄ᵀ when transposed) within the triangle.</summary>
    public static readonly Op TriangularSolve = Row(new Op
    {
        Name = "TriangularSolve",
        Arity = 2,
        Infer = (x, _, y) => Factorizations.InferSystem("TriangularSolve", x, y),
        Run = (x, attributes, y) => Factorizations.TriangularSolve(x[0], x[1], (TriangularAttributes)attributes!, y[0]),
        Gradient = [TriangularMatrixGradient, c => TriangularSolve!.Apply(c.X, c.G, Turned(c.Attributes<TriangularAttributes>()))],
        Saves = Saved.Input0 | Saved.Output,
    }).Named("mx.nd.linalg.trsm, scipy.linalg.solve_triangular, torch.linalg.solve_triangular", "real");

    /// <summary>A·X = B. B̄ = A⁻ᵀ·X̄, Ā = −B̄·Xᵀ. Attributes: the function that messages name, if it is another one.</summary>
    public static readonly Op Solve = Row(new Op
    {
        Name = "Solve",
        Arity = 2,
        Infer = (x, _, y) => Factorizations.InferSystem("Solve", x, y),
        Run = (x, attributes, y) => Factorizations.Solve(attributes as string ?? "Solve", x[0], x[1], y[0]),
        Gradient = [c => -Product(Solve!.Apply(Turn(c.X), c.G), c.Output, false, true), c => Solve!.Apply(Turn(c.X), c.G)],
        Saves = Saved.Input0 | Saved.Output,
    }).Named("mx.np.linalg.solve, np.linalg.solve, torch.linalg.solve", "real");

    /// <summary>Ā = g·C with the cofactors C of A.</summary>
    public static readonly Op Det = Row(new Op
    {
        Name = "Det",
        Infer = (x, _, y) => Factorizations.InferScalar("Det", x, y),
        Run = (x, _, y) => Factorizations.Determinant(x[0], y[0], sign: false, logarithm: false),
        Gradient = [c => PerMatrix(c.G) * Cofactors!.Apply(c.X)],
        Saves = Saved.Input0,
    }).Named("mx.np.linalg.det, np.linalg.det, torch.linalg.det", "real");

    /// <summary>The cofactors of A, the transpose of its adjugate: det A·A⁻ᵀ where A is invertible.</summary>
    public static readonly Op Cofactors = Row(new Op
    {
        Name = "Cofactors",
        Infer = (x, _, y) => Factorizations.InferSquare("Det", x, y),
        Run = (x, _, y) => Factorizations.Cofactors(x[0], y[0]),
        Gradient = [c => CofactorsGradient!.Apply(c.X, c.G)],
        Saves = Saved.Input0,
    });

    /// <summary>
    /// The gradient of ⟨H, C⟩ for the cofactors C of A: ⟨H, C⟩·A⁻ᵀ − C·Hᵀ·A⁻ᵀ where A is invertible, which it must be for gradients of the third order. They
    /// follow from that form, as one of C and det A.
    /// </summary>
    public static readonly Op CofactorsGradient = Row(new Op
    {
        Name = "CofactorsGradient",
        Arity = 2,
        Infer = (x, _, y) => Factorizations.InferPair("Det", x, y),
        Run = (x, _, y) => Factorizations.CofactorsGradient(x[0], x[1], y[0]),
        Gradient = [CofactorsCurvature, c => CofactorsGradient!.Apply(c.X, c.G)],
        Saves = Saved.Input0 | Saved.Input1 | Saved.Output,
    });

    /// <summary>A⁻¹, infinite for a singular A: what a logarithm of a determinant has for a gradient. Ā = −A⁻ᵀ·G·A⁻ᵀ.</summary>
    public static readonly Op InverseOrInfinite = Row(new Op
    {
        Name = "InverseOrInfinite",
        Infer = (x, _, y) => Factorizations.InferSquare("SlogDet", x, y),
        Run = (x, _, y) => Factorizations.InverseOrInfinite(x[0], y[0]),
        Gradient = [c => -Product(Product(c.Output, c.G, true, false), c.Output, false, true)],
        Saves = Saved.Output,
    });

    /// <summary>ln |det A|. Ā = g·A⁻ᵀ.</summary>
    public static readonly Op LogAbsDet = Row(new Op
    {
        Name = "LogAbsDet",
        Infer = (x, _, y) => Factorizations.InferScalar("SlogDet", x, y),
        Run = (x, _, y) => Factorizations.Determinant(x[0], y[0], sign: false, logarithm: true),
        Gradient = [c => PerMatrix(c.G) * InverseOrInfinite.Apply(Turn(c.X))],
        Saves = Saved.Input0,
    }).Named("mx.np.linalg.slogdet, np.linalg.slogdet, torch.linalg.slogdet", "real");

    /// <summary>The sign of det A: −1, 0 or 1.</summary>
    public static readonly Op DetSign = Row(new Op
    {
        Name = "DetSign",
        Infer = (x, _, y) => Factorizations.InferScalar("SlogDet", x, y),
        Run = (x, _, y) => Factorizations.Determinant(x[0], y[0], sign: true, logarithm: false),
        Gradient = [null],
    }).Named("mx.np.linalg.slogdet, np.linalg.slogdet, torch.linalg.slogdet", "real");

    /// <summary>
    /// Q (m, n) and R (n, n) of matrices with m ≥ n. With M = R·R̄ᵀ − Q̄ᵀ·Q: Ā = (Q̄ + Q·sym(M))·R⁻ᵀ, sym from the lower triangle (Walter and Lehmann,
    /// "Algorithmic differentiation of linear algebra functions", 2010).
    /// </summary>
    public static readonly Op Qr = Row(new Op
    {
        Name = "Qr",
        Infer = (x, _, y) => Factorizations.InferPacked("Qr", x, y, (m, n) => m * n + n * n),
        Run = (x, _, y) => Factorizations.Qr(x[0], y[0]),
        Gradient = [QrGradient],
        Saves = Saved.Output,
    }).Named("mx.np.linalg.qr, np.linalg.qr, torch.linalg.qr", "real");

    /// <summary>
    /// Values (n) and vectors V (n, n). Ā = V·(diag(λ̄) + F ∘ Vᵀ·V̄)·Vᵀ, symmetrised, Fᵢⱼ = 1/(λⱼ − λᵢ), and 0 for equal values (Giles, "An extended
    /// collection of matrix derivative results", 2008).
    /// </summary>
    public static readonly Op Eigh = Row(new Op
    {
        Name = "Eigh",
        Infer = (x, _, y) =>
        {
            Factorizations.InferSquare("Eigh", x, y);
            Factorizations.InferPacked("Eigh", x, y, (n, _) => n + n * n);
        },
        Run = (x, _, y) => Factorizations.Eigh(x[0], y[0]),
        Gradient = [EighGradient],
        Saves = Saved.Output,
    }).Named("mx.np.linalg.eigh, np.linalg.eigh, torch.linalg.eigh", "real");

    /// <summary>The eigenvalues (n), as <see cref="Eigh"/> has them. Ā = V·diag(λ̄)·Vᵀ.</summary>
    public static readonly Op EighVals = Row(new Op
    {
        Name = "EighVals",
        Infer = (x, _, y) =>
        {
            Factorizations.InferSquare("EighVals", x, y);
            Factorizations.InferPacked("EighVals", x, y, (n, _) => n);
        },
        Run = (x, _, y) => Factorizations.EighVals(x[0], y[0]),
        Gradient = [EighValsGradient],
        Saves = Saved.Input0,
    }).Named("mx.np.linalg.eigvalsh, np.linalg.eigvalsh, torch.linalg.eigvalsh", "real");

    /// <summary>U (m, n), values (n), Vᵀ (n, n) of matrices with m ≥ n (Townsend, "Differentiating the singular value decomposition", 2016).</summary>
    public static readonly Op Svd = Row(new Op
    {
        Name = "Svd",
        Infer = (x, _, y) => Factorizations.InferPacked("Svd", x, y, (m, n) => m * n + n + n * n),
        Run = (x, _, y) => Factorizations.Svd(x[0], y[0]),
        Gradient = [SvdGradient],
        Saves = Saved.Output,
    }).Named("mx.np.linalg.svd, np.linalg.svd, torch.linalg.svd", "real");

    /// <summary>The singular values (n) of matrices with m ≥ n, as <see cref="Svd"/> has them. Ā = U·diag(s̄)·Vᵀ.</summary>
    public static readonly Op SvdVals = Row(new Op
    {
        Name = "SvdVals",
        Infer = (x, _, y) => Factorizations.InferPacked("SvdVals", x, y, (_, n) => n),
        Run = (x, _, y) => Factorizations.SvdVals(x[0], y[0]),
        Gradient = [SvdValsGradient],
        Saves = Saved.Input0,
    }).Named("-, np.linalg.svdvals, torch.linalg.svdvals", "real");

    /// <summary>The pseudo-inverse at constant rank (Golub and Pereyra, SIAM J. Numer. Anal. 10, 1973).</summary>
    public static readonly Op Pinv = Row(new Op
    {
        Name = "Pinv",
        Infer = (x, _, y) => Factorizations.InferPinv(x, y),
        Run = (x, attributes, y) => Factorizations.Pinv(x[0], (CutoffAttributes)attributes!, y[0]),
        Gradient = [PinvGradient],
        Saves = Saved.Input0 | Saved.Output,
    }).Named("mx.np.linalg.pinv, np.linalg.pinv, torch.linalg.pinv", "real");

    /// <summary>A part of a packed output as matrices.</summary>
    internal static NDArray Part(NDArray packed, int start, int rows, int columns) =>
        Nd.Reshape(Nd.Slice(packed, -1, start, start + rows * columns), Shape.Create([.. packed.Shape.Dimensions[..^1], rows, columns]));

    private static NDArray Turn(NDArray x) => Nd.SwapAxes(x, -1, -2);

    private static TriangularAttributes Turned(TriangularAttributes t) => t with { Transpose = !t.Transpose };

    private static NDArray PerMatrix(NDArray x) => Nd.ExpandDims(Nd.ExpandDims(x, -1), -1);

    private static NDArray Symmetric(NDArray x) => (x + Turn(x)) * 0.5;

    private static NDArray CholeskyGradient(GradientContext c)
    {
        NDArray l = c.Output;
        NDArray phi = Nd.Tril(Product(l, c.G, true, false)) * (1 - Nd.Eye(l.Shape[-1], l.DType, l.Device) * 0.5);
        TriangularAttributes transposed = new(Lower: true, Transpose: true, UnitDiagonal: false);
        return Symmetric(TriangularSolve.Apply(l, Turn(TriangularSolve.Apply(l, phi, transposed)), transposed));
    }

    private static NDArray CofactorsCurvature(GradientContext c)
    {
        (NDArray a, NDArray h, NDArray g) = (c.X, c.Y, c.G);
        NDArray z = Nd.Inverse(Turn(a));
        NDArray ofCofactors = h * Inner(g, z) + g * Inner(h, z) - Between(g, h) - Between(h, g);
        return CofactorsGradient.Apply(a, ofCofactors) - Inner(g, c.Output) * z;

        NDArray Between(NDArray x, NDArray y) => Product(x, Product(z, y, true, false), false, false);
        static NDArray Inner(NDArray x, NDArray y) => Nd.Sum(x * y, [-2, -1], keepDims: true);
    }

    private static NDArray TriangularMatrixGradient(GradientContext c)
    {
        TriangularAttributes t = c.Attributes<TriangularAttributes>();
        NDArray right = TriangularSolve.Apply(c.X, c.G, Turned(t));
        NDArray full = -(t.Transpose ? Product(c.Output, right, false, true) : Product(right, c.Output, false, true));
        int diagonal = t.UnitDiagonal ? 1 : 0;
        return t.Lower ? Nd.Tril(full, -diagonal) : Nd.Triu(full, diagonal);
    }

    private static NDArray QrGradient(GradientContext c)
    {
        (int m, int n) = (c.ShapeOf(0)[-2], c.ShapeOf(0)[-1]);
        (NDArray q, NDArray r) = (Part(c.Output, 0, m, n), Part(c.Output, m * n, n, n));
        (NDArray gq, NDArray gr) = (Part(c.G, 0, m, n), Nd.Triu(Part(c.G, m * n, n, n)));
        NDArray lower = Product(r, gr, false, true) - Product(gq, q, true, false);
        NDArray symmetric = Nd.Tril(lower) + Turn(Nd.Tril(lower, -1));
        // X·R⁻ᵀ = (R⁻¹·Xᵀ)ᵀ.
        TriangularAttributes upper = new(Lower: false, Transpose: false, UnitDiagonal: false);
        return Turn(TriangularSolve.Apply(r, Turn(gq + Product(q, symmetric, false, false)), upper));
    }

    private static NDArray EighGradient(GradientContext c)
    {
        int n = c.ShapeOf(0)[-1];
        (NDArray values, NDArray v) = (Part(c.Output, 0, 1, n), Part(c.Output, n, n, n));
        (NDArray gValues, NDArray gv) = (Part(c.G, 0, 1, n), Part(c.G, n, n, n));
        NDArray inner = Product(v, gv, true, false) * InverseGaps(values - Turn(values)) + gValues * Nd.Eye(n, v.DType, v.Device);
        return Symmetric(Product(Product(v, inner, false, false), v, false, true));
    }

    private static NDArray EighValsGradient(GradientContext c)
    {
        int n = c.ShapeOf(0)[-1];
        NDArray v = Part(Eigh.Apply(c.X), n, n, n);
        return Symmetric(Product(v * Nd.ExpandDims(c.G, -2), v, false, true));
    }

    private static NDArray SvdGradient(GradientContext c)
    {
        (int m, int n) = (c.ShapeOf(0)[-2], c.ShapeOf(0)[-1]);
        (NDArray u, NDArray s, NDArray vt) = (Part(c.Output, 0, m, n), Part(c.Output, m * n, 1, n), Part(c.Output, m * n + n, n, n));
        (NDArray gu, NDArray gs, NDArray gvt) = (Part(c.G, 0, m, n), Part(c.G, m * n, 1, n), Part(c.G, m * n + n, n, n));
        // Fᵢⱼ = 1/(sⱼ² − sᵢ²) only as sⱼ·Fᵢⱼ and sᵢ·Fᵢⱼ, without the squares, which overflow and underflow.
        NDArray sums = s + Turn(s), part = s / Nd.Where(Nd.Equal(sums, 0), 1, sums), gaps = InverseGaps(s - Turn(s));
        NDArray left = Product(u, gu, true, false), right = Product(vt, gvt, false, true);
        NDArray inner = (left - Turn(left)) * (part * gaps) + (right - Turn(right)) * (Turn(part) * gaps) + gs * Nd.Eye(n, u.DType, u.Device);
        NDArray gradient = Product(u, inner, false, false);
        // What Ū has outside the range of U.
        NDArray reciprocal = Nd.Where(Nd.Equal(s, 0), 0, 1 / Nd.Where(Nd.Equal(s, 0), 1, s));
        if (m > n) gradient += (gu - Product(u, left, false, false)) * reciprocal;
        return Product(gradient, vt, false, false);
    }

    private static NDArray SvdValsGradient(GradientContext c)
    {
        (int m, int n) = (c.ShapeOf(0)[-2], c.ShapeOf(0)[-1]);
        NDArray packed = Svd.Apply(c.X);
        return Product(Part(packed, 0, m, n) * Nd.ExpandDims(c.G, -2), Part(packed, m * n + n, n, n), false, false);
    }

    // Ā = −A⁺ᵀ·G·A⁺ᵀ + (I − A·A⁺)·Gᵀ·A⁺·A⁺ᵀ + A⁺ᵀ·A⁺·Gᵀ·(I − A⁺·A)
    private static NDArray PinvGradient(GradientContext c)
    {
        (NDArray a, NDArray p, NDArray g) = (c.X, c.Output, Turn(c.G));
        NDArray gp = Product(g, p, false, false), pg = Product(p, g, false, false);
        NDArray first = Product(gp - Product(a, Product(p, gp, false, false), false, false), p, false, true);
        NDArray second = Product(p, pg - Product(Product(pg, p, false, false), a, false, false), true, false);
        return first + second - Product(Product(p, c.G, true, false), p, false, true);
    }

    private static NDArray InverseGaps(NDArray gaps) => Nd.Where(Nd.Equal(gaps, 0), 0, 1 / Nd.Where(Nd.Equal(gaps, 0), 1, gaps));
}
