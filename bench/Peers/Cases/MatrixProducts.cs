using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Matrix products of all shapes; the physical limit is the peak of fused multiply-adds.</summary>
internal static class MatrixProducts
{
    private const string Area = "matrix products";

    private static readonly (int M, int N, int K, bool TransposeA, bool TransposeB, bool Quick)[] s_shapes =
    [
        (64, 64, 64, false, false, true),
        (256, 256, 256, false, false, true),
        (1024, 1024, 1024, false, false, false),
        (128, 256, 784, false, false, true),
        (128, 256, 784, false, true, true),
        (784, 256, 128, true, false, true),
        (128, 10, 128, false, true, true),
        (8, 256, 784, false, true, false),
        (1024, 1, 1024, false, false, false),
        (1, 1024, 1024, false, true, false),
        (1024, 256, 16, false, false, false),
    ];

    public static IEnumerable<PeerCase> All =>
    [
        .. s_shapes.Select(s => new PeerCase(Area, $"{s.M}×{s.K} · {s.K}×{s.N}{(s.TransposeA ? " (first transposed)" : s.TransposeB ? " (second transposed)" : string.Empty)}", () =>
        {
            NDArray a = FusionSide.Normal(s.TransposeA ? (s.K, s.M) : (s.M, s.K), 1), b = FusionSide.Normal(s.TransposeB ? (s.N, s.K) : (s.K, s.N), 2);
            (Tensor ta, Tensor tb) = (TorchSide.Of(a), TorchSide.Of(b));
            return
            [
                FusionSide.Eager(() => Nd.Dot(a, b, s.TransposeA, s.TransposeB)),
                TorchSide.Contender(() => mm(s.TransposeA ? ta.t() : ta, s.TransposeB ? tb.t() : tb)),
            ];
        }) { IsQuick = s.Quick }),
        new(Area, "64 products of 32×64 · 64×32", () => Batched((64, 32, 64), (64, 64, 32), DType.Float32)),
        new(Area, "1024 products of 8×8 · 8×8", () => Batched((1024, 8, 8), (1024, 8, 8), DType.Float32)),
        new(Area, "float64, 256×256 · 256×256", () => Batched((256, 256), (256, 256), DType.Float64)),
    ];

    private static Contender[] Batched(Shape first, Shape second, DType dtype)
    {
        (NDArray a, NDArray b) = (FusionSide.Normal(first, 1, dtype), FusionSide.Normal(second, 2, dtype));
        (Tensor ta, Tensor tb) = (TorchSide.Of(a), TorchSide.Of(b));
        return [FusionSide.Eager(() => Nd.MatMul(a, b)), TorchSide.Contender(() => matmul(ta, tb))];
    }
}
