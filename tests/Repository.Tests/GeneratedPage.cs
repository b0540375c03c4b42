namespace Fusion.Tests.Repository;

/// <summary>A page of docs that is written by the library: held to the truth, or written anew.</summary>
internal static class GeneratedPage
{
    public static void Check(string name, string expected)
    {
        string path = Path.Combine(RepositoryRoot.Path, "docs", name);
        if (Environment.GetEnvironmentVariable("FUSION_UPDATE_DOCS") == "1") File.WriteAllText(path, expected);
        string[] actual = File.Exists(path) ? File.ReadAllLines(path) : [], wanted = expected.TrimEnd('\n').Split('\n');
        string[] missing = [.. wanted.Except(actual)], stale = [.. actual.Except(wanted)];
        Assert.True(
            actual.SequenceEqual(wanted),
            $"docs/{name} is not what the library says; set FUSION_UPDATE_DOCS=1 and run this test to write it anew.\n"
            + $"+ {string.Join("\n+ ", missing)}\n- {string.Join("\n- ", stale)}");
    }
}
