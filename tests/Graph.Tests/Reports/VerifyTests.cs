using Fusion.Kernels;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Verification finds wrong results and names the first operator that diverges, with its line. One test seeds the random numbers that all threads draw from.</summary>
[Collection(nameof(ProcessState))]
public sealed class VerifyTests
{
    // An operator whose compiled formula is not its eager one, from 4 097 elements on.
    private static readonly Op s_skewed = new()
    {
        Name = "Skewed",
        Infer = static (x, _, y) => y[0] = x[0],
        Run = static (x, _, y) => Movement.CopyTo(x[0].Sin(), y[0]),
        Gradient = [static c => s_skewed!.Apply(c.G)],
        Element = ElementOps.Tanh,
        Cost = Cost.MemoryBound,
    };

    private static readonly Op s_rightForward = new()
    {
        Name = "RightForward",
        Infer = static (x, _, y) => y[0] = x[0],
        Run = static (x, _, y) => Movement.CopyTo(x[0], y[0]),
        Gradient = [static c => s_skewed.Apply(c.G)],
        Cost = Cost.MemoryBound,
    };

    public static TheoryData<HybridVerify> Modes => [.. Enum.GetValues<HybridVerify>()];

    [Theory]
    [MemberData(nameof(Modes))]
    public void CorrectFunctionsPass(HybridVerify mode)
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize(
            static (NDArray x, NDArray y) => Nd.Where(x > 0, x.MatMul(y).Log(), x).Transpose()[1..] * 2, Check.Strict with { Verify = mode });
        for (int i = 0; i < 3; i++)
        {
            NDArray x = TestArrays.Special((5, 5), i);
            x.AttachGrad();
            using (Autograd.Record()) f.Invoke(x, TestArrays.Special((5, 5), i + 9)).Backward();
            f.Invoke(x, x);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhereOnlyTheEagerFunctionFailsTheOptimizerIsWhatItWas(bool stepsFirst)
    {
        NDArray w = Nd.Ones(3);
        w.AttachGrad();
        Sgd optimizer = new([w], 0.1);
        ExponentialSchedule schedule = new(optimizer, 0.5);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray index) =>
            {
                using (Autograd.Record()) (w * 2).Sum().Backward();
                if (stepsFirst) Step();
                _ = w.Take(index);
                if (!stepsFirst) Step();
                return w + 0;
            },
            Check.Strict with { Verify = HybridVerify.Always });
        f.Invoke(Nd.Array([2]));
        NDArray before = w.Detach().Copy();
        Assert.Throws<ArgumentOutOfRangeException>(() => f.Invoke(Nd.Array([5])));
        Check.Same(before, w.Detach());
        Assert.Equal((1, 1, 0.05, false), (optimizer.StepCount, schedule.StepCount, optimizer.LearningRate, w.FreshGrad));

        void Step()
        {
            optimizer.Step();
            schedule.Step();
        }
    }

    // The compiled function does not compute what nobody needs.
    [Fact]
    public void WhereOnlyTheEagerFunctionFailsTheCallChangesNothing()
    {
        NDArray state = Nd.Zeros(3);
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x, NDArray index) =>
            {
                state.Assign(state + 1);
                NDArray y = x + Nd.Random.Uniform(0, 1, 3);
                _ = x.Take(index);
                return y;
            },
            Check.Strict with { Verify = HybridVerify.Always });
        f.Invoke(Nd.Ones(3), Nd.Array([2]));
        Nd.Random.Seed(7);
        Assert.Throws<ArgumentOutOfRangeException>(() => f.Invoke(Nd.Ones(3), Nd.Array([3])));
        NDArray next = Nd.Random.Uniform(0, 1, 3);
        Nd.Random.Seed(7);
        Assert.Equal(Nd.Random.Uniform(0, 1, 3).ToArray<float>(), next.ToArray<float>());
        Assert.Equal([1f, 1f, 1f], state.ToArray<float>());
    }

    [Theory]
    [InlineData(HybridVerify.Off, 1)]
    [InlineData(HybridVerify.FirstCall, 2)]
    [InlineData(HybridVerify.Always, 4)]
    public void TheFunctionRunsAsOftenAsTheModeSays(HybridVerify mode, int runs)
    {
        int count = 0;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) =>
        {
            count++;
            return x * 2;
        }, Check.Strict with { Verify = mode });
        for (int i = 0; i < 3; i++) f.Invoke(Nd.Ones(3));
        Assert.Equal(runs, count);
    }

    [Fact]
    public void AChangedNumberIsNamedWithItsLine()
    {
        double factor = 2;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => (x + 1) * factor - 3, Check.Strict with { Verify = HybridVerify.Always });
        f.Invoke(Nd.Ones(3));
        factor = 5;
        string message = Assert.Throws<HybridizeException>(() => f.Invoke(Nd.Ones(3))).Message;
        Assert.Matches(@"Output 0, Float32 \(3,\), differs from the eager result at element 0\. .*operator 1, Multiply at VerifyTests\.cs:\d+, had the operand 2, now 5", message);
        Assert.Contains("Clear()", message, StringComparison.Ordinal);
        f.Clear();
        Check.Same(Nd.Full(3, 7), f.Invoke(Nd.Ones(3)));
    }

    [Fact]
    public void AChangedPathIsNamed()
    {
        bool first = true;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => first ? x.Exp() : x.Log(), Check.Strict with { Verify = HybridVerify.Always });
        f.Invoke(Nd.Full(3, 2));
        first = false;
        Assert.Matches(@"operator 0, Log at VerifyTests\.cs:\d+, was Exp", Assert.Throws<HybridizeException>(() => f.Invoke(Nd.Full(3, 2))).Message);
    }

    [Fact]
    public void TheFirstOperatorOfAKernelThatDivergesIsNamedWithItsLine()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            static (NDArray x) =>
            {
                NDArray y = x * 2;
                NDArray z = s_skewed.Apply(y);
                return (z + 1).Exp();
            },
            Check.Strict with { Verify = HybridVerify.FirstCall });
        Check.Same(((TestArrays.Uniform(64) * 2).Tanh() + 1).Exp(), f.Invoke(TestArrays.Uniform(64)));
        Assert.Matches(
            @"differs from the eager result at element \d+\. The first operator that diverges is Skewed at VerifyTests\.cs:\d+, in the launch Multiply · Skewed · Add · Exp over \(5000,\)",
            Assert.Throws<HybridizeException>(() => f.Invoke(TestArrays.Uniform(5000))).Message);
    }

    [Fact]
    public void WrongGradientsAreNamed()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => s_rightForward.Apply(x) * 2, Check.Strict with { Verify = HybridVerify.FirstCall });
        NDArray x = TestArrays.Uniform(5000);
        x.AttachGrad();
        using (Autograd.Record())
        {
            NDArray y = f.Invoke(x);
            Assert.Matches("Gradient 0, .* differs .* Skewed", Assert.Throws<HybridizeException>(() => y.Backward()).Message);
        }
    }

    [Fact]
    public void AWrongSimplificationIsNamed()
    {
        FunctionTrace trace = Graphs.Trace(Check.List(static x => x.Exp() + 1), Nd.Ones(5));
        GraphFunction function = new(trace.Inputs, trace.Outputs, trace.Effects);
        TraceLog log = new();
        OpNode exp = function.Operators[0];
        log.Add(OpTable.Exp, [trace.Inputs[0]], null, exp);
        Assert.Contains("memory plan", new Bisection(log, function, [Nd.Ones(5)]).Explain(Plan.Build(function)), StringComparison.Ordinal);
        log.Add(OpTable.Sin, [trace.Inputs[0]], null, exp);
        Assert.Matches(
            @"The first operator that diverges is Sin at VerifyTests\.cs:\d+: simplified to Exp at VerifyTests\.cs:\d+, which has another value",
            new Bisection(log, function, [Nd.Ones(5)]).Explain(Plan.Build(function)));
    }

    [Fact]
    public void LinesAreNotTracedWithoutVerification()
    {
        Assert.Null(TraceLog.For(new HybridOptions()));
        Assert.NotNull(TraceLog.For(new HybridOptions { Verify = HybridVerify.FirstCall }));
    }

    [Fact]
    public void AnyNaNEqualsAnyOther()
    {
        NDArray a = Nd.Array([1, float.NaN, -0f, float.NaN]);
        NDArray b = Nd.Array([1, BitConverter.UInt32BitsToSingle(0x7FC00001), -0f, -float.NaN]);
        Assert.Equal(-1, BitComparison.FirstDifference(a, b));
        Assert.Equal(2, BitComparison.FirstDifference(a, Nd.Array([1, float.NaN, 0f, float.NaN])));
        Assert.Equal(1, BitComparison.FirstDifference(a, Nd.Array([1, 0, -0f, float.NaN])));
        Assert.Equal(0, BitComparison.FirstDifference(Nd.Array([double.NaN]), Nd.Array([1.0])));
        Assert.Equal(-1, BitComparison.FirstDifference(Nd.Array([double.NaN, 2]), Nd.Array([-double.NaN, 2])));
        Assert.Equal(-1, BitComparison.FirstDifference(Nd.Zeros((0, 3)), Nd.Zeros((0, 3))));
        Assert.Equal(2, BitComparison.FirstDifference(Nd.Array([true, false, true]), Nd.Array([true, false, false])));
    }

    // The eager function ran unrecorded.
    [Fact]
    public void AFunctionThatDifferentiatesWhatItsCallerRecordsIsVerified()
    {
        NDArray w = TestArrays.Uniform(3, 7);
        w.AttachGrad();
        HybridFunction<Func<NDArray, NDArray>> f = new Func<NDArray, NDArray>(x => Autograd.Grad(x * w * w, w)).Hybridize(Check.Strict with { Verify = HybridVerify.Always });
        using (Autograd.Record()) Check.Same(w + w, f.Invoke(Nd.Ones(3)));
    }

    /// <summary>A verified call holds the state of its function while that runs eagerly, and calls itself there; another thread traces the function meanwhile.</summary>
    [Fact]
    public void AFunctionThatCallsItselfIsVerifiedOnSeveralThreads()
    {
        NDArray state = Nd.Zeros(2);
        using ManualResetEventSlim inside = new(), started = new();
        HybridFunction<Func<NDArray, NDArray>> f = null!;
        int runs = 0;
        f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                state.Assign(state + 1);
                if (x.Rank == 1) return x * 2;
                if (Interlocked.Increment(ref runs) == 2)
                {
                    inside.Set();
                    started.Wait(TimeSpan.FromSeconds(10));
                    Thread.Sleep(100);
                }

                return f.Invoke(x[0]);
            },
            Check.Strict with { Verify = HybridVerify.Always });
        OnTwoThreads(
            () => f.Invoke(Nd.Ones((2, 3))),
            () =>
            {
                inside.Wait(TimeSpan.FromSeconds(10));
                started.Set();
                f.Invoke(Nd.Ones(5));
            });
        Assert.Equal([4f, 4f], (state + 1).ToArray<float>());
    }

    [Fact]
    public void FunctionsThatCallEachOtherAreVerifiedOnSeveralThreads()
    {
        NDArray state = Nd.Zeros(2), other = Nd.Zeros(2);
        using Barrier both = new(2);
        HybridFunction<Func<NDArray, NDArray>> f = null!, g = null!;
        int runs = 0, otherRuns = 0;
        f = Hybrid.Hybridize((NDArray x) => Step(state, ref runs, x, y => g.Invoke(y)), Check.Strict with { Verify = HybridVerify.Always });
        g = Hybrid.Hybridize((NDArray x) => Step(other, ref otherRuns, x, y => f.Invoke(y)), Check.Strict with { Verify = HybridVerify.Always });
        f.Invoke(Nd.Ones((2, 3)));
        g.Invoke(Nd.Ones((2, 3)));
        OnTwoThreads(() => f.Invoke(Nd.Ones((2, 3))), () => g.Invoke(Nd.Ones((2, 3))));
        Assert.Equal(state.ToArray<float>(), other.ToArray<float>());

        NDArray Step(NDArray array, ref int count, NDArray x, Func<NDArray, NDArray> next)
        {
            array.Assign(array + 1);
            if (x.Rank == 1) return x * 2;
            if (Interlocked.Increment(ref count) == 3) both.SignalAndWait(TimeSpan.FromSeconds(1));
            return next(x[0]);
        }
    }

    private static void OnTwoThreads(Action first, Action second)
    {
        Task[] tasks = [Task.Factory.StartNew(first, TaskCreationOptions.LongRunning), Task.Factory.StartNew(second, TaskCreationOptions.LongRunning)];
        Assert.True(Task.WaitAll(tasks, TimeSpan.FromSeconds(30)), "The threads wait for each other.");
    }
}
