namespace Fusion.Tests;

/// <summary>More of MLX's python/tests/test_compile.py, in our own words: random state, state and results that change with types, graphs of many shapes.</summary>
[Collection(nameof(ProcessState))]
public sealed class MlxStateTests
{
    [Fact]
    public void EveryThreadAdvancesAndSeedsItsRandomNumbers()
    {
        HybridFunction<Func<NDArray>> f = Hybrid.Hybridize(static () => Nd.Random.Uniform(0, 1, (10, 10)), Check.Strict);
        f.Invoke();
        NDArray[] drawn = new NDArray[5];
        Thread thread = new(() =>
        {
            for (int i = 0; i < drawn.Length; i++)
            {
                if (i >= 2) Nd.Random.Seed(i == 4 ? 1234UL : 42);
                drawn[i] = f.Invoke();
            }
        });
        thread.Start();
        thread.Join();
        Assert.NotNull(Bits.Difference(drawn[0], drawn[1]));
        Check.Same(drawn[2], drawn[3]);
        Assert.NotNull(Bits.Difference(drawn[3], drawn[4]));
        Assert.Equal(1, f.Report.CacheMisses);
    }

    [Fact]
    public void RandomNumbersAndWritesInPlaceGoTogether()
    {
        NDArray counter = Nd.Zeros(1);
        HybridFunction<Func<NDArray>> step = Hybrid.Hybridize(() =>
        {
            counter.Assign(counter + 1);
            return Nd.Random.Uniform(0, 1, 2);
        }, Check.Strict);
        Nd.Random.Seed(3);
        NDArray[] drawn = [step.Invoke(), step.Invoke(), step.Invoke()];
        Nd.Random.Seed(3);
        foreach (NDArray expected in drawn) Check.Same(Nd.Random.Uniform(0, 1, 2), expected);
        Check.Same(Nd.Full(1, 3), counter);
    }

    [Fact]
    public void TheNumberOfResultsMayDependOnTypesAndStateFollows()
    {
        NDArray state = Nd.Ones(1);
        HybridFunction<ListFunction> f = Hybrid.Hybridize((IReadOnlyList<NDArray> y) =>
        {
            NDArray before = state.Copy();
            if (y[0].DType == DType.Float32)
            {
                state.Assign(y[0] * 2);
                return [before, y[0], before + y[0]];
            }

            state.Assign(state * 2);
            return [before + y[0]];
        }, Check.Strict);
        for (int i = 0; i < 5; i++)
        {
            NDArray before = state.Copy();
            Check.Same([before, Nd.Ones(1), before + 1], f.Invoke([Nd.Ones(1)]));
            Check.Same([Nd.Full(1, 3)], f.Invoke([Nd.Ones(1, DType.Int32)]));
            Check.Same(Nd.Full(1, 4), state);
        }

        Assert.Equal(2, f.Report.VariantCount);
    }

    [Fact]
    public void AChainOfResultsAndTheSumOfTheLast() => Check.Both(static x =>
    {
        List<NDArray> y = [x[0]];
        for (int i = 0; i < 5; i++) y.Add(y[^1] + x[0]);
        return [.. y, y[^1].Sum()];
    }, TestArrays.Uniform(7));

    [Fact]
    public void TwoFunctionsCaptureTheSameComputedArray()
    {
        NDArray ones = Nd.Ones(10);
        NDArray b = Nd.Ones(6).ExpandDims(1) * ((1 - ones) * 0 + ones * 3);
        NDArray c = b * Nd.OnesLike(ones);
        NDArray a = Nd.Ones(6).ExpandDims(0);
        NDArray d = Hybrid.Hybridize((NDArray x) => x.MatMul(b), Check.Strict).Invoke(a);
        Check.Same(a.MatMul(b).MatMul(c.Transpose()), Hybrid.Hybridize((NDArray x) => x.MatMul(c.Transpose()), Check.Strict).Invoke(d));
    }

    [Fact]
    public void NumbersOfFloat64KeepAllTheirBits() => Check.Both(Check.List(static x => (x + Math.PI) * 2), TestArrays.Uniform(33, 1, DType.Float64));

    [Fact]
    public void AStretchedNumberIsUsedByAKernelAndASum() => Check.Both(static x =>
    {
        NDArray stretched = x[1].BroadcastTo(x[2].Shape);
        return [x[0] + stretched * x[2], stretched.Sum()];
    }, TestArrays.Uniform((10, 10)), Nd.Scalar(0.1), TestArrays.Uniform((10, 10), 3));

    [Fact]
    public void ManyNumbersOfOneElementInOneFunction()
    {
        NDArray[] a = [.. Enumerable.Range(0, 20).Select(static i => Nd.Scalar(2 * i))];
        NDArray[] b = [.. Enumerable.Range(0, 20).Select(static i => Nd.Scalar(i))];
        NDArray c = Nd.Scalar(0);
        Check.Both(Check.List(x => Enumerable.Range(0, 20).Aggregate(Nd.Scalar(0), (y, i) => y + a[i] * x * b[i] * c)), TestArrays.Uniform((2, 2)));
    }

    [Fact]
    public void ProductsOfSumsOfOneArray() => Check.Both(Check.List(static w => w.MatMul(w + w) + (w + w).MatMul(w + w)), TestArrays.Uniform((2, 2)));

    [Fact]
    public void ALossWhoseGradientIsAddedToAWeightInside()
    {
        ListFunction step = static x =>
        {
            NDArray w = x[0].Detach();
            w.AttachGrad();
            NDArray loss;
            using (Autograd.Record())
            {
                NDArray h = x[2].MatMul(w);
                NDArray y = h.MatMul(x[1]);
                h = h + y * y;
                loss = (h * h).Sum();
            }

            return [loss, x[0] + Autograd.Grad(loss, w)];
        };
        Check.Forward(step, TestArrays.Uniform((4, 4)), TestArrays.Uniform((4, 4), 2), TestArrays.Uniform((4, 4), 3));
    }

    [Fact]
    public void GathersThroughANormAndTheirGradients()
    {
        NDArray rows = Nd.Array([1, 3, 1, 0]);
        Check.Both(Check.List((table, scale) => (table.Take(rows) - table.Take(rows).Mean(-1, keepDims: true)).Square().Sum() * scale.Sum()), TestArrays.Uniform((10, 32)), TestArrays.Uniform(32));
    }

    [Fact]
    public void NegativeStridesInAndOut()
    {
        Check.Both(Check.List(static x => 2 * x.Flip(0)), TestArrays.Uniform(8));
        Check.Both(Check.List(static x => x.Flip(0).Slice(1, null, null, 2) * 3), TestArrays.Uniform((4, 6)));
        Check.Both(Check.List(static x => x + 1), TestArrays.Uniform((2, 3, 4, 5)).Flip(0).Flip(2));
    }

    [Fact]
    public void UnsignedNumbersHaveNoSignToDrop() => Check.Forward(Check.List(static x => x.Abs() + 1), Nd.Array([1, 200, 255]).AsType(DType.UInt8));

    [Fact]
    public void LogarithmsOfTwoBasesStayApart() => Check.Both(Check.List(static p => Nd.Stack([-(p * p.Log()).Sum(), -(p * p.Log2()).Sum()])), Nd.Array([0.1f, 0.2f, 0.3f, 0.4f]));

    [Fact]
    public void NaNEqualsNothingInsideAFunction() =>
        Check.Forward(static x => [Nd.Equal(x[0], x[0]).All(), Nd.NotEqual(x[0], x[0]).Any(), (x[0] + 2).IsInfinity()], Nd.Array([1f, float.NaN, 3, float.PositiveInfinity]));

    [Fact]
    public void LongNamesAndSmallResults() => Check.Both(Check.List(static (a, b) =>
    {
        for (int i = 0; i < 10; i++) (a, b) = (a - 1, b - 1);
        return (a + b).BroadcastTo(1) * 2;
    }), Nd.Scalar(10), Nd.Scalar(20));
}
