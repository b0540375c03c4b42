using System.Globalization;
using System.Text;

namespace Fusion.Peers.Reports;

/// <summary>The table of a line an area: geometric means of ratios, the worst case, the goal, and whether it is met.</summary>
internal static class Summary
{
    public static string Table(IReadOnlyList<PeerResult> results)
    {
        int[] threads = [.. results.Select(static r => r.Threads).Distinct().Order()];
        StringBuilder text = new("| LibTorch's time ÷ Fusion's |");
        foreach (int count in threads) text.Append(CultureInfo.InvariantCulture, $" {count} thread{(count > 1 ? "s" : string.Empty)} |");
        text.Append(" goal | worst case |\n|---|").Append(string.Concat(Enumerable.Repeat("---|", threads.Length))).Append("---|---|\n");
        foreach (Goal goal in Goal.All)
        {
            (PeerResult Result, double Ratio)[] all = [.. results.Select(r => (Result: r, Ratio: goal.Ratio(r) ?? 0)).Where(static p => p.Ratio > 0)];
            if (all.Length == 0) continue;
            text.Append(CultureInfo.InvariantCulture, $"| {goal.Name} |");
            foreach (int count in threads) text.Append(CultureInfo.InvariantCulture, $" {Mean(goal, [.. all.Where(p => p.Result.Threads == count).Select(static p => p.Ratio)])} |");
            (PeerResult worst, double least) = all.MinBy(static p => p.Ratio);
            string cell = $"{Amounts.Ratio(least)} {worst.Name}{(threads.Length > 1 ? $", {worst.Threads} thread(s)" : string.Empty)}";
            text.Append(CultureInfo.InvariantCulture, $" {Wanted(goal)} | {(least < goal.Worst ? $"**{cell}**" : cell)} |\n");
        }

        foreach (string line in Scaling(results, threads)) text.Append(line);
        return text.ToString();
    }

    // A mean below the goal is set in bold.
    private static string Mean(Goal goal, double[] ratios)
    {
        if (ratios.Length == 0) return string.Empty;
        double mean = Geometric(ratios);
        return mean < goal.Mean ? $"**{Amounts.Ratio(mean)}**" : Amounts.Ratio(mean);
    }

    private static string Wanted(Goal goal) => (goal.Mean, goal.Worst) switch
    {
        ({ } mean, { } worst) => $"≥ {Amounts.Ratio(mean)}, no case below {Amounts.Ratio(worst)}",
        ({ } mean, null) => $"≥ {Amounts.Ratio(mean)}",
        (null, { } worst) => $"no case below {Amounts.Ratio(worst)}",
        _ => string.Empty,
    };

    // Our own time on one thread over that on more, of cases that are bound by arithmetic and long enough to be shared.
    private static IEnumerable<string> Scaling(IReadOnlyList<PeerResult> results, int[] threads)
    {
        const double Wanted = 1.7, Long = 200_000;
        if (threads.Length < 2 || threads[0] != 1) yield break;
        PeerResult[] single = [.. results.Where(static r => r is { Threads: 1, IsComputeBound: true } && r.Floor > Long)];
        string cells = string.Empty, worst = string.Empty;
        double least = double.PositiveInfinity;
        foreach (int count in threads[1..])
        {
            (PeerResult Result, double Gain)[] gains = [.. single.SelectMany(one => results.Where(r => r.Threads == count && r.Area == one.Area && r.Name == one.Name)
                .Select(r => (r, Gain: (one.Median(one.Ours) / r.Median(r.Ours)) ?? 0))).Where(static g => g.Gain > 0)];
            if (gains.Length == 0) yield break;
            double mean = Geometric([.. gains.Select(static g => g.Gain)]);
            cells += $" {(mean < Wanted ? $"**{Amounts.Ratio(mean)}**" : Amounts.Ratio(mean))} |";
            (PeerResult slowest, double gain) = gains.MinBy(static g => g.Gain);
            if (gain < least) (least, worst) = (gain, $"{Amounts.Ratio(gain)} {slowest.Name}, {count} thread(s)");
        }

        yield return $"| Fusion's own time on one thread ÷ on more, compute-bound cases | |{cells} ≥ {Amounts.Ratio(Wanted)} | {worst} |\n";
    }

    private static double Geometric(double[] ratios) => Math.Exp(ratios.Average(Math.Log));
}
