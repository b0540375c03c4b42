namespace Fusion.Tests;

/// <summary>Arrays that a function uses without being given them are read by reference at every call; numbers are constants.</summary>
public sealed class CaptureTests
{
    [Fact]
    public void AnUpdateInPlaceIsSeenByTheNextCall()
    {
        NDArray weight = Nd.Ones((3, 4));
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * weight, Check.Strict);
        NDArray x = TestArrays.Uniform((3, 4));
        Check.Same(x, f.Invoke(x));
        weight.Fill(3);
        Check.Same(x * 3, f.Invoke(x));
        weight[1] = Nd.Array([1f, 2, 3, 4]);
        Check.Same(x * weight, f.Invoke(x));
        weight.Assign(Nd.Full((3, 4), -1));
        Check.Same(-x, f.Invoke(x));
        weight.CopyFrom(x.ToArray<float>());
        Check.Same(x * x, f.Invoke(x));
        Assert.Equal(1, f.Report.CacheMisses);
    }

    [Fact]
    public void AnotherArrayInTheSameVariableIsNotSeen()
    {
        NDArray weight = Nd.Ones(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * weight, Check.Strict);
        f.Invoke(Nd.Ones(3));
        weight = Nd.Full(3, 2);
        Check.Same(Nd.Ones(3), f.Invoke(Nd.Ones(3)));
        f.Clear();
        Check.Same(weight, f.Invoke(Nd.Ones(3)));
    }

    [Fact]
    public void ACapturedNumberIsAConstantOfTheTrace()
    {
        double factor = 2;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * factor, Check.Strict);
        Check.Same(Nd.Full(3, 2), f.Invoke(Nd.Ones(3)));
        factor = 5;
        Check.Same(Nd.Full(3, 2), f.Invoke(Nd.Ones(3)));
        Check.Same(Nd.Full(4, 5), f.Invoke(Nd.Ones(4)));
        f.Clear();
        Check.Same(Nd.Full(3, 5), f.Invoke(Nd.Ones(3)));
    }

    [Fact]
    public void GradientsReachCapturedVariables()
    {
        NDArray weight = TestArrays.Uniform((4, 2), 5);
        weight.AttachGrad();
        ListFunction f = Check.List(x => x.MatMul(weight).Tanh() + weight.Sum());
        (_, NDArray?[] expected) = Check.Gradients(f, TestArrays.Uniform((3, 4)));
        NDArray expectedWeight = weight.Grad!.Copy();
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        for (int call = 0; call < 2; call++)
        {
            weight.ZeroGrad();
            (_, NDArray?[] actual) = Check.Gradients(compiled.Invoke, TestArrays.Uniform((3, 4)));
            Check.Same(expected, actual);
            Check.Same(expectedWeight, weight.Grad);
        }
    }

    [Fact]
    public void ACapturedArrayThatBeginsToCarryAGradientIsNoticed()
    {
        NDArray weight = Nd.Full(3, 2);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * weight, Check.Strict);
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        using (Autograd.Record()) f.Invoke(x).Backward();
        weight.AttachGrad();
        using (Autograd.Record()) f.Invoke(x).Backward();
        Check.Same(x, weight.Grad);
        Assert.Contains("captured", f.Report.LastMiss, StringComparison.Ordinal);
        weight.DropGrad();
        using (Autograd.Record()) f.Invoke(x).Backward();
        Assert.Equal(2, f.Report.CacheMisses);
    }

    [Fact]
    public void ACapturedIntermediateGetsItsGradientThroughItsHistory()
    {
        NDArray w = TestArrays.Uniform(4, 2);
        NDArray x = TestArrays.Uniform(4, 3);
        NDArray[] gradients = new NDArray[2];
        for (int i = 0; i < 2; i++)
        {
            w.AttachGrad();
            using (Autograd.Record())
            {
                NDArray scale = w.Exp();
                Func<NDArray, NDArray> f = x => x * scale;
                (i == 0 ? f : f.Hybridize(Check.Strict).Invoke)(x).Backward();
            }

            gradients[i] = w.Grad!.Copy();
        }

        Check.Same(gradients[0], gradients[1]);
    }

    [Fact]
    public void ADisposedCapturedArrayIsNamedAtTheCall()
    {
        NDArray weight = Nd.Ones(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * weight, Check.Strict);
        f.Invoke(Nd.Ones(3));
        weight.Dispose();
        Assert.Throws<ObjectDisposedException>(() => f.Invoke(Nd.Ones(3)));
    }

    [Fact]
    public void OverwritingWhatBackwardNeedsIsAnErrorAndOverwritingTheRestIsNot()
    {
        NDArray bias = Nd.Ones(3);
        NDArray weight = Nd.Full(3, 2);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * weight + bias, Check.Strict);
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = f.Invoke(x);
        bias.Fill(9);
        y.Backward();
        Check.Same(weight, x.Grad);
        using (Autograd.Record()) y = f.Invoke(x);
        weight.Fill(9);
        Assert.Contains("Hybrid", Assert.Throws<AutogradException>(() => y.Backward()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnInputThatBackwardDoesNotReadMayBeOverwritten()
    {
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        Func<NDArray, NDArray> f = static x => x * 3 + 1;
        foreach (Func<NDArray, NDArray> g in (Func<NDArray, NDArray>[])[f, f.Hybridize(Check.Strict).Invoke])
        {
            NDArray y;
            using (Autograd.Record()) y = g(x);
            x.Fill(5);
            y.Backward();
            Check.Same(Nd.Full(3, 3), x.Grad);
        }
    }
}
