using System.Xml.Linq;

namespace Fusion.Tests;

/// <summary>The checkout that the tests run from.</summary>
public static class RepositoryRoot
{
    private static readonly string[] s_skipped = ["bin", "obj", ".git", "TestResults", "BenchmarkDotNet.Artifacts", "artifacts"];

    public static string Path { get; } = Find();

    /// <summary>Files under a folder, relative to the root, with forward slashes; build outputs are left out.</summary>
    public static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(System.IO.Path.Combine(Path, folder), pattern, SearchOption.AllDirectories)
            .Select(f => System.IO.Path.GetRelativePath(Path, f).Replace('\\', '/'))
            .Where(static f => !f.Split('/').Any(s_skipped.Contains))
            .Order(StringComparer.Ordinal);

    public static string Read(string relative) => File.ReadAllText(System.IO.Path.Combine(Path, relative));

    public static XDocument Project(string relative) => XDocument.Load(System.IO.Path.Combine(Path, relative));

    private static string Find()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder, "Fusion.sln"))) folder = System.IO.Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests do not run from a checkout: there is no Fusion.sln above them.");
    }
}
