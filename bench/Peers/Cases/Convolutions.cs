using TorchSharp;
using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Two-dimensional convolutions of LeNet, ResNet-18 and a depthwise one: forward, and forward with both gradients.</summary>
internal static class Convolutions
{
    private const string Area = "convolutions";

    private static readonly (string Name, int Batch, int In, int Out, int Size, int Kernel, int Stride, int Padding, int Groups, bool Quick)[] s_layers =
    [
        ("LeNet 1→20, 28², 5×5", 32, 1, 20, 28, 5, 1, 0, 1, true),
        ("LeNet 20→50, 12², 5×5", 32, 20, 50, 12, 5, 1, 0, 1, true),
        ("ResNet stem 3→64, 112², 7×7/2", 1, 3, 64, 112, 7, 2, 3, 1, false),
        ("ResNet 64→64, 56², 3×3", 1, 64, 64, 56, 3, 1, 1, 1, true),
        ("ResNet 128→128, 28², 3×3", 1, 128, 128, 28, 3, 1, 1, 1, false),
        ("ResNet 256→256, 14², 3×3", 1, 256, 256, 14, 3, 1, 1, 1, true),
        ("ResNet 64→128, 56², 3×3/2", 1, 64, 128, 56, 3, 2, 1, 1, false),
        ("1×1 256→64, 56²", 1, 256, 64, 56, 1, 1, 0, 1, true),
        ("depthwise 64, 56², 3×3", 1, 64, 64, 56, 3, 1, 1, 64, false),
    ];

    public static IEnumerable<PeerCase> All => s_layers.SelectMany(static l => (PeerCase[])
    [
        new(Area, $"{l.Name}, batch {l.Batch}, forward", () => Forward(Inputs(l), l.Stride, l.Padding, l.Groups)) { IsQuick = l.Quick },
        new(Area, $"{l.Name}, batch {l.Batch}, forward and backward", () => WithBackward(Inputs(l), l.Stride, l.Padding, l.Groups)) { IsQuick = l.Quick },
    ]);

    private static (NDArray X, NDArray W) Inputs((string Name, int Batch, int In, int Out, int Size, int Kernel, int Stride, int Padding, int Groups, bool Quick) l) =>
        (FusionSide.Variable((l.Batch, l.In, l.Size, l.Size), 1), FusionSide.Variable((l.Out, l.In / l.Groups, l.Kernel, l.Kernel), 2));

    private static Contender[] Forward((NDArray X, NDArray W) ours, int stride, int padding, int groups)
    {
        (Tensor x, Tensor w) = (TorchSide.Of(ours.X), TorchSide.Of(ours.W));
        return
        [
            FusionSide.Eager(() => Nd.Conv2D(ours.X, ours.W, stride: stride, padding: padding, groups: groups)),
            TorchSide.Contender(() => nn.functional.conv2d(x, w, strides: [stride, stride], padding: [padding, padding], groups: groups)),
        ];
    }

    private static Contender[] WithBackward((NDArray X, NDArray W) ours, int stride, int padding, int groups)
    {
        (Tensor x, Tensor w) = (TorchSide.Of(ours.X, gradient: true), TorchSide.Of(ours.W, gradient: true));
        return
        [
            FusionSide.Eager(() =>
            {
                NDArray y;
                using (Autograd.Record()) y = Nd.Conv2D(ours.X, ours.W, stride: stride, padding: padding, groups: groups);
                y.Backward();
                return ours.W.Grad!;
            }),
            TorchSide.Contender(() =>
            {
                (x.grad, w.grad) = (null!, null!);
                Tensor y = nn.functional.conv2d(x, w, strides: [stride, stride], padding: [padding, padding], groups: groups);
                y.backward([ones_like(y)]);
                return w.grad!;
            }),
        ];
    }
}
