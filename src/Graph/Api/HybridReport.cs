using System.Globalization;
using System.Text;
using Fusion.Kernels;

namespace Fusion;

/// <summary>What became of a hybridized function: a live view, read it after a call.</summary>
public sealed class HybridReport
{
    private readonly HybridEngine _engine;

    internal HybridReport(HybridEngine engine) => _engine = engine;

    /// <summary>Launches of one call of the variant used last: fused kernels and library calls, forward, and backward once it has run.</summary>
    public int KernelCount => (Last?.Forward?.Steps.Count ?? 0) + (Last is { BackwardHasRun: true } v ? v.Backward!.Steps.Count : 0);

    /// <summary>Operators traced in the variant used last.</summary>
    public int OpCount => Last?.Trace.OpCount ?? 0;

    /// <summary>Variants that are kept.</summary>
    public int VariantCount => _engine.VariantCount;

    /// <summary>Kernels compiled so far for this function.</summary>
    public int CompileCount => _engine.CompileCount;

    /// <summary>Time spent on tracing, planning and compiling.</summary>
    public TimeSpan CompileTime => _engine.CompileTime;

    /// <summary>Bytes of the arena of the variant used last, and of the memory that changes places with arrays written in place.</summary>
    public long ArenaBytes => BytesOf(Last?.Forward) + BytesOf(Last?.Backward);

    /// <summary>Bytes that all its buffers would take without reuse.</summary>
    public long UnplannedBytes => (Last?.Forward?.Placement.UnplannedBytes ?? 0) + (Last?.Backward?.Placement.UnplannedBytes ?? 0);

    /// <summary>Calls that found a variant.</summary>
    public long CacheHits => _engine.Hits;

    /// <summary>Calls that had to trace.</summary>
    public long CacheMisses => _engine.Misses;

    /// <summary>What differed at the last miss from the variant used before.</summary>
    public string? LastMiss => _engine.LastMiss;

    /// <summary>The function runs eagerly.</summary>
    public bool FellBack => _engine.FallbackReason is not null;

    /// <summary>Why it does.</summary>
    public string? FallbackReason => _engine.FallbackReason;

    /// <summary>The launches of the variant used last, forward then backward.</summary>
    public IReadOnlyList<FusionGroup> Groups
    {
        get
        {
            List<FusionGroup> groups = [];
            if (Last is not { } variant) return groups;
            Append(groups, variant.Forward, false);
            if (variant.BackwardHasRun) Append(groups, variant.Backward, true);
            return groups;
        }
    }

    private HybridVariant? Last => _engine.Last;

    /// <summary>The report as text.</summary>
    public override string ToString()
    {
        StringBuilder text = new();
        if (FellBack) text.Append(CultureInfo.InvariantCulture, $"runs eagerly: {FallbackReason}\n");
        if (Last is not { } variant) return text.Append("not called yet\n").ToString();
        text.Append(CultureInfo.InvariantCulture, $"{OpCount} operators → {KernelCount} launches, {VariantCount} variant(s), {CompileCount} kernel(s) compiled in {CompileTime.TotalMilliseconds:F1} ms\n");
        text.Append(CultureInfo.InvariantCulture, $"arena {ArenaBytes:N0} bytes for {UnplannedBytes:N0} bytes of buffers, {CacheHits} hit(s), {CacheMisses} miss(es){(_engine.Refused == 0 ? string.Empty : $", {_engine.Refused} of them run eagerly: too many shapes for MaxVariants")}\n");
        if (_engine.ChangedNumber is { } change) text.Append(CultureInfo.InvariantCulture, $"a number has changed between traces, older variants keep theirs: {change}\n");
        if (variant.Forward?.Placement.States is { Length: > 0 } states)
        {
            int direct = states.Count(static s => s.Direct), copied = states.Count(static s => s.Owned is null);
            text.Append(CultureInfo.InvariantCulture, $"{states.Length} array(s) written in place: {direct} where they are, ");
            text.Append(CultureInfo.InvariantCulture, $"{states.Length - direct - copied} in memory that changes places with theirs, {copied} copied\n");
        }

        foreach (FusionGroup group in Groups)
        {
            if (group.Kind == nameof(GroupKind.View)) continue;
            text.Append(CultureInfo.InvariantCulture, $"  {(group.IsBackward ? "backward" : "forward "),-8} {group.Kind,-11} {group.Shape,-14} {string.Join(" · ", group.Ops)}  [{group.Reason}]");
            if (group.BytesSaved > 0) text.Append(CultureInfo.InvariantCulture, $" {group.BytesSaved:N0} bytes not written,");
            text.Append(CultureInfo.InvariantCulture, $" {group.BytesMoved:N0} bytes moved");
            if (group is { Time: { } time, Bandwidth: { } bandwidth }) text.Append(CultureInfo.InvariantCulture, $", {time.TotalMicroseconds:F1} µs: {bandwidth:F1} GB/s");
            if (group is { PredictedBandwidth: { } predicted, CopyBandwidth: { } copy }) text.Append(CultureInfo.InvariantCulture, $", predicted {predicted:F1}, a copy {copy:F1}");
            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The launches and the values between them in Graphviz's DOT language.</summary>
    public string ToDot()
    {
        StringBuilder text = new("digraph {\n");
        if (Last is { } variant)
        {
            DotWriter.Write(text, variant.Forward, "forward");
            if (variant.BackwardHasRun) DotWriter.Write(text, variant.Backward, "backward");
        }

        return text.Append("}\n").ToString();
    }

    private static long BytesOf(Plan? plan) => plan is null ? 0 : plan.Placement.ArenaBytes + plan.Placement.SpareBytes;

    private static void Append(List<FusionGroup> groups, Plan? plan, bool backward)
    {
        if (plan is null) return;
        Dictionary<PlanGroup, int> launches = [];
        for (int i = 0; i < plan.Steps.Count; i++) launches.Add(plan.Steps[i].Group, i);
        HashSet<GraphNode> leaves = plan.Function.Leaves;
        foreach (PlanGroup group in plan.Groups)
        {
            FusionGroup row = new([.. group.Members.Select(static m => m.Op.Name)], group.Kind.ToString(), group.Reason)
            {
                IsBackward = backward,
                Shape = group.Shape,
                BytesSaved = plan.BytesSaved(group),
            };
            groups.Add(launches.TryGetValue(group, out int launch) ? Costed(row, plan, launch, LaunchCost.Of(plan.Steps[launch], leaves)) : row);
        }
    }

    private static FusionGroup Costed(FusionGroup row, Plan plan, int launch, LaunchCost cost)
    {
        row = row with { BytesMoved = cost.Bytes };
        if (plan.Times is not { } times || cost.Bytes == 0) return row;
        if (times.Nanoseconds(launch) is { } time) row = row with { Time = TimeSpan.FromMicroseconds(time / 1000), Bandwidth = cost.Bytes / time };
        if (plan.Device is not null) return row;
        double copy = MachineLimits.CopyBandwidth(cost.Bytes);
        return row with { PredictedBandwidth = Math.Min(copy, cost.Bytes / cost.Predict()), CopyBandwidth = copy };
    }
}
