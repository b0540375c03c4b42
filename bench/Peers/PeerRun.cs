namespace Fusion.Peers;

/// <summary>One case on so many threads: the times, and whether the results agreed.</summary>
internal sealed record PeerResult(string Area, string Name, int Threads, Timing[] Timings, string? Disagreement)
{
    /// <summary>LibTorch's time over ours: above 1 we are faster.</summary>
    public double? Ratio(string contender) => Time(contender) is { } ours && Time(Contender.Torch) is { } theirs ? theirs / ours : null;

    private double? Time(string contender) => Timings.FirstOrDefault(t => t.Contender == contender)?.Median;
}

/// <summary>Prepares, compares, then times.</summary>
internal static class PeerRun
{
    public static PeerResult Run(PeerCase one, int threads, bool quick)
    {
        Contender[] contenders = one.Prepare();
        string? disagreement;
        try
        {
            disagreement = Compare(contenders, one.Tolerance);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.Runtime.InteropServices.ExternalException)
        {
            // One broken case does not cost the others their times.
            return new PeerResult(one.Area, one.Name, threads, [], $"{e.GetType().Name}: {e.Message.Split('\n')[0]}");
        }

        Timing[] timings = Stopwatches.Measure(contenders, quick, threads);
        contenders = [];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return new PeerResult(one.Area, one.Name, threads, timings, disagreement);
    }

    private static string? Compare(Contender[] contenders, double tolerance)
    {
        double[]? expected = contenders.FirstOrDefault(static c => c.Name == Contender.Torch)?.Result?.Invoke();
        if (expected is null) return null;
        double scale = Math.Max(1e-6, expected.Max(Math.Abs));
        foreach (Contender contender in contenders)
        {
            if (contender.Name == Contender.Torch || contender.Result?.Invoke() is not { } actual) continue;
            if (actual.Length != expected.Length) return $"{contender.Name}: {actual.Length} elements, LibTorch {expected.Length}";
            for (int i = 0; i < actual.Length; i++)
                if (!(Math.Abs(actual[i] - expected[i]) <= tolerance * scale)) return $"{contender.Name}: element {i} is {actual[i]}, LibTorch {expected[i]}";
        }

        return null;
    }
}
