namespace Fusion.Tests.Repository;

/// <summary>docs/operators.md says what the operator table says. Set FUSION_UPDATE_DOCS=1 to write it anew.</summary>
public sealed class OperatorPageTests
{
    [Fact]
    public void ThePageIsThatOfTheTable()
    {
        string path = Path.Combine(RepositoryRoot.Path, "docs", "operators.md");
        string expected = OperatorPage.Write();
        if (Environment.GetEnvironmentVariable("FUSION_UPDATE_DOCS") == "1") File.WriteAllText(path, expected);
        string[] actual = File.Exists(path) ? File.ReadAllLines(path) : [], wanted = expected.TrimEnd('\n').Split('\n');
        string[] missing = [.. wanted.Except(actual)], stale = [.. actual.Except(wanted)];
        Assert.True(
            actual.SequenceEqual(wanted),
            "docs/operators.md is not that of the operator table; set FUSION_UPDATE_DOCS=1 and run this test to write it anew.\n"
            + $"+ {string.Join("\n+ ", missing)}\n- {string.Join("\n- ", stale)}");
    }

    [Fact]
    public void EveryLineSaysWhatTheOperatorComputes()
    {
        string[] lines = [.. OperatorPage.Write().Split('\n').Where(static line => line.StartsWith("| `", StringComparison.Ordinal))];
        Assert.True(lines.Length > 100);
        Assert.All(lines, static line => Assert.NotEqual(string.Empty, line.Split(" | ")[1].Trim()));
    }
}
