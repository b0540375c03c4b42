namespace Fusion.Tests.ApiContract;

/// <summary>
/// Functions by the names and signatures that programs are compiled against: each is called as a function and as an extension method, with its optional
/// arguments named. What they compute is tested with their families.
/// </summary>
public sealed class FunctionContract
{
    private static readonly NDArray s_x = Nd.Array([0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f], (2, 3));
    private static readonly NDArray s_square = Nd.Array([2f, 1f, 1f, 3f], (2, 2));
    private static readonly NDArray s_index = Nd.Array([1, 0]);

    [Fact]
    public void Creation()
    {
        Assert.Equal(3, Nd.Array<int>([1, 2, 3]).Size);
        Assert.Equal(DType.Float64, Nd.Array((ReadOnlySpan<double>)[1, 2]).DType);
        Assert.Equal(new Shape(1, 2), Nd.Array(new[,] { { 1f, 2f } }).Shape);
        Assert.Equal(new Shape(2, 1), Nd.Array<long>([1, 2], (2, 1)).Shape);
        NDArray[] all =
        [
            Nd.Scalar(2), Nd.Scalar(2, DType.Float64), Nd.Zeros((2, 3)), Nd.Zeros((2, 3), DType.Int32, Device.Cpu), Nd.Ones([2, 3], dtype: DType.Float64, device: null),
            Nd.Full((2, 3), 7), Nd.ZerosLike(s_x), s_x.OnesLike(), Nd.Eye(3), Nd.Arange(0, 6, 2), Nd.Linspace(0, 1, 5),
        ];
        Assert.All(all, x => Assert.True(x.Size > 0));
    }

    [Fact]
    public void Randomness()
    {
        Nd.Random.Seed(1);
        Assert.Equal(DType.Float64, Nd.Random.Uniform(0, 1, (2, 3), DType.Float64).DType);
        Assert.Equal(new Shape(4), Nd.Random.Normal(0, 1, 4).Shape);
        Assert.Equal(DType.Int32, Nd.Random.RandInt(0, 10, (2, 2)).DType);
    }

    [Fact]
    public void Unary()
    {
        Func<NDArray, NDArray>[] all =
        [
            Nd.Abs, Nd.Sign, Nd.Negate, Nd.Floor, Nd.Ceiling, Nd.Round, Nd.Truncate, Nd.Square, Nd.Sqrt, Nd.ReciprocalSqrt, Nd.Cbrt, Nd.Reciprocal, Nd.Exp, Nd.Exp2, Nd.ExpM1,
            Nd.Log, Nd.Log2, Nd.Log10, Nd.LogP1, Nd.Sin, Nd.Cos, Nd.Tan, Nd.Asin, Nd.Acos, Nd.Atan, Nd.Sinh, Nd.Cosh, Nd.Tanh, Nd.Asinh, x => Nd.Acosh(x + 1), Nd.Atanh,
            Nd.DegreesToRadians, Nd.RadiansToDegrees, Nd.Erf, Nd.ErfInv, Nd.Gamma, Nd.LogGamma, Nd.Digamma, Nd.Relu, x => x.LeakyRelu(slope: 0.1), x => x.Elu(), Nd.Selu,
            x => x.Gelu(approximate: false), x => x.Gelu(), Nd.Silu, Nd.Mish, Nd.Sigmoid, x => x.HardSigmoid(), Nd.LogSigmoid, Nd.Softplus, Nd.Softsign, Nd.IsNaN, Nd.IsFinite,
            Nd.IsInfinity, Nd.LogicalNot,
        ];
        Assert.All(all, f => Assert.Equal(s_x.Shape, f(s_x).Shape));
    }

    [Fact]
    public void BinaryAndTernary()
    {
        Func<NDArray, NDArray, NDArray>[] arrays =
        [
            Nd.Add, Nd.Subtract, Nd.Multiply, Nd.Divide, Nd.Mod, Nd.Pow, Nd.Maximum, Nd.Minimum, Nd.Hypot, Nd.Atan2, Nd.CopySign, Nd.LogAddExp, Nd.Equal, Nd.NotEqual, Nd.Greater,
            Nd.GreaterOrEqual, Nd.Less, Nd.LessOrEqual, Nd.LogicalAnd, Nd.LogicalOr, Nd.LogicalXor, Nd.FloorDivide, (x, y) => Nd.Where(x > y, x, y), (x, y) => Nd.Lerp(x, y, x),
        ];
        Func<NDArray, double, NDArray>[] scalars =
        [
            Nd.Add, Nd.Subtract, Nd.Multiply, Nd.Divide, Nd.Mod, Nd.Pow, Nd.Maximum, Nd.Minimum, Nd.Hypot, Nd.Atan2, Nd.CopySign, Nd.LogAddExp, Nd.Equal, Nd.NotEqual, Nd.Greater,
            Nd.GreaterOrEqual, Nd.Less, Nd.LessOrEqual, (x, s) => Nd.Where(x > s, x, s), (x, s) => Nd.Clip(x, low: s, high: 1),
        ];
        Assert.All(arrays, f => Assert.Equal(new Shape(2, 3), f(s_x, s_x[0]).Shape));
        Assert.All(scalars, f => Assert.Equal(s_x.Shape, f(s_x, 0.25).Shape));
    }

    [Fact]
    public void Reductions()
    {
        Func<NDArray, int[]?, bool, NDArray>[] all =
        [
            (x, axes, keepDims) => Nd.Sum(x, axes, keepDims), (x, axes, keepDims) => Nd.Mean(x, axes, keepDims), (x, axes, keepDims) => Nd.Prod(x, axes, keepDims),
            (x, axes, keepDims) => Nd.Max(x, axes, keepDims), (x, axes, keepDims) => Nd.Min(x, axes, keepDims), (x, axes, keepDims) => Nd.Var(x, axes, keepDims),
            (x, axes, keepDims) => Nd.Std(x, axes, keepDims), (x, axes, keepDims) => Nd.Norm(x, axes, keepDims), (x, axes, keepDims) => Nd.LogSumExp(x, axes, keepDims),
            (x, axes, keepDims) => Nd.Any(x, axes, keepDims), (x, axes, keepDims) => Nd.All(x, axes, keepDims),
        ];
        foreach (Func<NDArray, int[]?, bool, NDArray> f in all)
        {
            Assert.Equal(0, f(s_x, null, false).Rank);
            Assert.Equal(new Shape(1, 1), f(s_x, null, true).Shape);
            Assert.Equal(new Shape(2), f(s_x, [-1], false).Shape);
            Assert.Equal(new Shape(1, 3), f(s_x, [0], true).Shape);
        }

        Assert.Equal(new Shape(2, 1), s_x.Sum(axis: 1, keepDims: true).Shape);
        Assert.Equal([new Shape(3), new Shape(1, 3), new Shape()], [s_x.ArgMax(axis: 0).Shape, s_x.ArgMin(axis: 0, keepDims: true).Shape, s_x.ArgMax().Shape]);
        Assert.Equal(s_x.Shape, s_x.CumSum(axis: 1).Shape);
    }

    [Fact]
    public void Shapes()
    {
        Assert.Equal(new Shape(3, 2), s_x.Reshape(-1, 2).Shape);
        Assert.Equal(new Shape(6), s_x.Reshape([6]).Shape);
        Assert.Equal(new Shape(2, 3), s_x.Flatten().Shape);
        Assert.Equal(s_x.Shape, s_x.ExpandDims(0).Squeeze().Shape);
        Assert.Equal(new Shape(3, 2), s_x.Transpose(1, 0).Shape);
        Assert.Equal(new Shape(3, 2), s_x.SwapAxes(0, 1).Shape);
        Assert.Equal(new Shape(4, 2, 3), s_x.BroadcastTo((4, 2, 3)).Shape);
        Assert.Equal(new Shape(4, 3), Nd.Concat([s_x, s_x], axis: 0).Shape);
        Assert.Equal(new Shape(2, 2, 3), Nd.Stack([s_x, s_x], axis: 0).Shape);
        NDArray[] parts = s_x.Split(sections: 3, axis: 1);
        Assert.Equal(3, parts.Length);
        Assert.Equal(new Shape(4, 6), s_x.Tile(2, 2).Shape);
        Assert.Equal(new Shape(2, 6), s_x.Repeat(count: 2, axis: 1).Shape);
        Assert.Equal(new Shape(3, 5), s_x.Pad([(1, 0), (0, 2)], value: 1).Shape);
        Assert.Equal(s_x.Shape, s_x.Flip(axis: 1).Roll(shift: 1, axis: 0).Shape);
        Assert.Equal(new Shape(2, 2), s_x.Slice(1, 0, 2).Shape);
    }

    [Fact]
    public void Indices()
    {
        Assert.Equal(new Shape(2, 3), Nd.Take(s_x, s_index, axis: 0).Shape);
        Assert.Equal(new Shape(2, 1), Nd.TakeAlongAxis(s_x, s_index.Reshape(2, 1), 1).Shape);
        Assert.Equal(new Shape(2, 4), Nd.OneHot(s_index, depth: 4).Shape);
        Assert.Equal(new Shape(2), Nd.Pick(s_x, s_index, axis: -1).Shape);
        Assert.Equal(new Shape(2, 3), Nd.Gather(s_x, s_index.Reshape(1, 2)).Shape);
        Assert.Equal(new Shape(5), Nd.Scatter(Nd.Ones(2), s_index.Reshape(1, 2), 5).Shape);
        Assert.Equal(s_x.Shape, Nd.Sort(s_x).Shape);
        Assert.Equal(s_x.Shape, Nd.ArgSort(s_x).Shape);
        (NDArray values, NDArray indices) = Nd.TopK(s_x, k: 2, axis: -1);
        Assert.Equal(values.Shape, indices.Shape);
        Assert.Equal(new Shape(1, 3), Nd.BooleanMask(s_x, Nd.Array([true, false])).Shape);
        Assert.Equal(new Shape(6, 2), Nd.NonZero(s_x).Shape);
        Assert.Equal(new Shape(2, 3), Nd.Embedding(s_x, s_index).Shape);
    }

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

    [Fact]
    public void NeuralNetworks()
    {
        Assert.Equal(new Shape(2, 4), Nd.FullyConnected(s_x, Nd.Ones((4, 3)), bias: Nd.Ones(4), flatten: true).Shape);
        Assert.Equal(new Shape(2, 4), Nd.FullyConnected(s_x, Nd.Ones((4, 3)), bias: null, flatten: false).Shape);
        Assert.Equal(s_x.Shape, Nd.Dropout(s_x, p: 0.5).Shape);
        Assert.Equal(s_x.Shape, Nd.Softmax(s_x, axis: -1).Shape);
        Assert.Equal(s_x.Shape, s_x.LogSoftmax(axis: 0).Shape);
        Assert.Equal(new Shape(2), Nd.SoftmaxCrossEntropy(s_x, labels: s_index).Shape);
        Assert.Equal(new Shape(2), Nd.SoftmaxCrossEntropy(logits: s_x, labels: s_x).Shape);
        Assert.Equal(s_x.ToArray<float>(), Nd.StopGradient(s_x).ToArray<float>());
    }
}
