using Fusion.NN;

namespace Fusion.Tests;

/// <summary>More of MXNet's test_fusion.py, test_deferred_compute.py and the hybridize cases of test_gluon.py, in our own words.</summary>
public sealed class MxnetGluonTests
{
    public static TheoryData<double, double> Bounds => new()
    {
        { 0.3, 0.7 }, { double.NegativeInfinity, 0.7 }, { double.NegativeInfinity, double.PositiveInfinity }, { 0, double.PositiveInfinity },
    };

    [Theory]
    [MemberData(nameof(Bounds))]
    public void ClippedToBoundsThatMayBeInfinite(double low, double high)
    {
        HybridReport report = Check.Both(Check.List(x => (x * 2).Clip(low, high) + 1), TestArrays.Special((5, 9)));
        Assert.Equal(1, report.Groups.Count(static g => !g.IsBackward));
    }

    [Fact]
    public void SoftReluOfLargeNumbersDoesNotOverflow() => Check.Both(Check.List(static x => (x * 1000).Softplus() * 2), TestArrays.Uniform((6, 7)));

    [Fact]
    public void CastsBetweenAllWidthsInOneFunction()
    {
        Check.Both(static x => [(x[0] * 2).AsType(DType.Float16) + 1, x[0].AsType(DType.Float64) * 3], TestArrays.Uniform((4, 5)));
        Check.Forward(static x => [(x[0] * 9).AsType(DType.Int32), x[0].AsType(DType.Int32) + Nd.ZerosLike(x[0].AsType(DType.Int32))], TestArrays.Uniform((4, 5)));
    }

    [Fact]
    public void SlicedToTheSizesOfAnotherArray() => Check.Both(
        static x => [x[0][..x[1].Shape[0], .., ..x[1].Shape[1]] * 2, x[1].ExpandDims(1).BroadcastTo((2, 3, 4)) + x[0][..2, .., ..4]], TestArrays.Uniform((3, 3, 5)), TestArrays.Uniform((2, 4), 2));

    [Fact]
    public void HalvesOfWhichOneIsAResult() => Check.Both(static x => [Nd.Split(x[0], 2)[0] * 2], TestArrays.Uniform(10));

    [Fact]
    public void ReshapedTwoWaysAndBack() => Check.Both(static x =>
    {
        NDArray b = x[0] + Nd.Arange(0, 10);
        NDArray c = b.Reshape(5, 2), d = b.Reshape(2, 5);
        return [c + 1, d + 1, (c.Reshape(-1) + d.Reshape(-1)) / 2];
    }, TestArrays.Uniform(10));

    [Fact]
    public void TrianglesOfAnArrayMadeInside() => Check.Forward(static x => [Nd.Ones((2, 2)).Tril(1) + x[0], Nd.Ones((2, 2)).Tril(-1)], Nd.Ones(1));

    [Fact]
    public void APositionAfterWhichEverythingIsPadded()
    {
        HybridFunction<ListFunction> f = Check.List(static x => Nd.Concat([x, x[.., 1..].Pad([(0, 0), (0, 1)])])).Hybridize(Check.Strict);
        foreach (int n in (int[])[16, 8])
        {
            NDArray x = TestArrays.Uniform((8, n), n);
            Check.Same(Nd.Concat([x, x[.., 1..].Pad([(0, 0), (0, 1)])]), f.Invoke([x])[0]);
        }
    }

    [Fact]
    public void SlicesThatAreEmpty() => Check.Both(static x => [x[0][0..0] * 2, Nd.Concat([x[0], x[0][0..0]])], TestArrays.Uniform((2, 3)));

    [Fact]
    public void AnIndexThatIsAlsoAResult()
    {
        HybridFunction<ListFunction> f = Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) => [x[0].Take(x[1]), x[1]], Check.Strict);
        NDArray array = Nd.Arange(0, 3);
        array.AttachGrad();
        using (Autograd.Record()) f.Invoke([array, Nd.Array([2])])[0].Backward();
        Check.Same(Nd.Array([0f, 0, 1]), array.Grad);
    }

    [Fact]
    public void AResidualNetworkUsedTwiceInOneGraph()
    {
        Sequential net = new(new Conv2d(3, 4, 3, padding: 1), new BatchNorm(4), new Relu(), new Conv2d(4, 4, 3, padding: 1));
        NDArray x = TestArrays.Uniform((2, 3, 8, 8));
        x.AttachGrad();
        (NDArray expected, NDArray[] gradients) = Run();
        net.Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            (NDArray actual, NDArray[] own) = Run();
            Check.Same(expected, actual);
            Check.Same(gradients, own);
        }

        (NDArray Y, NDArray[] Gradients) Run()
        {
            NDArray y;
            using (Autograd.Record()) y = net.Forward(x) + net.Forward(x);
            y.Backward();
            return (y, [x.Grad!.Copy(), .. net.Parameters.Values.Select(static p => p.Grad).OfType<NDArray>().Select(static g => g.Copy())]);
        }
    }

    [Fact]
    public void GradientsOfAHybridizedLayerAreSetToZero()
    {
        Linear layer = new Linear(3, 4).Hybridize(Check.Strict);
        using (Autograd.Record()) layer.Forward(Nd.Ones((2, 3))).Backward();
        Assert.NotEqual(0, layer.Weight.Grad!.Sum().Item<float>());
        foreach (NDArray parameter in layer.Parameters.Values) parameter.ZeroGrad();
        Check.Same(Nd.Zeros((4, 3)), layer.Weight.Grad);
        using (Autograd.Record()) layer.Forward(Nd.Ones((2, 3))).Backward();
        Check.Same(Nd.Full((4, 3), 2), layer.Weight.Grad);
    }
}
