namespace Fusion.Peers;

/// <summary>What was found where sides do not agree.</summary>
/// <param name="FusionIsOff">The error is Fusion's, or nobody could tell whose.</param>
/// <param name="Text">Who is off, and by how much.</param>
internal sealed record Verdict(bool FusionIsOff, string Text)
{
    /// <summary>
    /// Compares all results with LibTorch's; null when they agree. Where they do not, the case is computed once more, by LibTorch in double precision,
    /// and each side is held against that.
    /// </summary>
    public static Verdict? Of(Contender[] contenders, PeerCase one)
    {
        (string Name, bool IsOurs, double[] Elements)[] results = [.. contenders.Where(static c => c.Result is not null).Select(static c => (c.Name, c.IsOurs, c.Result!()))];
        double[] expected = results.FirstOrDefault(static r => r.Name == Contender.Torch).Elements ?? results.FirstOrDefault(static r => !r.IsOurs).Elements;
        if (expected is null || Array.TrueForAll(results, r => Error(r.Elements, expected) <= one.Tolerance)) return null;
        if (one.Exact is null)
            return new Verdict(true, string.Join(", ", results.Select(r => $"{r.Name} is {Error(r.Elements, expected):G2} from the peer's result")));
        double[] exact = one.Exact();
        (string Name, bool IsOurs, double Error)[] errors = [.. results.Select(r => (r.Name, r.IsOurs, Error(r.Elements, exact)))];
        string text = string.Join(", ", errors.Select(e => $"{e.Name} is {(e.Error <= one.Tolerance ? "right" : "OFF")} ({e.Error:G2})"));
        return new Verdict(Array.Exists(errors, e => e.IsOurs && !(e.Error <= one.Tolerance)), $"against double precision: {text}");
    }

    /// <summary>The largest difference in units of the largest element; infinite for another length or what is not a number.</summary>
    private static double Error(double[] actual, double[] expected)
    {
        if (actual.Length != expected.Length) return double.PositiveInfinity;
        double scale = 1e-6, largest = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            scale = Math.Max(scale, Math.Abs(expected[i]));
            double difference = Math.Abs(actual[i] - expected[i]);
            largest = double.IsNaN(difference) ? double.PositiveInfinity : Math.Max(largest, difference);
        }

        return largest / scale;
    }
}
