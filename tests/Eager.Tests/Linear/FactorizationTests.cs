namespace Fusion.Tests;

public sealed class FactorizationTests
{
    private static readonly Shape[] s_squares = [(1, 1), (2, 2), (5, 5), (3, 4, 4), (2, 1, 3, 3), (0, 0), (0, 3, 3), (17, 17), (40, 40)];

    public static TheoryData<int, DType> Squares
    {
        get
        {
            TheoryData<int, DType> data = [];
            for (int i = 0; i < s_squares.Length; i++)
            {
                data.Add(i, DType.Float64);
                data.Add(i, DType.Float32);
            }

            return data;
        }
    }

    public static TheoryData<int, int> Rectangles => new() { { 1, 1 }, { 4, 2 }, { 2, 4 }, { 5, 5 }, { 7, 1 }, { 1, 7 }, { 20, 6 }, { 3, 0 }, { 0, 3 } };

    [Theory]
    [MemberData(nameof(Squares))]
    public void CholeskyIsALowerRootWithPositiveDiagonal(int index, DType dtype)
    {
        NDArray a = Positive(s_squares[index], dtype), l = Nd.Cholesky(a);
        AssertClose(a, Nd.MatMul(l, T(l)));
        AssertClose(l, Nd.Tril(l), exact: true);
        Assert.All(Values(Nd.Diagonal(l)), d => Assert.True(d > 0));
    }

    [Theory]
    [MemberData(nameof(Squares))]
    public void SolveInverseAndTriangularSolveUndoTheProduct(int index, DType dtype)
    {
        Shape shape = s_squares[index];
        NDArray a = Random(shape, dtype) + Nd.Eye(shape[-1], dtype) * 3;
        NDArray x = Random([.. shape.Dimensions[..^1], 3], dtype);
        AssertClose(x, Nd.Solve(a, Nd.MatMul(a, x)));
        AssertClose(Nd.BroadcastTo(Nd.Eye(shape[-1], dtype), shape), Nd.MatMul(a, Nd.Inverse(a)));
        foreach (bool lower in (bool[])[true, false])
        {
            foreach (bool transpose in (bool[])[true, false])
            {
                foreach (bool unit in (bool[])[true, false])
                {
                    NDArray triangle = lower ? Nd.Tril(a) : Nd.Triu(a);
                    if (unit) triangle = Nd.Where(Nd.Eye(shape[-1]), 1, triangle);
                    NDArray b = Nd.MatMul(transpose ? T(triangle) : triangle, x);
                    NDArray damaged = Nd.Where(Unread(lower, unit, shape[-1]), double.NaN, a);
                    AssertClose(x, Nd.TriangularSolve(damaged, b, lower, transpose, unit));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Squares))]
    public void DeterminantsAreThoseOfTheExpansion(int index, DType dtype)
    {
        Shape shape = s_squares[index];
        if (shape[-1] > 5) return;
        NDArray a = Random(shape, dtype), det = Nd.Det(a);
        (NDArray sign, NDArray log) = Nd.SlogDet(a);
        int n = shape[-1];
        double[] all = Values(a), actual = Values(det);
        Assert.Equal(shape.Dimensions[..^2].ToArray(), det.Shape.ToArray());
        for (int i = 0; i < actual.Length; i++) Assert.Equal(Laplace(all.AsSpan(i * n * n, n * n).ToArray(), n), actual[i], Tolerance(dtype));
        AssertClose(det, sign * Nd.Exp(log));
    }

    [Fact]
    public void SingularMatricesHaveDeterminantZero()
    {
        NDArray a = Nd.Array([1.0, 2, 2, 4], (2, 2));
        Assert.Equal(0, Nd.Det(a).Item<double>());
        (NDArray sign, NDArray log) = Nd.SlogDet(a);
        Assert.Equal(0, sign.Item<double>());
        Assert.Equal(double.NegativeInfinity, log.Item<double>());
        (sign, log) = Nd.SlogDet(Nd.Eye(400, DType.Float64) * -10);
        Assert.Equal(1, sign.Item<double>());
        Assert.Equal(400 * Math.Log(10), log.Item<double>(), 1e-9);
    }

    // As ln 0: no exception, and nothing finite that a training could go on with. A regular matrix of the batch keeps its gradient.
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void LogarithmsOfDeterminantsOfSingularMatricesHaveInfiniteGradients(DType dtype)
    {
        const double inf = double.PositiveInfinity;
        NDArray a = Nd.Array([1.0, 2, 2, 4, 2, 0, 0, 4, 0, 0, 0, 0], (3, 2, 2)).AsType(dtype);
        a.AttachGrad();
        NDArray first;
        using (Autograd.Record())
        {
            first = Autograd.Grad(Nd.SlogDet(a).LogAbsDet.Sum(), a, createGraph: true);
            first[1].Sum().Backward();
        }

        Assert.Equal([inf, -inf, -inf, inf, 0.5, 0, 0, 0.25, double.NaN, double.NaN, double.NaN, double.NaN], Values(first));
        Assert.Equal([-0.25, -0.125, -0.125, -0.0625], Values(a.Grad![1]));
    }

    // Exact rows, a pivot that rounding leaves at 1e-17, rank n − 2, zero, regular; the gradient of a determinant is the matrix of its cofactors.
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void DeterminantsOfSingularMatricesHaveGradients(DType dtype)
    {
        (double[] Matrix, double[] Cofactors)[] cases =
        [
            ([1, 2, 3, 4, 5, 6, 7, 8, 9], [-3, 6, -3, 6, -12, 6, -3, 6, -3]),
            ([0.1, 0.2, 0.3, 0.2, 0.4, 0.6, 0.7, 0.1, 0.5], [0.14, 0.32, -0.26, -0.07, -0.16, 0.13, 0, 0, 0]),
            ([1, 2, 3, 2, 4, 6, 3, 6, 9], [0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ([0, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ([2, 0, 0, 0, 3, 0, 0, 0, 5], [15, 0, 0, 0, 10, 0, 0, 0, 6]),
        ];
        NDArray a = Nd.Array([.. cases.SelectMany(static c => c.Matrix)], (cases.Length, 3, 3)).AsType(dtype);
        NDArray expected = Nd.Array([.. cases.SelectMany(static c => c.Cofactors)], a.Shape).AsType(dtype);
        Func<NDArray, NDArray> det = Nd.Det;
        foreach (Func<NDArray, NDArray> f in (Func<NDArray, NDArray>[])[det, det.Hybridize().Invoke])
        {
            a.AttachGrad();
            using (Autograd.Record()) f(a).Backward();
            AssertClose(expected, a.Grad!);
        }
    }

    [Theory]
    [MemberData(nameof(Rectangles))]
    public void QrHasOrthonormalColumnsAndATriangle(int m, int n)
    {
        foreach (DType dtype in (DType[])[DType.Float64, DType.Float32])
        {
            NDArray a = Random((2, m, n), dtype);
            (NDArray q, NDArray r) = Nd.Qr(a);
            int k = Math.Min(m, n);
            Assert.Equal(new Shape(2, m, k), q.Shape);
            Assert.Equal(new Shape(2, k, n), r.Shape);
            AssertClose(a, Nd.MatMul(q, r));
            AssertClose(Nd.BroadcastTo(Nd.Eye(k, dtype), (2, k, k)), Nd.MatMul(T(q), q));
            AssertClose(r, Nd.Triu(r), exact: true);
        }
    }

    [Theory]
    [MemberData(nameof(Rectangles))]
    public void SvdHasOrthonormalFactorsAndDescendingValues(int m, int n)
    {
        foreach (DType dtype in (DType[])[DType.Float64, DType.Float32])
        {
            NDArray a = Random((2, m, n), dtype);
            (NDArray u, NDArray s, NDArray vt) = Nd.Svd(a);
            int k = Math.Min(m, n);
            AssertClose(a, Nd.MatMul(u * Nd.ExpandDims(s, -2), vt));
            AssertClose(Nd.BroadcastTo(Nd.Eye(k, dtype), (2, k, k)), Nd.MatMul(T(u), u));
            AssertClose(Nd.BroadcastTo(Nd.Eye(k, dtype), (2, k, k)), Nd.MatMul(vt, T(vt)));
            double[] values = Values(s);
            for (int i = 0; i < values.Length; i++) Assert.True(values[i] >= 0 && (i % k == 0 || values[i] <= values[i - 1]));
            AssertClose(s, Nd.SvdVals(a), exact: true);
        }
    }

    [Fact]
    public void SvdOfDeficientMatricesHasOrthonormalFactorsToo()
    {
        NDArray column = Random((5, 1), DType.Float64);
        foreach (NDArray a in (NDArray[])[Nd.MatMul(column, Random((1, 4), DType.Float64)), Nd.Zeros((5, 4), DType.Float64), Nd.Eye(4, DType.Float64), column * 1e-200, column * 1e200])
        {
            (NDArray u, NDArray s, NDArray vt) = Nd.Svd(a);
            AssertClose(Nd.Eye(s.Shape[0], DType.Float64), Nd.MatMul(T(u), u));
            NDArray scale = Nd.Max(Nd.Abs(a)) + 1e-300;
            AssertClose(a / scale, Nd.MatMul(u * (s / scale), vt));
        }
    }

    [Theory]
    [MemberData(nameof(Squares))]
    public void EighDiagonalises(int index, DType dtype)
    {
        NDArray a = Random(s_squares[index], dtype);
        a += T(a);
        (NDArray values, NDArray v) = Nd.Eigh(a);
        AssertClose(a, Nd.MatMul(v * Nd.ExpandDims(values, -2), T(v)));
        AssertClose(Nd.BroadcastTo(Nd.Eye(a.Shape[-1], dtype), a.Shape), Nd.MatMul(T(v), v));
        AssertClose(values, Nd.Sort(values), exact: true);
        AssertClose(values, Nd.Eigh(Nd.Tril(a)).Values, exact: true);
        AssertClose(values, Nd.EighVals(Nd.Tril(a)), exact: true);
    }

    // Values known beforehand: A = H₁·diag(s)·H₂ with reflections H. The error is measured against the norm, as backward stability promises it.
    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(37, 37, 0)]
    [InlineData(64, 64, 1)]
    [InlineData(130, 40, 2)]
    [InlineData(50, 45, 3)]
    [InlineData(66, 66, 4)]
    public void ValuesOfKnownSpectraAreFound(int m, int n, int kind)
    {
        double[] s = [.. Enumerable.Range(0, n).Select(i => kind switch
        {
            0 => 1.0 + i,
            1 => Math.Pow(10, -12.0 * i / n), // small ones
            2 => i < 5 ? 1 : 0, // a low rank
            3 => 1 + (i / 10), // many equal ones
            _ => Math.Pow(2, -i * 10), // far apart, down to 2⁻⁶⁵⁰
        })];
        Array.Sort(s);
        Array.Reverse(s);
        NDArray middle = Nd.Concat([Nd.Diag(Nd.Array(s)), Nd.Zeros((m - n, n), DType.Float64)]);
        foreach (NDArray a in (NDArray[])[middle, Nd.Flip(Nd.Flip(middle, 1), 0), Nd.MatMul(Nd.MatMul(Reflection(m), middle), Reflection(n))])
        {
            (NDArray u, NDArray values, NDArray vt) = Nd.Svd(a);
            double norm = s[0], bound = 1e-15 * m * norm;
            AssertWithin(Nd.Array(s), values, bound);
            AssertWithin(a, Nd.MatMul(u * values, vt), bound);
            AssertWithin(Nd.Eye(n, DType.Float64), Nd.MatMul(T(u), u), 1e-15 * m);
            AssertWithin(Nd.Eye(n, DType.Float64), Nd.MatMul(vt, T(vt)), 1e-15 * m);
            Assert.All(Enumerable.Range(0, n), i => Assert.True(Values(vt[i]).MaxBy(Math.Abs) > 0));
            if (m != n) continue;
            NDArray symmetric = Nd.MatMul(Nd.MatMul(Reflection(n), Nd.Diag(Nd.Array([.. s.Select((x, i) => i % 2 == 0 ? x : -x)]))), Reflection(n));
            (NDArray eigenvalues, NDArray v) = Nd.Eigh(symmetric);
            AssertWithin(Nd.Array([.. s.Select((x, i) => i % 2 == 0 ? x : -x).Order()]), eigenvalues, bound);
            AssertWithin(symmetric, Nd.MatMul(v * eigenvalues, T(v)), bound);
            AssertWithin(Nd.Eye(n, DType.Float64), Nd.MatMul(T(v), v), 1e-15 * m);
            Assert.All(Enumerable.Range(0, n), i => Assert.True(Values(T(v)[i]).MaxBy(Math.Abs) > 0));
        }
    }

    [Fact]
    public void ExtremeMagnitudesAreDecomposed()
    {
        foreach (double scale in (double[])[1e-300, 4e-320, 1e300])
        {
            NDArray a = Random((6, 6), DType.Float64) * scale;
            a += T(a);
            (NDArray u, NDArray s, NDArray vt) = Nd.Svd(a);
            (NDArray values, NDArray v) = Nd.Eigh(a);
            double bound = Math.Max(1e-14 * s[0].Item<double>(), 4 * double.Epsilon);
            AssertWithin(a, Nd.MatMul(u * s, vt), bound);
            AssertWithin(a, Nd.MatMul(v * values, T(v)), bound);
            AssertClose(Nd.Eye(6, DType.Float64), Nd.MatMul(T(v), v));
            AssertClose(Nd.Eye(6, DType.Float64), Nd.MatMul(T(u), u));
        }
    }

    // Squares of the block's elements are no numbers, beside 1.
    [Theory]
    [InlineData(1e-150)]
    [InlineData(1e-155)]
    [InlineData(1e-160)]
    [InlineData(1e-170)]
    [InlineData(1e-199)]
    [InlineData(1e-260)]
    public void BlocksFarBelowTheNormAreDiagonalised(double scale)
    {
        NDArray block = Random((8, 8), DType.Float64), a = (block + T(block)) * scale;
        a[0] = Nd.Eye(8, DType.Float64)[0];
        a[.., 0] = Nd.Eye(8, DType.Float64)[0];
        (NDArray values, NDArray v) = Nd.Eigh(a);
        AssertWithin(Nd.Eye(8, DType.Float64), Nd.MatMul(T(v), v), 1e-14);
        AssertWithin(a, Nd.MatMul(v * values, T(v)), 1e-15);
        AssertClose(values, Nd.EighVals(a), exact: true);
    }

    // Of numbers whose partial products are none.
    [Theory]
    [InlineData(DType.Float32, 1e30)]
    [InlineData(DType.Float64, 1e120)]
    public void DeterminantsDoNotOverflowOnTheWay(DType dtype, double large)
    {
        double small = 1 / large;
        NDArray a = Nd.Diag(Nd.Array([large, large, large, small, small, small])).AsType(dtype);
        NDArray turned = Nd.Diag(Nd.Array([small, -large, small, large, small, large])).AsType(dtype);
        Func<NDArray, NDArray> det = Nd.Det;
        foreach (Func<NDArray, NDArray> f in (Func<NDArray, NDArray>[])[det, det.Hybridize().Invoke])
        {
            AssertClose(Nd.Array([1.0, -1.0]).AsType(dtype), f(Nd.Stack([a, turned])));
            Assert.Equal(0, f(Nd.Diag(Nd.Array([large, large, large, 0])).AsType(dtype)).AsType(DType.Float64).Item<double>());
            Assert.Equal(double.PositiveInfinity, f(Nd.Diag(Nd.Array([large, large, large])).AsType(dtype)).AsType(DType.Float64).Item<double>());
            a.AttachGrad();
            using (Autograd.Record()) f(a).Backward();
            AssertClose(Nd.Eye(6, dtype), a.Grad! * a);
            Assert.Equal(30, Values(a.Grad!).Count(x => x == 0));
        }

        // Cofactors are numbers although the determinant is none: far from singular, and singular.
        double root = Math.Pow(large, large > 1e100 ? 1.1 : 0.5);
        foreach (double last in (double[])[root, 0])
        {
            a = Nd.Diag(Nd.Array([root, root, last])).AsType(dtype);
            a.AttachGrad();
            using (Autograd.Record()) Nd.Det(a).Backward();
            AssertClose((Nd.Diag(Nd.Array([last, last, root])) / root).AsType(dtype), a.Grad! / root / root);
        }
    }

    [Fact]
    public void SecondDerivativesOfDeterminantsDoNotOverflowOnTheWay()
    {
        foreach (double[] diagonal in (double[][])[[1e120, 1e120, 1e120, 1e-120, 1e-120], [1e-120, 1e-120, 1e120, 1e120, 1e120], [1e120, 1e120, 1e120]])
        {
            NDArray a = Nd.Diag(Nd.Array(diagonal));
            int last = diagonal.Length - 1;
            a.AttachGrad();
            using (Autograd.Record()) Autograd.Grad(Nd.Det(a), a, createGraph: true)[last, last].Backward();

            // Of the product after the last and the j-th factor the others are left.
            for (int j = 0; j < last; j++)
            {
                double power = diagonal.Where((_, i) => i != j && i != last).Sum(Math.Log10), actual = a.Grad![j, j].Item<double>();
                if (power > 308) Assert.Equal(double.PositiveInfinity, actual);
                else Assert.Equal(power, Math.Log10(actual), 1e-9);
            }
        }
    }

    [Fact]
    public void CholeskyOfANumberIsItsRoot()
    {
        foreach (double x in (double[])[2, 3, 5, 1e-300, 4.9e-324, double.PositiveInfinity])
            Assert.Equal(Math.Sqrt(x), Nd.Cholesky(Nd.Array([x], (1, 1))).Item<double>());
    }

    [Theory]
    [MemberData(nameof(Rectangles))]
    public void PinvFulfilsPenrosesConditions(int m, int n)
    {
        foreach (NDArray a in (NDArray[])[Random((2, m, n), DType.Float64), Nd.MatMul(Random((2, m, 1), DType.Float64), Random((2, 1, n), DType.Float64))])
        {
            NDArray p = Nd.Pinv(a), ap = Nd.MatMul(a, p), pa = Nd.MatMul(p, a);
            AssertClose(a, Nd.MatMul(ap, a));
            AssertClose(p, Nd.MatMul(pa, p));
            AssertClose(ap, T(ap));
            AssertClose(pa, T(pa));
        }
    }

    [Fact]
    public void LstsqSolvesTheNormalEquations()
    {
        NDArray a = Random((7, 3), DType.Float64), b = Random(7, DType.Float64);
        NDArray residual = Nd.MatMul(a, Nd.Lstsq(a, b)) - b;
        AssertClose(Nd.Zeros(3, DType.Float64), Nd.MatMul(T(a), residual));
    }

    [Fact]
    public void NormsAndPowersAreThoseOfNumPy()
    {
        NDArray a = Nd.Array([3.0, -4, 0, 2], (2, 2));
        Assert.Equal(Math.Sqrt(29), Nd.VectorNorm(a).Item<double>(), 1e-12);
        Assert.Equal([3.0, 6.0], Values(Nd.VectorNorm(a, 1, [0])));
        Assert.Equal([2.0, 1.0], Values(Nd.VectorNorm(a, 0, [1])));
        Assert.Equal(4, Nd.VectorNorm(a, double.PositiveInfinity).Item<double>());
        Assert.Equal(0, Nd.VectorNorm(a, double.NegativeInfinity).Item<double>());
        Assert.Equal(Math.Cbrt(27 + 64 + 8), Nd.VectorNorm(a, 3).Item<double>(), 1e-12);
        Assert.Equal(6, Nd.MatrixNorm(a, MatrixNormKind.One).Item<double>());
        Assert.Equal(7, Nd.MatrixNorm(a, MatrixNormKind.Infinity).Item<double>());
        (double s1, double s2) = (Math.Sqrt((29 + Math.Sqrt(29 * 29 - 4 * 36)) / 2), Math.Sqrt((29 - Math.Sqrt(29 * 29 - 4 * 36)) / 2));
        Assert.Equal(s1, Nd.MatrixNorm(a, MatrixNormKind.Spectral).Item<double>(), 1e-12);
        Assert.Equal(s1 + s2, Nd.MatrixNorm(a, MatrixNormKind.Nuclear, keepDims: true).Item<double>(), 1e-12);
        Assert.Equal(Math.Sqrt(29), Nd.MatrixNorm(a).Item<double>(), 1e-12);
        AssertClose(Nd.MatMul(a, Nd.MatMul(a, a)), Nd.MatrixPower(a, 3));
        AssertClose(Nd.Inverse(Nd.MatMul(a, a)), Nd.MatrixPower(a, -2));
        AssertClose(Nd.Eye(2, DType.Float64), Nd.MatrixPower(a, 0));
    }

    public static TheoryData<string> GradientCases =>
    [
        "cholesky", "triangular", "triangular upper transposed", "triangular unit", "solve", "solve vector", "inverse", "det", "det of singular matrices", "slogdet", "qr", "qr wide",
        "eigh", "eigh values", "eighvals", "svd", "svd wide", "svd values", "svdvals", "svdvals wide", "pinv", "pinv wide", "lstsq", "matrix power",
    ];

    [Theory]
    [MemberData(nameof(GradientCases))]
    public void GradientsToOrder2(string name)
    {
        NDArray a = Random((2, 3, 3), DType.Float64) + Nd.Eye(3, DType.Float64) * 2, b = Random((2, 3, 2), DType.Float64), v = Random(3, DType.Float64);
        NDArray tall = Random((4, 2), DType.Float64), wide = Random((2, 4), DType.Float64);
        NDArray symmetric = Nd.Diag(Nd.Array([1.0, 2.5, 4.5])) + (Random((3, 3), DType.Float64) * 0.2);
        (Func<IReadOnlyList<NDArray>, NDArray> f, NDArray[] inputs) = name switch
        {
            "cholesky" => ((Func<IReadOnlyList<NDArray>, NDArray>)(x => Nd.Cholesky(Nd.MatMul(x[0], T(x[0])) + Nd.Eye(3, DType.Float64))), (NDArray[])[a]),
            "triangular" => (x => Nd.Square(Nd.TriangularSolve(x[0], x[1])), [a, b]),
            "triangular upper transposed" => (x => Nd.Square(Nd.TriangularSolve(x[0], x[1], lower: false, transpose: true)), [a, b]),
            "triangular unit" => (x => Nd.Square(Nd.TriangularSolve(x[0], x[1], unitDiagonal: true)), [a, b]),
            "solve" => (x => Nd.Square(Nd.Solve(x[0], x[1])), [a, b]),
            "solve vector" => (x => Nd.Square(Nd.Solve(x[0], x[1])), [a, v]),
            "inverse" => (x => Nd.Square(Nd.Inverse(x[0])), [a]),
            "det" => (x => Nd.Det(x[0]), [a]),
            "det of singular matrices" => (x => Nd.Det(x[0]), [Nd.Concat([a[.., ..2], a[.., 0..1] * 2], 1)]),
            "slogdet" => (x => Nd.SlogDet(x[0]).LogAbsDet, [a]),
            "qr" => (x => Weigh(Nd.Qr(x[0]).Q, 1) + Weigh(Nd.Qr(x[0]).R, 2), [tall]),
            "qr wide" => (x => Weigh(Nd.Qr(x[0]).Q, 1) + Weigh(Nd.Qr(x[0]).R, 2), [wide]),
            "eigh" => (x => Weigh(Nd.Eigh(x[0] + T(x[0])).Vectors, 1), [symmetric]),
            "eighvals" => (x => Nd.Square(Nd.EighVals(x[0] + T(x[0]))), [symmetric]),
            "eigh values" => (x => Nd.Square(Nd.Eigh(x[0] + T(x[0])).Values), [symmetric]),
            "svd" => (x => Weigh(Nd.Svd(x[0]).U, 1) + Weigh(Nd.Svd(x[0]).Vt, 2) + Weigh(Nd.Svd(x[0]).S, 3), [tall]),
            "svd wide" => (x => Weigh(Nd.Svd(x[0]).U, 1) + Weigh(Nd.Svd(x[0]).Vt, 2), [wide]),
            "svd values" => (x => Nd.Square(Nd.Svd(x[0]).S), [a]),
            "svdvals" => (x => Nd.Square(Nd.SvdVals(x[0])), [tall]),
            "svdvals wide" => (x => Nd.Square(Nd.SvdVals(x[0])), [wide]),
            "pinv" => (x => Nd.Square(Nd.Pinv(x[0])), [tall]),
            "pinv wide" => (x => Nd.Square(Nd.Pinv(x[0])), [wide]),
            "lstsq" => (x => Nd.Square(Nd.Lstsq(x[0], x[1])), [tall, Random((4, 2), DType.Float64)]),
            _ => (x => Nd.MatrixPower(x[0], -2), [a]),
        };
        GradientCheckReport report = Autograd.CheckGradients(f, inputs, order: 2);
        Assert.True(report.Passed, $"{name}: {report}");
    }

    [Fact]
    public void GradientsOfEqualEigenvaluesAreFinite()
    {
        NDArray a = Nd.Eye(3, DType.Float64);
        a.AttachGrad();
        NDArray sum;
        using (Autograd.Record()) sum = Nd.Sum(Nd.Eigh(a).Values * Nd.Array([1.0, 1.0, 1.0]));
        sum.Backward();
        AssertClose(Nd.Eye(3, DType.Float64), a.Grad!);
    }

    /// <summary>Singular vectors do not depend on the scale of the matrix, whose square is no number of the type.</summary>
    [Theory]
    [InlineData(DType.Float32, -80)]
    [InlineData(DType.Float32, 80)]
    [InlineData(DType.Float64, -600)]
    [InlineData(DType.Float64, 600)]
    public void GradientsOfSingularVectorsKnowNoScale(DType dtype, int exponent)
    {
        double scale = Math.ScaleB(1, exponent);
        foreach (Shape shape in (Shape[])[(4, 3), (3, 3), (3, 4)])
        {
            NDArray x = Random(shape, dtype);
            AssertClose(Gradient(x), Gradient(x * scale) * scale);
        }

        static NDArray Gradient(NDArray a)
        {
            a.AttachGrad();
            NDArray sum;
            using (Autograd.Record())
            {
                (NDArray u, _, NDArray vt) = Nd.Svd(a);
                sum = Nd.Sum(u[0]) + Nd.Sum(vt[1]);
            }

            sum.Backward();
            return a.Grad!;
        }
    }

    [Fact]
    public void BatchesBroadcast()
    {
        NDArray a = Random((2, 1, 3, 3), DType.Float64) + Nd.Eye(3, DType.Float64) * 3, b = Random((4, 3, 2), DType.Float64);
        NDArray x = Nd.Solve(a, b);
        Assert.Equal(new Shape(2, 4, 3, 2), x.Shape);
        AssertClose(Nd.BroadcastTo(b, x.Shape), Nd.MatMul(a, x));
        Assert.True(Autograd.CheckGradients(i => Nd.Square(Nd.Solve(i[0], i[1])), [a, b]).Passed);
    }

    [Fact]
    public void BadMatricesAreNamed()
    {
        LinearAlgebraException e = Assert.Throws<LinearAlgebraException>(() => Nd.Cholesky(Nd.Stack([Nd.Eye(2), Nd.Array([1f, 2, 2, 1], (2, 2))])));
        Assert.Contains("matrix 1 of (2, 2, 2) is not positive definite: pivot 1", e.Message, StringComparison.Ordinal);
        Assert.Contains("singular", Assert.Throws<LinearAlgebraException>(() => Nd.Solve(Nd.Ones((2, 2)), Nd.Ones(2))).Message, StringComparison.Ordinal);
        Assert.Throws<LinearAlgebraException>(() => Nd.Svd(Nd.Full((2, 2), double.NaN)));
        Assert.Throws<LinearAlgebraException>(() => Nd.EighVals(Nd.Full((2, 2), double.NaN)));
        Assert.Throws<LinearAlgebraException>(() => Nd.Eigh(Nd.Full((2, 2), double.PositiveInfinity)));
        Assert.Throws<ShapeException>(() => Nd.Cholesky(Nd.Ones((2, 3))));
        Assert.Throws<ShapeException>(() => Nd.Inverse(Nd.Ones((2, 3))));
        Assert.Throws<ShapeException>(() => Nd.Det(Nd.Ones(3)));
        Assert.Throws<ShapeException>(() => Nd.Solve(Nd.Eye(3), Nd.Ones((2, 2))));
        Assert.Throws<ShapeException>(() => Nd.TriangularSolve(Nd.Ones((2, 3, 3)), Nd.Ones((4, 3, 1))));
        Assert.Throws<ShapeException>(() => Nd.MatrixNorm(Nd.Ones(3)));
        Assert.Equal(DType.Float32, Nd.Inverse(Nd.Array([2, 0, 0, 4], (2, 2))).DType);
    }

    private static NDArray Unread(bool lower, bool unit, int n)
    {
        NDArray full = Nd.Ones((n, n));
        return lower ? Nd.Triu(full, unit ? 0 : 1) : Nd.Tril(full, unit ? 0 : -1);
    }

    private static NDArray T(NDArray x) => Nd.SwapAxes(x, -1, -2);

    private static double[] Values(NDArray x) => x.AsType(DType.Float64).ToArray<double>();

    private static double Tolerance(DType dtype) => dtype == DType.Float32 ? 2e-4 : 1e-10;

    private static NDArray Weigh(NDArray x, int seed) => Nd.Sum(x * Random(x.Shape, DType.Float64, seed));

    // Fixed numbers in (−1, 1) that depend on the shape, not on the process.
    private static NDArray Random(Shape shape, DType dtype, int seed = 0)
    {
        Random random = new(seed * 1000 + (int)shape.Size);
        double[] values = new double[shape.Size];
        for (int i = 0; i < values.Length; i++) values[i] = random.NextDouble() * 2 - 1;
        return Nd.Array(values, shape).AsType(dtype);
    }

    private static NDArray Positive(Shape shape, DType dtype)
    {
        NDArray x = Random(shape, dtype);
        return Nd.MatMul(x, T(x)) + Nd.Eye(shape[-1], dtype);
    }

    private static NDArray Reflection(int n)
    {
        NDArray v = Random((n, 1), DType.Float64, n);
        return Nd.Eye(n, DType.Float64) - (Nd.MatMul(v, T(v)) * (2 / Nd.Sum(Nd.Square(v))));
    }

    private static void AssertWithin(NDArray expected, NDArray actual, double bound)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        double[] x = Values(expected), y = Values(actual);
        for (int i = 0; i < x.Length; i++)
            if (!(Math.Abs(x[i] - y[i]) <= bound)) Assert.Fail($"position {i} of {expected.Shape}: expected {x[i]:R}, got {y[i]:R}, bound {bound}");
    }

    private static void AssertClose(NDArray expected, NDArray actual, bool exact = false)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        double tolerance = exact ? 0 : Tolerance(expected.DType) * Math.Max(1, expected.Rank > 0 ? expected.Shape[-1] : 1);
        double[] x = Values(expected), y = Values(actual);
        for (int i = 0; i < x.Length; i++)
            if (!(Math.Abs(x[i] - y[i]) <= tolerance)) Assert.Fail($"position {i} of {expected.Shape}: expected {x[i]}, got {y[i]}");
    }

    private static double Laplace(double[] a, int n)
    {
        if (n == 0) return 1;
        double sum = 0;
        for (int column = 0; column < n; column++)
        {
            double[] minor = [.. Enumerable.Range(n, n * n - n).Where(i => i % n != column).Select(i => a[i])];
            sum += (column % 2 == 0 ? 1 : -1) * a[column] * Laplace(minor, n - 1);
        }

        return sum;
    }
}
