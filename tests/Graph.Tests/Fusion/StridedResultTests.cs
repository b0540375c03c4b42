using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Products and kernels that write their results where these belong, between elements of others: in every mode the bits of a copy.</summary>
[Collection(TileModes.Name)]
public sealed class StridedResultTests
{
    // Each with its arrays and its launches.
    public static readonly (string Name, Shape[] Shapes, int Kernels, ListFunction F)[] All =
    [
        ("two products beside each other", [(37, 20), (20, 33), (20, 21)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]), x[0].MatMul(x[2])], 1)]),
        ("blocks of k", [(40, 900), (900, 48), (900, 16)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]), x[0].MatMul(x[2])], 1)]),
        ("thin products", [(2, 64), (64, 5), (64, 1)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]), x[0].MatMul(x[2])], 1)]),
        ("dot products", [(3, 64), (5, 64), (4, 64)], 2, static x => [Nd.Concat([x[0].MatMul(x[1].Transpose()), x[0].MatMul(x[2].Transpose())], 1)]),
        ("products of a batch", [(3, 9, 8), (3, 8, 33), (8, 20)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]), x[0].MatMul(x[2])], 2)]),
        ("a product and its kernel", [(70, 20), (20, 272), (20, 32)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]).Relu() * 2, x[0].MatMul(x[2]).Tanh()], 1)]),
        ("a product that its kernel reads again", [(70, 20), (20, 272)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]).Silu(), x[0].MatMul(x[1]).Relu()], 1)]),
        ("linear layers", [(40, 24), (300, 24), 300, (17, 24), 17], 2,
            static x => [Nd.Concat([Nd.FullyConnected(x[0], x[1], x[2]).Relu(), Nd.FullyConnected(x[0], x[3], x[4])], 1)]),
        ("a padded product", [(18, 20), (20, 32)], 1, static x => [x[0].MatMul(x[1]).Pad([(1, 2), (3, 5)])]),
        ("heads side by side", [(2, 4, 9, 8), (2, 4, 8, 16)], 1, static x => [x[0].MatMul(x[1]).Transpose(0, 2, 1, 3).Reshape(18, 64)]),
        ("heads side by side in two parts", [(2, 4, 9, 8), (2, 4, 8, 16), (2, 4, 8, 16)], 2,
            static x => [Nd.Concat([x[0].MatMul(x[1]).Transpose(0, 2, 1, 3).Reshape(18, 64), x[0].MatMul(x[2]).Transpose(0, 2, 1, 3).Reshape(18, 64)], 1)]),
        ("heads times a number, plus a number", [(2, 4, 9, 8), (2, 4, 8, 16), (2, 4, 8, 16)], 2,
            static x => [Nd.Concat([(x[0].MatMul(x[1]).Transpose(0, 2, 1, 3) * 0.3 + 0).Reshape(18, 64), (x[0].MatMul(x[2]) + 0.1).Transpose(0, 2, 1, 3).Reshape(18, 64)], 1)]),
        ("a product of two blocks times a number", [(9, 600), (600, 16), (9, 16)], 2, static x => [Nd.Concat([x[0].MatMul(x[1]) * 0.3 + 1, x[2].Exp()], 1)]),
        ("thin products times a number", [(3, 64), (5, 64), (3, 5)], 2, static x => [Nd.Concat([x[0].MatMul(x[1].Transpose()) * 0.3 + 1, x[2].Exp()], 1)]),
        ("heads of an element-wise kernel", [(2, 4, 9, 16), (2, 4, 9, 16)], 1, static x => [(x[0] * x[1] + 1).Transpose(0, 2, 1, 3).Reshape(18, 64)]),
        ("heads and then a layer", [(2, 4, 9, 8), (2, 4, 8, 16), (64, 20)], 2, static x => [x[0].MatMul(x[1]).Transpose(0, 2, 1, 3).Reshape(18, 64).MatMul(x[2])]),
        ("heads that another kernel reads", [(2, 4, 9, 16), (2, 4, 9, 16)], 2,
            static x =>
            {
                NDArray y = x[0] * x[1] + 1;
                return [y.Transpose(0, 2, 1, 3).Reshape(18, 64), y.Sum([0])];
            }),
        ("short rows", [(2, 4, 9, 7), (2, 4, 9, 7)], 2, static x => [(x[0] * x[1] + 1).Transpose(0, 2, 1, 3).Reshape(18, 28)]),
        ("columns that become rows", [(32, 48)], 2, static x => [x[0].Tanh().Transpose().Reshape(-1)]),
        ("moved twice", [(4, 6, 32)], 1, static x => [x[0].Tanh().Transpose(1, 0, 2).Reshape(3, 2, 4, 32).Transpose(2, 0, 1, 3).Reshape(4, 3, 64)]),
        ("moved and joined", [(4, 6, 32), (6, 128)], 2, static x => [Nd.Concat([x[0].Tanh().Transpose(1, 0, 2).Reshape(6, 128), x[1].Exp()], 0)]),
    ];

    public static TheoryData<string> Names => [.. All.Select(static c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void HasTheBitsOfACopy(string name)
    {
        (_, Shape[] shapes, int kernels, ListFunction f) = Array.Find(All, c => c.Name == name);
        foreach (DType dtype in new[] { DType.Float32, DType.Float64 })
        {
            NDArray[] inputs = [.. shapes.Select((s, i) => TileModes.Random(i + 1, s, dtype))];
            Assert.Equal(kernels, TileModes.AssertSame(f, inputs).KernelCount);
            TileModes.AssertSameGradients(f, inputs);
        }
    }

    [Fact]
    public void AnAttentionCopiesNoHeads()
    {
        MultiHeadAttention attention = new(64, 4);
        NDArray x = TileModes.Random(1, (2, 12, 64));
        HybridReport report = TileModes.AssertSameGradients(Check.List(attention.Forward), x);
        Assert.DoesNotContain("Reshape", report.Groups.Where(static g => g.Kind == "Library").SelectMany(static g => g.Ops));
    }
}
