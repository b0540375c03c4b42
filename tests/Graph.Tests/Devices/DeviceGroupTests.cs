using Fusion.Kernels;

namespace Fusion.Tests.Devices;

/// <summary>The groups of a function on an accelerator: one launch each, with the bits of eager execution.</summary>
[Collection(nameof(ProcessState))]
public sealed class DeviceGroupTests
{
    public static TheoryData<string> Names => [.. DeviceGroup.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void AGroupIsOneLaunch(string name)
    {
        DeviceGroup group = DeviceGroup.All[name];
        NDArray[] host = group.Inputs();
        NDArray[] inputs = [.. host.Select(static x => x.Rank == 0 ? x : x.To(Device.Debug))];
        HybridFunction<ListFunction> compiled = group.Function.Hybridize(Check.Strict);
        Same(group.Function(inputs), compiled.Invoke(inputs));
        HybridFunction<ListFunction> processor = group.Function.Hybridize(Check.Strict);
        Same(processor.Invoke(host), compiled.Invoke(inputs));
        Assert.Equal(group.ProcessorKernels ?? group.Kernels, processor.Report.KernelCount);
        int kernels = compiled.Report.CompileCount;
        long launches = GpuDevices.Debug.LaunchCount;
        compiled.Invoke(inputs);
        Assert.Equal(group.Kernels, compiled.Report.KernelCount);
        Assert.Equal(group.Launches ?? group.Kernels, GpuDevices.Debug.LaunchCount - launches);
        Assert.InRange(kernels, 1, group.Kernels);
        Assert.Equal(kernels, compiled.Report.CompileCount);
    }

    [Fact]
    public void NumbersOfEitherPlaceMakeAGroup()
    {
        ListFunction f = static x => [Nd.Softmax(x[0] * x[1])];
        NDArray x = TestArrays.Uniform((3, 8), 1).To(Device.Debug), number = Nd.Scalar(0.3);
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        Same(compiled.Invoke([x, number.To(Device.Debug)]), compiled.Invoke([x, number]));
    }

    [Fact]
    public void OtherNumbersOfRowsCompileNothing()
    {
        ListFunction f = static x => [Nd.LogSoftmax(x[0] + x[1]) * 3];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        compiled.Invoke([TestArrays.Uniform((3, 40), 1).To(Device.Debug), TestArrays.Uniform(40, 2).To(Device.Debug)]);
        int kernels = compiled.Report.CompileCount;
        Assert.Equal(1, kernels);
        NDArray[] other = [TestArrays.Uniform((9, 40), 3).To(Device.Debug), TestArrays.Uniform(40, 4).To(Device.Debug)];
        Same(f(other), compiled.Invoke(other));
        Assert.Equal((2, kernels), (compiled.Report.VariantCount, compiled.Report.CompileCount));
    }

    [Fact]
    public void ALabelOutOfRangeIsReportedByWhoReads()
    {
        ListFunction f = static x => [Nd.SoftmaxCrossEntropy(x[0] * 2, x[1])];
        NDArray x = TestArrays.Uniform((3, 4), 1).To(Device.Debug);
        NDArray losses = f.Hybridize(Check.Strict).Invoke([x, Nd.Array([0, 4, 1]).To(Device.Debug)])[0];
        Assert.Contains("class 4 at position 1", Assert.Throws<ArgumentOutOfRangeException>(() => losses.ToArray<float>()).Message);
        Assert.Equal(3, losses.ToArray<float>().Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AWholeStepUpdatesAllParametersInOneLaunch(bool clip)
    {
        NDArray x = TestArrays.Uniform((8, 12), 1).To(Device.Debug), labels = TestArrays.Indices(8, 5, 2).To(Device.Debug);
        Func<NDArray, NDArray, NDArray> eager = DeviceGroup.Step(Device.Debug, clip, out IReadOnlyList<NDArray> expected);
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = DeviceGroup.Step(Device.Debug, clip, out IReadOnlyList<NDArray> actual).Hybridize(Check.Strict);
        for (int step = 0; step < 2; step++) Same([eager(x, labels)], [compiled.Invoke(x, labels)]);
        Same(expected, actual);
        FusionGroup update = Assert.Single(compiled.Report.Groups, static g => g.Ops.Contains("Sqrt") && g.Reason.Contains("4 tensors", StringComparison.Ordinal));
        Assert.Equal("Elementwise", update.Kind);
        long launches = GpuDevices.Debug.LaunchCount;
        compiled.Invoke(x, labels);
        // One look at the labels; a reduction of a matrix over its rows may take two launches.
        Assert.InRange(GpuDevices.Debug.LaunchCount - launches, compiled.Report.KernelCount, compiled.Report.KernelCount + 3);
    }

    public static TheoryData<string> Steps => [.. DeviceGroup.Steps.Keys];

    [Theory]
    [MemberData(nameof(Steps))]
    public void AStepHasTheGroupsOfTheProcessor(string name)
    {
        DeviceStep step = DeviceGroup.Steps[name];
        HybridFunction<Func<NDArray, NDArray>> processor = step.Make(Device.Cpu).Hybridize(Check.Strict), device = step.Make(Device.Debug).Hybridize(Check.Strict);
        NDArray x = step.Input(), moved = x.To(Device.Debug);
        Func<NDArray, NDArray> eager = step.Make(Device.Debug);
        for (int i = 0; i < 2; i++)
        {
            processor.Invoke(x);
            Same([eager(moved)], [device.Invoke(moved)]);
        }

        long launches = GpuDevices.Debug.LaunchCount;
        device.Invoke(moved);
        launches = GpuDevices.Debug.LaunchCount - launches;
        Assert.Equal(
            (name, step.Kernels, step.ProcessorKernels ?? step.Kernels, step.Launches ?? step.Kernels),
            (name, device.Report.KernelCount, processor.Report.KernelCount, (int)launches));
    }

    private static void Same(IReadOnlyList<NDArray> expected, IReadOnlyList<NDArray> actual) =>
        Check.Same([.. expected.Select(static x => x.To(Device.Cpu))], [.. actual.Select(static x => x.To(Device.Cpu))]);
}
