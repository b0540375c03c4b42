using Fusion.Oracle.Programs;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Cases;

// Windows without weights.
internal static partial class CaseRows
{
    private static readonly CaseRow[] Pools =
    [
        new("MaxPool1D", static c => Pooled(c, 1, max: true)),
        new("MaxPool2D", static c => Pooled(c, 2, max: true)),
        new("MaxPool3D", static c => Pooled(c, 3, max: true)),
        new("AvgPool1D", static c => Pooled(c, 1, max: false)),
        new("AvgPool2D", static c => Pooled(c, 2, max: false)),
        new("AvgPool3D", static c => Pooled(c, 3, max: false)),
        new("AdaptiveAvgPool", static c =>
        {
            int rank = c.Int(1, 3);
            int[] spatial = c.Sizes(rank, 1, 7), outputs = c.Sizes(rank, 1, 5);
            return RandomCase.Of($"AdaptiveAvgPool({CaseDraw.Text(outputs)})", [c.Real([c.Batch(), c.Int(1, 3), .. spatial])], x => [x[0].AdaptiveAvgPool(outputs)],
                t => [rank switch { 1 => F.adaptive_avg_pool1d(t[0], outputs[0]), 2 => F.adaptive_avg_pool2d(t[0], outputs.Longs()), _ => F.adaptive_avg_pool3d(t[0], outputs.Longs()) }]);
        }),
        new("GlobalMaxPool", static c => RandomCase.Of("GlobalMaxPool", [c.Distinct([c.Batch(), c.Int(1, 3), .. c.Sizes(2, 1, 7)])], x => [x[0].GlobalMaxPool()],
            t => [t[0].amax([2L, 3L], true)])),
    ];

    private static RandomCase Pooled(CaseDraw c, int rank, bool max)
    {
        int[] kernel = c.Sizes(rank, 1, 4), stride = c.Sizes(rank, 1, 4), padding = [.. kernel.Select(k => c.Int((k / 2) + 1))];
        bool given = c.Flag(), counted = c.Flag();
        // LibTorch's average of volumes wants whole windows without the padding.
        int[] spatial = [.. kernel.Select((k, i) => (rank == 3 ? k : Math.Max(1, k - (2 * padding[i]))) + c.Int(rank == 3 ? 3 : 9))];
        if (!given) stride = kernel;
        Shape? step = given ? stride : default(Shape?);
        Shape shape = [c.Batch(), c.Int(1, 3), .. spatial];
        string text = $"{(max ? "Max" : "Avg")}Pool{rank}D({CaseDraw.Text(kernel)}, {(given ? CaseDraw.Text(stride) : "the same")}, {CaseDraw.Text(padding)}, {counted})";
        return RandomCase.Of(text, [max ? c.Distinct(shape) : c.Real(shape)],
            x =>
            [
                (max, rank) switch
                {
                    (true, 1) => x[0].MaxPool1D(kernel, step, padding),
                    (true, 2) => x[0].MaxPool2D(kernel, step, padding),
                    (true, _) => x[0].MaxPool3D(kernel, step, padding),
                    (false, 1) => x[0].AvgPool1D(kernel, step, padding, counted),
                    (false, 2) => x[0].AvgPool2D(kernel, step, padding, counted),
                    _ => x[0].AvgPool3D(kernel, step, padding, counted),
                },
            ],
            t =>
            [
                (max, rank) switch
                {
                    (true, 1) => F.max_pool1d(t[0], kernel[0], stride[0], padding[0]),
                    (true, 2) => F.max_pool2d(t[0], kernel.Longs(), stride.Longs(), padding.Longs()),
                    (true, _) => F.max_pool3d(t[0], kernel.Longs(), stride.Longs(), padding.Longs()),
                    (false, 1) => F.avg_pool1d(t[0], kernel[0], stride[0], padding[0], false, counted),
                    (false, 2) => F.avg_pool2d(t[0], kernel.Longs(), stride.Longs(), padding.Longs(), false, counted),
                    _ => F.avg_pool3d(t[0], kernel.Longs(), stride.Longs(), padding.Longs(), false, counted),
                },
            ]);
    }
}
