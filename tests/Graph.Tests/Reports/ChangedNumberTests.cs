namespace Fusion.Tests;

/// <summary>A number of C# that is another one at the next trace is reported; numbers that come from sizes are not.</summary>
public sealed class ChangedNumberTests
{
    [Fact]
    public void ANumberThatHasChangedIsNamed()
    {
        double factor = 2.5;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => ((x + 1) * factor).Tanh(), Check.Strict);
        f.Invoke(Nd.Ones((2, 3)));
        f.Invoke(Nd.Ones((4, 3)));
        Assert.DoesNotContain("number has changed", f.Report.ToString(), StringComparison.Ordinal);
        factor = 3.25;
        f.Invoke(Nd.Ones((5, 3)));
        Assert.Contains("older variants keep theirs: Multiply had the operand 2.5, now 3.25", f.Report.ToString(), StringComparison.Ordinal);
        f.Clear();
        f.Invoke(Nd.Ones((5, 3)));
        Assert.DoesNotContain("number has changed", f.Report.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(28)]
    public void SoItIsBesideArraysWithAxesOfOneElement(int rank)
    {
        int[] shape = [.. Enumerable.Repeat(1, rank - 1), 3];
        double factor = 2.5;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => (x * factor).Tanh(), Check.Strict);
        f.Invoke(Nd.Ones(shape));
        factor = 3.25;
        shape[^1] = 4;
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        f.Invoke(Nd.Ones(shape));
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 30);
        Assert.Contains("Multiply had the operand 2.5, now 3.25", f.Report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void TheFirstOfSeveralIsNamedAlsoInWhatIsWritten()
    {
        double factor = 2;
        NDArray state = Nd.Zeros(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) =>
        {
            state.Assign(state + x.Sum() * factor);
            return x / (factor + 0.5);
        }, Check.Strict);
        f.Invoke(Nd.Ones(7));
        factor = 5;
        f.Invoke(Nd.Ones(9));
        Assert.Contains("Multiply had the operand 2, now 5", f.Report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void NumbersThatComeFromSizesAreNotNamed()
    {
        HybridFunction<ListFunction> f = Hybrid.Hybridize(
            static (IReadOnlyList<NDArray> x) =>
            [
                x[0].Mean(), x[0].Mean(0), x[0].Var(0), x[0].Std(), x[0].MatMul(x[0].Transpose()) / Math.Sqrt(x[0].Shape[1]), x[0] * x[0].Shape[0], x[0] / x[0].Size,
                x[0].Square().Sum() * (1.0 / x[0].Size),
            ],
            Check.Strict);
        foreach ((int rows, int columns) in ((int, int)[])[(4, 9), (5, 9), (5, 7), (30, 20)])
        {
            NDArray x = TestArrays.Uniform((rows, columns));
            x.AttachGrad();
            using (Autograd.Record()) Autograd.Backward([.. f.Invoke([x])]);
            Assert.DoesNotContain("number has changed", f.Report.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OtherProgramsAreNotCompared()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Rank == 1 ? x * 2.5 : x.Exp() * 3.5 + 1, Check.Strict);
        f.Invoke(Nd.Ones(3));
        f.Invoke(Nd.Ones((3, 3)));
        Assert.DoesNotContain("number has changed", f.Report.ToString(), StringComparison.Ordinal);
    }

    /// <summary>What computes the function again for a gradient took the new number, and the gradient was none of the call.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AGradientThatComputesTheFunctionAgainRefusesAnotherNumber(bool secondOrder)
    {
        double factor = 2;
        int axis = 0;
        HybridFunction<ListFunction> f = ((ListFunction)(x => [(x[0] * factor).Tanh().Sum(axis), x[0] * x[0]])).Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform((3, 3));
        x.AttachGrad();
        Gradient(static () => { });
        Assert.Contains("Multiply had the operand 2, now 3", Assert.Throws<AutogradException>(() => Gradient(() => factor = 3)).Message, StringComparison.Ordinal);
        f.Clear();
        Gradient(static () => { });
        Assert.Contains("Sum had ", Assert.Throws<AutogradException>(() => Gradient(() => axis = 1)).Message, StringComparison.Ordinal);

        void Gradient(Action change)
        {
            f.Clear();
            using RecordScope scope = Autograd.Record();
            IReadOnlyList<NDArray> y = f.Invoke([x]);
            change();
            if (secondOrder) Autograd.Grad([y[0]], [x], createGraph: true)[0].Sum().Backward();
            else y[0].Backward();
        }
    }

    [Fact]
    public void SoItIsWhereNoGradientFlowsThroughTheNumber()
    {
        double factor = 2;
        HybridFunction<ListFunction> f = ((ListFunction)(x => [x[0] * (x[0].Detach() * factor).Exp(), x[0] * x[0]])).Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform(3);
        x.AttachGrad();
        IReadOnlyList<NDArray> y;
        using (Autograd.Record()) y = f.Invoke([x]);
        factor = 3;
        Assert.Contains("Multiply had the operand 2, now 3", Assert.Throws<AutogradException>(() => y[0].Backward(retainGraph: true)).Message, StringComparison.Ordinal);
        factor = 2;
        y[0].Backward();
        Check.Same((x.Detach() * 2).Exp(), x.Grad);
    }
}
