using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Matrix products of all shapes; the physical limit is the peak of fused multiply-adds.</summary>
internal static class MatrixProducts
{
    public const string Area = "matrix products";

    private static readonly (int M, int N, int K, bool TransposeA, bool TransposeB, bool Quick)[] s_shapes =
    [
        (32, 32, 32, false, false, false),
        (64, 64, 64, false, false, true),
        (128, 128, 128, false, false, false),
        (256, 256, 256, false, false, true),
        (512, 512, 512, false, false, true),
        (1024, 1024, 1024, false, false, false),
        (2048, 2048, 2048, false, false, false),
        // The layers of a perceptron: forward, the weight's gradient, the input's gradient.
        (128, 256, 784, false, true, true),
        (256, 784, 128, true, false, true),
        (128, 784, 256, false, false, false),
        (128, 10, 128, false, true, true),
        // Skinny ones, down to a matrix and a vector.
        (8, 256, 784, false, true, false),
        (1024, 256, 16, false, false, true),
        (1024, 1, 1024, false, false, true),
        (1, 1024, 1024, false, true, false),
    ];

    public static IEnumerable<PeerCase> All =>
    [
        .. s_shapes.Select(static s => new Pair(
            Area, $"{s.M}×{s.K} · {s.K}×{s.N}{(s.TransposeA ? " (first transposed)" : s.TransposeB ? " (second transposed)" : string.Empty)}",
            () => [FusionSide.Normal(s.TransposeA ? (s.K, s.M) : (s.M, s.K), 1), FusionSide.Normal(s.TransposeB ? (s.N, s.K) : (s.K, s.N), 2)],
            x => Nd.Dot(x[0], x[1], s.TransposeA, s.TransposeB),
            t => mm(s.TransposeA ? t[0].t() : t[0], s.TransposeB ? t[1].t() : t[1])) { IsQuick = s.Quick, Work = Work.Product(s.M, s.N, s.K) }.Forward()),
        Batched("64 products of 32×64 · 64×32", (64, 32, 64), (64, 64, 32), DType.Float32, Work.Product(32, 32, 64, 64), quick: true),
        Batched("1024 products of 8×8 · 8×8", (1024, 8, 8), (1024, 8, 8), DType.Float32, Work.Product(8, 8, 8, 1024), quick: true),
        Batched("float64, 256×256 · 256×256", (256, 256), (256, 256), DType.Float64, Work.Product(256, 256, 256, isDouble: true), quick: true),
        Batched("float64, 1024×1024 · 1024×1024", (1024, 1024), (1024, 1024), DType.Float64, Work.Product(1024, 1024, 1024, isDouble: true), quick: false),
        new Pair(Area, "linear layer with relu, 128×784 → 256", static () => [FusionSide.Normal((128, 784), 1), FusionSide.Normal((256, 784), 2), FusionSide.Normal(256, 3)],
            static x => Nd.Relu(Nd.FullyConnected(x[0], x[1], x[2])), static t => nn.functional.relu(nn.functional.linear(t[0], t[1], t[2])))
        {
            IsCompiled = true, IsQuick = false, Work = 3 * Work.Product(128, 256, 784),
        }.WithBackward(),
    ];

    private static PeerCase Batched(string name, Shape first, Shape second, DType dtype, Work work, bool quick) =>
        new Pair(Area, name, () => [FusionSide.Normal(first, 1, dtype), FusionSide.Normal(second, 2, dtype)], static x => Nd.MatMul(x[0], x[1]), static t => matmul(t[0], t[1]))
        {
            IsQuick = quick, Work = work,
        }.Forward();
}
