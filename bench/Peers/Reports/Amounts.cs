namespace Fusion.Peers.Reports;

/// <summary>Times, bytes and ratios as text.</summary>
internal static class Amounts
{
    public static string Of(PeerResult result, double amount) => result.IsQuantityOfMemory ? Bytes(amount) : Time(amount);

    /// <summary>The median; with the width of the middle half of the rounds where that is more than a tenth.</summary>
    public static string Of(PeerResult result, Timing? timing)
    {
        if (timing is null) return string.Empty;
        double spread = (timing.High - timing.Low) / timing.Median;
        return spread > 0.1 ? $"{Of(result, timing.Median)} ({spread:P0})" : Of(result, timing.Median);
    }

    public static string Ratio(double? ratio) => ratio switch
    {
        null => string.Empty,
        >= 100 => $"{ratio:F0}×",
        >= 10 => $"{ratio:F1}×",
        _ => $"{ratio:F2}×",
    };

    public static string Percent(double? part) => part is { } p ? $"{p * 100:F0} %" : string.Empty;

    private static string Time(double nanoseconds) => nanoseconds switch
    {
        < 1e3 => $"{nanoseconds:F0} ns",
        < 1e6 => $"{nanoseconds / 1e3:F1} µs",
        _ => $"{nanoseconds / 1e6:F2} ms",
    };

    /// <summary>Three digits, or all of whole nanoseconds.</summary>
    public static string Nanoseconds(double time) => time < 1000 ? $"{time:G3} ns" : $"{time:N0} ns";

    private static string Bytes(double bytes) => $"{bytes / (1 << 20):F1} MB";
}
