using System.Diagnostics;

namespace Fusion;

/// <summary>How long the launches of a plan take: the shortest time of each. Only where <see cref="HybridOptions.Profile"/> asks for it.</summary>
internal sealed class LaunchTimes(int count)
{
    private readonly long[] _ticks = new long[count];

    /// <summary>Runs launch <paramref name="index"/> of the plan with a clock.</summary>
    public void Run(Plan plan, int index, ReadOnlySpan<NDArray> inputs, Span<NDArray> outputs)
    {
        plan.Device?.Synchronize();
        long start = Stopwatch.GetTimestamp();
        plan.Steps[index].Run(inputs, outputs);
        plan.Device?.Synchronize();
        long ticks = Math.Max(1, Stopwatch.GetTimestamp() - start);
        ref long best = ref _ticks[index];
        long known = Volatile.Read(ref best);
        while ((known == 0 || ticks < known) && Interlocked.CompareExchange(ref best, ticks, known) is var seen && seen != known) known = seen;
    }

    /// <summary>The shortest time in nanoseconds; null before the first run.</summary>
    public double? Nanoseconds(int index) => Volatile.Read(ref _ticks[index]) is > 0 and var ticks ? ticks * (1e9 / Stopwatch.Frequency) : null;
}
