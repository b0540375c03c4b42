namespace Fusion.Tests;

/// <summary>Backward: which gradients arrive where, from which heads, and what becomes of the graph.</summary>
[Collection(nameof(RandomStream))]
public sealed class BackwardTests
{
    public static TheoryData<string> Formulas => [.. s_formulas.Keys];

    // Name → (f, df/dx, df/dy) at x = (.5, 2), y = (3, .25).
    private static readonly Dictionary<string, Formula> s_formulas = new()
    {
        ["exp x"] = new(static (x, y) => x.Exp() + 0 * y, static (x, _) => Math.Exp(x), static (_, _) => 0),
        ["x / 2"] = new(static (x, y) => x / 2 + 0 * y, static (_, _) => 0.5, static (_, _) => 0),
        ["x ^ 2"] = new(static (x, y) => x.Pow(2) + 0 * y, static (x, _) => 2 * x, static (_, _) => 0),
        ["x + y"] = new(static (x, y) => x + y, static (_, _) => 1, static (_, _) => 1),
        ["x · y"] = new(static (x, y) => x * y, static (_, y) => y, static (x, _) => x),
        ["x + x · y"] = new(static (x, y) => x + x * y, static (_, y) => 1 + y, static (x, _) => x),
        ["x / y"] = new(static (x, y) => x / y, static (_, y) => 1 / y, static (x, y) => -x / y / y),
        ["x ^ y"] = new(static (x, y) => x.Pow(y), static (x, y) => y * Math.Pow(x, y - 1), static (x, y) => Math.Pow(x, y) * Math.Log(x)),
        ["2 ^ x - y"] = new(static (x, y) => Nd.Pow(2, x) - y, static (x, _) => Math.Log(2) * Math.Pow(2, x), static (_, _) => -1),
        ["1 / x - 3 - y"] = new(static (x, y) => 1 / x - 3 - y, static (x, _) => -1 / (x * x), static (_, _) => -1),
        ["3 - x % y"] = new(static (x, y) => 3 - x % y, static (_, _) => -1, static (x, y) => Math.Floor(x / y)),
        ["-x"] = new(static (x, y) => -x + 0 * y, static (_, _) => -1, static (_, _) => 0),
    };

    [Theory]
    [MemberData(nameof(Formulas))]
    public void Gradient(string formula)
    {
        (Func<NDArray, NDArray, NDArray> f, Func<double, double, double> dx, Func<double, double, double> dy) = s_formulas[formula];
        double[] xs = [0.5, 2], ys = [3, 0.25];
        NDArray x = Leaf.Doubles(xs), y = Leaf.Doubles(ys);
        NDArray recorded;
        using (Autograd.Record()) recorded = f(x, y);
        Assert.Equal(Expect.Doubles(f(x, y)), Expect.Doubles(recorded));
        recorded.Backward();
        Expect.Near(1e-14, x.Grad, dx(xs[0], ys[0]), dx(xs[1], ys[1]));
        Expect.Near(1e-14, y.Grad, dy(xs[0], ys[0]), dy(xs[1], ys[1]));
    }

    [Fact]
    public void TheGraphIsWhatTheProgramDid()
    {
        NDArray a = Leaf.Of(1, 2), b = Leaf.Of(3, 4);
        foreach (bool add in new[] { true, false })
        {
            using (Autograd.Record()) (add ? a + b : a * b).Backward();
            Expect.Elements(a.Grad, add ? [1, 1] : [3, 4]);
            Expect.Elements(b.Grad, add ? [1, 1] : [1, 2]);
        }
    }

    [Fact]
    public void ALayerOfAProduct()
    {
        Nd.Random.Seed(1);
        NDArray a = Leaf.Attached(Nd.Random.Uniform(0, 1, (64, 50), DType.Float64)), b = Leaf.Attached(Nd.Random.Uniform(0, 1, (64, 50), DType.Float64));
        NDArray weight = Leaf.Attached(Nd.Random.Uniform(0, 1, (32, 50), DType.Float64)), bias = Leaf.Attached(Nd.Random.Uniform(0, 1, 32, DType.Float64));
        using (Autograd.Record()) Nd.FullyConnected(a * b, weight, bias).Backward();
        Assert.All(Expect.Doubles(bias.Grad!), static g => Assert.Equal(64, g));
        NDArray columns = (a * b).Sum(0);
        for (int row = 0; row < 32; row += 31) Expect.Near(1e-12, weight.Grad![row], Expect.Doubles(columns));
        Expect.Near(1e-12, a.Grad, Expect.Doubles(b * weight.Sum(0)));
        Expect.Near(1e-12, b.Grad, Expect.Doubles(a * weight.Sum(0)));
    }

    /// <summary>An empty product is 1 whatever the variable is: part of the graph, as an empty sum is.</summary>
    [Fact]
    public void EmptyProductsAreRecorded()
    {
        foreach (int[]? axes in new[] { null, [0], [1], new[] { 0, 1 } })
        {
            NDArray x = Leaf.Attached(Nd.Zeros((0, 3)));
            using (Autograd.Record()) x.Prod(axes).Backward();
            Assert.Equal(x.Shape, x.Grad!.Shape);
            Assert.True(x.FreshGrad);
        }
    }

    [Fact]
    public void ADiamondAddsBothSides()
    {
        NDArray x = Leaf.Of(3);
        using (Autograd.Record())
        {
            NDArray y = x * 2;
            (y.Square() + y * 5).Backward();
        }

        Expect.Elements(x.Grad, 34);
    }

    [Theory]
    [InlineData(new[] { 2, 3 }, new[] { 2, 3 })]
    [InlineData(new[] { 2, 3 }, new[] { 3 })]
    [InlineData(new[] { 2, 3 }, new[] { 2, 1 })]
    [InlineData(new[] { 2, 3 }, new[] { 1, 1 })]
    [InlineData(new[] { 2, 3 }, new int[0])]
    [InlineData(new[] { 4, 1, 3 }, new[] { 2, 1 })]
    [InlineData(new int[0], new[] { 5 })]
    [InlineData(new[] { 0, 3 }, new[] { 1, 3 })]
    public void BroadcastOperandsGetGradientsOfTheirShapes(int[] first, int[] second)
    {
        NDArray x = Leaf.Attached(Nd.Full(first, 2)), y = Leaf.Attached(Nd.Full(second, 3));
        NDArray z;
        using (Autograd.Record()) z = x * y;
        z.Backward();
        Assert.Equal(first, x.Grad!.Shape);
        Assert.Equal(second, y.Grad!.Shape);
        Assert.All(Expect.Doubles(x.Grad), g => Assert.Equal(3.0 * z.Size / x.Size, g));
        Assert.All(Expect.Doubles(y.Grad), g => Assert.Equal(2.0 * z.Size / y.Size, g));
    }

    [Fact]
    public void TwoSlicesOfABroadcastAddUp()
    {
        // MXNet #17914: the fused sum of two slices of one broadcast array was wrong.
        NDArray x = Leaf.Attached(Nd.Array(new float[,] { { 1 }, { 2 } }));
        using (Autograd.Record())
        {
            NDArray wide = x.BroadcastTo((2, 4));
            NDArray sum = wide[.., 0..2] + wide[.., 2..4] * 10;
            Expect.Elements(sum, 11, 11, 22, 22);
            sum.Backward();
        }

        Expect.Elements(x.Grad, 22, 22);
    }

    [Fact]
    public void ManyHeadsAtOnce()
    {
        NDArray x = Leaf.Of(2), y = Leaf.Of(5);
        NDArray a, b;
        using (Autograd.Record()) (a, b) = (x * y, x * x);
        Autograd.Backward([a, b]);
        Expect.Elements(x.Grad, 9);
        Expect.Elements(y.Grad, 2);
    }

    [Fact]
    public void TheSameHeadTwiceCountsTwice()
    {
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record()) y = x * x;
        Autograd.Backward([y, y], [Nd.Array([1f]), Nd.Array([10f])]);
        Expect.Elements(x.Grad, 44);
    }

    [Fact]
    public void AHeadMayFeedAnotherHead()
    {
        NDArray x = Leaf.Of(2);
        NDArray y, z;
        using (Autograd.Record())
        {
            y = x * 3;
            z = y * y;
        }

        Autograd.Backward([y, z]);
        Expect.Elements(x.Grad, 3 + 36);
        using (Autograd.Record())
        {
            y = x * 3;
            z = y * y;
        }

        Autograd.Backward([z, y]);
        Expect.Elements(x.Grad, 3 + 36);
    }

    [Fact]
    public void ALeafIsAHeadOfItself()
    {
        NDArray x = Leaf.Of(2, 3);
        x.Backward(Nd.Array([4f, 5]));
        Expect.Elements(x.Grad, 4, 5);
        Autograd.Backward([x, x]);
        Expect.Elements(x.Grad, 2, 2);
    }

    [Fact]
    public void PiecesOfASplitTakeTheirOwnHeadGradients()
    {
        // MXNet's test_out_grads: heads of a split, one without a head gradient, inside the recording scope.
        NDArray x = Nd.Ones((3, 5)), dx = Nd.Zeros((3, 5));
        Autograd.MarkVariables(x, dx);
        NDArray db = Nd.Array([1f, 2, 3, 4, 5]), dc = Nd.Array([5f, 4, 3, 2, 1]);
        using (Autograd.Record())
        {
            NDArray[] rows = Array.ConvertAll(x.Split(3), static r => r.Squeeze(0));
            Autograd.Backward(rows, [null, db, dc]);
        }

        Expect.Elements(dx, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1);
    }

    [Fact]
    public void ARetainedGraphGoesBackwardAgain()
    {
        NDArray x = Leaf.Adding(1, 1);
        using (Autograd.Record())
        {
            NDArray y = x * x;
            y.Backward(retainGraph: true);
            y.Backward(retainGraph: true);
            y.Backward();
            Expect.Elements(x.Grad, 6, 6);
            Assert.Throws<AutogradException>(() => y.Backward());
        }

        Expect.Elements(x.Grad, 6, 6);
    }

    [Fact]
    public void TheTrainingFlagIsStoredOnTheTapeAndMayBeOverridden()
    {
        FlagReporter function = new();
        NDArray x = Leaf.Of(1);
        foreach (bool recorded in new[] { true, false })
        {
            NDArray y;
            using (Autograd.Record(trainMode: recorded)) y = function.Apply(x)[0];
            Assert.Equal(recorded, function.TrainingInForward);
            y.Backward(retainGraph: true);
            Assert.Equal(recorded, function.TrainingInBackward);
            y.Backward(retainGraph: true, trainMode: !recorded);
            Assert.Equal(!recorded, function.TrainingInBackward);
            Autograd.Grad(y, x, retainGraph: true, trainMode: !recorded);
            Assert.Equal(!recorded, function.TrainingInBackward);
            Assert.False(Autograd.IsTraining);
            using (Autograd.TrainMode())
            {
                y.Backward();
                Assert.True(Autograd.IsTraining);
            }

            Assert.Equal(recorded, function.TrainingInBackward);
        }
    }

    [Fact]
    public void BackwardInsideTheScopeIsNotRecordedAndKeepsTheScope()
    {
        NDArray x = Leaf.Of(3);
        using (Autograd.Record())
        {
            (x * x).Backward();
            Assert.True(Autograd.IsRecording && Autograd.IsTraining);
            Assert.Null(x.Grad!.Source);
            NDArray y = x.Grad * 2;
            Assert.Throws<AutogradException>(() => y.Backward());
        }
    }

    [Fact]
    public void EachVariableGetsItsGradientInItsOwnType()
    {
        NDArray single = Leaf.Of(2), wide = Leaf.Doubles(3);
        NDArray product;
        using (Autograd.Record()) product = single * wide;
        Assert.Equal(DType.Float64, product.DType);
        product.Backward();
        Assert.Equal((DType.Float32, DType.Float64), (single.Grad!.DType, wide.Grad!.DType));
        Expect.Elements(single.Grad, 3);
        Expect.Elements(wide.Grad, 2);
    }

    [Fact]
    public void NothingFlowsThroughIntegersAndComparisons()
    {
        NDArray x = Leaf.Of(1.5, -2.5);
        using (Autograd.Record())
        {
            NDArray rounded = x.AsType(DType.Int32).AsType(DType.Float32);
            NDArray positive = (x > 0).AsType(DType.Float32);
            (x * rounded + x * positive + x.Floor() * x.Sign()).Backward();
        }

        Expect.Elements(x.Grad, 1 + 1, -2);
    }

    [Fact]
    public void ReadingAndWritingIndependentArraysWhileRecordingIsAllowed()
    {
        NDArray x = Leaf.Of(1, 2);
        using (Autograd.Record())
        {
            NDArray y = x * x;
            NDArray log = Nd.Zeros(2);
            log[0] = Nd.Scalar(y[1].Item<float>());
            log[1] = y.Detach()[0];
            Expect.Elements(log, 4, 1);
            y.Sum().Backward();
        }

        Expect.Elements(x.Grad, 2, 4);
    }

    [Fact]
    public void ASmallerLastBatchIsNothingSpecial()
    {
        // MXNet #16785: a smaller last batch crashed.
        NDArray w = Leaf.Attached(Nd.Ones((1, 3)), GradReq.Add);
        foreach (int rows in new[] { 4, 4, 1 })
            using (Autograd.Record()) Nd.FullyConnected(Nd.Ones((rows, 3)), w).Sum().Backward();
        Expect.Elements(w.Grad, 9, 9, 9);
    }

    private sealed record Formula(Func<NDArray, NDArray, NDArray> F, Func<double, double, double> Dx, Func<double, double, double> Dy);

    private sealed class FlagReporter : Autograd.Function
    {
        public bool TrainingInForward { get; private set; }

        public bool TrainingInBackward { get; private set; }

        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            TrainingInForward = Autograd.IsTraining;
            return [inputs[0] * 1];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients)
        {
            TrainingInBackward = Autograd.IsTraining;
            return outputGradients;
        }
    }
}
