namespace Fusion.Peers.Reports;

/// <summary>The summary between two marks, in the page of the benchmarks and in the README: one run writes both, and a test holds them equal.</summary>
internal static class Publication
{
    public const string Start = "<!-- benchmarks: written by bench/Peers --publish -->", End = "<!-- /benchmarks -->";

    /// <summary>The folder of the solution above the working folder.</summary>
    public static string Root()
    {
        for (string? folder = Environment.CurrentDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Fusion.sln"))) return folder;
        throw new InvalidOperationException("--publish writes docs/benchmarks and the README: run it in a checkout.");
    }

    /// <summary>Puts the table between the marks of a file.</summary>
    public static void Replace(string path, string table)
    {
        string text = File.ReadAllText(path);
        int start = text.IndexOf(Start, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (start < 0 || end < start) throw new InvalidOperationException($"{Path.GetFileName(path)} has no place for the table: {Start} and {End}.");
        File.WriteAllText(path, $"{text[..(start + Start.Length)]}\n{table}{text[end..]}");
    }
}
