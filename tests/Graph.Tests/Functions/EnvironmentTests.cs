namespace Fusion.Tests;

/// <summary>Environment variables, seen from a process of its own.</summary>
public sealed class EnvironmentTests
{
    [Fact]
    public void HybridizeCanBeSwitchedOff() => Assert.Equal("7 2 0 FUSION_HYBRIDIZE=0", ChildProgram.Run("FUSION_HYBRIDIZE", "0"));

    [Theory]
    [InlineData("FUSION_HYBRIDIZE", "1")]
    [InlineData("FUSION_SIMD", "128")]
    [InlineData("FUSION_TRACE_LINES", "1")]
    [InlineData("FUSION_NUM_THREADS", "1")]
    public void OthersChangeNoResult(string variable, string value) => Assert.Equal("7 2 1", ChildProgram.Run(variable, value));

    [Fact]
    public void TheStagesOfTheCompilerAreWrittenToAFolder()
    {
        string folder = Directory.CreateTempSubdirectory("fusion-dump").FullName;
        try
        {
            string[] folders = [Path.Combine(folder, "first"), Path.Combine(folder, "second")];
            foreach (string each in folders) Assert.Equal("7 2 1", ChildProgram.Run("FUSION_DUMP", each));
            string[] names = [.. Directory.GetFiles(folders[0]).Select(static f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
            Assert.Equal(
                ["trace", "forward", "forward-groups", "backward", "backward-groups", "trace", "forward", "forward-groups"],
                names.Select(static n => n[(n.IndexOf("-1-", StringComparison.Ordinal) is >= 0 and int at ? at + 3 : n.IndexOf("-2-", StringComparison.Ordinal) + 3)..^4]));
            foreach (string name in names) Assert.Equal(File.ReadAllText(Path.Combine(folders[0], name)), File.ReadAllText(Path.Combine(folders[1], name)));
            string trace = File.ReadAllText(Path.Combine(folders[0], names[0]));
            Assert.Contains("%3 = Multiply(x0, 2) : Float32 (3,)   // at ChildProgram.cs:", trace, StringComparison.Ordinal);
            Assert.EndsWith(
                """
                argument x0 : Float32 (3,)
                %3 = Multiply(x0, 2) : Float32 (3,)
                %5 = Add(%3, 3) : Float32 (3,)
                output %5

                """,
                File.ReadAllText(Path.Combine(folders[0], names[1])),
                StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void OrToTheStandardOutput()
    {
        string output = ChildProgram.Run("FUSION_DUMP", "-");
        Assert.EndsWith("\n7 2 1", output, StringComparison.Ordinal);
        Assert.Contains("forward-groups\nElementwise over (3,): ", output, StringComparison.Ordinal);
    }
}
