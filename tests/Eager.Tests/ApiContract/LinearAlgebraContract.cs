namespace Fusion.Tests.ApiContract;

/// <summary>Linear algebra by the names and signatures that programs are compiled against, with the optional arguments named.</summary>
public sealed class LinearAlgebraContract
{
    private static readonly NDArray s_x = Nd.Array([0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f], (2, 3));
    private static readonly NDArray s_square = Nd.Array([2f, 1f, 1f, 3f], (2, 2));

    [Fact]
    public void LinearAlgebra()
    {
        Assert.Equal(new Shape(2, 2), Nd.MatMul(s_x, s_x.Transpose()).Shape);
        Assert.Equal(new Shape(3, 3), Nd.Dot(s_x, s_x, transposeA: true, transposeB: false).Shape);
        Assert.Equal(new Shape(1, 2, 2), Nd.BatchDot(s_square.ExpandDims(0), s_square.ExpandDims(0)).Shape);
        Assert.Equal(new Shape(6, 4), Nd.Outer(s_x, s_square).Shape);
        Assert.Equal(new Shape(2, 2), Nd.Einsum("ij,kj->ik", s_x, s_x).Shape);
        Func<NDArray, NDArray>[] square = [Nd.Cholesky, x => Nd.TriangularSolve(x, x), x => Nd.Solve(x, x), Nd.Inverse, x => Nd.Tril(x), x => Nd.Triu(x)];
        Assert.All(square, f => Assert.Equal(s_square.Shape, f(s_square).Shape));
        Assert.Equal(5f, Nd.Det(s_square).Item<float>(), 1e-5f);
        (NDArray sign, NDArray log) = Nd.SlogDet(s_square);
        Assert.Equal(5f, sign.Item<float>() * MathF.Exp(log.Item<float>()), 1e-5f);
        Assert.Equal(5f, Nd.Trace(s_square).Item<float>());
        Assert.Equal([2f, 3f], Nd.Diag(s_square).ToArray<float>());
    }
}
