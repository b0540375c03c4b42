namespace Fusion.Tests;

/// <summary>Where machine code cannot be made at run time, as under NativeAOT: seen from a process of its own, in which it is forbidden.</summary>
public sealed class NoDynamicCodeTests
{
    [Fact]
    public void PlansRunTheLoopsCompiledAheadOfTimeToTheSameBits()
    {
        string[] dynamic = ChildProgram.Run(["train"]).Split(' '), ahead = ChildProgram.Run(["train", "no-dynamic-code"]).Split(' ');
        Assert.Equal(["False", "True", "True"], dynamic[3..]);
        Assert.Equal(["False", "False", "False"], ahead[3..]);
        Assert.Equal(dynamic[..3], ahead[..3]);
        Assert.Equal(ahead[1], ahead[2]);
    }
}
