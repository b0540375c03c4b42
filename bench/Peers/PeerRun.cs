namespace Fusion.Peers;

/// <summary>One case on so many threads: the times, the floor, and whether the results agreed.</summary>
/// <param name="Timings">Nanoseconds a call, or bytes in the area of memory.</param>
/// <param name="Floor">Nanoseconds that the machine needs at least for the stated work.</param>
/// <param name="Verdict">What was found when the results differ.</param>
internal sealed record PeerResult(string Area, string Name, int Threads, Timing[] Timings, double? Floor = null, Verdict? Verdict = null)
{
    public bool IsQuantityOfMemory { get; init; }

    public bool IsComputeBound { get; init; }

    /// <summary>The stated operations.</summary>
    public double Flops { get; init; }

    public Growth? Growth { get; init; }

    /// <summary>Something that the reader must know, such as that a function was not compiled.</summary>
    public string? Note { get; init; }

    /// <summary>Another side's time over ours: above 1 we are faster.</summary>
    public double? Ratio(string ours, string theirs = Contender.Torch) => Median(ours) is { } a && Median(theirs) is { } b ? b / a : null;

    /// <summary>The part of the physical limit that a side reaches.</summary>
    public double? OfLimit(string side) => Floor is { } floor && Median(side) is { } time ? floor / time : null;

    public double? Median(string side) => Timing(side)?.Median;

    public Timing? Timing(string side) => Timings.FirstOrDefault(t => t.Contender == side);

    /// <summary>The side of Fusion that counts: compiled where the case has that.</summary>
    public string Ours => Timing(Contender.Hybridized) is null ? Contender.Eager : Contender.Hybridized;
}

/// <summary>Prepares, compares, then times.</summary>
internal static class PeerRun
{
    public static PeerResult Run(PeerCase one, Limits limits, bool quick)
    {
        PeerResult result = new(one.Area, one.Name, limits.Threads, [], limits.Floor(one.Work)) { Growth = one.Growth, IsComputeBound = limits.IsComputeBound(one.Work), Flops = one.Work.Flops };
        try
        {
            Contender[] contenders = one.Prepare();
            Verdict? verdict = Verdict.Of(contenders, one);
            Timing[] timings = Stopwatches.Measure(contenders, quick, limits.Threads);
            string? fallback = contenders.Select(static c => c.Fallback?.Invoke()).FirstOrDefault(static f => f is not null);
            return result with { Timings = timings, Verdict = verdict, Note = fallback is null ? null : $"runs eagerly: {fallback}" };
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.Runtime.InteropServices.ExternalException)
        {
            // One broken case does not cost the others their times.
            return result with { Verdict = new Verdict(FusionIsOff: true, $"{e.GetType().Name}: {e.Message.Split('\n')[0]}") };
        }
        finally
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
