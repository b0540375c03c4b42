using System.Text;
using System.Text.Json;

namespace Fusion.Gpu;

/// <summary>Prints as results come, and writes them as Markdown.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new();
    private readonly Options _options;
    private readonly Dictionary<string, double> _peer = [];
    private double _bandwidth;
    private bool _timed;

    public Report(Device device, Options options)
    {
        _options = options;
        if (options.Peer is { } file && File.Exists(file)) _peer = JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(file)) ?? [];
        Line($"# {device.Name}");
        Line(string.Empty);
    }

    /// <param name="what">That was checked.</param>
    /// <param name="passed">How many checks passed.</param>
    /// <param name="failures">A line for each that did not.</param>
    public void Checks(string what, int passed, List<string> failures)
    {
        Line($"{what}: {passed} checks passed, {failures.Count} failed.");
        Line(string.Empty);
        foreach (string failure in failures) Line($"- {failure}");
        if (failures.Count > 0) Line(string.Empty);
    }

    public void Time(SpeedCase one, double seconds)
    {
        Head();
        if (one.Name.StartsWith("copy", StringComparison.Ordinal)) _bandwidth = Math.Max(_bandwidth, one.Bytes / seconds);
        string rate = one.Flops > 0 ? $"{one.Flops / seconds / 1e12:F1} TFLOP/s" : one.Bytes > 0 ? $"{one.Bytes / seconds / 1e9:F0} GB/s, {one.Bytes / seconds / _bandwidth:P0} of the best copy so far" : string.Empty;
        string ratio = _peer.TryGetValue(one.Name, out double theirs) ? $"{theirs / seconds:F2}" : string.Empty;
        Line($"| {one.Name} | {seconds * 1e6:F1} | {rate} | {ratio} |");
    }

    public void Failed(SpeedCase one, string why)
    {
        Head();
        Line($"| {one.Name} | | {why.ReplaceLineEndings(" ")} | |");
    }

    public void Save()
    {
        if (_options.Out is not { } folder) return;
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "gpu.md"), _text.ToString());
    }

    private void Head()
    {
        if (_timed) return;
        _timed = true;
        Line("| case | µs | rate | PyTorch's time ÷ ours |");
        Line("|---|---|---|---|");
    }

    private void Line(string text)
    {
        Console.WriteLine(text);
        _text.AppendLine(text);
    }
}
