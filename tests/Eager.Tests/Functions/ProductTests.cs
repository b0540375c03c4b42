using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class ProductTests
{
    [Fact]
    public void TensorDotSumsOverPairsOfAxes()
    {
        NDArray a = Random((2, 3, 4)), b = Random((4, 3, 5), 2);
        Close(Nd.Einsum("ijk,kjl->il", a, b), Nd.TensorDot(a, b, [1, 2], [1, 0]));
        Close(Nd.Einsum("ijk,kab->ijab", a, b), Nd.TensorDot(a, b, 1));
        Close(Nd.Einsum("ijk,abc->ijkabc", a, b), Nd.TensorDot(a, b, 0));
        Close(Nd.Einsum("ijk,ijk->", a, a), Nd.TensorDot(a, a, [0, -2, -1], [0, 1, 2]));
        Gradients(x => Nd.TensorDot(x[0], x[1], [1], [0]), Random((2, 3)), Random((3, 2), 5));
        Assert.Throws<ShapeException>(() => Nd.TensorDot(a, b, [0], [0]));
        Assert.Throws<ShapeException>(() => Nd.TensorDot(a, b, [1, 1], [1, 1]));
        Assert.Throws<ShapeException>(() => Nd.TensorDot(a, b, 4));
    }

    [Fact]
    public void KronRepeatsTheSecondScaledByTheFirst()
    {
        Close((2, 4), [3, 4, 6, 8, -3, -4, 0, 0], Nd.Kron(Shaped((2, 2), 1, 2, -1, 0), Doubles(3, 4)));
        Close(Nd.Einsum("ij,kl->ikjl", Random((2, 3)), Random((2, 2), 3)).Reshape(4, 6), Nd.Kron(Random((2, 3)), Random((2, 2), 3)));
        Gradients(x => Nd.Kron(x[0], x[1]), Random((2, 2)), Random((1, 3), 4));
    }

    [Fact]
    public void CrossIsPerpendicular()
    {
        NDArray a = Random((4, 3)), b = Random((4, 3), 9), c = Nd.Cross(a, b);
        Close([0, 0, 1], Nd.Cross(Doubles(1, 0, 0), Doubles(0, 1, 0)));
        Close(Nd.Zeros(4, DType.Float64), Nd.Sum(a * c, 1));
        Close(c.Transpose(), Nd.Cross(a.Transpose(), b.Transpose(), axis: 0));
        Gradients(x => Nd.Cross(x[0], x[1]), Random((2, 3)), Random((2, 3), 8));
        Assert.Throws<ShapeException>(() => Nd.Cross(Nd.Ones(4), Nd.Ones(4)));
    }

    [Fact]
    public void VectorsOfAPlaneHaveNoThirdComponent()
    {
        Close([], [1 * 4 - 2 * 3], Nd.Cross(Doubles(1, 2), Doubles(3, 4)));
        Close([2], [1 * 4 - 2 * 3, 5 * 4 - 6 * 3], Nd.Cross(Shaped((2, 2), 1, 2, 5, 6), Doubles(3, 4)));
        Close([2], [1 * 4 - 5 * 3, 2 * 4 - 6 * 3], Nd.Cross(Shaped((2, 2), 1, 2, 5, 6), Shaped((2, 1), 3, 4), axis: 0));
        Close([2 * 5, -1 * 5, 1 * 4 - 2 * 3], Nd.Cross(Doubles(1, 2), Doubles(3, 4, 5)));
        Close([-2 * 5, 1 * 5, 3 * 2 - 4 * 1], Nd.Cross(Doubles(3, 4, 5), Doubles(1, 2)));
        Assert.Equal(-2, Nd.Cross(Nd.Array([1, 2]), Nd.Array([3, 4])).Item<int>());
        Gradients(x => Nd.Cross(x[0], x[1]), Random((3, 2)), Random((3, 2), 8));
        Gradients(x => Nd.Cross(x[0], x[1]), Random((4, 2)), Random((4, 3), 8));
        Expect.Throws<ShapeException>(() => Nd.Cross(Nd.Ones(2), Nd.Ones(4)), "Cross: axis -1 of (2,) and (4,)", "3 or 2");
        Expect.Throws<ShapeException>(() => Nd.Cross(Nd.Ones((2, 2)), Nd.Ones((3, 2))), "Cross: the shapes");
    }

    [Fact]
    public void VDotFlattens()
    {
        Assert.Equal(32, Nd.VDot(Doubles(1, 2, 3), Shaped((3, 1), 4, 5, 6)).Item<double>());
        Assert.Throws<ShapeException>(() => Nd.VDot(Nd.Ones(2), Nd.Ones(3)));
        Assert.Equal(10_000_000_000, Nd.VDot(Nd.Array([100_000]), Nd.Array([100_000])).Item<long>());
        Assert.Equal(80_000, Nd.VDot(Nd.Array((byte[])[200, 200]), Nd.Array((byte[])[200, 200])).Item<long>());
    }

    [Theory]
    [InlineData("...ij,...jk->...ik")]
    [InlineData("i...j,j...->i...")]
    public void EinsumKnowsEllipses(string equation)
    {
        NDArray a = Random((2, 3, 4)), b = equation[0] == '.' ? Random((4, 5), 3) : Random((4, 3), 3);
        NDArray expected = equation[0] == '.' ? Nd.MatMul(a, b) : Nd.Sum(a * b.Transpose(), 2);
        Close(expected, Nd.Einsum(equation, a, b));
        Gradients(x => Nd.Einsum(equation, x[0], x[1]), a, b);
    }

    [Theory] // NumPy: what has the size 1 broadcasts, under a letter as under an ellipsis
    [InlineData("ij,ij->i")]
    [InlineData("ij,ij->")]
    [InlineData("ij,ij->ji")]
    [InlineData("...,...->...")]
    public void EinsumBroadcastsAxesOfSizeOne(string equation)
    {
        NDArray a = Random((1, 4)), b = Random((2, 1), 3);
        NDArray expected = Nd.Einsum(equation, a.BroadcastTo((2, 4)), b.BroadcastTo((2, 4)));
        Close(expected, Nd.Einsum(equation, a, b));
        Close(expected, Nd.Einsum(equation, b, a));
        Gradients(x => Nd.Einsum(equation, x[0], x[1]), a, b);
        Assert.Equal(equation.EndsWith("->", StringComparison.Ordinal) ? 1 : 0, Nd.Einsum(equation, a, Nd.Zeros((0, 4), DType.Float64)).Size);
    }

    [Fact]
    public void EinsumBroadcastsOverManyOperands()
    {
        NDArray a = Random((1, 3, 4)), b = Random((2, 4, 5), 3), c = Random((2, 1), 5);
        Close(Nd.MatMul(a, b), Nd.Einsum("bij,bjk->bik", a, b));
        Close(Nd.MatMul(a, b) * c.ExpandDims(1), Nd.Einsum("bij,bjk,bi->bik", a, b, c));
        Assert.Contains("'j'", Assert.Throws<ShapeException>(() => Nd.Einsum("ij,ij->i", Nd.Ones((2, 3)), Nd.Ones((1, 4)))).Message, StringComparison.Ordinal);
    }
}
