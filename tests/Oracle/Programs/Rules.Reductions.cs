using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Programs;

// Along axes: reductions, scans, normalizations.
internal static partial class Rules
{
    private static readonly Rule[] Reductions =
    [
        Reduced("Sum", static (axes, keep) => Step.Of(x => x[0].Sum(axes, keep), x => x[0].sum(axes.Longs(), keep), new { axes, keep }), integers: true, empty: true, weight: 24),
        Reduced("Mean", static (axes, keep) => Step.Of(x => x[0].Mean(axes, keep), x => x[0].mean(axes.Longs(), keep), new { axes, keep }), weight: 16),
        Reduced("Max", static (axes, keep) => Step.Of(x => x[0].Max(axes, keep), x => x[0].amax(axes.Longs(), keep), new { axes, keep }), integers: true, weight: 16),
        Reduced("Min", static (axes, keep) => Step.Of(x => x[0].Min(axes, keep), x => x[0].amin(axes.Longs(), keep), new { axes, keep }), integers: true),
        Reduced("Var", static (axes, keep) => Step.Of(x => x[0].Var(axes, keep), x => x[0].var(axes.Longs(), false, keep), new { axes, keep })),
        // Of equal numbers the square root has no derivative.
        Reduced("Std", static (axes, keep) => Step.Of(x => (x[0].Var(axes, keep) + 0.01).Sqrt(), x => (x[0].var(axes.Longs(), false, keep) + 0.01).sqrt(), new { axes, keep })),
        // Nor has the norm at 0.
        Reduced("Norm", static (axes, keep) => Step.Of(x => (x[0] + 0.37).Norm(axes, keep), x => linalg.vector_norm(x[0] + 0.37, 2, axes.Longs(), keep), new { axes, keep })),
        Reduced("LogSumExp", static (axes, keep) => Step.Of(x => x[0].LogSumExp(axes, keep), x => LogSumExp(x[0], axes, keep), new { axes, keep })),
        Line("Sum: all", static _ => Step.Of(x => x[0].Sum(), x => x[0].sum()), integers: true),
        Line("Prod", static axis => Step.Of(x => x[0].Prod(axis), x => x[0].prod(axis), new { axis })),
        Line("Prod: all", static _ => Step.Of(x => x[0].Prod(), x => x[0].prod())),
        Line("CumSum", static axis => Step.Of(x => x[0].CumSum(axis), x => x[0].cumsum(axis), new { axis }), integers: true),
        Line("CumProd", static axis => Step.Of(x => x[0].CumProd(axis), x => x[0].cumprod(axis), new { axis })),
        // Of equal numbers the first has the gradient, in LibTorch the last.
        Apart("CumMax", static (apart, axis, _) => Step.Of(x => (x[0] + apart).CumMax(axis), x => cummax(x[0] + Their.Of(apart), axis).values, new { apart, axis })),
        Apart("CumMin", static (apart, axis, _) => Step.Of(x => (x[0] + apart).CumMin(axis), x => (x[0] + Their.Of(apart)).cummin(axis).values, new { apart, axis })),
        Line("LogCumSumExp", static axis => Step.Of(x => x[0].LogCumSumExp(axis), x => logcumsumexp(x[0], axis), new { axis }) with { IsOnce = true }),
        Line("Diff", static axis => Step.Of(x => x[0].Diff(1, axis), x => diff(x[0], 1, axis), new { axis })),
        Line("Softmax", static axis => Step.Of(x => x[0].Softmax(axis), x => F.softmax(x[0], axis), new { axis }), weight: 16),
        Line("LogSoftmax", static axis => Step.Of(x => x[0].LogSoftmax(axis), x => F.log_softmax(x[0], axis), new { axis }), weight: 16),
        Line("Standardized", static axis => Step.Of(x => (x[0] - x[0].Mean(axis, true)) / (x[0].Var(axis, true) + 0.1).Sqrt(),
            x => (x[0] - x[0].mean([axis], true)) / (x[0].var([axis], false, true) + 0.1).sqrt(), new { axis })),
        Line("LayerNorm", static _ => Step.Of(x => x[0].LayerNorm(), x => F.layer_norm(x[0], [x[0].shape[^1]]))),
        Line("Average of softmax", static axis => Step.Of(x => (x[0].Softmax(axis) * x[0]).Sum(axis, true), x => (F.softmax(x[0], axis) * x[0]).sum([axis], true), new { axis })),
    ];

    private static readonly Rule[] Orders =
    [
        Line("Sort", static axis => Step.Of(x => x[0].Sort(axis), x => sort(x[0], axis, false, true).values, new { axis })),
        Line("Sort: descending", static axis => Step.Of(x => x[0].Sort(axis, true), x => sort(x[0], axis, true, true).values, new { axis })),
        Line("ArgSort", static axis => Step.Of(x => x[0].ArgSort(axis), x => sort(x[0], axis, false, true).indices, new { axis })),
        Line("ArgMax", static axis => Step.Of(x => x[0].ArgMax(axis, true), x => argmax(x[0], axis, true), new { axis })),
        Line("ArgMin", static axis => Step.Of(x => x[0].ArgMin(axis), x => argmin(x[0], axis), new { axis })),
        Apart("TopK", static (apart, axis, k) => Step.Of(x => (x[0] + apart).TopK(k, axis).Values, x => topk(x[0] + Their.Of(apart), k, axis).values,
            new { apart, axis, k })),
        Apart("TopK: smallest", static (apart, axis, k) => Step.Of(x => (x[0] + apart).TopK(k, axis, false).Values,
            x => topk(x[0] + Their.Of(apart), k, axis, false).values, new { apart, axis, k })),
    ];

    private static Rule Reduced(string name, Func<int[], bool, Step> step, bool integers = false, bool empty = false, int weight = 8) => new(name, 1, (c, a) =>
    {
        if (a[0].Rank == 0 || IsBool(a[0]) || (!integers && !IsFloat(a[0]))) return null;
        int[] axes = c.Axes(a[0]);
        return !empty && axes.Any(i => a[0].Shape[i] == 0) ? null : step(axes, c.Flag());
    })
    { Weight = weight };

    private static Rule Line(string name, Func<int, Step> step, bool integers = false, int weight = 8) => new(name, 1, (c, a) =>
        a[0].Rank == 0 || a[0].Size == 0 || IsBool(a[0]) || (!integers && !IsFloat(a[0])) ? null : step(c.Axis(a[0])))
    { Weight = weight };

    // Numbers are added, so that none are equal.
    private static Rule Apart(string name, Func<NDArray, int, int, Step> step) => new(name, 1, (c, a) =>
    {
        if (a[0].Rank == 0 || a[0].Size == 0 || !IsFloat(a[0])) return null;
        int axis = c.Axis(a[0]);
        return step(c.Offsets(a[0]), axis, 1 + c.Int(a[0].Shape[axis]));
    });

    // Several axes, one after the other.
    private static Tensor LogSumExp(Tensor x, int[] axes, bool keep) => axes.Reverse().Aggregate(x, (y, axis) => logsumexp(y, axis, keep));
}
