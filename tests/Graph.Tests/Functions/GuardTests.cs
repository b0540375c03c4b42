using Fusion.NN;

namespace Fusion.Tests;

/// <summary>A variant is used for what it was made for, and a miss says what differed.</summary>
public sealed class GuardTests
{
    [Fact]
    public void EveryPartOfTheSignatureIsGuarded()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray y) => x * y + 1, Check.Strict);
        NDArray x = TestArrays.Uniform((2, 3));
        NDArray y = TestArrays.Uniform((2, 3), 2);
        Miss(1, "the first call", () => f.Invoke(x, y));
        Miss(1, null, () => f.Invoke(y, x));
        Miss(2, "input 0 is", () => f.Invoke(TestArrays.Uniform((4, 3)), TestArrays.Uniform((4, 3))));
        Miss(3, "input 1 is Float64", () => f.Invoke(x, y.AsType(DType.Float64)), x, y);
        Miss(4, "training is True", () =>
        {
            using (Autograd.TrainMode()) f.Invoke(x, y);
        }, x, y);
        Miss(5, "recording is True", () =>
        {
            using (Autograd.Record(trainMode: false)) f.Invoke(x, y);
        }, x, y);
        NDArray variable = y.Copy();
        variable.AttachGrad();
        Miss(6, "input 1 carries a gradient", () =>
        {
            using (Autograd.Record(trainMode: false)) f.Invoke(x, variable);
        });
        Miss(6, null, () => f.Invoke(x, y));
        Assert.Equal(6, f.Report.VariantCount);

        void Miss(int misses, string? reason, Action call, params NDArray[] before)
        {
            if (before.Length > 0 && misses < 6) f.Invoke(before[0], before[1]);
            call();
            Assert.Equal(misses, f.Report.CacheMisses);
            if (reason is not null) Assert.Contains(reason, f.Report.LastMiss, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void TrainingAndInferenceDoNotMix()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => Autograd.IsTraining ? x * 2 : x, Check.Strict);
        NDArray x = Nd.Ones(3);
        for (int i = 0; i < 2; i++)
        {
            Check.Same(x, f.Invoke(x));
            using (Autograd.TrainMode()) Check.Same(x * 2, f.Invoke(x));
        }
    }

    [Fact]
    public void AMovedModuleIsTracedAgain()
    {
        Linear layer = new(3, 4);
        Func<NDArray> eager = () => (layer.Weight * 1.5).Tanh() + layer.Weight;
        HybridFunction<Func<NDArray>> f = eager.Hybridize(Check.Strict);
        NDArray expected = f.Invoke();
        layer.To(Device.Debug);
        for (int i = 0; i < 2; i++)
        {
            NDArray there = f.Invoke();
            Assert.Same(Device.Debug, there.Device);
            Check.Same(expected, there.To(Device.Cpu));
        }

        Assert.Contains("moved", f.Report.LastMiss, StringComparison.Ordinal);
        layer.To(Device.Cpu);
        Check.Same(expected, f.Invoke());
        Assert.Equal((2, 2L), (f.Report.VariantCount, f.Report.CacheMisses));
    }

    [Fact]
    public void ANewBatchSizeCompilesNoMachineCode()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray w) => (x.MatMul(w) * 1.0625 + 0.3125).Tanh() * 0.8125, Check.Strict);
        NDArray w = TestArrays.Uniform((5, 6), 2);
        w.AttachGrad();
        int compiled = 0;
        foreach (int batch in (int[])[8, 3, 100, 2, 64, 8])
        {
            NDArray x = TestArrays.Uniform((batch, 5), batch);
            Check.Same((x.MatMul(w) * 1.0625 + 0.3125).Tanh() * 0.8125, f.Invoke(x, w));
            using (Autograd.Record()) f.Invoke(x, w).Backward();
            if (batch == 8 && compiled == 0) compiled = f.Report.CompileCount;
            Assert.Equal(compiled, f.Report.CompileCount);
        }

        Assert.True(compiled > 0);
        Assert.Equal(10, f.Report.VariantCount);
    }

    [Fact]
    public void ATraceOfSizeOneIsNotUsedForSizeN()
    {
        foreach ((string name, Func<NDArray, NDArray> reduce) in ((string, Func<NDArray, NDArray>)[])
            [
                ("sum", static x => x.Sum()), ("mean", static x => x.Mean()), ("prod", static x => x.Prod()), ("max", static x => x.Max()), ("min", static x => x.Min()),
                ("argmax", static x => x.ArgMax()), ("argmin", static x => x.ArgMin()), ("any", static x => (x > 30).Any()), ("all", static x => (x > 5).All()),
            ])
        {
            NDArray buffer = Nd.Array([10f, 20, 30, 40, 50]);
            foreach (int[] order in (int[][])[[1, 2, 3, 4], [2, 1]])
            {
                HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray indices) => reduce(buffer.Take(indices)), Check.Strict);
                foreach (int n in order)
                {
                    NDArray indices = Nd.Arange(0, n, 1, DType.Int32);
                    Check.Same(reduce(buffer.Take(indices)), f.Invoke(indices), $"{name} of {n}");
                }
            }
        }
    }

    [Fact]
    public void BroadcastingAgainstSizeOneIsItsOwnVariant()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray y) => x * y, Check.Strict);
        foreach ((Shape a, Shape b) in ((Shape, Shape)[])[((1, 1), (3, 4)), ((3, 4), (3, 4)), ((3, 1), (1, 4)), ((3, 4), (1, 1)), ((1, 1), (1, 1)), ((0, 4), (1, 1))])
        {
            NDArray x = TestArrays.Uniform(a);
            NDArray y = TestArrays.Uniform(b, 2);
            Check.Same(x * y, f.Invoke(x, y));
        }
    }

    [Fact]
    public void EmptyArraysRun()
    {
        Check.Both(Check.List(static x => (x * 2).Tanh().Sum(0)), Nd.Zeros((0, 3)));
        Check.Both(Check.List(static x => (x * 2).Tanh().Sum(1)), Nd.Zeros((0, 3)));
        Check.Both(Check.List(static (x, y) => x.MatMul(y).Relu()), Nd.Zeros((2, 0)), Nd.Zeros((0, 3)));
        Check.Both(Check.List(static (x, y) => Nd.Concat([x, y]).Exp()), Nd.Zeros((0, 3)), Nd.Ones((2, 3)));
        Check.Both(Check.List(static x => x[1..1] * 2), Nd.Ones((4, 3)));
    }

    [Fact]
    public void TheVariantUnusedForLongestIsDropped()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 2, Check.Strict with { MaxVariants = 2 });
        f.Invoke(Nd.Ones(1));
        f.Invoke(Nd.Ones(2));
        f.Invoke(Nd.Ones(1));
        f.Invoke(Nd.Ones(3));
        Assert.Equal((2, 3L), (f.Report.VariantCount, f.Report.CacheMisses));
        f.Invoke(Nd.Ones(1));
        Assert.Equal(3, f.Report.CacheMisses);
        f.Invoke(Nd.Ones(2));
        Assert.Equal((2, 4L), (f.Report.VariantCount, f.Report.CacheMisses));
    }

    [Fact]
    public void OneVariantIsKeptWhateverTheLimit()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 2, Check.Strict with { MaxVariants = 0 });
        for (int i = 0; i < 2; i++)
        {
            Check.Same(Nd.Full(3, 2), f.Invoke(Nd.Ones(3)));
            Check.Same(Nd.Full(2, 2), f.Invoke(Nd.Ones(2)));
        }
    }

    [Fact]
    public void OptionsThatMeanNothingAreRefused()
    {
        Assert.Contains("MaxVariants: -1", Assert.Throws<ArgumentOutOfRangeException>(static () => new HybridOptions { MaxVariants = -1 }).Message, StringComparison.Ordinal);
        Assert.Contains("Verify: 9", Assert.Throws<ArgumentOutOfRangeException>(static () => new HybridOptions { Verify = (HybridVerify)9 }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheNumberOfArraysInAListIsGuarded()
    {
        HybridFunction<ListFunction> f = Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) => [x.Aggregate(static (a, b) => a + b)], Check.Strict);
        foreach (int n in (int[])[1, 3, 2, 3])
            Check.Same(Nd.Full(4, n), f.Invoke([.. Enumerable.Range(0, n).Select(static _ => Nd.Ones(4))])[0]);
        Assert.Equal(3, f.Report.VariantCount);
    }

    [Fact]
    public void ClearForgetsVariants()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * 2, Check.Strict);
        Func<NDArray, NDArray> invoke = f.Invoke;
        f.Invoke(Nd.Ones(3));
        f.Clear();
        Assert.Equal((0, 0), (f.Report.VariantCount, f.Report.KernelCount));
        Check.Same(Nd.Full(3, 2), f.Invoke(Nd.Ones(3)));
        Assert.Same(invoke, f.Invoke);
    }
}
