namespace Fusion.Tests;

/// <summary>Functions inside functions, and what goes in and out of them.</summary>
public sealed class StructureTests
{
    [Fact]
    public void ANestedFunctionIsInlinedAndFused()
    {
        HybridFunction<Func<NDArray, NDArray>> inner = Hybrid.Hybridize((NDArray x) => x.Tanh() * 2, Check.Strict);
        HybridReport report = Check.Backward(Check.List(x => inner.Invoke(inner.Invoke(x) + 1).Sigmoid()), TestArrays.Uniform((4, 5)));
        Assert.Equal(2, report.KernelCount);
        Check.Same(TestArrays.Uniform(3).Tanh() * 2, inner.Invoke(TestArrays.Uniform(3)));
    }

    [Fact]
    public void RowsAreVisitedWhileAFunctionIsTraced()
    {
        static NDArray Squares(NDArray x)
        {
            NDArray sum = Nd.Zeros(5);
            foreach (NDArray row in x) sum += row * row;
            return sum;
        }

        Check.Backward(Check.List(Squares), TestArrays.Uniform((4, 5)));
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((Func<NDArray, NDArray>)Squares, Check.Strict);
        foreach (int n in (int[])[4, 1, 0, 7]) Check.Same(Squares(Nd.Ones((n, 5))), f.Invoke(Nd.Ones((n, 5))));
    }

    /// <summary>x is used inside and outside the function: all paths of its gradient are added up in the order of the tape.</summary>
    [Fact]
    public void FunctionsOnATapeAreNodesLikeOthers()
    {
        Func<NDArray, NDArray> f = static x => x.Tanh() * x;
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray[] gradients = new NDArray[2];
        for (int i = 0; i < 2; i++)
        {
            Func<NDArray, NDArray> g = i == 0 ? f : compiled.Invoke;
            NDArray x = TestArrays.Uniform((3, 4));
            x.AttachGrad();
            using (Autograd.Record()) (g(x) * x + g(g(x)).Exp() + g(x[1..]).Sum()).Backward();
            gradients[i] = x.Grad!;
        }

        Check.Same(gradients[0], gradients[1]);
    }

    [Fact]
    public void ACallInsideRecordIsOneNode()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x.Tanh() * x + 1, Check.Strict);
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        using (Autograd.Record()) Assert.Single(Autograd.GetSymbol(f.Invoke(x)).Nodes, static n => n.ToString().Contains("Hybrid", StringComparison.Ordinal));
    }

    [Fact]
    public void OutputsMayRepeatAndMayBeInputs()
    {
        Check.Both(x =>
        {
            NDArray y = x[0] * 2;
            return [y, y, x[1], x[0], y];
        }, TestArrays.Uniform(5), TestArrays.Uniform(5, 2));
        NDArray z = Nd.Ones(3);
        IReadOnlyList<NDArray> results = Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) => [x[0], x[0] * 1, x[0] + 1], Check.Strict).Invoke([z]);
        results[0].Fill(5);
        Check.Same(Nd.Ones(3), z);
        Check.Same(Nd.Ones(3), results[1]);
    }

    [Fact]
    public void OutputsOfOneCallAreIndependentOfTheNext()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => (x * 2).Tanh() + 1, Check.Strict);
        NDArray first = f.Invoke(Nd.Ones(10));
        NDArray copy = first.Copy();
        NDArray second = f.Invoke(Nd.Zeros(10));
        Check.Same(copy, first);
        first.Fill(9);
        Check.Same(Nd.Ones(10), second);
    }

    [Fact]
    public void RepeatedOutputsAreApart()
    {
        IReadOnlyList<NDArray> results = Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) =>
        {
            NDArray y = x[0] * 2;
            return [y, y, y.Reshape(-1), y.Transpose()];
        }, Check.Strict).Invoke([Nd.Ones((2, 2))]);
        results[0].Fill(7);
        Check.Same(Nd.Full((2, 2), 2), results[1]);
        results[2].Fill(8);
        Check.Same(Nd.Full((2, 2), 2), results[3]);
    }

    [Fact]
    public void OutputsMayBeCapturedOrConstant()
    {
        NDArray captured = TestArrays.Uniform(4, 9);
        HybridFunction<ListFunction> f = Hybrid.Hybridize((IReadOnlyList<NDArray> x) => [captured, Nd.Scalar(3), Nd.Ones(2), captured[1..], captured * 1], Check.Strict);
        IReadOnlyList<NDArray> results = f.Invoke([Nd.Ones(1)]);
        Check.Same([captured, Nd.Scalar(3), Nd.Ones(2), captured[1..], captured], results);
        NDArray before = captured.Copy();
        foreach (NDArray result in results) result.Fill(-1);
        Check.Same(before, captured);
        Check.Same([captured, Nd.Scalar(3), Nd.Ones(2), captured[1..], captured], f.Invoke([Nd.Ones(1)]));
    }

    [Fact]
    public void CapturedVariablesAsOutputsKeepTheirGradient()
    {
        NDArray weight = TestArrays.Uniform(4, 9);
        weight.AttachGrad();
        using (Autograd.Record())
        {
            IReadOnlyList<NDArray> results = Hybrid.Hybridize((IReadOnlyList<NDArray> x) => [weight, x[0] * weight], Check.Strict).Invoke([Nd.Full(4, 3)]);
            (results[0] + results[1]).Backward();
        }

        Check.Same(Nd.Full(4, 4), weight.Grad);
    }

    [Fact]
    public void UnusedInputsHaveZeroGradients()
    {
        HybridReport report = Check.Both(Check.List(static (x, y) => x * 2), TestArrays.Uniform(5), TestArrays.Uniform((3, 7), 2));
        Assert.Equal(2, report.KernelCount);
    }

    [Fact]
    public void TheSameArrayMayBePassedTwice()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray y) => x * y + x, Check.Strict);
        NDArray x = TestArrays.Uniform(5);
        x.AttachGrad();
        using (Autograd.Record()) f.Invoke(x, x).Backward();
        Check.Same(x * 2 + 1, x.Grad);
    }

    [Fact]
    public void FunctionsWithoutInputsAndWithEight()
    {
        NDArray captured = Nd.Ones(3);
        HybridFunction<Func<NDArray>> none = Hybrid.Hybridize(() => captured * 2, Check.Strict);
        HybridFunction<Func<IReadOnlyList<NDArray>>> list = Hybrid.Hybridize((Func<IReadOnlyList<NDArray>>)(() => [captured + 1, captured]), Check.Strict);
        Check.Same(Nd.Full(3, 2), none.Invoke());
        Check.Same([Nd.Full(3, 2), captured], list.Invoke());
        captured.Fill(5);
        Check.Same(Nd.Full(3, 10), none.Invoke());
        HybridFunction<Func<NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray, NDArray>> eight =
            Hybrid.Hybridize((NDArray a, NDArray b, NDArray c, NDArray d, NDArray e, NDArray g, NDArray h, NDArray i) => a + b * c - d * e + g * h - i, Check.Strict);
        NDArray[] x = [.. Enumerable.Range(0, 8).Select(static i => TestArrays.Uniform(5, i))];
        Check.Same(x[0] + x[1] * x[2] - x[3] * x[4] + x[5] * x[6] - x[7], eight.Invoke(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]));
    }

    [Fact]
    public void AFunctionMayReturnNothing() =>
        Assert.Empty(Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) => [], Check.Strict).Invoke([Nd.Ones(1)]));

    [Fact]
    public void FunctionsThatCreateArraysGiveFreshOnes()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => Nd.ZerosLike(x) + Nd.Arange(0, 3) + Nd.Eye(3), Check.Strict);
        NDArray first = f.Invoke(Nd.Ones((3, 3)));
        first.Fill(4);
        Check.Same(Nd.Arange(0, 3) + Nd.Eye(3), f.Invoke(Nd.Ones((3, 3))));
    }
}
