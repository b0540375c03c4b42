namespace Fusion.Tests;

/// <summary>Convolutions with element-wise work on their finished planes.</summary>
[Collection(TileModes.Name)]
public sealed class ConvolutionTests
{
    // Batch, channels, filters, size, kernel, stride, groups.
    public static TheoryData<DType, int, int, int, int, int, int, int> Cases => new()
    {
        { DType.Float32, 3, 4, 6, 20, 3, 1, 1 },    // an image at a time
        { DType.Float32, 1, 4, 6, 20, 3, 1, 1 },    // one image on all threads
        { DType.Float64, 2, 3, 5, 16, 3, 1, 1 },    // images joined, planes of whole registers
        { DType.Float32, 5, 3, 5, 7, 3, 1, 1 },     // planes too small for tiles
        { DType.Float32, 2, 8, 9, 20, 1, 1, 1 },    // a plain product
        { DType.Float32, 2, 6, 6, 20, 3, 1, 6 },    // depthwise
        { DType.Float64, 2, 4, 6, 33, 3, 2, 2 },    // strided, in groups
        { DType.Float32, 2, 3, 4, 5, 5, 1, 1 },     // planes of one element
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scale_residual_and_activation_are_one_launch_with_the_convolution(
        DType dtype, int batch, int channels, int filters, int size, int kernel, int stride, int groups)
    {
        int pixels = ((size - kernel) / stride) + 1;
        NDArray[] x =
        [
            TileModes.Random(1, (batch, channels, size, size), dtype), TileModes.Random(2, (filters, channels / groups, kernel, kernel), dtype),
            TileModes.Random(3, filters, dtype), TileModes.Random(4, (filters, 1, 1), dtype), TileModes.Random(5, (batch, filters, pixels, pixels), dtype),
        ];
        foreach (bool bias in (bool[])[false, true])
        {
            ListFunction f = v => [((v[0].Conv2D(v[1], bias ? v[2] : null, stride: stride, groups: groups) * v[3]) + v[4]).Relu()];
            HybridReport report = TileModes.AssertSame(f, x);
            Assert.Equal(1, report.KernelCount);
            Assert.Contains("finished part", Assert.Single(report.Groups, static g => g.Kind != "View").Reason, StringComparison.Ordinal);
            TileModes.AssertSameGradients(f, x);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_mask_of_an_activation_is_applied_where_the_gradient_of_its_convolution_is_computed(int stride)
    {
        HybridReport report = TileModes.AssertSameGradients(
            x => [x[0].Tanh().Conv2D(x[1], null, stride: stride).Square().Sum()], TileModes.Random(1, (2, 4, 20, 20)), TileModes.Random(2, (6, 4, 3, 3)));
        FusionGroup gradient = Assert.Single(report.Groups, static g => g.Ops.Contains("ConvInputGradient"));
        Assert.True(gradient is { Kind: "MatMul", IsBackward: true }, report.ToString());
    }

    [Fact]
    public void One_and_three_dimensions()
    {
        HybridReport line = TileModes.AssertSame(static x => [x[0].Conv1D(x[1]).Tanh() * 2], TileModes.Random(1, (3, 4, 300)), TileModes.Random(2, (5, 4, 7)));
        HybridReport volume = TileModes.AssertSame(static x => [x[0].Conv3D(x[1]).Tanh() * 2], TileModes.Random(1, (2, 3, 6, 8, 9)), TileModes.Random(2, (4, 3, 3, 3, 3)));
        Assert.Equal((1, 1), (line.KernelCount, volume.KernelCount));
    }
}
