namespace Fusion.Tests.ApiContract;

/// <summary>Calls every promised function as an extension and by name, with its promised arguments.</summary>
public sealed class FunctionsContract
{
    private static readonly NDArray s_x = Nd.Array(new float[,] { { 0.5f, 0.25f }, { 0.75f, 0.125f } });
    private static readonly NDArray s_y = Nd.Array(new float[,] { { 1, 2 }, { 3, 4 } });
    private static readonly NDArray s_i = Nd.Array([1, 0]);

    [Fact]
    public void Unary()
    {
        NDArray x = s_x;
        NDArray[] all =
        [
            x.Abs(), x.Sign(), x.Negate(), x.Floor(), x.Ceiling(), x.Round(), x.Truncate(), x.Square(), x.Sqrt(), x.ReciprocalSqrt(), x.Cbrt(), x.Reciprocal(),
            x.Exp(), x.Exp2(), x.ExpM1(), x.Log(), x.Log2(), x.Log10(), x.LogP1(), x.Sin(), x.Cos(), x.Tan(), x.Asin(), x.Acos(), x.Atan(), x.Sinh(), x.Cosh(),
            x.Tanh(),
            x.Asinh(), (x + 1).Acosh(), x.Atanh(), x.DegreesToRadians(), x.RadiansToDegrees(), x.Erf(), x.ErfInv(), x.Gamma(), x.LogGamma(), x.Digamma(),
            x.Relu(), x.LeakyRelu(slope: 0.1), x.LeakyRelu(), x.Elu(), x.Selu(), x.Gelu(), x.Gelu(approximate: true), x.Silu(), x.Mish(), x.Sigmoid(),
            x.HardSigmoid(),
            x.LogSigmoid(), x.Softplus(), x.Softsign(), Nd.Exp(x), Nd.Gelu(x, approximate: false),
        ];
        Assert.All(all, static a => Assert.Equal((new Shape(2, 2), DType.Float32, true), (a.Shape, a.DType, a.IsFinite().All().Item<bool>())));
        Assert.All([x.IsNaN(), x.IsFinite(), x.IsInfinity(), (x > 0).LogicalNot()], static a => Assert.Equal(DType.Bool, a.DType));
    }

    [Fact]
    public void BinaryAndTernary()
    {
        NDArray x = s_x, y = s_y;
        NDArray[] numbers =
        [
            x.Add(y), x.Add(1), Nd.Add(1, x), x.Subtract(y), x.Subtract(1), Nd.Subtract(1, x), x.Multiply(y), x.Multiply(2), Nd.Multiply(2, x), x.Divide(y),
            x.Divide(2),
            Nd.Divide(2, x), x.Mod(y), x.Mod(2), Nd.Mod(2, x), x.Pow(y), x.Pow(2), Nd.Pow(2, x), x.Maximum(y), x.Maximum(0), Nd.Maximum(0, x), x.Minimum(y),
            x.Minimum(0),
            Nd.Minimum(0, x), x.Hypot(y), x.Atan2(y), x.CopySign(y), x.LogAddExp(y), x.FloorDivide(y), x.Lerp(y, t: 0.5), x.Lerp(y, t: x),
            x.Clip(low: 0.2, high: 0.6),
            Nd.Where(condition: x > 0.3, x: x, y: y), Nd.Where(x > 0.3, x, 0), Nd.Where(x > 0.3, 0, y), Nd.Where(x > 0.3, x: 1, y: 0), (x > 0.3).Where(x, y),
        ];
        Assert.All(numbers, static a => Assert.Equal((new Shape(2, 2), DType.Float32), (a.Shape, a.DType)));
        NDArray[] truths =
        [
            x.Equal(y), x.Equal(1), x.NotEqual(y), x.NotEqual(1), x.Greater(y), x.Greater(1), x.GreaterOrEqual(y), x.GreaterOrEqual(1), x.Less(y), x.Less(1),
            x.LessOrEqual(y),
            x.LessOrEqual(1), (x > 0).LogicalAnd(y > 0), (x > 0).LogicalOr(y > 0), (x > 0).LogicalXor(y > 0),
            x.LogicalAnd(1), Nd.LogicalAnd(1, x), x.LogicalOr(0), Nd.LogicalOr(0, x), x.LogicalXor(1), Nd.LogicalXor(1, x),
        ];
        Assert.All(truths, static a => Assert.Equal((new Shape(2, 2), DType.Bool), (a.Shape, a.DType)));
    }

    [Fact]
    public void Reductions()
    {
        NDArray x = s_x;
        Func<NDArray, int[]?, bool, NDArray>[] many =
        [
            static (a, axes, keep) => a.Sum(axes: axes, keepDims: keep), static (a, axes, keep) => a.Mean(axes: axes, keepDims: keep),
            static (a, axes, keep) => a.Prod(axes: axes, keepDims: keep), static (a, axes, keep) => a.Max(axes: axes, keepDims: keep),
            static (a, axes, keep) => a.Min(axes: axes, keepDims: keep), static (a, axes, keep) => a.Var(axes: axes, keepDims: keep),
            static (a, axes, keep) => a.Std(axes: axes, keepDims: keep), static (a, axes, keep) => a.Norm(axes: axes, keepDims: keep),
            static (a, axes, keep) => a.LogSumExp(axes: axes, keepDims: keep), static (a, axes, keep) => (a > 0).Any(axes: axes, keepDims: keep),
            static (a, axes, keep) => (a > 0).All(axes: axes, keepDims: keep),
        ];
        foreach (Func<NDArray, int[]?, bool, NDArray> f in many)
        {
            Assert.Equal(new Shape(), f(x, null, false).Shape);
            Assert.Equal(new Shape(1, 1), f(x, null, true).Shape);
            Assert.Equal(new Shape(2), f(x, [0], false).Shape);
            Assert.Equal(new Shape(2, 1), f(x, [-1], true).Shape);
        }

        NDArray[] one =
        [
            x.Sum(axis: 0), x.Mean(axis: 0), x.Prod(axis: 0), x.Max(axis: 0), x.Min(axis: 0), x.Var(axis: 0), x.Std(axis: 0), x.Norm(axis: 0),
            x.LogSumExp(axis: 0),
            x.ArgMax(axis: 0), x.ArgMin(axis: 0), (x > 0).Any(axis: 0), (x > 0).All(axis: 0), x.Sum(), x.ArgMax(), x.Sum(0, keepDims: true),
            x.ArgMax(0, keepDims: true),
            x.CumSum(axis: 0),
        ];
        Assert.All(one[..13], static a => Assert.Equal(new Shape(2), a.Shape));
        Assert.Equal([new Shape(), new Shape(), new Shape(1, 2), new Shape(1, 2), new Shape(2, 2)], one[13..].Select(static a => a.Shape));
    }

    [Fact]
    public void Shapes()
    {
        NDArray x = s_x;
        (NDArray Result, Shape Expected)[] all =
        [
            (x.Reshape(4), 4), (x.Reshape(-1, 1), (4, 1)), (x.Reshape([2, 2]), (2, 2)), (x.Reshape((4, 1)), (4, 1)), (x.Reshape(new Shape(1, 4)), (1, 4)),
            (x.Flatten(), (2, 2)),
            (x.ExpandDims(axis: 1), (2, 1, 2)), (x.ExpandDims(0).Squeeze(), (2, 2)), (x.ExpandDims(0).Squeeze(0), (2, 2)), (x.Transpose(), (2, 2)),
            (x.Transpose(1, 0), (2, 2)),
            (x.SwapAxes(0, 1), (2, 2)), (x.BroadcastTo((3, 2, 2)), (3, 2, 2)), (x.BroadcastTo([1, 2, 2]), (1, 2, 2)),
            (Nd.Concat(arrays: [x, x], axis: 1), (2, 4)),
            (Nd.Concat([x, x]), (4, 2)), (Nd.Stack(arrays: [x, x], axis: 2), (2, 2, 2)), (Nd.Split(x, sections: 2, axis: 1)[0], (2, 1)),
            (x.Split(2)[1], (1, 2)),
            (x.Tile(2, 1), (4, 2)), (x.Tile(3), (2, 6)), (x.Repeat(count: 3, axis: 0), (6, 2)), (x.Pad(widths: [(1, 2), (0, 3)], value: 5), (5, 5)),
            (x.Pad([(1, 1), (1, 1)]), (4, 4)), (x.Flip(axis: 0), (2, 2)), (x.Roll(shift: 1, axis: 0), (2, 2)), (x.Slice(0, 0, 1), (1, 2)),
            (x.StopGradient(), (2, 2)),
        ];
        Assert.All(all, static c => Assert.Equal(c.Expected, c.Result.Shape));
    }

    [Fact]
    public void IndexingAndSorting()
    {
        NDArray x = s_x, i = s_i;
        (NDArray values, NDArray indices) = x.TopK(k: 1, axis: -1);
        var top = Nd.TopK(x, 2);
        (NDArray Result, Shape Expected)[] all =
        [
            (x.Take(indices: i, axis: 0), (2, 2)), (Nd.Take(x, i), (2, 2)), (x.TakeAlongAxis(indices: x.ArgSort(axis: 0), axis: 0), (2, 2)),
            (i.OneHot(depth: 3), (2, 3)),
            (x.Gather(Nd.Array(new int[,] { { 0, 1 }, { 1, 0 } })), 2),
            (Nd.Array([1f, 2]).Scatter(Nd.Array(new int[,] { { 0, 1 }, { 1, 0 } }), (2, 2)), (2, 2)),
            (x.Pick(indices: i, axis: -1), 2), (x.Pick(i), 2), (x.Sort(axis: 0), (2, 2)), (x.Sort(), (2, 2)), (x.ArgSort(), (2, 2)), (values, (2, 1)),
            (indices, (2, 1)),
            (top.Values, (2, 2)), (top.Indices, (2, 2)), (x.BooleanMask(Nd.Array([true, false])), (1, 2)), (x.NonZero(), (4, 2)),
            (Nd.Embedding(weight: x, indices: i), (2, 2)),
        ];
        Assert.All(all, static c => Assert.Equal(c.Expected, c.Result.Shape));
    }

    [Fact]
    public void LinearAlgebraAndLayers()
    {
        NDArray x = s_x, y = s_y;
        (NDArray Result, Shape Expected)[] all =
        [
            (Nd.MatMul(a: x, b: y), (2, 2)), (x.Dot(y), (2, 2)), (Nd.Dot(a: x, b: y, transposeA: true, transposeB: false), (2, 2)),
            (Nd.BatchDot(x.ExpandDims(0), y.ExpandDims(0)), (1, 2, 2)), (Nd.Outer(x[0], y[0]), (2, 2)), (Nd.Einsum("ij,jk->ik", x, y), (2, 2)),
            (Nd.Einsum(equation: "ii", operands: [x]), new Shape()), (x.Trace(), new Shape()), (x.Diag(), 2), (x.Tril(), (2, 2)), (x.Triu(), (2, 2)),
            (Nd.FullyConnected(x: x, weight: Nd.Ones((3, 2)), bias: null, flatten: true), (2, 3)),
            (x.FullyConnected(Nd.Ones((3, 2)), Nd.Ones(3), flatten: false), (2, 3)),
            (x.Dropout(p: 0.5), (2, 2)), (x.Softmax(axis: 0), (2, 2)), (x.Softmax(), (2, 2)), (x.LogSoftmax(axis: -1), (2, 2)),
            (Nd.SoftmaxCrossEntropy(logits: x, labels: s_i), 2), (x.SoftmaxCrossEntropy(y / 10), 2),
        ];
        Assert.All(all, static c => Assert.Equal(c.Expected, c.Result.Shape));
    }
}
