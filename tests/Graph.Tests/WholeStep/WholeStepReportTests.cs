using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>What a compiled step costs: launches, memory, allocations.</summary>
[Collection(WholeStepCollection.Name)]
public class WholeStepReportTests
{
    public static TheoryData<string, int, int> Launches => new()
    {
        // Six parameters: three layers with their activations forward and backward, the loss, and one launch for all updates.
        { "plain", 20, 50 },
        { "clipped", 40, 160 },
        { "no update", 19, 40 },
    };

    private static StepTwins Twins(string body, HybridOptions? options = null) => new(StepTwins.Mlp, static p => new Sgd(p, 0.1, momentum: 0.9), WholeStepBodies.All[body], options);

    [Theory]
    [MemberData(nameof(Launches))]
    public void OnePlanHoldsTheWholeStep(string body, int launches, int operators)
    {
        StepTwins twins = Twins(body);
        twins.StepBoth(0);
        HybridReport report = twins.Function.Report;
        Assert.False(report.FellBack);
        Assert.InRange(report.KernelCount, 1, launches);
        Assert.InRange(report.OpCount, report.KernelCount, operators + 20);
        Assert.InRange(report.ArenaBytes, 1, report.UnplannedBytes);
        Assert.DoesNotContain(report.Groups, static g => g.IsBackward);
        Assert.Contains("written in place", report.ToString(), StringComparison.Ordinal);
        Assert.Contains("digraph", report.ToDot(), StringComparison.Ordinal);
    }

    [Fact]
    public void AllUpdatesAreOneLaunchWithTheClipping()
    {
        StepTwins twins = Twins("clipped");
        twins.StepBoth(0);
        FusionGroup updates = Assert.Single(twins.Function.Report.Groups, static g => g.Kind == "Elementwise" && g.Ops.Contains("Subtract"));
        Assert.Equal(6 * 8, updates.Ops.Count);
        Assert.Contains("6 tensors", updates.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AdamOverManyTensorsIsOneLaunch(int threads)
    {
        int before = FusionRuntime.NumThreads;
        FusionRuntime.NumThreads = threads;
        try
        {
            NDArray[] eager = Make(), compiled = Make();
            Adam eagerOptimizer = new(eager, 0.01), optimizer = new(compiled, 0.01);
            HybridFunction<Func<NDArray>> step = new Func<NDArray>(() => Update(compiled, optimizer)).Hybridize();
            for (int i = 0; i < 3; i++)
            {
                Mark(eager, i);
                Mark(compiled, i);
                Assert.Equal(StepTwins.Bytes(Update(eager, eagerOptimizer)), StepTwins.Bytes(step.Invoke()));
                for (int k = 0; k < eager.Length; k++) Assert.Equal(StepTwins.Bytes(eager[k]), StepTwins.Bytes(compiled[k]));
            }

            Assert.Null(step.Report.FallbackReason);
            Assert.Equal(1, step.Report.KernelCount);
        }
        finally
        {
            FusionRuntime.NumThreads = before;
        }

        static NDArray Update(NDArray[] parameters, Adam optimizer)
        {
            optimizer.Step();
            return parameters[0];
        }

        static NDArray[] Make()
        {
            NDArray[] parameters = [.. Enumerable.Range(0, 40).Select(static k => Nd.Full((k + 2, 97 * k % 300 + 2), 0.01 * k))];
            foreach (NDArray parameter in parameters) parameter.AttachGrad();
            return parameters;
        }

        static void Mark(NDArray[] parameters, int step)
        {
            for (int k = 0; k < parameters.Length; k++)
            {
                parameters[k].Grad!.Fill(0.3 * step - 0.02 * k);
                parameters[k].FreshGrad = true;
            }
        }
    }

    [Fact]
    public void GradientsThatNobodyKeepsAreNotWritten()
    {
        StepTwins twins = Twins("plain", new HybridOptions { KeepGradients = false });
        StepTwins kept = Twins("plain");
        for (int i = 0; i < 3; i++)
        {
            (NDArray x, NDArray y) = StepTwins.Batch(i);
            Assert.Equal(StepTwins.Bytes(twins.EagerStep(x, y)), StepTwins.Bytes(twins.Function.Invoke(x, y)));
            kept.StepBoth(i);
        }

        foreach ((string name, NDArray parameter) in twins.Compiled.Parameters)
        {
            Assert.Equal(StepTwins.Bytes(twins.Eager.Parameters[name]), StepTwins.Bytes(parameter));
            Assert.All(parameter.Grad!.ToArray<float>(), static v => Assert.Equal(0f, v));
            Assert.False(parameter.FreshGrad);
        }

        Assert.Equal(3, twins.CompiledOptimizer.StepCount);
        Assert.Equal(Written(kept) - kept.Compiled.Parameters.Count, Written(twins));

        static int Written(StepTwins twins) =>
            int.Parse(twins.Function.Report.ToString().Split(" array(s) written in place")[0].Split('\n')[^1], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public void AGradientThatIsNotWrittenIsNotFresh()
    {
        StepTwins twins = Twins("no update", new HybridOptions { KeepGradients = false });
        (NDArray x, NDArray y) = StepTwins.Batch(0);
        twins.Function.Invoke(x, y);
        Assert.All(twins.Compiled.Parameters.Values, static p => Assert.False(p.FreshGrad));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("clipped")]
    [InlineData("zeroed after")]
    [InlineData("dropout")]
    public void ASteadyStepAllocatesItsResultOnly(string body)
    {
        StepTwins twins = Twins(body);
        (NDArray x, NDArray y) = StepTwins.Batch(0);
        for (int i = 0; i < 20; i++) twins.Function.Invoke(x, y);
        long before = GC.GetAllocatedBytesForCurrentThread();
        const int calls = 20;
        for (int i = 0; i < calls; i++) twins.Function.Invoke(x, y);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / calls, 0, 400);
    }

    [Fact]
    public void StepsWithLargeArraysTakeNoNewMemory()
    {
        StepTwins twins = new(
            static () => new Sequential(new Linear(5, 600), new Relu(), new Linear(600, 64), new Relu(), new Linear(64, 3)), static p => new Adam(p, 0.01), StepTwins.ClippedStep);
        for (int i = 0; i < 4; i++) twins.StepBoth(i);
        (NDArray x, NDArray y) = StepTwins.Batch(0);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        twins.Function.Invoke(x, y);
        long before = FusionRuntime.LiveBytes;
        for (int i = 0; i < 50; i++) twins.Function.Invoke(x, y);
        Assert.InRange(FusionRuntime.LiveBytes - before, long.MinValue, 0);
    }

    [Fact]
    public void WhatNothingCanSpoilIsWrittenWhereItIs()
    {
        Module network = StepTwins.Mlp();
        Sgd optimizer = new(network.Parameters, 0.1);
        Func<NDArray, NDArray, NDArray> step = StepTwins.PlainStep(network, optimizer);
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = step.Hybridize();
        (NDArray x, NDArray y) = StepTwins.Batch(1);
        for (int i = 0; i < 2; i++) compiled.Invoke(x, y);
        int arrays = 2 * network.Parameters.Count;
        Assert.Contains($"{arrays} array(s) written in place: {arrays} where they are", compiled.Report.ToString(), StringComparison.Ordinal);
    }
}
