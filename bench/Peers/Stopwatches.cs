using System.Diagnostics;
using System.Runtime;

namespace Fusion.Peers;

/// <summary>Times of one contender, in nanoseconds a call.</summary>
internal sealed record Timing(string Contender, double Median, double Low, double High);

/// <summary>
/// Contenders in turn, round by round, so that a slow moment of the machine hits all of them; the median of the rounds counts. Between contenders
/// with several threads a pause lets the spinning pool of a peer go to sleep (ours parks after some 20 µs).
/// </summary>
internal static class Stopwatches
{
    private const double Short = 500;   // microseconds of ten calls
    private const int FewMethods = 20, MostTurns = 5;

    public static Timing[] Measure(Contender[] contenders, bool quick, int threads)
    {
        int rounds = quick ? 5 : 15;
        TimeSpan slice = TimeSpan.FromMilliseconds(quick ? 8 : 30);
        WarmUp(contenders);
        int[] calls = [.. contenders.Select(c => Calibrate(c.Run, slice))];
        double[][] times = [.. contenders.Select(_ => new double[rounds])];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < contenders.Length; i++)
            {
                if (threads > 1 && !contenders[(i + contenders.Length - 1) % contenders.Length].IsOurs) Thread.Sleep(40);
                contenders[i].Run();
                long start = Stopwatch.GetTimestamp();
                for (int k = 0; k < calls[i]; k++) contenders[i].Run();
                times[i][round] = Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls[i];
            }
        }

        return [.. contenders.Select((c, i) => Summarise(c.Name, times[i]))];
    }

    // Instrumented code comes before the last tier, and what the last tier has inlined still changes then. Where calls are short, managed code is what is
    // timed: until it gets no faster. Where they are long, code that was new in this case may matter, a few lambdas do not.
    private static void WarmUp(Contender[] contenders)
    {
        long methods = JitInfo.GetCompiledMethodCount();
        foreach (Contender contender in contenders) WarmUp(contender.Run);
        double fastest = contenders.Min(static c => OfTen(c.Run));
        if (fastest > Short)
        {
            if (JitInfo.GetCompiledMethodCount() - methods > FewMethods) SettleTiers();
            return;
        }

        for (int turn = 0; turn < MostTurns; turn++)
        {
            SettleTiers();
            foreach (Contender contender in contenders) WarmUp(contender.Run);
            double now = contenders.Min(static c => OfTen(c.Run));
            if (turn > 0 && now > 0.95 * fastest) return;
            fastest = now;
        }
    }

    // The JIT's next tier works in the background, from 100 ms after the last new method on.
    private static void SettleTiers() => Thread.Sleep(120);

    // Microseconds of ten calls.
    private static double OfTen(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        for (int calls = 0; calls < 10; calls++) run();
        return Stopwatch.GetElapsedTime(start).TotalMicroseconds;
    }

    private static void WarmUp(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        for (int calls = 0; calls < 3 || (calls < 100_000 && Stopwatch.GetElapsedTime(start) < TimeSpan.FromMilliseconds(40)); calls++) run();
    }

    // Calls that fill the slice, after enough of them for the JIT's tiers to settle.
    private static int Calibrate(Action run, TimeSpan slice)
    {
        long start = Stopwatch.GetTimestamp();
        int calls = 0;
        while (Stopwatch.GetElapsedTime(start) < slice || calls < 3)
        {
            run();
            calls++;
        }

        start = Stopwatch.GetTimestamp();
        int probe = Math.Max(1, calls / 3);
        for (int i = 0; i < probe; i++) run();
        double each = Stopwatch.GetElapsedTime(start).TotalNanoseconds / probe;
        return (int)Math.Clamp(slice.TotalNanoseconds / each, 1, 1_000_000);
    }

    private static Timing Summarise(string name, double[] times)
    {
        Array.Sort(times);
        return new Timing(name, times[times.Length / 2], times[times.Length / 4], times[times.Length * 3 / 4]);
    }
}
