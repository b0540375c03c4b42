namespace Fusion.Tests;

/// <summary>Bytes of every launch, and with <see cref="HybridOptions.Profile"/> its time against what the cost model and a copy say.</summary>
public sealed class ProfileTests
{
    private static readonly HybridOptions s_profile = Check.Strict with { Profile = true };

    [Fact]
    public void BytesAreThoseOfTheArraysThatALaunchReadsAndWrites()
    {
        // (20, 5) read and written, a row, a number; twice the same array counts once.
        Assert.Equal([4L * (100 + 5 + 1 + 100)], Bytes(Check.List(static (x, row, number) => (x * row + x) * number), Nd.Ones((20, 5)), Nd.Ones(5), Nd.Scalar(2)));

        // Half of the rows, seen through a view.
        Assert.Equal([4L * (50 + 50)], Bytes(Check.List(static x => x[..10].Exp()), Nd.Ones((20, 5))));

        // A stretched operand has the elements it had before.
        Assert.Equal([4L * (5 + 100 + 100)], Bytes(Check.List(static (x, row) => x + row.BroadcastTo((20, 5))), Nd.Ones((20, 5)), Nd.Ones(5)));
        Assert.Equal([4L * (6 + 12 + 8)], Bytes(Check.List(static (x, y) => x.MatMul(y)), Nd.Ones((2, 3)), Nd.Ones((3, 4))));
        Assert.Equal([8L * (50 + 1)], Bytes(Check.List(static x => (x * 0.5).Sum()), Nd.Ones((10, 5), DType.Float64)));

        static long[] Bytes(ListFunction f, params NDArray[] x) => [.. Check.Forward(f, x).Groups.Where(static g => g.Kind != "View").Select(static g => g.BytesMoved)];
    }

    [Fact]
    public void NothingIsMeasuredUnlessItIsAskedFor()
    {
        HybridReport report = Check.Backward(Check.List(static x => x.Tanh()), Nd.Ones(9));
        Assert.All(report.Groups, static g => Assert.Equal((null, null, null, null), (g.Time, g.Bandwidth, g.PredictedBandwidth, g.CopyBandwidth)));
        Assert.DoesNotContain("GB/s", report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void LaunchesOfBothDirectionsAreMeasured()
    {
        HybridFunction<ListFunction> f = Check.List(static (x, w) => (x.MatMul(w) + 1).Tanh().Sum()).Hybridize(s_profile);
        NDArray[] x = [TestArrays.Uniform((70, 40)), TestArrays.Uniform((40, 50))];
        Check.Same(Check.Gradients(Check.List(static (x, w) => (x.MatMul(w) + 1).Tanh().Sum()), x).Gradients, Check.Gradients(f.Invoke, x).Gradients);
        FusionGroup[] launches = [.. f.Report.Groups.Where(static g => g.Kind != "View")];
        Assert.Contains(launches, static g => g.IsBackward);
        Assert.All(launches, static g =>
        {
            Assert.True(g.Time > TimeSpan.Zero && g.Bandwidth > 0);
            Assert.InRange(g.PredictedBandwidth!.Value, double.Epsilon, g.CopyBandwidth!.Value);
        });
        Assert.Equal(launches.Length, f.Report.ToString().Split(" GB/s, predicted ").Length - 1);
    }

    [Fact]
    public void TheShortestTimeIsKept()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x.Tanh() * 3, s_profile);
        NDArray x = TestArrays.Uniform(50_000);
        double best = 0;
        for (int i = 0; i < 5; i++)
        {
            f.Invoke(x);
            double now = Assert.Single(f.Report.Groups).Bandwidth!.Value;
            Assert.True(now >= best);
            best = now;
        }
    }

    [Fact]
    public void ArithmeticLimitsWhatIsPredicted()
    {
        HybridFunction<ListFunction> f = Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) => [x[0].MatMul(x[0]), x[0].Gelu().Erf().Sin().Gelu(), x[0] + 1], s_profile);
        f.Invoke([TestArrays.Uniform((300, 300))]);
        FusionGroup[] groups = [.. f.Report.Groups];
        Assert.True(groups.Single(static g => g.Ops.Contains("MatMul")) is { } product && product.PredictedBandwidth < product.CopyBandwidth / 4);
        Assert.True(groups.Single(static g => g.Ops.Contains("Erf")) is { } formula && formula.PredictedBandwidth < formula.CopyBandwidth);
    }

    [Fact]
    public void ACopyOfMoreBytesThanTheCacheIsNotFaster()
    {
        Assert.True(MachineLimits.CopyBandwidth(1 << 26) > 0.1);
        Assert.Equal(MachineLimits.CopyBandwidth(3000), MachineLimits.CopyBandwidth(4096));
        Assert.True(MachineLimits.MultiplyAdds > 0.1);
    }
}
