namespace Fusion.Tests;

/// <summary><c>Autograd.Function</c>: operators with gradients of the user's own.</summary>
public sealed class CustomFunctionTests
{
    [Fact]
    public void ItsGradientsAreThoseOfTheSameFormulaOnTheTape()
    {
        // MXNet's test_function.
        NDArray x = Leaf.Doubles(6, 4), y = Leaf.Doubles(2, 8);
        IReadOnlyList<NDArray> outputs;
        using (Autograd.Record()) outputs = new QuotientAndProduct().Apply(x, y);
        Autograd.Backward(outputs);
        (double[] dx, double[] dy) = (Expect.Doubles(x.Grad!), Expect.Doubles(y.Grad!));
        using (Autograd.Record()) Autograd.Backward([x / y, x * y]);
        Expect.Near(1e-14, x.Grad, dx);
        Expect.Near(1e-14, y.Grad, dy);
    }

    [Fact]
    public void OutputsThatAreNotUsedCountAsZero()
    {
        NDArray x = Leaf.Doubles(6), y = Leaf.Doubles(2);
        using (Autograd.Record()) new QuotientAndProduct().Apply(x, y)[1].Backward();
        Expect.Elements(x.Grad, 2);
        Expect.Elements(y.Grad, 6);
    }

    [Fact]
    public void EachCallKeepsItsOwnSavedArrays()
    {
        QuotientAndProduct f = new();
        NDArray x = Leaf.Doubles(6), y = Leaf.Doubles(2);
        using (Autograd.Record())
        {
            NDArray first = f.Apply(x, y)[1];
            NDArray second = f.Apply(first, y)[1];
            _ = f.Apply(Nd.Array([9.0]), Nd.Array([9.0]));
            second.Backward();
        }

        Expect.Elements(x.Grad, 4);
        Expect.Elements(y.Grad, 24);
    }

    [Fact]
    public void GradientsOfEveryOrderWhenBackwardIsDifferentiable()
    {
        NDArray x = Leaf.Doubles(1.5), y = Leaf.Doubles(0.5);
        QuotientAndProduct f = new();
        GradientCheckReport report = Autograd.CheckGradients(inputs => f.Apply(inputs)[0] * 2 + f.Apply(inputs)[1], [x, y], order: 3);
        Assert.True(report.Passed, report.ToString());
        using (Autograd.Record())
        {
            NDArray dy = Autograd.Grad(f.Apply(x, y)[0], y, createGraph: true);
            NDArray dyy = Autograd.Grad(dy, y, createGraph: true);
            Expect.Near(1e-12, dyy, 2 * 1.5 / 0.125);
            Expect.Near(1e-12, Autograd.Grad(dyy, x), 2 / 0.125);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ASavedOutputIsAFunctionOfTheInputs(bool twice)
    {
        // σ′ = σ·(1 − σ), of the output that was kept.
        NDArray x = Leaf.Doubles(-1, 0.5, 2);
        OwnSigmoid f = new(twice);
        GradientCheckReport report = Autograd.CheckGradients(inputs => f.Apply(inputs)[0], [x], order: 3);
        Assert.True(report.Passed, report.ToString());
        using (Autograd.Record())
        {
            NDArray y = f.Apply(x)[0];
            NDArray slope = Autograd.Grad(y.Sum(), x, createGraph: true);
            slope.Sum().Backward();
        }

        NDArray s = x.Detach().Sigmoid();
        Expect.Near(1e-14, x.Grad, Expect.Doubles(s * (1 - s) * (1 - 2 * s)));
    }

    [Fact]
    public void NullSkipsJustThatInput()
    {
        NDArray x = Leaf.Of(2), y = Leaf.Of(5);
        y.Grad!.Fill(7);
        Rule f = new(static i => [i[0] * i[1]], static g => [g[0] * 10, null]);
        using (Autograd.Record()) (f.Apply(x, y)[0] + x).Backward();
        Expect.Elements(x.Grad, 11);
        Expect.Elements(y.Grad, 7);
        Assert.False(y.FreshGrad);
        using (Autograd.Record()) Assert.Throws<AutogradException>(() => Autograd.Grad(f.Apply(x, y)[0], y));
    }

    [Fact]
    public void AddAccumulatesThroughAFunction()
    {
        NDArray x = Leaf.Adding(2);
        Rule twice = new(static i => [i[0] * 2], static g => [g[0] * 2]);
        for (int i = 1; i <= 3; i++)
        {
            using (Autograd.Record()) (twice.Apply(x)[0] + twice.Apply(x)[0]).Backward();
            Expect.Elements(x.Grad, 4 * i);
        }
    }

    [Fact]
    public void ForwardRunsUnrecordedWithTheTrainingFlagOfTheCaller()
    {
        List<(bool, bool)> flags = [];
        Rule f = new(
            i =>
            {
                flags.Add((Autograd.IsRecording, Autograd.IsTraining));
                return [i[0] * 1];
            },
            g =>
            {
                flags.Add((Autograd.IsRecording, Autograd.IsTraining));
                return [g[0]];
            });
        NDArray x = Leaf.Of(1);
        NDArray y;
        using (Autograd.Record())
        {
            y = f.Apply(x)[0];
            Assert.True(Autograd.IsRecording && Autograd.IsTraining);
        }

        Autograd.Grad(y, x, createGraph: true);
        y.Backward();
        Assert.Equal([(false, true), (true, true), (false, true)], flags);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnExceptionRestoresTheRecordingState(bool inForward)
    {
        Rule f = new(i => inForward ? throw new InvalidTimeZoneException("mine") : [i[0] * 1], static _ => throw new InvalidTimeZoneException("mine"));
        NDArray x = Leaf.Of(1);
        using (Autograd.Record())
        {
            Assert.Equal("mine", Assert.Throws<InvalidTimeZoneException>(() => f.Apply(x)[0].Backward()).Message);
            Assert.True(Autograd.IsRecording && Autograd.IsTraining);
            (x * 2).Backward();
        }

        Assert.False(Autograd.IsRecording || Autograd.IsTraining);
        Expect.Elements(x.Grad, 2);
    }

    [Fact]
    public void AnInputThatIsReturnedAndAnArrayThatIsReturnedTwiceAreSeparateOutputs()
    {
        NDArray x = Leaf.Of(3);
        Rule f = new(
            static i =>
            {
                NDArray doubled = i[0] * 2;
                return [i[0], doubled, doubled];
            },
            static g => [g[0] + g[1] * 2 + g[2] * 20]);
        using (Autograd.Record())
        {
            IReadOnlyList<NDArray> y = f.Apply(x);
            Assert.NotSame(x, y[0]);
            Assert.NotSame(y[1], y[2]);
            (y[0] * 100 + y[1] + y[2]).Backward();
        }

        Expect.Elements(x.Grad, 100 + 2 + 20);
    }

    [Fact]
    public void FunctionsNest()
    {
        Rule square = new(static i => [i[0] * i[0]], static (g, saved) => [g[0] * saved[0] * 2], static i => [i[0]]);
        Rule outer = new(
            i => [square.Apply(square.Apply(i[0])[0])[0]],
            (g, saved) =>
            {
                // A gradient computed by another pass, from within this one.
                NDArray x = saved[0].Detach();
                x.AttachGrad();
                using (Autograd.Record()) square.Apply(square.Apply(x)[0])[0].Backward(g[0]);
                return [x.Grad];
            },
            static i => [i[0]]);
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record()) y = outer.Apply(x)[0] * 3;
        Expect.Elements(y, 48);
        y.Backward();
        Expect.Elements(x.Grad, 3 * 4 * 8);
    }

    [Fact]
    public void IntegerInputsTakeNoGradient()
    {
        NDArray x = Leaf.Of(1, 2, 3);
        Rule f = new(static i => [i[0].Take(i[1])], static g => [g[0].Sum() * Nd.Ones(3), null]);
        using (Autograd.Record()) f.Apply(x, Nd.Array([2, 0]))[0].Backward();
        Expect.Elements(x.Grad, 2, 2, 2);
    }

    [Fact]
    public void WithoutAVariableAmongTheInputsNothingIsRecorded()
    {
        Rule f = new(static i => [i[0] * 2], static g => [g[0]]);
        NDArray y;
        using (Autograd.Record()) y = f.Apply(Nd.Ones(1))[0];
        Expect.Throws<AutogradException>(() => y.Backward(), "no input requires a gradient");
        Expect.Throws<AutogradException>(() => f.Apply(Leaf.Of(1))[0].Backward(), "never recorded");
    }

    [Fact]
    public void WrongResultsAreNamedWithTheFunction()
    {
        NDArray x = Leaf.Of(1, 2);
        Assert.Throws<InvalidOperationException>(() => new Rule(static _ => null!, static g => g).Apply(x));
        Expect.Throws<InvalidOperationException>(() => new Rule(static i => [i[0], null!], static g => g).Apply(x), "output 1 is null");
        Expect.Throws<AutogradException>(() => Recorded(static _ => []).Backward(), "Rule.Backward", "0 gradients for 1 inputs");
        Expect.Throws<AutogradException>(() => Recorded(static _ => null!).Backward(), "Rule.Backward");
        Expect.Throws<ShapeException>(() => Recorded(static _ => [Nd.Ones(3)]).Backward(), "Rule.Backward", "gradient 0", "(3,)", "(2,)");
        Expect.Throws<ArgumentNullException>(() => new Rule(static i => i, static g => g).Apply(x, null!));
        Expect.Throws<ArgumentNullException>(() => new Rule(static i => i, static g => g).Apply(null!));
        Expect.Elements(x.Grad, 0, 0);

        NDArray Recorded(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray?>> backward)
        {
            using (Autograd.Record()) return new Rule(static i => [i[0] * 1], backward).Apply(x)[0];
        }
    }

    [Fact]
    public void ASavedArrayThatWasOverwrittenIsNamedWithTheFunction()
    {
        NDArray x = Leaf.Of(2), y = Leaf.Of(4);
        NDArray z;
        using (Autograd.Record()) z = new QuotientAndProduct().Apply(x, y)[0];
        y.Fill(1);
        Expect.Throws<AutogradException>(() => z.Backward(), "Backward of QuotientAndProduct", "saved array 1", "Fill", "CustomFunctionTests.cs");
    }

    [Fact]
    public void SavingIsPossibleInForwardOnly()
    {
        Expect.Throws<InvalidOperationException>(() => new Rule(static i => i, static g => g).SaveNow(Nd.Ones(1)), "Rule.SaveForBackward", "Forward");
        Expect.Throws<ArgumentNullException>(() => new Rule(static i => [i[0]], static g => g, static i => [null!]).Apply(Nd.Ones(1)));
    }

    [Fact]
    public void OneFunctionMayRunOnSeveralThreads()
    {
        QuotientAndProduct f = new();
        Parallel.For(0, 8, i =>
        {
            for (int k = 1; k <= 50; k++)
            {
                NDArray x = Leaf.Doubles(i + k), y = Leaf.Doubles(k);
                using (Autograd.Record()) f.Apply(x, y)[1].Backward();
                Expect.Elements(x.Grad, k);
                Expect.Elements(y.Grad, i + k);
            }
        });
    }

    /// <summary>x / y and x · y.</summary>
    internal sealed class QuotientAndProduct : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[0], inputs[1]);
            return [inputs[0] / inputs[1], inputs[0] * inputs[1]];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients)
        {
            (NDArray x, NDArray y) = (SavedArrays[0], SavedArrays[1]);
            (NDArray dm, NDArray dn) = (outputGradients[0], outputGradients[1]);
            return [dm / y + dn * y, dn * x - dm * x / y / y];
        }
    }

    /// <summary>A function made of two delegates and, if given, one that says what is saved.</summary>
    private sealed class OwnSigmoid(bool twice) : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            NDArray y = 1 / (1 + (-inputs[0]).Exp());
            SaveForBackward(y);
            return twice ? [y, y] : [y];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients)
        {
            NDArray y = SavedArrays[0], gradient = twice ? outputGradients[0] + outputGradients[1] : outputGradients[0];
            return [gradient * y * (1 - y)];
        }
    }

    private sealed class Rule(
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> forward,
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>, IReadOnlyList<NDArray?>> backward,
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>? save) : Autograd.Function
    {
        public Rule(Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> forward, Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray?>> backward)
            : this(forward, (g, _) => backward(g), null)
        {
        }

        public Rule(
            Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> forward,
            Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray?>> backward,
            Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> save)
            : this(forward, (g, _) => backward(g), save)
        {
        }

        public void SaveNow(NDArray array) => SaveForBackward(array);

        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            if (save is not null) SaveForBackward(save(inputs));
            return forward(inputs);
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => backward(outputGradients, SavedArrays);
    }
}
