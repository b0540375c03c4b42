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
}
