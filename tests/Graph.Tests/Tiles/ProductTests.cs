namespace Fusion.Tests;

/// <summary>Matrix products with element-wise work on their results.</summary>
[Collection(TileModes.Name)]
public sealed class ProductTests
{
    public static TheoryData<DType, int, int, int> Cases
    {
        get
        {
            TheoryData<DType, int, int, int> cases = [];
            foreach (DType dtype in new[] { DType.Float32, DType.Float64 })
            {
                foreach (int n in TileModes.Sizes) cases.Add(dtype, 31, n, 33);
                foreach (int m in TileModes.Sizes) cases.Add(dtype, m, 65, 16);
                cases.Add(dtype, 130, 200, 500);
                cases.Add(dtype, 20, 700, 800);
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Bias_and_activation_are_one_launch_with_the_product(DType dtype, int m, int n, int k)
    {
        HybridReport report = TileModes.AssertSame(
            static x => [Nd.Relu(x[0].MatMul(x[1]) + x[2])],
            TileModes.Random(1, (m, k), dtype), TileModes.Random(2, (k, n), dtype), TileModes.Random(3, n, dtype));
        Assert.Equal(1, report.KernelCount);
        Assert.Equal(m * n == 0 ? "Library" : "MatMul", Assert.Single(report.Groups).Kind);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Other_operands_and_several_results_join_the_product(DType dtype, int m, int n, int k)
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray z = x[0].MatMul(x[1]) + x[2];
                NDArray h = Nd.Gelu(z);
                return [z, h * x[4] + x[3], h > 0];
            },
            TileModes.Random(1, (m, k), dtype), TileModes.Random(2, (k, n), dtype), TileModes.Random(3, n, dtype),
            TileModes.Random(4, (m, n), dtype), TileModes.Random(5, (m, 1), dtype));
        Assert.Equal(1, report.KernelCount);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(320)]
    public void A_kernel_that_writes_only_masks_leaves_the_product_alone(int n)
    {
        NDArray[] inputs = [TileModes.Random(1, (20, 30)), TileModes.Random(2, (30, n))];
        Assert.Equal(2, TileModes.AssertSame(static x => [Nd.Sigmoid(x[0].MatMul(x[1])) < 0.5], inputs).KernelCount);
        Assert.Equal(1, TileModes.AssertSame(static x =>
        {
            NDArray y = x[0].MatMul(x[1]);
            return [Nd.Sigmoid(y) < 0.5, y];
        }, inputs).KernelCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(65)]
    public void Batched_products_take_operands_that_are_broadcast_over_the_batch(int n)
    {
        HybridReport report = TileModes.AssertSame(
            static x => [Nd.Tanh(x[0].MatMul(x[1]) * 0.5 + x[2]) * x[3] + x[4]],
            TileModes.Random(1, (3, 2, 20, 16)), TileModes.Random(2, (3, 2, 16, n)), TileModes.Random(3, (20, n)),
            TileModes.Random(4, (3, 1, 1, 1)), TileModes.Random(5, (2, 20, 1)));
        Assert.Equal(1, report.KernelCount);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(48)]
    public void A_reshape_between_product_and_kernel_costs_nothing(int n)
    {
        HybridReport report = TileModes.AssertSame(
            x => [Nd.Sigmoid(Nd.Reshape(x[0].MatMul(x[1]), 4, 9, n) + x[2])],
            TileModes.Random(1, (36, 30)), TileModes.Random(2, (30, n)), TileModes.Random(3, n));
        Assert.Equal(1, report.KernelCount);
    }

    [Fact]
    public void Forward_and_backward_of_a_layer_have_equal_bits()
    {
        HybridReport report = TileModes.AssertSameGradients(
            static x => [Nd.Silu(Nd.FullyConnected(x[0], x[1], x[2]))],
            TileModes.Random(1, (40, 65)), TileModes.Random(2, (33, 65)), TileModes.Random(3, 33));
        Assert.Equal("MatMul", report.Groups[0].Kind);
    }

    [Fact]
    public void A_transposed_operand_keeps_its_kernel_apart_and_the_report_says_so()
    {
        HybridReport report = TileModes.AssertSame(
            static x => [Nd.Relu(x[0].MatMul(x[1]) + Nd.Transpose(x[2]))],
            TileModes.Random(1, (20, 30)), TileModes.Random(2, (30, 40)), TileModes.Random(3, (40, 20)));
        Assert.Equal(2, report.KernelCount);
        Assert.Contains(report.Groups, static g => g.Ops[0] == "MatMul" && g.Reason == "another operand of its consumer is strided");
    }

    [Fact]
    public void A_result_that_is_needed_on_the_way_to_its_own_consumer_is_not_fused_into_a_cycle()
    {
        HybridReport report = TileModes.AssertSame(
            static x =>
            {
                NDArray z = x[0].MatMul(x[1]);
                return [z * z.MatMul(z)];
            },
            TileModes.Random(1, (40, 30)), TileModes.Random(2, (30, 40)));
        Assert.Equal(2, report.KernelCount);
    }
}
