namespace Fusion.Tests;

/// <summary>Reductions of all elements, fused with the kernel that computes them.</summary>
[Collection(TileModes.Name)]
public sealed class BlockTests
{
    public static TheoryData<DType, int, int> Shapes
    {
        get
        {
            TheoryData<DType, int, int> shapes = [];
            foreach (int columns in TileModes.Sizes) shapes.Add(DType.Float32, 3, columns);
            foreach (int rows in TileModes.Sizes) shapes.Add(DType.Float64, rows, 7);
            shapes.Add(DType.Float32, 1000, 65);
            shapes.Add(DType.Float64, 257, 256);
            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Mean_squared_error_is_one_launch_and_two_with_its_gradients(DType dtype, int rows, int columns)
    {
        static NDArray[] Error(IReadOnlyList<NDArray> x) => [Nd.Mean(Nd.Square(x[0] - x[1]))];
        NDArray[] inputs = [TileModes.Random(1, (rows, columns), dtype), TileModes.Random(2, (rows, columns), dtype)];
        HybridReport forward = TileModes.AssertSame(Error, inputs);
        HybridReport both = TileModes.AssertSameGradients(Error, inputs);
        if (rows * columns == 1) return;
        Assert.Equal(1, forward.KernelCount);
        Assert.Equal("Reduce", Assert.Single(forward.Groups).Kind);
        Assert.InRange(both.KernelCount, 2, 3);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Several_reductions_of_a_kernel_share_it_with_any_operands(DType dtype, int rows, int columns)
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray y = Nd.Tanh(x[0] * x[1] + Nd.Transpose(x[2]) * (x[3] + 1));
                return [Nd.Sum(y), Nd.Max(y * y) - Nd.Min(y), y];
            },
            TileModes.Random(1, (rows, columns), dtype), TileModes.Random(2, columns, dtype),
            TileModes.Random(3, (columns, rows), dtype), TileModes.Random(4, 1, dtype));
        if (rows > 1 && columns > 1) Assert.Equal(1, report.KernelCount);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Column_reductions_share_the_kernel_that_computes_their_rows(DType dtype, int rows, int columns)
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray y = Nd.Tanh(x[0] * x[1] + Nd.Transpose(x[2]) * (x[3] + 1));
                return [Nd.Sum(y, 0), Nd.Max(y * y, 0, keepDims: true), y];
            },
            TileModes.Random(1, (rows, columns), dtype), TileModes.Random(2, columns, dtype),
            TileModes.Random(3, (columns, rows), dtype), TileModes.Random(4, 1, dtype));
        if (rows > 1 && columns > 1) Assert.Equal(1, report.KernelCount);
    }

    [Theory]
    [InlineData(40, 65)]
    [InlineData(600, 31)]
    public void The_gradient_of_a_bias_is_summed_where_its_rows_are_computed(int rows, int columns)
    {
        HybridReport report = TileModes.AssertSameGradients(
            static x => [Nd.Tanh(x[0] + x[1]) * x[2]],
            TileModes.Random(1, (rows, columns)), TileModes.Random(2, columns), TileModes.Random(3, (rows, columns)));
        Assert.Equal(2, report.KernelCount);
        Assert.Contains(report.Groups, static g => g is { IsBackward: true, Kind: "Reduce" });
    }

    [Fact]
    public void A_softmax_over_everything_is_still_rows()
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray e = Nd.Exp(x[0] - Nd.Max(x[0]));
                return [e / Nd.Sum(e)];
            },
            TileModes.Random(1, (10, 100)));
        Assert.Equal("Rows", Assert.Single(report.Groups, static g => g.Kind != "View").Kind);
    }

    [Fact]
    public void A_vector_that_is_longer_than_a_cache_is_normalised_in_two_launches()
    {
        HybridReport report = TileModes.AssertSame(static x => [Nd.Exp(x[0]) / Nd.Sum(Nd.Exp(x[0]))], TileModes.Random(1, 100_000));
        Assert.Equal(2, report.KernelCount);
    }
}
