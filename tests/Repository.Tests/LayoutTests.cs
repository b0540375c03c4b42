using System.Text.RegularExpressions;

namespace Fusion.Tests.Repository;

/// <summary>What the tree promises: projects in the solution, locked packages, short files, no path of anybody's machine.</summary>
public partial class LayoutTests
{
    // They restore hundreds of megabytes of LibTorch: programs of their own, outside the solution.
    private static readonly string[] s_peers = ["bench/Peers/Peers.csproj", "tests/Oracle/Oracle.csproj"];

    [Fact]
    public void EveryProjectIsInTheSolution()
    {
        string solution = RepositoryRoot.Read("Fusion.sln").Replace('\\', '/');
        foreach (string project in AllProjects().Except(s_peers)) Assert.Contains(project, solution);
        foreach (string peer in s_peers) Assert.DoesNotContain(peer, solution);
    }

    [Fact]
    public void PackagesAreLocked()
    {
        foreach (string project in AllProjects().Except(s_peers))
            Assert.True(File.Exists(Path.Combine(RepositoryRoot.Path, Path.GetDirectoryName(project)!, "packages.lock.json")), $"{project} has no packages.lock.json.");
    }

    [Fact]
    public void WhatTestsRestoreHasNoLibTorch()
    {
        foreach (string file in RepositoryRoot.Files(".", "packages.lock.json")) Assert.DoesNotContain("libtorch", RepositoryRoot.Read(file), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void FilesHaveOnePurposeAndStayShort()
    {
        string[] all = [.. RepositoryRoot.Files("src", "*.cs").Where(static f => !f.EndsWith(".g.cs", StringComparison.Ordinal))];
        int[] lengths = [.. all.Select(static f => RepositoryRoot.Read(f).Count(static c => c == '\n'))];
        string[] tooLong = [.. all.Where((_, i) => lengths[i] > 400)];
        Assert.True(tooLong.Length == 0, $"Over 400 lines: {string.Join(", ", tooLong)}");
        Assert.True(lengths.Order().ElementAt(lengths.Length / 2) <= 120, "The median file has more than 120 lines.");
    }

    [Fact]
    public void NothingNamesAMachine()
    {
        foreach (string file in RepositoryRoot.Files("src", "*.cs").Concat(RepositoryRoot.Files("tests", "*.cs")).Concat(RepositoryRoot.Files("bench", "*.cs")).Concat(RepositoryRoot.Files(".", "*.md")).Concat(RepositoryRoot.Files(".", "*.props")))
            Assert.False(MachinePath().IsMatch(RepositoryRoot.Read(file)), $"{file} has a path of a machine: {MachinePath().Match(RepositoryRoot.Read(file)).Value}");
    }

    [Fact]
    public void NothingIsLeftUnfinished()
    {
        foreach (string file in RepositoryRoot.Files("src", "*.cs"))
            Assert.False(Unfinished().IsMatch(RepositoryRoot.Read(file)), $"{file}: {Unfinished().Match(RepositoryRoot.Read(file)).Value}");
    }

    private static IEnumerable<string> AllProjects() => RepositoryRoot.Files(".", "*.csproj").Select(static p => p.StartsWith("./", StringComparison.Ordinal) ? p[2..] : p);

    [GeneratedRegex(@"(?<![\w.])/(?:tmp|work|root|home|Users)/\w")]
    private static partial Regex MachinePath();

    [GeneratedRegex("NotImplementedException|TODO|FIXME|HACK")]
    private static partial Regex Unfinished();
}
