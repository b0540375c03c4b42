namespace Fusion.Tests;

/// <summary>Every case on ILGPU's accelerator that runs on the processor: the kernels of a GPU, one thread of it after the other.</summary>
[Collection(nameof(ProcessState))]
public class DeviceTests
{
    public static TheoryData<string> Cases => OperatorTableTests.Cases;

    public static TheoryData<string> Differentiable => GradientTests.Differentiable;

    [Theory]
    [MemberData(nameof(Cases))]
    public void ResultsAreThoseOfTheProcessor(string title)
    {
        string? difference = DeviceCheck.Values(OpCases.Find(title), Device.Debug);
        Assert.True(difference is null, $"{title}: {difference}");
    }

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void GradientsAreThoseOfTheProcessor(string title)
    {
        string? difference = DeviceCheck.Gradients(OpCases.Find(title), Device.Debug);
        Assert.True(difference is null, $"{title}: {difference}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void CompiledFunctionsHaveTheBitsOfEagerExecution(string title)
    {
        string? difference = DeviceCheck.Compiled(OpCases.Find(title), Device.Debug);
        Assert.True(difference is null, $"{title}: {difference}");
    }
}
