using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Fusion;

/// <summary>
/// What a process can watch of the compiler. The activity source <c>Fusion.Graph</c> has <c>trace</c>, <c>compile</c>, <c>run</c> and <c>backward</c>, with
/// the tag <c>fusion.function</c>; <c>trace</c> says in <c>fusion.miss</c> why there was no variant, <c>compile</c> in <c>fusion.kernels</c> how many
/// kernels are new. The meter of that name counts <c>fusion.graph.runs</c>, <c>fusion.graph.misses</c> and <c>fusion.graph.kernels</c>, and measures
/// <c>fusion.graph.duration</c> of traces and compilations. When nobody listens, a call costs two tests of a flag and allocates nothing.
/// </summary>
internal static class Telemetry
{
    public const string Name = "Fusion.Graph";

    private const string Function = "fusion.function";
    private const string Phase = "fusion.phase";

    private static readonly ActivitySource s_source = new(Name);
    private static readonly Meter s_meter = new(Name);
    private static readonly Counter<long> s_runs = s_meter.CreateCounter<long>("fusion.graph.runs", "{call}", "Runs, forward or backward.");
    private static readonly Counter<long> s_misses = s_meter.CreateCounter<long>("fusion.graph.misses", "{call}", "Calls that had to be traced.");
    private static readonly Counter<long> s_kernels = s_meter.CreateCounter<long>("fusion.graph.kernels", "{kernel}", "Kernels compiled.");
    private static readonly Histogram<double> s_duration = s_meter.CreateHistogram<double>("fusion.graph.duration", "s", "Time to trace or compile.");

    /// <summary>A run begins; dispose of the result when it ends.</summary>
    /// <param name="phase"><c>run</c> or <c>backward</c>.</param>
    /// <param name="function">The name of the function.</param>
    public static Activity? Run(string phase, string function)
    {
        if (s_runs.Enabled) s_runs.Add(1, new KeyValuePair<string, object?>(Function, function), new KeyValuePair<string, object?>(Phase, phase));
        return Start(phase, function);
    }

    /// <summary>A trace or compilation begins.</summary>
    public static Activity? Start(string phase, string function)
    {
        Activity? activity = s_source.StartActivity(phase);
        activity?.SetTag(Function, function);
        return activity;
    }

    /// <summary>It has ended.</summary>
    public static void End(Activity? activity, string phase, string function, TimeSpan time, int kernels)
    {
        s_duration.Record(time.TotalSeconds, new KeyValuePair<string, object?>(Function, function), new KeyValuePair<string, object?>(Phase, phase));
        if (kernels > 0) s_kernels.Add(kernels, new KeyValuePair<string, object?>(Function, function));
        activity?.SetTag("fusion.kernels", kernels);
    }

    /// <summary>No variant fits a call.</summary>
    /// <param name="function">The name of the function.</param>
    /// <param name="reason">What differs from the variant used before.</param>
    public static void Miss(string function, string reason)
    {
        s_misses.Add(1, new KeyValuePair<string, object?>(Function, function), new KeyValuePair<string, object?>("fusion.miss", reason));
        Activity.Current?.AddEvent(new ActivityEvent("miss", tags: new ActivityTagsCollection { [Function] = function, ["fusion.miss"] = reason }));
    }
}
