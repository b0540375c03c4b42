using Fusion.NN;

namespace Fusion.Tests;

/// <summary>
/// What MXNet's test_fusion.py, the hybridize cases of test_gluon.py and test_deferred_compute.py check and other files of this suite do not, in our own
/// words; and the bugs that its users reported.
/// </summary>
public sealed class MxnetFusionTests
{
    public static TheoryData<string> Binary => ["x+y", "x+3", "3-x", "x/y", "3/x", "x^y", "x^3", "3^x", "max", "min", "hypot", "hypot3", "mod"];

    [Theory]
    [MemberData(nameof(Binary))]
    public void BinaryOperatorsWithArraysAndNumbers(string name)
    {
        Func<NDArray, NDArray, NDArray> f = name switch
        {
            "x+y" => static (x, y) => x + y,
            "x+3" => static (x, y) => x + 3 + y * 0.5,
            "3-x" => static (x, y) => 3 - x - y,
            "x/y" => static (x, y) => x / (y + 3),
            "3/x" => static (x, y) => 3 / (x + 3) + y,
            "x^y" => static (x, y) => (x + 3).Pow(y),
            "x^3" => static (x, y) => x.Pow(3) * y,
            "3^x" => static (x, y) => Nd.Pow(3, x) * y,
            "max" => static (x, y) => x.Maximum(y) + 1,
            "min" => static (x, y) => x.Minimum(y) + 1,
            "hypot" => static (x, y) => x.Hypot(y) * 2,
            "hypot3" => static (x, y) => x.Hypot(3) * y,
            _ => static (x, y) => x % (y + 3),
        };
        HybridReport report = Check.Both(Check.List(f), TestArrays.Uniform((17, 9)), TestArrays.Uniform((17, 9), 2));
        Assert.Equal(1, report.Groups.Count(static g => !g.IsBackward));
    }

    [Fact]
    public void SlicesOfAllKindsWithNegativeBounds() => Check.Both(
        static x => [x[0][1..4] * 2, x[0][^3..] + x[0][..3], x[0][1..^1, ^2..] * 3, x[0][.., 0] - x[0][.., ^1], x[0][AxisIndex.Ellipsis, 1..2].Tanh()], TestArrays.Uniform((5, 4, 3)));

    [Fact]
    public void ASumOfTwoSlicesOfOneStretchedArray()
    {
        // apache/mxnet#17914: the second slice read the first one's elements.
        Check.Both(Check.List(static x =>
        {
            NDArray y = x.ExpandDims(1).BroadcastTo((3, 4, 5));
            return y[.., 0] + y[.., 2] * 2 + y[1..2, 1];
        }), TestArrays.Uniform((3, 5)));
    }

    [Fact]
    public void AParameterUsedManyTimesAddsUp()
    {
        // apache/mxnet#17989: wrong beyond four uses.
        for (int uses = 1; uses <= 9; uses++)
        {
            int n = uses;
            Check.Both(Check.List((x, w) => Enumerable.Range(0, n).Aggregate(x, (y, i) => (y * w).Tanh() + i)), TestArrays.Uniform(6), TestArrays.Uniform(6, 2));
        }
    }

    [Fact]
    public void ALastSmallerBatchRuns()
    {
        // apache/mxnet#16785.
        HybridFunction<ListFunction> f = Check.List(static (x, w) => (x.MatMul(w) * 2).Relu()).Hybridize(Check.Strict);
        foreach (int batch in (int[])[32, 32, 7, 32, 1])
        {
            NDArray[] x = [TestArrays.Uniform((batch, 5), batch), TestArrays.Uniform((5, 3))];
            Check.Same(Check.Gradients(Check.List(static (x, w) => (x.MatMul(w) * 2).Relu()), x).Gradients, Check.Gradients(f.Invoke, x).Gradients);
        }
    }

    [Fact]
    public void ManyEqualNodesAreMergedAndManyResultsCutIntoGroups()
    {
        // apache/mxnet#19316: 144 outputs in one group, since equal nodes were not merged.
        HybridReport report = Check.Forward(static x => [.. Enumerable.Range(0, 144).Select(i => (x[0] * 2).Exp() + i % 12)], TestArrays.Uniform(30));
        Assert.InRange(report.Groups.Count, 2, 8);
        Assert.Equal(13 + 1, report.Groups.Sum(static g => g.Ops.Count));
    }

    [Fact]
    public void FirstBatchesOfDeepFunctionsCompileInTime()
    {
        // apache/mxnet#17105: 283 s for the first batch.
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) =>
        {
            for (int i = 0; i < 300; i++) x = (x * 1.0001 + 0.001 * i).Tanh() + x.Mean(0, keepDims: true);
            return x;
        }, Check.Strict);
        f.Invoke(TestArrays.Uniform((4, 4)));
        Assert.InRange(f.Report.CompileTime.TotalSeconds, 0, 20);
    }

    [Fact]
    public void BoolInputsBecomeNumbers() => Check.Forward(
        Check.List(static x => x.AsType(DType.Float32) * x.AsType(DType.Float32).ExpandDims(-1)), TestArrays.Uniform(10) > 0);

    [Fact]
    public void TheSameFunctionForOneAndTwoAxes()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.AsType(DType.Float32).ExpandDims(-1), Check.Strict);
        Assert.Equal((10, 1), f.Invoke(Nd.Ones(10)).Shape);
        Assert.Equal((10, 10, 1), f.Invoke(Nd.Ones((10, 10))).Shape);
    }

    [Fact]
    public void InputsOfAGroupInAnyOrder() => Check.Both(Check.List(static (x, y, z) =>
    {
        NDArray s = x * 2;
        NDArray s2 = s + z;
        return (s + y * y).MatMul(s2);
    }), TestArrays.Uniform((10, 10)), TestArrays.Uniform((10, 1), 2), TestArrays.Uniform((10, 10), 3));

    [Fact]
    public void InputsAndResultsMayShareArrays()
    {
        HybridFunction<Func<NDArray, NDArray>> identity = Hybrid.Hybridize(static (NDArray x) => x, Check.Strict);
        HybridFunction<Func<NDArray, NDArray, NDArray>> sum = Hybrid.Hybridize(static (NDArray x, NDArray y) => x + y, Check.Strict);
        NDArray x = Nd.Arange(10);
        for (int i = 0; i < 5; i++)
        {
            x.AttachGrad();
            using (Autograd.Record()) identity.Invoke(x).Backward();
            Check.Same(Nd.Ones(10), x.Grad);
            NDArray head = Nd.Arange(10);
            using (Autograd.Record()) sum.Invoke(x, head).Backward(head);
            Check.Same(head, x.Grad);
            Check.Same(Nd.Arange(10), head);
        }
    }

    [Fact]
    public void TrainingInferenceTrainingWithOtherInputs()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Sqrt() + (2 * x).Sqrt(), Check.Strict);
        NDArray first = Gradient(1);
        Gradient(2);
        f.Invoke(Nd.Ones((10, 10)));
        Check.Same(first, Gradient(1));

        NDArray Gradient(double value)
        {
            NDArray x = Nd.Full((10, 10), value);
            x.AttachGrad();
            using (Autograd.Record()) f.Invoke(x).Backward();
            return x.Grad!;
        }
    }

    [Fact]
    public void RecordingWithoutBackwardThenPlainCalls()
    {
        Sequential net = new Sequential(new Linear(4, 3), new Relu()).Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((2, 4));
        using (Autograd.Record()) net.Forward(x);
        Check.Same(net.ForwardCore(x), net.Forward(x));
    }

    [Fact]
    public void ReshapesAndSlicesAroundLayers() => Check.Both(
        static x => [x[0].Reshape(6, 8).FullyConnected(x[1])[1..3].Relu().Reshape(-1), x[0][.., 1..3].FullyConnected(x[1]).Sigmoid()],
        TestArrays.Uniform((3, 4, 4)), TestArrays.Uniform((5, 8), 2));

    [Fact]
    public void ConcatenatedBranches() => Check.Both(Check.List(static (x, w) => Nd.Concat([x.MatMul(w).Tanh(), x.MatMul(w * 2).Relu(), x], 1) * 2), TestArrays.Uniform((3, 4)), TestArrays.Uniform((4, 4), 2));

    [Fact]
    public void ProgramsWithoutInputs()
    {
        NDArray a = Nd.Arange(10);
        foreach (Func<NDArray> f in (Func<NDArray>[])[() => a + 2, () => a.Reshape(2, 5) * 2, () => (a + 1)[1..4], () => a.Reshape(2, 5).Tril(), () => Nd.Arange(10).Sum()])
            Check.Same(f(), f.Hybridize(Check.Strict).Invoke());
    }

    [Fact]
    public void IndexingInsideAFunction() => Check.Both(
        static x => [x[0][0], x[0][^1] * 2, x[0][1..3, 0], x[0].Take(Nd.Array([2, 0, 0])), x[0].Pick(Nd.Array([1, 0, 2])), x[0].Slice(0, null, null, -2)], TestArrays.Uniform((3, 3)));
}
