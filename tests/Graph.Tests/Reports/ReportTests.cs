namespace Fusion.Tests;

/// <summary>The report: counts, groups, reasons, text and drawing.</summary>
public sealed class ReportTests
{
    [Fact]
    public void BeforeTheFirstCallThereIsNothingToReport()
    {
        HybridReport report = Hybrid.Hybridize(static (NDArray x) => x * 2, Check.Strict).Report;
        Assert.Contains("not called yet", report.ToString(), StringComparison.Ordinal);
        Assert.Equal((0, 0, 0, 0, 0L), (report.KernelCount, report.OpCount, report.VariantCount, report.CompileCount, report.ArenaBytes));
        Assert.Empty(report.Groups);
        Assert.Equal("digraph {\n}\n", report.ToDot());
        Assert.Null(report.LastMiss);
        Assert.False(report.FellBack);
    }

    [Fact]
    public void CountsAreThoseOfTheVariantUsedLast()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Rank == 1 ? x * 2 + 1 : x.MatMul(x).Softmax() * 0.6, Check.Strict);
        f.Invoke(Nd.Ones(3));
        Assert.Equal((1, 2), (f.Report.KernelCount, f.Report.OpCount));
        f.Invoke(Nd.Ones((3, 3)));
        Assert.InRange(f.Report.KernelCount, 1, 3);
        Assert.Equal(3, f.Report.OpCount);
        f.Invoke(Nd.Ones(3));
        Assert.Equal((1, 2), (f.Report.KernelCount, f.Report.OpCount));
        Assert.Equal((2, 2L, 1L), (f.Report.VariantCount, f.Report.CacheMisses, f.Report.CacheHits));
        Assert.True(f.Report.CompileTime > TimeSpan.Zero);
    }

    [Fact]
    public void AGroupTellsWhatItDoesNotWrite()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => (x * 3).Exp().Reshape(-1).Tanh() + 1, Check.Strict);
        f.Invoke(Nd.Ones((20, 5)));
        Assert.Equal(400 * (f.Report.OpCount - 1 - f.Report.KernelCount), f.Report.Groups.Sum(static g => g.BytesSaved));
        Assert.Contains(" bytes not written", f.Report.ToString(), StringComparison.Ordinal);
        HybridFunction<Func<NDArray, NDArray>> alone = Hybrid.Hybridize(static (NDArray x) => x.MatMul(x), Check.Strict);
        alone.Invoke(Nd.Ones((5, 5)));
        Assert.Equal(0, Assert.Single(alone.Report.Groups).BytesSaved);
    }

    [Fact]
    public void BackwardIsCountedOnceItHasRun()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Tanh() * 2, Check.Strict);
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = f.Invoke(x);
        Assert.Equal(1, f.Report.KernelCount);
        Assert.All(f.Report.Groups, static g => Assert.False(g.IsBackward));
        y.Backward();
        Assert.Equal(2, f.Report.KernelCount);
        Assert.Single(f.Report.Groups, static g => g.IsBackward);
    }

    [Fact]
    public void TheTextListsLaunchesWithReasons()
    {
        HybridReport report = Check.Backward(Check.List(static (x, w) => (x.MatMul(w) + 1).Tanh().Sum()), TestArrays.Uniform((3, 4)), TestArrays.Uniform((4, 5)));
        string text = report.ToString();
        Assert.StartsWith($"{report.OpCount} operators → {report.KernelCount} launches, 1 variant(s)", text, StringComparison.Ordinal);
        Assert.Matches(@"forward .*MatMul", text);
        Assert.Matches(@"backward .*\[.+\]", text);
        Assert.Contains("1 miss(es)", text, StringComparison.Ordinal);
        Assert.All(report.Groups, static g => Assert.NotEmpty(g.Reason));
    }

    [Fact]
    public void TheDrawingHasABoxPerLaunchAndArrowsBetweenThem()
    {
        HybridReport report = Check.Backward(Check.List(static x => (x * 2).Softmax().Exp()), TestArrays.Uniform((3, 4)));
        string dot = report.ToDot();
        Assert.StartsWith("digraph {", dot, StringComparison.Ordinal);
        Assert.EndsWith("}\n", dot, StringComparison.Ordinal);
        Assert.Equal(report.Groups.Count, dot.Split('\n').Count(static l => l.Contains("label=", StringComparison.Ordinal)));
        Assert.Contains("\"forward_x0\" -> forward0;", dot, StringComparison.Ordinal);
        Assert.Equal(dot.Count(static c => c == '{'), dot.Count(static c => c == '}'));
    }

    [Fact]
    public void TheArenaIsSmallerThanAllBuffers()
    {
        HybridReport report = Check.Forward(
            Check.List(static x => x.MatMul(x).CumSum(0).MatMul(x).CumSum(1).MatMul(x).CumSum(0).MatMul(x)), TestArrays.Uniform((30, 30)));
        Assert.InRange(report.ArenaBytes, 1, report.UnplannedBytes / 2);
    }
}
