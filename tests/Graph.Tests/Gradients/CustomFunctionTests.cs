namespace Fusion.Tests;

/// <summary>Functions with gradients of their own, checkpoints and stopped gradients inside compiled functions. They seed the random numbers that all threads draw from.</summary>
[Collection(nameof(ProcessState))]
public sealed class CustomFunctionTests
{
    [Fact]
    public void ACustomGradientIsTraced()
    {
        HybridReport report = Check.Backward(Check.List(static x => new Reversed().Apply(x * 2)[0] + x), TestArrays.Uniform(5));
        Assert.True(report.KernelCount <= 2);
    }

    [Fact]
    public void ACustomFunctionWithSavedArraysWorksToTheSecondOrder()
    {
        ListFunction f = Check.List(static x => new MySigmoid().Apply(x.Sin())[0] * x);
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        foreach (ListFunction g in (ListFunction[])[compiled.Invoke, compiled.Invoke])
            Check.Same(SecondOrder(f), SecondOrder(g));
        Assert.True(SecondOrder(f).AllClose(SecondOrder(Check.List(static x => x.Sin().Sigmoid() * x)), relative: 1e-4));
    }

    [Fact]
    public void ANullGradientSkipsThatInput() =>
        Check.Backward(Check.List(static (x, y) => new FirstOnly().Apply(x, y)[0] * y), TestArrays.Uniform(5), TestArrays.Uniform(5, 2));

    [Fact]
    public void CheckpointsComputeTheSame()
    {
        Check.Both(Check.List(static x => Autograd.Checkpoint(static y => (y * 2).Tanh() * y, x) + x), TestArrays.Uniform(5));
        NDArray w = TestArrays.Uniform((5, 5), 4);
        w.AttachGrad();
        ListFunction f = Check.List(x => Autograd.Checkpoint(y => y.MatMul(w).Tanh(), x.Exp()));
        (_, NDArray?[] expected) = Check.Gradients(f, TestArrays.Uniform((2, 5)));
        NDArray gradient = w.Grad!.Copy();
        w.ZeroGrad();
        (_, NDArray?[] actual) = Check.Gradients(f.Hybridize(Check.Strict).Invoke, TestArrays.Uniform((2, 5)));
        Check.Same(expected, actual);
        Check.Same(gradient, w.Grad);
    }

    [Fact]
    public void ACompiledFunctionInsideACheckpoint()
    {
        HybridFunction<Func<NDArray, NDArray>> inner = Hybrid.Hybridize((NDArray x) => (x * 2).Tanh() * x, Check.Strict);
        ListFunction eager = Check.List(static x => (x * 2).Tanh() * x);
        Check.Same(Check.Gradients(eager, TestArrays.Uniform(5)).Gradients, Check.Gradients(Check.List(x => Autograd.Checkpoint(inner.Invoke, x)), TestArrays.Uniform(5)).Gradients);
    }

    /// <summary>The compiled gradient had the flag of the tape in it.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void TheTrainingFlagOfBackwardReachesTheCompiledGradient(bool recorded, bool checkpointed)
    {
        ListFunction f = x => [checkpointed ? Autograd.Checkpoint(Inner, x[0]) : Inner(x[0])], compiled = f.Hybridize(Check.Strict).Invoke;
        foreach (bool? trainMode in (bool?[])[null, true, false, null])
            Check.Same(Gradient(f, trainMode), Gradient(compiled, trainMode), $"the gradient in mode {trainMode}");

        static NDArray Inner(NDArray x) => new FlagFactor().Apply(x.Sin().Dropout(0.5))[0] * x;

        NDArray Gradient(ListFunction function, bool? trainMode)
        {
            NDArray x = TestArrays.Uniform(9), y;
            x.AttachGrad();
            Nd.Random.Seed(3);
            using (Autograd.Record(trainMode: recorded)) y = function([x])[0];
            y.Backward(trainMode: trainMode);
            return x.Grad!;
        }
    }

    [Fact]
    public void StoppedGradientsStop() =>
        Check.Both(x => [x[0] * x[0].StopGradient(), x[0].Detach() * x[1], Paused(x[0]) + x[1]], TestArrays.Uniform(5), TestArrays.Uniform(5, 2));

    [Fact]
    public void AFunctionWithoutAnyGradientIsRecordedWithout() => Check.Backward(x => [x[0].Floor(), (x[0] > 0).AsType(DType.Float32), x[0].StopGradient()], TestArrays.Uniform(5));

    // The gradient is twice what it should be in training mode, and three times otherwise.
    private sealed class FlagFactor : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0] * 1];

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * (Autograd.IsTraining ? 2 : 3)];
    }

    private static NDArray Paused(NDArray x)
    {
        using (Autograd.Pause()) return x * 3;
    }

    private static NDArray SecondOrder(ListFunction f)
    {
        NDArray x = TestArrays.Uniform(5);
        x.AttachGrad();
        using (Autograd.Record()) Autograd.Grad(f([x])[0], x, createGraph: true).Square().Backward();
        return x.Grad!;
    }

    private sealed class Reversed : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0] * 1];

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [-outputGradients[0]];
    }

    private sealed class FirstOnly : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0] * inputs[1]];

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * 2, null];
    }

    // Its gradient was lost: the graph of the results does not lead there.
    [Fact]
    public void AGradientArrivesAtACapturedArrayThatForwardDoesNotUse()
    {
        NDArray captured = TestArrays.Uniform(3, 5);
        captured.AttachGrad();
        ListFunction f = Check.List(x => new Unused().Apply(captured, x)[0]);
        foreach (ListFunction call in (ListFunction[])[f, f.Hybridize(Check.Strict).Invoke])
        {
            captured.ZeroGrad();
            using (Autograd.Record()) call([Nd.Full(3, 2)])[0].Backward();
            Check.Same(Nd.Full(3, 2), captured.Grad);
        }
    }

    [Fact]
    public void ACapturedArrayThatForwardDoesNotUseIsGuarded()
    {
        NDArray captured = TestArrays.Uniform(3, 5);
        HybridFunction<ListFunction> f = Check.List(x => new Unused().Apply(captured, x)[0]).Hybridize(Check.Strict);
        using (Autograd.Record()) f.Invoke([Nd.Full(3, 2)]);
        captured.AttachGrad();
        using (Autograd.Record()) f.Invoke([Nd.Full(3, 2)])[0].Backward();
        Check.Same(Nd.Full(3, 2), captured.Grad);
    }

    private sealed class Unused : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[1]);
            return [inputs[1] + 1];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * SavedArrays[0], null];
    }


    private sealed class MySigmoid : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            NDArray y = 1 / (1 + (-inputs[0]).Exp());
            SaveForBackward(y);
            return [y];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) =>
            [outputGradients[0] * SavedArrays[0] * (1 - SavedArrays[0])];
    }

    // The flag was ignored there.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheTrainingFlagOfBackwardIsHeededOrRefused(bool recorded)
    {
        NDArray state = Nd.Full(9, 2);
        ListFunction f = Check.List(x =>
        {
            NDArray y = new FlagFactor().Apply(x * (state * 1))[0];
            state.Assign(state + 1);
            return y;
        });
        ListFunction compiled = f.Hybridize(Check.Strict).Invoke;
        foreach (bool? trainMode in (bool?[])[null, recorded])
        {
            state.Fill(2);
            NDArray expected = Gradient(f, trainMode);
            state.Fill(2);
            Check.Same(expected, Gradient(compiled, trainMode), $"the gradient in mode {trainMode}");
        }

        Assert.Contains("trainMode", Assert.Throws<AutogradException>(() => Gradient(compiled, !recorded)).Message, StringComparison.Ordinal);

        NDArray Gradient(ListFunction function, bool? trainMode)
        {
            NDArray x = TestArrays.Uniform(9), y;
            x.AttachGrad();
            using (Autograd.Record(trainMode: recorded)) y = function([x])[0];
            y.Backward(trainMode: trainMode);
            return x.Grad!;
        }
    }
}
