namespace Fusion.Tests.Repository;

/// <summary>docs/operators.md says what the operator table says. Set FUSION_UPDATE_DOCS=1 to write it anew.</summary>
public sealed class OperatorPageTests
{
    [Fact]
    public void ThePageIsThatOfTheTable() => GeneratedPage.Check("operators.md", OperatorPage.Write());

    [Fact]
    public void EveryLineSaysWhatTheOperatorComputes()
    {
        string[] lines = [.. OperatorPage.Write().Split('\n').Where(static line => line.StartsWith("| `", StringComparison.Ordinal))];
        Assert.True(lines.Length > 100);
        Assert.All(lines, static line => Assert.NotEqual(string.Empty, line.Split(" | ")[1].Trim()));
    }
}
