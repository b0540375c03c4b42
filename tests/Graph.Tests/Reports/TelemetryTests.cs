using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Fusion.Tests;

/// <summary>The activities and metrics of the compiler.</summary>
[Collection(nameof(ProcessState))]
public sealed class TelemetryTests
{
    [Fact]
    public void ActivitiesTellTraceCompileRunAndBackward()
    {
        List<Activity> seen = [];
        using ActivityListener listener = new()
        {
            ShouldListenTo = static source => source.Name == "Fusion.Graph",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                lock (seen) seen.Add(activity);
            },
        };
        ActivitySource.AddActivityListener(listener);
        Step(Watched, 2);
        Step(Watched, 3);
        lock (seen)
        {
            Activity[] own = [.. seen.Where(static a => a.GetTagItem("fusion.function") as string == nameof(Watched))];
            Assert.Equal(["trace", "compile", "run", "compile", "backward", "trace", "compile", "run", "compile", "backward"], own.Select(static a => a.OperationName));
            Assert.Equal("the first call", Miss(own[0]));
            Assert.Equal("input 0 is Float32 (3,), before Float32 (2,)", Miss(own[5]));
            Assert.Equal(0, own[6].GetTagItem("fusion.kernels"));
        }

        static string? Miss(Activity trace) => Assert.Single(trace.Events).Tags.Single(static t => t.Key == "fusion.miss").Value as string;
    }

    [Fact]
    public void MetricsCountRunsMissesAndKernels()
    {
        Dictionary<string, long> sums = [];
        int durations = 0;
        using MeterListener listener = new()
        {
            InstrumentPublished = static (instrument, l) =>
            {
                if (instrument.Meter.Name == "Fusion.Graph") l.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (!IsOwn(tags)) return;
            lock (sums) sums[instrument.Name] = sums.GetValueOrDefault(instrument.Name) + value;
        });
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            Assert.True(value > 0);
            if (IsOwn(tags)) Interlocked.Increment(ref durations);
        });
        listener.Start();
        HybridReport report = Step(Counted, 2);
        Assert.Equal((2, 1, report.CompileCount), ((int)sums["fusion.graph.runs"], (int)sums["fusion.graph.misses"], (int)sums["fusion.graph.kernels"]));
        Assert.True(report.CompileCount > 0);
        Assert.Equal(3, durations);

        static bool IsOwn(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (KeyValuePair<string, object?> tag in tags)
                if (tag is { Key: "fusion.function", Value: nameof(Counted) }) return true;
            return false;
        }
    }

    private static NDArray Watched(NDArray x) => x.Tanh() * 0.125 + x.Cosh();

    private static NDArray Counted(NDArray x) => x.Tanh() * 0.375 - x.Sinh().Atan();

    private static HybridReport Step(Func<NDArray, NDArray> f, int size)
    {
        if (!s_functions.TryGetValue(f.Method.Name, out HybridFunction<Func<NDArray, NDArray>>? compiled)) s_functions.Add(f.Method.Name, compiled = f.Hybridize(Check.Strict));
        NDArray x = Nd.Ones(size);
        x.AttachGrad();
        using (Autograd.Record()) compiled.Invoke(x).Backward();
        return compiled.Report;
    }

    private static readonly Dictionary<string, HybridFunction<Func<NDArray, NDArray>>> s_functions = [];
}
