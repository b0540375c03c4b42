using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Fusion.Peers;

/// <summary>Prints results as they come and writes tables: Markdown by area with a summary of geometric means, and JSON.</summary>
internal sealed class Report(Options options)
{
    private readonly List<PeerResult> _results = [];
    private readonly List<string> _limits = [];

    public bool AllAgree => _results.TrueForAll(static r => r.Disagreement is null);

    public void Limits(int threads, double bandwidth, double cached, double peak)
    {
        string line = $"{threads} thread(s): copies of 128 MB {bandwidth:F1} GB/s, of 512 KB {cached:F1} GB/s; {peak:F0} GFLOP/s of fused multiply-adds";
        _limits.Add(line);
        Console.WriteLine(line);
    }

    public void Add(PeerResult result)
    {
        _results.Add(result);
        Console.WriteLine($"{result.Threads} | {result.Area}: {result.Name} | {string.Join(" | ", result.Timings.Select(t => $"{t.Contender} {Time(t.Median)}"))} | {Best(result):F2}×");
        if (result.Disagreement is { } text) Console.WriteLine($"  THE RESULTS DIFFER: {text}");
    }

    /// <summary>Writes what was asked for.</summary>
    public void Save()
    {
        string markdown = Markdown();
        if (options.Out is not { } folder)
        {
            Console.WriteLine();
            Console.WriteLine(Summary());
            return;
        }

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "README.md"), markdown);
        if (options.Json) File.WriteAllText(Path.Combine(folder, "results.json"), JsonSerializer.Serialize(_results, s_json));
        RatioChart.Save(Path.Combine(folder, "ratios.png"), _results);
    }

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private string Summary()
    {
        StringBuilder text = new("| area | threads | cases | LibTorch's time ÷ ours, geometric mean | worst case |\n|---|---|---|---|---|\n");
        foreach (IGrouping<(string, int), PeerResult> group in _results.GroupBy(static r => (r.Area, r.Threads)))
        {
            foreach (string side in (string[])[Contender.Hybridized, Contender.Eager])
            {
                (PeerResult Result, double Ratio)[] ratios = [.. group.Where(r => r.Ratio(side) is not null).Select(r => (r, r.Ratio(side)!.Value))];
                if (ratios.Length == 0) continue;
                double mean = Math.Exp(ratios.Average(static r => Math.Log(r.Ratio)));
                (PeerResult worst, double least) = ratios.MinBy(static r => r.Ratio);
                string area = group.Key.Item1.StartsWith(side, StringComparison.Ordinal) ? group.Key.Item1 : $"{group.Key.Item1}, {side}";
                text.Append(CultureInfo.InvariantCulture, $"| {area} | {group.Key.Item2} | {ratios.Length} | {mean:F2}× | {least:F2}× {worst.Name} |\n");
            }
        }

        return text.ToString();
    }

    private string Markdown()
    {
        StringBuilder text = new("# Benchmarks against LibTorch\n\nWritten by `dotnet run -c Release --project bench/Peers -- --out docs/benchmarks`" + (options.Quick ? " with `--quick`" : string.Empty) + ". Contenders in turn, medians; a ratio above 1 says that Fusion is faster.\n\n");
        text.Append(CultureInfo.InvariantCulture, $"{System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}, {Environment.ProcessorCount} cores, SIMD {(System.Runtime.Intrinsics.Vector512.IsHardwareAccelerated ? 512 : 256)} bits. The limits of the machine, measured in the same run:\n\n");
        foreach (string line in _limits) text.Append("- ").AppendLine(line);
        text.AppendLine().AppendLine(Summary()).AppendLine("![ratios](ratios.png)");
        foreach (PeerResult result in _results.Where(static r => r.Disagreement is not null))
            text.Append(CultureInfo.InvariantCulture, $"\nThe results differ: {result.Name}, {result.Threads} thread(s): {result.Disagreement}\n");
        foreach (IGrouping<string, PeerResult> area in _results.GroupBy(static r => r.Area))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {area.Key}\n\n| case | threads | hybridized | eager | LibTorch | ratio hybridized | ratio eager |\n|---|---|---|---|---|---|---|\n");
            foreach (PeerResult r in area)
            {
                text.Append(CultureInfo.InvariantCulture, $"| {r.Name} | {r.Threads} | {Cell(r, Contender.Hybridized)} | {Cell(r, Contender.Eager)} | {Cell(r, Contender.Torch)} | {Ratio(r, Contender.Hybridized)} | {Ratio(r, Contender.Eager)} |\n");
            }
        }

        return text.ToString();
    }

    private static double Best(PeerResult r) => r.Ratio(Contender.Hybridized) ?? r.Ratio(Contender.Eager) ?? 0;

    private static string Ratio(PeerResult r, string side) => r.Ratio(side) is { } ratio ? $"{ratio:F2}×" : string.Empty;

    private static string Cell(PeerResult r, string side) => r.Timings.FirstOrDefault(t => t.Contender == side) is { } timing ? Time(timing.Median) : string.Empty;

    private static string Time(double nanoseconds) => nanoseconds switch
    {
        < 1e3 => $"{nanoseconds:F0} ns",
        < 1e6 => $"{nanoseconds / 1e3:F1} µs",
        _ => $"{nanoseconds / 1e6:F2} ms",
    };
}
