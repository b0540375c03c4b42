namespace Fusion.Tests;

// Factorisations, of matrices whose condition is known; the references eliminate, substitute or solve quadratic equations.
internal static partial class OpCases
{
    internal static readonly OpCase[] Factorizations =
    [
        Matrices(OpTable.Cholesky, static x => Nd.Cholesky(Gram(x[0])), static x => Each(Gram(x[0]), Cholesky), Squares) with
        {
            Rejects =
            [
                .. Square("Cholesky", Nd.Cholesky),
                Rejection.Of<ShapeException>("a vector", static () => Nd.Cholesky(Nd.Ones(3)), "Cholesky", "(3,)"),
            ],
        },
        Matrices(
            OpTable.TriangularSolve,
            static x => Nd.TriangularSolve(Dominant(x[0]), x[1]),
            static x => Systems(Each(Dominant(x[0]), LowerPart), x[1]),
            SystemShapes) with
        {
            Rejects = [.. Square("TriangularSolve", static a => Nd.TriangularSolve(a, a)), Rows("TriangularSolve", static (a, b) => Nd.TriangularSolve(a, b))],
        },
        Matrices(
            OpTable.TriangularSolve,
            static x => Nd.TriangularSolve(Dominant(x[0]), x[1], lower: false, transpose: true, unitDiagonal: true),
            static x => Systems(Each(Dominant(x[0]), UnitLowerPart), x[1], transposed: true),
            SystemShapes,
            "upper, transposed, with ones on the diagonal"),
        Matrices(OpTable.Solve, static x => Nd.Solve(Dominant(x[0]), x[1]), static x => Systems(Dominant(x[0]), x[1]), SystemShapes) with
        {
            Rejects = [.. Square("Solve", static a => Nd.Solve(a, a)), Rows("Solve", Nd.Solve)],
        },
        Matrices(OpTable.Det, static x => Nd.Det(Dominant(x[0])), static x => Numbers(Dominant(x[0]), Determinant), Squares) with
        {
            Scale = 100,
            Rejects = [.. Square("Det", Nd.Det)],
        },
        Matrices(OpTable.Cofactors, static x => OpTable.Cofactors.Apply(Dominant(x[0])), static x => Each(Dominant(x[0]), Cofactors), Squares) with
        {
            Scale = 100,
            Rejects = [.. Square("Det", static a => OpTable.Cofactors.Apply(a))],
        },
        Matrices(
            OpTable.Cofactors,
            static x => OpTable.Cofactors.Apply(Dependent(x[0])),
            static x => Each(Dependent(x[0]), Cofactors),
            [[[3, 3]], [[2, 2, 2]], [[1, 1]], [[2, 4, 4]]],
            "of singular matrices") with
        {
            Scale = 4,
            Order = 1,
        },
        Matrices(
            OpTable.CofactorsGradient,
            static x => OpTable.CofactorsGradient.Apply(Dominant(x[0]), x[1]),
            static x => Mixed(Dominant(x[0]), x[1]),
            [[[3, 3], [3, 3]], [[1, 1], [1, 1]], [[2, 2, 2], [2, 2, 2]], [[0, 3, 3], [0, 3, 3]]]) with
        {
            Scale = 100,
            Rejects =
            [
                .. Square("Det", static a => OpTable.CofactorsGradient.Apply(a, a)),
                Rejection.Of<ShapeException>("two sizes", static () => OpTable.CofactorsGradient.Apply(Nd.Eye(2), Nd.Eye(3)), "Det", "(2, 2)", "(3, 3)"),
            ],
        },
        Matrices(
            OpTable.CofactorsGradient,
            static x => OpTable.CofactorsGradient.Apply(Dependent(x[0]), x[1]),
            static x => Mixed(Dependent(x[0]), x[1]),
            [[[3, 3], [3, 3]], [[2, 2, 2], [2, 2, 2]], [[1, 1], [1, 1]], [[2, 4, 4], [2, 4, 4]]],
            "of singular matrices") with
        {
            Order = 0,
        },
        Matrices(OpTable.InverseOrInfinite, static x => OpTable.InverseOrInfinite.Apply(Dominant(x[0])), static x => Systems(Dominant(x[0]), Identities(x[0])), Squares) with
        {
            Rejects = [.. Square("SlogDet", static a => OpTable.InverseOrInfinite.Apply(a))],
        },
        Matrices(
            OpTable.LogAbsDet,
            static x => Nd.SlogDet(Dominant(x[0])).LogAbsDet,
            static x => Numbers(Dominant(x[0]), static (a, n) => Math.Log(Math.Abs(Determinant(a, n)))),
            Squares) with
        {
            Rejects = [.. Square("SlogDet", static a => Nd.SlogDet(a).LogAbsDet)],
        },
        Matrices(OpTable.DetSign, static x => Nd.SlogDet(x[0]).Sign, static x => Numbers(x[0], static (a, n) => Math.Sign(Determinant(a, n))), Squares) with
        {
            Order = 0,
            Rejects = [.. Square("SlogDet", static a => Nd.SlogDet(a).Sign)],
        },
        Matrices(OpTable.Qr, static x => Nd.Square(Nd.Qr(Tall(x[0])).Q), static x => Each(Tall(x[0]), SquaredQ), [[[4, 2]], [[2, 3, 2]], [[0, 4, 2]]]) with
        {
            Rejects = [Rejection.Of<ShapeException>("a vector", static () => Nd.Qr(Nd.Ones(3)).Q, "Qr", "(3,)")],
        },
        Matrices(OpTable.Eigh, static x => Nd.Eigh(Spread(x[0])).Values, static x => LinePer(Spread(x[0]), Eigenvalues), [[[2, 2]], [[3, 2, 2]], [[0, 2, 2]]]) with
        {
            Rejects = [.. Square("Eigh", static a => Nd.Eigh(a).Values)],
        },
        Matrices(OpTable.EighVals, static x => Nd.EighVals(Spread(x[0])), static x => LinePer(Spread(x[0]), Eigenvalues), [[[2, 2]], [[3, 2, 2]], [[0, 2, 2]]]) with
        {
            Rejects = [.. Square("EighVals", Nd.EighVals)],
        },
        Matrices(OpTable.Svd, static x => Nd.Svd(Tall(x[0])).S, static x => LinePer(Tall(x[0]), SingularValues), [[[4, 2]], [[2, 3, 2]], [[0, 4, 2]]]) with
        {
            Rejects = [Rejection.Of<ShapeException>("a vector", static () => Nd.Svd(Nd.Ones(3)).S, "Svd", "(3,)")],
        },
        Matrices(OpTable.SvdVals, static x => Nd.SvdVals(Tall(x[0])), static x => LinePer(Tall(x[0]), SingularValues), [[[4, 2]], [[2, 3, 2]], [[0, 4, 2]]]) with
        {
            Rejects = [Rejection.Of<ShapeException>("a vector", static () => Nd.SvdVals(Nd.Ones(3)), "SvdVals", "(3,)")],
        },
        Matrices(OpTable.Pinv, static x => Nd.Pinv(Tall(x[0])), static x => Each(Tall(x[0]), PseudoInverse), [[[4, 2]], [[2, 3, 2]], [[0, 4, 2]]]) with
        {
            Rejects = [Rejection.Of<ShapeException>("a vector", static () => Nd.Pinv(Nd.Ones(3)), "Pinv", "(3,)")],
        },
    ];

    private static Shape[][] Squares => [[[3, 3]], [[1, 1]], [[2, 2, 2]], [[0, 3, 3]]];

    private static Shape[][] SystemShapes => [[[3, 3], [3, 2]], [[1, 1], [1, 1]], [[2, 2, 2], [2, 2, 3]], [[0, 3, 3], [0, 3, 1]], [[2, 2], [2, 0]]];

    private static OpCase Matrices(Op row, Func<NDArray[], NDArray> call, Func<RefArray[], RefArray> reference, Shape[][] shapes, string detail = "") =>
        Case(row, detail, call, reference, shapes) with { Domains = [Real(-1, 1)], Ulps = 64, Ulps64 = 256, Scale = 4 };

    private static IEnumerable<Rejection> Square(string op, Func<NDArray, NDArray> call)
    {
        yield return Rejection.Of<ShapeException>("a matrix that is not square", () => call(Nd.Ones((2, 3))), op, "(2, 3)");
    }

    private static Rejection Rows(string op, Func<NDArray, NDArray, NDArray> call) =>
        Rejection.Of<ShapeException>("another number of rows", () => call(Nd.Eye(3), Nd.Ones((2, 1))), op, "(3, 3)", "(2, 1)");

    // Far from singular: the diagonal outweighs the rest. Null is left for the function to refuse.
    private static NDArray Dominant(NDArray x) => x is null ? x! : x + Nd.Eye(x.Shape[-1], x.DType, x.Device) * 4;

    private static RefArray Dominant(RefArray x) => RefArray.Build(x.Shape, i => x[i] + (i[^1] == i[^2] ? 4 : 0));

    // The last row is the first one, which is exact; one row alone is zero.
    private static NDArray Dependent(NDArray x) => x is null ? x! : x.Shape[-1] == 1 ? x * 0 : Nd.Concat([Nd.Slice(x, -2, 0, x.Shape[-1] - 1), Nd.Slice(x, -2, 0, 1)], -2);

    private static RefArray Dependent(RefArray x) =>
        RefArray.Build(x.Shape, i => x.Shape[^1] == 1 ? 0 : i[^2] == x.Shape[^1] - 1 ? x[[.. i[..^2], 0, i[^1]]] : x[i]);

    private static NDArray Gram(NDArray x) => Nd.MatMul(x, Nd.SwapAxes(x, -1, -2)) + Nd.Eye(x.Shape[-1], x.DType, x.Device) * 2;

    private static RefArray Gram(RefArray x) => RefArray.Build(
        x.Shape,
        i => (i[^1] == i[^2] ? 2 : 0) + Enumerable.Range(0, x.Shape[^1]).Sum(k => x[[.. i[..^2], i[^2], k]] * x[[.. i[..^2], i[^1], k]]));

    private static NDArray Tall(NDArray x) =>
        x is null ? x! : x + Nd.Concat([Nd.Eye(2, x.DType, x.Device) * 3, Nd.Zeros((x.Shape[-2] - 2, 2), x.DType, x.Device)]) * Nd.Arange(1, 3, 1, x.DType, x.Device);

    private static RefArray Tall(RefArray x) => RefArray.Build(x.Shape, i => x[i] + (i[^1] == i[^2] ? 3 * (i[^1] + 1) : 0));

    private static NDArray Spread(NDArray x) => x + Nd.SwapAxes(x, -1, -2) + Nd.Diag(Nd.Arange(5, -6, -10, x.DType, x.Device));

    private static RefArray Spread(RefArray x) => RefArray.Build(x.Shape, i => x[i] + x[[.. i[..^2], i[^1], i[^2]]] + (i[^1] != i[^2] ? 0 : i[^1] == 0 ? 5 : -5));

    // Matrices to matrices, lines or numbers, one by one. f has rows and columns from the array's shape.
    private static RefArray Each(RefArray x, Func<double[], int, int, (int[] Shape, double[] Values)> f)
    {
        (int m, int n) = (x.Shape[^2], x.Shape[^1]);
        int count = x.Shape[..^2].Aggregate(1, static (a, b) => a * b);
        (int[] Shape, double[] Values)[] parts = [.. Enumerable.Range(0, count).Select(i => f(x.Values[(i * m * n)..((i + 1) * m * n)], m, n))];
        int[] shape = count > 0 ? parts[0].Shape : f([.. Enumerable.Range(0, m * n).Select(i => i % (n + 1) == 0 ? 1.0 : 0)], m, n).Shape;
        return new RefArray([.. x.Shape[..^2], .. shape], [.. parts.SelectMany(static p => p.Values)]);
    }

    private static RefArray Identities(RefArray x) => Each(x, static (_, n, _) => ([n, n], [.. Enumerable.Range(0, n * n).Select(i => i % (n + 1) == 0 ? 1.0 : 0)]));

    private static RefArray Numbers(RefArray x, Func<double[], int, double> f) => Each(x, (a, n, _) => ([], [f(a, n)]));

    private static RefArray LinePer(RefArray x, Func<double[], int, double[]> f) => Each(x, (a, m, n) => ([n], f(a, m)));

    private static (int[] Shape, double[] Values) Cholesky(double[] a, int n, int columns)
    {
        double[] l = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double rest = a[(i * n) + j] - Enumerable.Range(0, j).Sum(k => l[(i * n) + k] * l[(j * n) + k]);
                l[(i * n) + j] = i == j ? Math.Sqrt(rest) : rest / l[(j * n) + j];
            }
        }

        return ([n, columns], l);
    }

    private static (int[] Shape, double[] Values) LowerPart(double[] a, int n, int columns) =>
        ([n, columns], [.. a.Select((x, i) => i % n <= i / n ? x : 0)]);

    // Of the upper triangle, read transposed below.
    private static (int[] Shape, double[] Values) UnitLowerPart(double[] a, int n, int columns) =>
        ([n, columns], [.. a.Select((x, i) => i % n == i / n ? 1 : i % n > i / n ? x : 0)]);

    private static RefArray Systems(RefArray a, RefArray b, bool transposed = false)
    {
        (int n, int k) = (b.Shape[^2], b.Shape[^1]);
        double[] x = [.. b.Values];
        for (int at = 0; at * n * n < a.Values.Length; at++)
        {
            double[,] rows = new double[n, n + k];
            for (int i = 0; i < n; i++)
            {
                for (int j = 0; j < n; j++) rows[i, j] = a.Values[(at * n * n) + (transposed ? (j * n) + i : (i * n) + j)];
                for (int j = 0; j < k; j++) rows[i, n + j] = b.Values[(at * n * k) + (i * k) + j];
            }

            for (int p = 0; p < n; p++)
            {
                for (int i = 0; i < n; i++)
                {
                    double factor = i == p ? 0 : rows[i, p] / rows[p, p];
                    for (int j = p; j < n + k; j++) rows[i, j] -= factor * rows[p, j];
                }
            }

            for (int i = 0; i < n; i++)
                for (int j = 0; j < k; j++) x[(at * n * k) + (i * k) + j] = rows[i, n + j] / rows[i, i];
        }

        return new RefArray(b.Shape, x);
    }

    private static double Determinant(double[] a, int n)
    {
        if (n == 0) return 1;
        double sum = 0;
        for (int column = 0; column < n; column++)
        {
            double[] minor = [.. Enumerable.Range(n, (n * n) - n).Where(i => i % n != column).Select(i => a[i])];
            sum += (column % 2 == 0 ? 1 : -1) * a[column] * Determinant(minor, n - 1);
        }

        return sum;
    }

    private static (int[] Shape, double[] Values) Cofactors(double[] a, int n, int columns) =>
        ([n, columns], [.. a.Select((_, p) => ((p / n) + (p % n)) % 2 == 0 ? Determinant(Minor(a, n, p), n - 1) : -Determinant(Minor(a, n, p), n - 1))]);

    // Element (i, j) is the sum over k, l of h[k, l] times the second derivative of the determinant by a[i, j] and a[k, l], a minor of order n − 2.
    private static RefArray Mixed(RefArray a, RefArray h)
    {
        int n = a.Shape[^1];
        return RefArray.Build(a.Shape, at =>
        {
            int i = at[^2], j = at[^1];
            double[] matrix = [.. Enumerable.Range(0, n * n).Select(p => a[[.. at[..^2], p / n, p % n]])], minor = Minor(matrix, n, (i * n) + j);
            double sum = 0;
            for (int p = 0; p < n * n; p++)
            {
                (int k, int l) = (p / n, p % n);
                if (k == i || l == j) continue;
                (int row, int column) = (k - (k > i ? 1 : 0), l - (l > j ? 1 : 0));
                int sign = (i + j + row + column) % 2 == 0 ? 1 : -1;
                sum += sign * h[[.. at[..^2], k, l]] * Determinant(Minor(minor, n - 1, (row * (n - 1)) + column), n - 2);
            }

            return sum;
        });
    }

    private static double[] Minor(double[] a, int n, int p) => [.. Enumerable.Range(0, n * n).Where(i => i / n != p / n && i % n != p % n).Select(i => a[i])];

    // By Gram and Schmidt.
    private static (int[] Shape, double[] Values) SquaredQ(double[] a, int m, int n)
    {
        double[] q = [.. a];
        for (int j = 0; j < n; j++)
        {
            for (int k = 0; k < j; k++)
            {
                double dot = Enumerable.Range(0, m).Sum(i => q[(i * n) + k] * q[(i * n) + j]);
                for (int i = 0; i < m; i++) q[(i * n) + j] -= dot * q[(i * n) + k];
            }

            double norm = Math.Sqrt(Enumerable.Range(0, m).Sum(i => q[(i * n) + j] * q[(i * n) + j]));
            for (int i = 0; i < m; i++) q[(i * n) + j] /= norm;
        }

        return ([m, n], [.. q.Select(static x => x * x)]);
    }

    private static double[] Eigenvalues(double[] a, int n)
    {
        double centre = (a[0] + a[3]) / 2, radius = Math.Sqrt(((a[0] - a[3]) * (a[0] - a[3]) / 4) + (a[1] * a[1]));
        return [centre - radius, centre + radius];
    }

    private static double[] SingularValues(double[] a, int m)
    {
        double[] squares = Eigenvalues(Normal(a, m), 2);
        return [Math.Sqrt(squares[1]), Math.Sqrt(squares[0])];
    }

    private static (int[] Shape, double[] Values) PseudoInverse(double[] a, int m, int n)
    {
        double[] g = Normal(a, m);
        double det = (g[0] * g[3]) - (g[1] * g[2]);
        double[] inverse = [g[3] / det, -g[1] / det, -g[2] / det, g[0] / det];
        return ([n, m], [.. Enumerable.Range(0, n * m).Select(i => (inverse[i / m * 2] * a[i % m * 2]) + (inverse[(i / m * 2) + 1] * a[(i % m * 2) + 1]))]);
    }

    // AᵀA of a matrix with two columns.
    private static double[] Normal(double[] a, int m) =>
        [.. Enumerable.Range(0, 4).Select(p => Enumerable.Range(0, m).Sum(i => a[(2 * i) + (p / 2)] * a[(2 * i) + (p % 2)]))];
}
