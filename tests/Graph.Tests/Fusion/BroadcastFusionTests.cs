namespace Fusion.Tests;

/// <summary>Broadcasting operands are read in place by the kernel; gradients come back in the operand's shape.</summary>
public sealed class BroadcastFusionTests
{
    public static TheoryData<int[], int[]> Shapes => new()
    {
        { [4, 5], [5] }, { [4, 5], [4, 1] }, { [4, 1], [1, 5] }, { [4, 5], [] }, { [], [4, 5] }, { [1], [1, 1] }, { [3, 1, 5], [4, 1] }, { [2, 3, 4], [3, 1] },
        { [1, 1], [4, 5] }, { [0, 3], [1, 3] }, { [0], [1] }, { [2, 1, 2, 1], [3, 1, 4] }, { [64, 33], [33] }, { [1], [] }, { [300, 70], [300, 1] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void OneKernelForward(int[] first, int[] second)
    {
        HybridReport report = Check.Forward(Check.List(static (x, y) => (x * y + 1).Tanh()), TestArrays.Special(first, 1), TestArrays.Special(second, 2));
        Assert.Equal(1, report.KernelCount);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void GradientsHaveTheOperandsShapes(int[] first, int[] second) =>
        Check.Backward(Check.List(static (x, y) => (x * y + y).Tanh() * x), TestArrays.Uniform(first, 1), TestArrays.Uniform(second, 2));

    [Fact]
    public void AStretchedOperandNeedNotBeStretchedFirst()
    {
        HybridReport report = Check.Both(Check.List(static (x, y) => x * y.BroadcastTo(x.Shape)), TestArrays.Uniform((6, 4)), TestArrays.Uniform((6, 1), 2));
        Assert.DoesNotContain(report.Groups, static g => g is { IsBackward: false, Kind: "View" });
    }

    [Fact]
    public void AStretchThatGivesTheShapeStays()
    {
        HybridReport report = Check.Both(Check.List(static x => x.BroadcastTo((6, 4)) * 2), TestArrays.Uniform(4));
        Assert.Equal((6, 4), report.Groups.Last(static g => g is { IsBackward: false, Kind: "Elementwise" }).Shape);
    }

    [Fact]
    public void ASliceOfAStretchedArrayIsRead() =>
        Check.Both(Check.List(static x => x.BroadcastTo((6, 4))[1..3] + x.BroadcastTo((6, 4))[3..5]), TestArrays.Uniform((1, 4)));
}
