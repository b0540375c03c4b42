namespace Fusion.Tests;

/// <summary>Checkpointed calls give the gradients of plain calls, keep no intermediates, and run again in backward.</summary>
[Collection(nameof(ProcessState))]
public sealed class CheckpointTests
{
    public static TheoryData<string> Programs => [.. s_programs.Keys];

    // Programs of a variable x, a captured variable w and a captured result h = w², written with a wrapper that is Checkpoint or a plain call.
    private static readonly Dictionary<string, Func<Func<Func<NDArray, NDArray>, NDArray, NDArray>, NDArray, NDArray, NDArray, NDArray>> s_programs = new()
    {
        ["of x alone"] = static (call, x, _, _) => call(static a => (a.Sin() * a).Exp(), x),
        ["with a captured variable"] = static (call, x, w, _) => call(a => a * w + w.Tanh(), x),
        ["with a captured result"] = static (call, x, _, h) => call(a => a * h, x) + h,
        ["with a captured result and its variable"] = static (call, x, w, h) => call(a => a * h * w, x) * h,
        ["on a result"] = static (call, x, w, _) => call(a => a * a * w, x * w),
        ["on a captured result"] = static (call, _, _, h) => call(a => a * a * h, h),
        ["on a captured variable"] = static (call, x, _, _) => call(a => a * a * x, x),
        ["on a constant"] = static (call, x, w, _) => call(a => a * w * x, Nd.Array([2.0, 3])),
        ["nested"] = static (call, x, w, h) => call(a => call(b => b.Sin() * w, a * h).Exp() * a, x),
        ["twice"] = static (call, x, w, _) => call(a => a.Sin() * w, call(a => a.Cos() * w, x)),
        ["identity"] = static (call, x, _, _) => call(static a => a, x * x),
        ["of nothing"] = static (call, x, _, h) => call(_ => h, x),
        ["a captured variable returned"] = static (call, x, w, _) => call(_ => w, x) * x,
        ["a view"] = static (call, x, _, _) => call(static a => a[..], x) * x,
        ["selected"] = static (call, x, w, _) => call(a => a.Take(Nd.Array([1, 0, 1])) * 2, x * w).Sum() * x,
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public void GradientsAreThoseOfThePlainCallToSecondOrder(string name)
    {
        var program = s_programs[name];
        double[][] plain = Gradients(static (f, a) => f(a), program);
        double[][] checkpointed = Gradients(Autograd.Checkpoint, program);
        Assert.Equal(plain.Length, checkpointed.Length);
        for (int i = 0; i < plain.Length; i++) Expect.Near(1e-13, Nd.Array(checkpointed[i]), plain[i]);
    }

    /// <summary>It ran again in the mode that backward asked for: what was differentiated was another function.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AnotherTrainingFlagOfBackwardIsForTheGradientsOnly(bool recorded)
    {
        NDArray[] results = [.. new Func<Func<NDArray, NDArray>, NDArray, NDArray>[] { static (f, a) => f(a), Autograd.Checkpoint }.Select(call =>
        {
            Nd.Random.Seed(3);
            NDArray x = Leaf.Of(1, 2, 3, 4, 5, 6, 7, 8), y;
            FlagFactor factor = new();
            using (Autograd.Record(trainMode: recorded)) y = call(a => factor.Apply(a.Dropout(0.5) * a)[0], x);
            y.Backward(trainMode: !recorded);
            return x.Grad!;
        })];
        Assert.Null(Bits.Difference(results[0], results[1]));
        Assert.Contains(results[0].ToArray<float>(), static g => g != 0);
    }

    // The gradient is twice what it should be in training mode, and three times otherwise.
    private sealed class FlagFactor : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0] * 1];

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * (Autograd.IsTraining ? 2 : 3)];
    }

    [Fact]
    public void TheFunctionRunsAgainInBackwardWithTheRecordedTrainingFlag()
    {
        List<(bool Recording, bool Training)> runs = [];
        NDArray x = Leaf.Of(2);
        NDArray y;
        using (Autograd.Record())
        {
            y = Autograd.Checkpoint(
                a =>
                {
                    runs.Add((Autograd.IsRecording, Autograd.IsTraining));
                    return a * a;
                },
                x);
        }

        Assert.Single(runs);
        y.Backward();
        Assert.Equal([(true, true), (true, true)], runs);
        Expect.Elements(x.Grad, 4);
        Assert.False(Autograd.IsRecording || Autograd.IsTraining);
    }

    [Fact]
    public void RandomNumbersAreDrawnAgainTheSame()
    {
        NDArray x = Leaf.Attached(Nd.Ones(1000));
        Nd.Random.Seed(3);
        NDArray y;
        using (Autograd.Record()) y = Autograd.Checkpoint(static a => a.Dropout(0.5), x);
        NDArray between = Nd.Random.Uniform(0, 1, 3);
        y.Backward();
        Assert.Equal(Expect.Doubles(y), Expect.Doubles(x.Grad!));
        NDArray after = Nd.Random.Uniform(0, 1, 3);
        Nd.Random.Seed(3);
        _ = Nd.Ones(1000).Dropout(0);
        using (Autograd.TrainMode()) _ = x.Dropout(0.5);
        Assert.Equal(Expect.Doubles(between), Expect.Doubles(Nd.Random.Uniform(0, 1, 3)));
        Assert.Equal(Expect.Doubles(after), Expect.Doubles(Nd.Random.Uniform(0, 1, 3)));
    }

    [Fact]
    public void RunningStatisticsAreWrittenOnce()
    {
        NDArray x = Leaf.Attached(Nd.Linspace(-1, 3, 12).Reshape(4, 3));
        (NDArray plain, NDArray checkpointed) = (Run(static (f, a) => f(a)), Run(Autograd.Checkpoint));
        Assert.Equal(Expect.Doubles(plain), Expect.Doubles(checkpointed));

        NDArray Run(Func<Func<NDArray, NDArray>, NDArray, NDArray> wrapper)
        {
            NDArray mean = Nd.Zeros(3), variance = Nd.Ones(3), gamma = Nd.Ones(3), beta = Nd.Zeros(3);
            NDArray y;
            using (Autograd.Record()) y = wrapper(a => a.BatchNorm(gamma, beta, mean, variance).Tanh(), x);
            y.Backward();
            return Nd.Concat([mean, variance, x.Grad!.Reshape(-1)]);
        }
    }

    [Fact]
    public void IntermediatesAreNotKept()
    {
        const int size = 1 << 20;
        NDArray x = Leaf.Attached(Nd.Full(size, 0.5));
        NDArray y = x;
        static NDArray Chain(NDArray a)
        {
            for (int i = 0; i < 16; i++) a = a.Sin();
            return a;
        }

        long before = MemoryTests.SettledLiveBytes();
        using (Autograd.Record()) y = Autograd.Checkpoint(Chain, x);
        Assert.InRange(MemoryTests.SettledLiveBytes() - before, 0, 2L * 4 * size);
        y.Backward();
        NDArray gradient = x.Grad!.Copy();
        using (Autograd.Record()) Chain(x).Backward();
        Assert.Equal(gradient.ToArray<float>(), x.Grad!.ToArray<float>());
    }

    [Fact]
    public void AnInputOrVariableThatWasOverwrittenIsFound()
    {
        NDArray x = Leaf.Of(2), w = Leaf.Of(3);
        NDArray y;
        using (Autograd.Record()) y = Autograd.Checkpoint(a => a * w, x);
        w.Fill(1);
        Expect.Throws<AutogradException>(() => y.Backward(), "Checkpoint", "captured variable", "Fill");
        using (Autograd.Record()) y = Autograd.Checkpoint(a => a * w, x);
        x.Fill(1);
        Expect.Throws<AutogradException>(() => y.Backward(), "Checkpoint", "input");
    }

    [Fact]
    public void IndicesMayBeCheckpointed()
    {
        NDArray table = Leaf.Of(10, 20, 30);
        NDArray y;
        using (Autograd.Record()) y = Autograd.Checkpoint(i => table.Take(i) * 2, Nd.Array([2, 2, 0]));
        y.Backward();
        Expect.Elements(table.Grad, 2, 0, 4);
    }

    [Fact]
    public void OutsideRecordingItIsAPlainCall()
    {
        int runs = 0;
        NDArray y = Autograd.Checkpoint(
            a =>
            {
                runs++;
                return a * 2;
            },
            Leaf.Of(4));
        Expect.Elements(y, 8);
        Assert.Equal(1, runs);
        Expect.Throws<ArgumentNullException>(() => Autograd.Checkpoint(null!, y));
        Expect.Throws<ArgumentNullException>(() => Autograd.Checkpoint(static a => a, null!));
    }

    [Fact]
    public void AFunctionThatReturnsNothingIsNamed()
    {
        Expect.Throws<InvalidOperationException>(static () => Autograd.Checkpoint(static _ => null!, Leaf.Of(1)), "Checkpoint", "null");
        Expect.Throws<InvalidOperationException>(
            static () =>
            {
                using (Autograd.Record()) Autograd.Checkpoint(static _ => null!, Leaf.Of(1));
            },
            "Checkpoint",
            "null");
    }

    [Fact]
    public void AnExceptionInTheFunctionRestoresTheState()
    {
        NDArray x = Leaf.Of(1);
        Nd.Random.Seed(5);
        bool fail = false;
        NDArray y;
        using (Autograd.Record()) y = Autograd.Checkpoint(a => fail ? throw new InvalidTimeZoneException() : a * Nd.Random.Uniform(1, 2, 1), x);
        RandomState now = Nd.Random.Place;
        fail = true;
        Expect.Throws<InvalidTimeZoneException>(() => y.Backward());
        Assert.Equal(now, Nd.Random.Place);
        Expect.Elements(x.Grad, 0);
    }

    // First and second order, and that the rest of the graph still goes backward.
    private static double[][] Gradients(
        Func<Func<NDArray, NDArray>, NDArray, NDArray> call, Func<Func<Func<NDArray, NDArray>, NDArray, NDArray>, NDArray, NDArray, NDArray, NDArray> program)
    {
        NDArray x = Leaf.Doubles(0.5, -1.25), w = Leaf.Doubles(1.5, 0.75);
        List<double[]> results = [];
        using (Autograd.Record())
        {
            NDArray h = w * w;
            NDArray y = program(call, x, w, h);
            results.Add(Expect.Doubles(y));
            Autograd.Backward([y, h * x]);
            results.Add(Expect.Doubles(x.Grad!));
            results.Add(Expect.Doubles(w.Grad!));
        }

        using (Autograd.Record())
        {
            NDArray h = w * w;
            NDArray[] first = Autograd.Grad([program(call, x, w, h)], [x, w, h], createGraph: true, allowUnused: true);
            NDArray sum = first[0] * 2 + first[1] * 3 + first[2] * 5 + x * w;
            Autograd.Backward([sum]);
            results.AddRange([.. first.Select(Expect.Doubles), Expect.Doubles(x.Grad!), Expect.Doubles(w.Grad!)]);
        }

        return [.. results];
    }

    // A buffer of the function's input was its own value.
    [Fact]
    public void TheInputOfACheckpointHasNoGradientBuffer()
    {
        NDArray x = Nd.Ones(2);
        x.AttachGrad();
        using (Autograd.Record())
        {
            Autograd.Checkpoint(
                static v =>
                {
                    Assert.Null(v.Grad);
                    Assert.Equal(GradReq.Null, v.GradReq);
                    return v * v;
                },
                x).Backward();
        }

        Assert.Equal([2f, 2f], x.Grad!.ToArray<float>());
    }
}
