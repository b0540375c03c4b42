using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Fusion.Peers.Reports;

/// <summary>The page of all results in Markdown: the machine, its limits, the summary, what grows how, and a table an area.</summary>
internal static class Page
{
    public static string Write(IReadOnlyList<PeerResult> results, IReadOnlyList<Limits> limits, Options options)
    {
        StringBuilder text = new("# Benchmarks against LibTorch\n\n");
        text.Append(CultureInfo.InvariantCulture, $"Written by `dotnet run -c Release --project bench/Peers -- {options.Text}`. Contenders in turn, medians, with the spread of the middle half of the rounds where it is more than a tenth. ");
        text.Append("Ratios above 1 say that Fusion is faster; bold: the goal is missed. \"Of the limit\" is the time that the stated bytes or operations take at the limits below over the measured time. ");
        string docs = options.Registers is null ? ".." : "../..";
        text.Append(CultureInfo.InvariantCulture, $"[How it is measured]({docs}/benchmarks.md) · [where the speed comes from]({docs}/performance.md)\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores, registers of {Registers.Bits} bits. The limits of the machine, measured in the same run:\n\n");
        foreach (Limits limit in limits) text.Append("- ").Append(limit).Append('\n');
        text.Append('\n').Append(Publication.Start).Append('\n').Append(Summary.Table(results)).Append(Publication.End).Append("\n\n![ratios by area](ratios.png)\n\n![parts of the limit](limits.png)\n");
        foreach (PeerResult result in results)
        {
            if (result.Verdict is { } verdict) text.Append(CultureInfo.InvariantCulture, $"\nThe results differ: {result.Name}, {result.Threads} thread(s): {verdict.Text}\n");
            if (result.Note is { } note) text.Append(CultureInfo.InvariantCulture, $"\n{result.Area}: {result.Name}: {note}\n");
        }

        Growth(text, results);
        foreach (IGrouping<string, PeerResult> area in results.GroupBy(static r => r.Area)) Area(text, area.Key, [.. area]);
        return text.ToString();
    }

    private static void Area(StringBuilder text, string name, PeerResult[] results)
    {
        string[] sides = [.. Contender.Names.Where(side => Array.Exists(results, r => r.Timing(side) is not null))];
        string[] ours = [.. sides.Where(static s => s is Contender.Hybridized or Contender.Eager)], others = [.. sides.Except(ours)];
        string[] ratios = [.. others.SelectMany(theirs => ours.Select(our => $"{theirs} ÷ {our}"))];
        bool limited = Array.Exists(results, static r => r.Floor is not null);
        string[] columns = ["case", "threads", .. sides, .. ratios, .. limited ? ["of the limit"] : Array.Empty<string>()];
        text.Append(CultureInfo.InvariantCulture, $"\n## {name}\n\n| {string.Join(" | ", columns)} |\n|{string.Concat(columns.Select(static _ => "---|"))}\n");
        foreach (PeerResult r in results)
        {
            string[] cells =
            [
                r.Name, $"{r.Threads}", .. sides.Select(side => Amounts.Of(r, r.Timing(side))),
                .. others.SelectMany(theirs => ours.Select(our => Amounts.Ratio(r.Ratio(our, theirs)))),
                .. limited ? [Amounts.Percent(r.OfLimit(r.Ours))] : Array.Empty<string>(),
            ];
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells)} |\n");
        }
    }

    // The exponent between the smallest and the largest size: 1 is in proportion, below 1 fixed costs are spread.
    private static void Growth(StringBuilder text, IReadOnlyList<PeerResult> results)
    {
        IGrouping<(string, int), PeerResult>[] families = [.. results.Where(static r => r.Growth is not null && r.Timings.Length > 0).GroupBy(static r => (r.Growth!.Family, r.Threads))];
        if (families.Length == 0) return;
        text.Append("\n## How cost grows\n\nTime for each, from the smallest to the largest number of them. The exponent lies between the two largest: 1 is in proportion.\n\n| what | threads | side | each | exponent |\n|---|---|---|---|---|\n");
        foreach (IGrouping<(string Family, int Threads), PeerResult> family in families)
        {
            PeerResult[] sizes = [.. family.OrderBy(static r => r.Growth!.Count)];
            foreach (string side in Contender.Names.Where(side => sizes.Length > 1 && Array.TrueForAll(sizes, r => r.Timing(side) is not null)))
            {
                string each = string.Join(", ", sizes.Select(r => $"{r.Growth!.Count:N0}: {Amounts.Nanoseconds(r.Median(side)!.Value / r.Growth.Count)}"));
                (PeerResult before, PeerResult last) = (sizes[^2], sizes[^1]);
                double exponent = Math.Log(last.Median(side)!.Value / before.Median(side)!.Value) / Math.Log((double)last.Growth!.Count / before.Growth!.Count);
                text.Append(CultureInfo.InvariantCulture, $"| {family.Key.Family} | {family.Key.Threads} | {side} | {each} | {exponent:F2} |\n");
            }
        }
    }
}
