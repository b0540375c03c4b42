using System.Text.Json;

namespace Fusion.Peers.Reports;

/// <summary>Prints results as they come; at the end the summary, and the files that were asked for.</summary>
internal sealed class Report(Options options)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    private readonly List<PeerResult> _results = [];
    private readonly List<Limits> _limits = [];

    /// <summary>No result of Fusion is wrong; those of the peers may be.</summary>
    public bool IsRight => _results.TrueForAll(static r => r.Verdict is not { FusionIsOff: true });

    public void Add(Limits limits)
    {
        _limits.Add(limits);
        Console.WriteLine(limits);
    }

    public void Add(PeerResult result)
    {
        _results.Add(result);
        string times = string.Join(" | ", result.Timings.Select(t => $"{t.Contender} {Amounts.Of(result, t.Median)}"));
        string limit = result.OfLimit(result.Ours) is { } part ? $" | {Amounts.Percent(part)} of the limit" : string.Empty;
        Console.WriteLine($"{result.Threads} | {result.Area}: {result.Name} | {times} | {Amounts.Ratio(result.Ratio(result.Ours))}{limit}");
        if (result.Verdict is { } verdict) Console.WriteLine($"  THE RESULTS DIFFER: {verdict.Text}");
        if (result.Note is { } note) Console.WriteLine($"  {note}");
    }

    /// <summary>Writes what was asked for.</summary>
    public void Save()
    {
        string table = Summary.Table(_results);
        Console.WriteLine();
        Console.WriteLine(table);
        if (options.Json is { } path) File.WriteAllText(path, JsonSerializer.Serialize(new { Limits = _limits, Results = _results }, s_json));
        if (options.Folder is not { } folder) return;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "README.md"), Page.Write(_results, _limits, options));
        Charts.Save(folder, _results);
        if (options is { Publish: true, Registers: null }) Publication.Replace(Path.Combine(Publication.Root(), "README.md"), table);
    }
}
