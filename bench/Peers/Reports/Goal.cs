using Fusion.Peers.Cases;
using Fusion.Peers.Memory;

namespace Fusion.Peers.Reports;

/// <summary>A line of the summary: a ratio of every case of some areas, and what it should be.</summary>
/// <param name="Name">What is compared.</param>
/// <param name="Ratio">The ratio of a case; null where the case does not count.</param>
internal sealed record Goal(string Name, Func<PeerResult, double?> Ratio)
{
    /// <summary>The least geometric mean, where there is one.</summary>
    public double? Mean { get; init; }

    /// <summary>The least of any case.</summary>
    public double? Worst { get; init; }

    /// <summary>All lines, in the order of the summary.</summary>
    public static readonly Goal[] All =
    [
        Against("eager operations on 64 numbers, tape, backward", Contender.Eager, Overhead.Area) with { Mean = 10 },
        Against("eager element-wise, reductions, rows", Contender.Eager, Elementwise.Area, Rows.Area) with { Mean = 1.2, Worst = 0.8 },
        Against("compiled rows: softmax, norms, losses", Contender.Hybridized, Rows.Area),
        Against("compiled chains of five operators and more, 10⁴ to 10⁶ numbers", Contender.Hybridized, Chains.Area) with { Mean = 8 },
        Beside("the same, against hand-written `Vector512`", Contender.Hybridized, Contender.HandWritten, Chains.Area) with { Mean = 1 / 1.15 },
        Beside("the same, against `TensorPrimitives`", Contender.Hybridized, Contender.Primitives, Chains.Area),
        Against("a compiled a·b + c", Contender.Hybridized, Chains.OtherArea),
        Against("matrix products", Contender.Eager, MatrixProducts.Area) with { Mean = 1.05, Worst = 0.9 },
        new("matrix products from 256³ up, part of the peak", static r => r.Area == MatrixProducts.Area && r.IsComputeBound && IsLarge(r) ? r.OfLimit(r.Ours) : null) { Worst = 0.85 },
        Against("convolutions, with their gradients", Contender.Eager, Convolutions.Area) with { Mean = 1, Worst = 0.7 },
        Against("optimizers", Contender.Hybridized, Optimizers.Area),
        Against("the same where gradients have become zero", Contender.Hybridized, Optimizers.FadedArea),
        Against("training steps, hybridized", Contender.Hybridized, TrainingSteps.Area) with { Mean = 2, Worst = 1.1 },
        Against("training steps, eager", Contender.Eager, TrainingSteps.Area) with { Mean = 1.2 },
        Against("inference, hybridized", Contender.Hybridized, Inference.Area),
        Beside("inference, hybridized, against ONNX Runtime", Contender.Hybridized, Contender.Onnx, Inference.Area),
        Against("peak memory of a training step, hybridized", Contender.Hybridized, PeakMemory.Area) with { Mean = 1 / 0.7 },
        Against("a shape never seen before", Contender.Hybridized, Latency.Area),
    ];

    private static Goal Against(string name, string ours, params string[] areas) => new(name, r => areas.Contains(r.Area) ? r.Ratio(ours) : null);

    private static Goal Beside(string name, string ours, string theirs, string area) => new(name, r => r.Area == area ? r.Ratio(ours, theirs) : null);

    private static bool IsLarge(PeerResult r) => r.Flops >= 2.0 * 256 * 256 * 256;
}
