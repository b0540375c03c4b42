namespace Fusion.Tests.Repository;

/// <summary>The README's table of benchmarks is that of the published run: <c>bench/Peers --publish</c> writes both.</summary>
public sealed class BenchmarkTableTests
{
    private const string Start = "<!-- benchmarks: written by bench/Peers --publish -->", End = "<!-- /benchmarks -->";

    [Fact]
    public void TheReadmeShowsThePublishedRun()
    {
        string published = Table("docs/benchmarks/README.md");
        Assert.True(published.Count(static c => c == '\n') > 5, "The published run has no table.");
        Assert.Equal(published, Table("README.md"));
    }

    [Fact]
    public void TheProgramWritesBetweenTheseMarks()
    {
        string program = RepositoryRoot.Read("bench/Peers/Reports/Publication.cs");
        Assert.Contains($"\"{Start}\"", program, StringComparison.Ordinal);
        Assert.Contains($"\"{End}\"", program, StringComparison.Ordinal);
    }

    private static string Table(string page)
    {
        string text = RepositoryRoot.Read(page).Replace("\r", string.Empty, StringComparison.Ordinal);
        int start = text.IndexOf(Start, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(start >= 0 && end > start, $"{page} has no table between {Start} and {End}.");
        return text[(start + Start.Length)..end];
    }
}
