using static TorchSharp.torch;

namespace Fusion.Peers.Cases;

/// <summary>Two-dimensional convolutions of LeNet, ResNet-18 and depthwise ones: forward, and forward with both gradients.</summary>
internal static class Convolutions
{
    public const string Area = "convolutions";

    /// <summary>A layer, <paramref name="In"/> → <paramref name="Out"/> channels of pictures of <paramref name="Size"/>².</summary>
    private sealed record Layer(string Name, int Batch, int In, int Out, int Size, int Kernel, int Stride, int Padding, int Groups, bool IsQuick)
    {
        private int Pixels => Square(((Size + (2 * Padding) - Kernel) / Stride) + 1);

        public Work Work => new(
            4.0 * ((Batch * In * (double)Size * Size) + (Batch * Out * (double)Pixels) + (Out * In / Groups * (double)Kernel * Kernel)),
            2.0 * Batch * Pixels * Out * (In / Groups) * Kernel * Kernel);

        public Pair Pair => new(Area, $"{Name}, batch {Batch}",
            () => [FusionSide.Normal((Batch, In, Size, Size), 1), FusionSide.Normal((Out, In / Groups, Kernel, Kernel), 2)],
            x => Nd.Conv2D(x[0], x[1], stride: Stride, padding: Padding, groups: Groups),
            t => nn.functional.conv2d(t[0], t[1], strides: [Stride, Stride], padding: [Padding, Padding], groups: Groups)) { IsQuick = IsQuick, Work = Work };

        private static int Square(int x) => x * x;
    }

    private static readonly Layer[] s_layers =
    [
        new("LeNet 1→20, 28², 5×5", 32, 1, 20, 28, 5, 1, 0, 1, true),
        new("LeNet 20→50, 12², 5×5", 32, 20, 50, 12, 5, 1, 0, 1, true),
        new("ResNet stem 3→64, 112², 7×7/2", 1, 3, 64, 112, 7, 2, 3, 1, false),
        new("ResNet 64→64, 56², 3×3", 1, 64, 64, 56, 3, 1, 1, 1, true),
        new("ResNet 64→128, 56², 3×3/2", 1, 64, 128, 56, 3, 2, 1, 1, false),
        new("ResNet 128→128, 28², 3×3", 1, 128, 128, 28, 3, 1, 1, 1, false),
        new("ResNet 128→256, 28², 3×3/2", 1, 128, 256, 28, 3, 2, 1, 1, false),
        new("ResNet 256→256, 14², 3×3", 1, 256, 256, 14, 3, 1, 1, 1, true),
        new("ResNet 512→512, 7², 3×3", 1, 512, 512, 7, 3, 1, 1, 1, false),
        new("ResNet 64→64, 56², 3×3", 8, 64, 64, 56, 3, 1, 1, 1, false),
        new("1×1 256→64, 56²", 1, 256, 64, 56, 1, 1, 0, 1, true),
        new("1×1 64→128, 56², /2", 1, 64, 128, 56, 1, 2, 0, 1, false),
        new("depthwise 64, 56², 3×3", 1, 64, 64, 56, 3, 1, 1, 64, true),
        new("depthwise 128, 28², 3×3", 8, 128, 128, 28, 3, 1, 1, 128, false),
        new("depthwise 512, 14², 5×5", 1, 512, 512, 14, 5, 1, 2, 512, true),
        new("depthwise 128, 28², 3×3/2", 8, 128, 128, 28, 3, 2, 1, 128, true),
        new("depthwise 512, 7², 7×7", 8, 512, 512, 7, 7, 1, 3, 512, true),
        new("1×1 512→512, 7²", 1, 512, 512, 7, 1, 1, 0, 1, true),
        new("patches 3→768, 224², 16×16/16", 1, 3, 768, 224, 16, 16, 0, 1, true),
    ];

    // Both gradients cost as much as the result each.
    public static IEnumerable<PeerCase> All => s_layers.SelectMany(static l => (PeerCase[])[l.Pair.Forward(), (l.Pair with { Work = 3 * l.Work }).WithBackward()]);
}
