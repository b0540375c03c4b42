namespace Fusion.Peers;

/// <summary>What the machine can do at most on so many threads, measured in the same run as the cases: bytes copied and fused multiply-adds a nanosecond.</summary>
/// <param name="Threads">Threads at work, each on memory of its own.</param>
/// <param name="Copies">Bytes read and written a nanosecond by copies of so many bytes (both sides of the copy), from the first-level cache to main memory.</param>
/// <param name="Peak">Operations a nanosecond in single precision, two a fused multiply-add.</param>
internal sealed record Limits(int Threads, (long Bytes, double Rate)[] Copies, double Peak)
{
    private static readonly long[] s_sizes = [16 << 10, 512 << 10, 8 << 20, 32 << 20, 256 << 20];

    public static Limits Measure(int threads) => new(
        threads, [.. s_sizes.Select(size => ((long)threads * size, LimitMeasurement.CopyBandwidth((long)threads * size, threads)))], LimitMeasurement.FmaPeak(threads, Registers.Bits));

    /// <summary>Nanoseconds that the work takes at least; null when none is stated.</summary>
    public double? Floor(Work work)
    {
        if (work == default) return null;
        double compute = work.Flops / (work.IsDouble ? Peak / 2 : Peak);
        return Math.Max(compute, work.Bytes / Rate(work.Bytes));
    }

    /// <summary>Says that the time is bound by arithmetic.</summary>
    public bool IsComputeBound(Work work) => work.Flops / (work.IsDouble ? Peak / 2 : Peak) > work.Bytes / Rate(work.Bytes);

    public override string ToString() =>
        $"{Threads} thread(s): copies {string.Join(", ", Copies.Select(static c => $"{Size(c.Bytes)} {c.Rate:F0} GB/s"))}; {Peak:F0} GFLOP/s of fused multiply-adds";

    // Between two measured sizes the rate changes in proportion to the logarithm.
    private double Rate(double bytes)
    {
        int above = Array.FindIndex(Copies, c => c.Bytes >= bytes);
        if (above <= 0) return Copies[above == 0 ? 0 : ^1].Rate;
        ((long low, double first), (long high, double last)) = (Copies[above - 1], Copies[above]);
        return first + ((last - first) * Math.Log(bytes / low) / Math.Log((double)high / low));
    }

    private static string Size(long bytes) => bytes >= 1 << 20 ? $"{bytes >> 20} MB" : $"{bytes >> 10} KB";
}
