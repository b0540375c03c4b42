using Fusion.NN;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Cases;

// Losses with all their reductions.
internal static partial class CaseRows
{
    private static readonly CaseRow[] Losses =
    [
        new("SoftmaxCrossEntropy", static c => Classified(c, "SoftmaxCrossEntropy", static (x, y, s, r) => s == 0 ? Loss.SoftmaxCrossEntropy(x, y, r) : Loss.SoftmaxCrossEntropy(x, y, s, r),
            static (x, y, s) => F.cross_entropy(x, y, reduction: nn.Reduction.None, label_smoothing: s))),
        new("SoftmaxCrossEntropy: probabilities", static c =>
        {
            double smoothing = c.Of(0, 0.1, 0.5, 1);
            return Lossy(c, $"smoothing {smoothing}", static (c, shape) => [c.Real(shape, -4, 4), c.Real(shape).Softmax()],
                (x, y, r) => Loss.SoftmaxCrossEntropy(x, y, smoothing, r),
                (x, y) => -(((y * (1 - smoothing)) + (smoothing / x.shape[^1])) * F.log_softmax(x, -1)).sum(-1));
        }),
        new("NegativeLogLikelihood", static c => Classified(c, "NegativeLogLikelihood", static (x, y, _, r) => Loss.NegativeLogLikelihood(x, y, r),
            static (x, y, _) => F.nll_loss(x, y, reduction: nn.Reduction.None))),
        new("SoftmaxCrossEntropy: weights and a label that does not count", static c => Weighted(c, smoothing: c.Of(0, 0.1, 1), likelihood: false)),
        new("NegativeLogLikelihood: weights and a label that does not count", static c => Weighted(c, smoothing: 0, likelihood: true)),
        new("BinaryCrossEntropyWithLogits: weights of positive samples", static c =>
        {
            NDArray weights = c.Real(c.Int(1, 7), 0, 3);
            Reduction reduction = c.Of(Reduction.None, Reduction.Mean, Reduction.Sum);
            Shape shape = (c.Int(1, 5), weights.Shape[0]);
            return RandomCase.Of($"BinaryCrossEntropyWithLogits({reduction})", [c.Real(shape, -30, 30), c.Real(shape, 0, 1), weights],
                x => [Loss.BinaryCrossEntropyWithLogits(x[0], x[1], x[2].Detach(), reduction)],
                t => [Reduced(F.binary_cross_entropy_with_logits(t[0], t[1], reduction: nn.Reduction.None, pos_weights: t[2].detach()), reduction)]);
        }),
        new("MeanSquaredError", static c => Lossy(c, "", Reals, Loss.MeanSquaredError, static (x, y) => F.mse_loss(x, y, nn.Reduction.None))),
        new("L1", static c => Lossy(c, "", Reals, Loss.L1, static (x, y) => F.l1_loss(x, y, nn.Reduction.None))),
        new("Huber", static c => c.Number(0.1, 2) is var delta ? Lossy(c, $"delta {delta}", Reals, (x, y, r) => Loss.Huber(x, y, r, delta),
            (x, y) => F.huber_loss(x, y, delta, nn.Reduction.None)) : null!),
        new("SmoothL1", static c => c.Number(0.1, 2) is var beta ? Lossy(c, $"beta {beta}", Reals, (x, y, r) => Loss.SmoothL1(x, y, r, beta),
            (x, y) => F.smooth_l1_loss(x, y, nn.Reduction.None, beta)) : null!),
        new("BinaryCrossEntropyWithLogits", static c => Lossy(c, "", static (c, shape) => [c.Real(shape, -30, 30), c.Real(shape, 0, 1)], Loss.BinaryCrossEntropyWithLogits,
            static (x, y) => F.binary_cross_entropy_with_logits(x, y, reduction: nn.Reduction.None))),
        new("KLDivergence", static c => Lossy(c, "", static (c, shape) => [c.Real(shape).LogSoftmax(), c.Real(shape).Softmax()], Loss.KLDivergence,
            static (x, y) => F.kl_div(x, y, false, nn.Reduction.None).sum(-1))),
        new("Hinge", static c => c.Number(0.1, 2) is var margin ? Lossy(c, $"margin {margin}", static (c, shape) => [c.Real(shape), (c.Real(shape).Sign() * 2) - c.Real(shape).Sign()],
            (x, y, r) => Loss.Hinge(x, y, r, margin), (x, y) => F.relu(margin - (x * y))) : null!),
        new("PoissonNegativeLogLikelihood", static c => Lossy(c, "", static (c, shape) => [c.Real(shape), c.Real(shape, 0, 9)], Loss.PoissonNegativeLogLikelihood,
            static (x, y) => F.poisson_nll_loss(x, y, true, false, 1e-8f, nn.Reduction.None))),
        new("CosineDistance", static c => Lossy(c, "", static (c, shape) => [c.Real(shape, 0.2, 2), c.Real(shape)], static (x, y, r) => Loss.CosineDistance(x, y, r),
            static (x, y) => 1 - F.cosine_similarity(x, y, -1))),
        new("BinaryCrossEntropy", static c => Lossy(c, "", static (c, shape) => [c.Real(shape, 0.01, 0.99), c.Real(shape, 0, 1)], Loss.BinaryCrossEntropy,
            static (x, y) => F.binary_cross_entropy(x, y, reduction: nn.Reduction.None))),
        new("SoftMargin", static c => Lossy(c, "", static (c, shape) => [c.Real(shape), c.Real(shape)],
            static (x, y, r) => Loss.SoftMargin(x, y.Sign().Detach(), r), static (x, y) => F.soft_margin_loss(x, y.sign().detach(), nn.Reduction.None))),
        new("MarginRanking", static c => c.Number(0, 1) is var margin ? Tripled(c, $"margin {margin}", (x, r) => Loss.MarginRanking(x[0], x[1], x[2].Sign().Detach(), r, margin),
            t => F.margin_ranking_loss(t[0], t[1], t[2].sign().detach(), margin, nn.Reduction.None)) : null!),
        // By its formula: the square lengths have an ε of their own there.
        new("CosineEmbedding", static c => c.Number(-0.5, 0.5) is var margin ? Tripled(c, $"margin {margin}",
            (x, r) => Loss.CosineEmbedding(x[0] + 3, x[1] + 3, x[2][AxisIndex.Ellipsis, 0].Sign().Detach(), r, margin),
            t => F.cosine_similarity(t[0] + 3, t[1] + 3, -1) is var angle ? where(t[2].select(-1, 0) > 0, 1 - angle, F.relu(angle - margin)) : t[0]) : null!),
        new("TripletMargin", static c => c.Number(0.1, 2) is var margin ? Tripled(c, $"margin {margin}", (x, r) => Loss.TripletMargin(x[0], x[1], x[2], r, margin),
            t => F.triplet_margin_loss(t[0], t[1], t[2], margin, reduction: nn.Reduction.None)) : null!),
        new("GaussianNegativeLogLikelihood", static c => Tripled(c, "", static (x, r) => Loss.GaussianNegativeLogLikelihood(x[0], x[1], x[2].Abs() + 0.1, r),
            static t => 0.5 * ((t[2].abs() + 0.1).log() + ((t[0] - t[1]).square() / (t[2].abs() + 0.1))))),
        new("Ctc", static c =>
        {
            (int time, int batch, int classes, int length) = (c.Int(3, 14), c.Int(1, 4), c.Int(2, 6), c.Int(1, 5));
            int blank = c.Int(classes);
            NDArray labels = c.Integers((batch, length), 0, classes - 1, c.Of(DType.Int32, DType.Int64));
            labels += (labels >= blank).AsType(labels.DType);
            // Equal neighbours need a blank in between.
            int longest = Math.Min(length, time / 2);
            NDArray times = c.Integers(batch, 2 * longest, time + 1), lengths = c.Integers(batch, 0, longest + 1);
            times = Nd.Maximum(times, 1);
            Reduction reduction = c.Of(Reduction.None, Reduction.Mean, Reduction.Sum);
            return RandomCase.Of($"Ctc({reduction}, blank: {blank}, times {times}, lengths {lengths})", [c.Real((time, batch, classes)), labels, times, lengths],
                x => [Loss.Ctc(x[0], x[1], reduction, x[2], x[3], blank)],
                t => [Reduced(F.ctc_loss(F.log_softmax(t[0], 2), t[1].to_type(ScalarType.Int64), t[2], t[3], blank, false, nn.Reduction.None), reduction)]) with
            { Slack = 40 };
        }),
    ];

    private static NDArray[] Reals(CaseDraw c, Shape shape) => [c.Distinct(shape), c.Real(shape)];

    private static RandomCase Lossy(CaseDraw c, string options, Func<CaseDraw, Shape, NDArray[]> inputs, Func<NDArray, NDArray, Reduction, NDArray> ours, Func<Tensor, Tensor, Tensor> theirs)
    {
        Reduction reduction = c.Of(Reduction.None, Reduction.Mean, Reduction.Sum);
        Shape shape = c.Sizes(c.Int(1, 3), 1, 7);
        return RandomCase.Of($"{reduction} {options}", inputs(c, shape), x => [ours(x[0], x[1], reduction)], t => [Reduced(theirs(t[0], t[1]), reduction)]);
    }

    private static RandomCase Tripled(CaseDraw c, string options, Func<IReadOnlyList<NDArray>, Reduction, NDArray> ours, Func<Tensor[], Tensor> theirs)
    {
        Reduction reduction = c.Of(Reduction.None, Reduction.Mean, Reduction.Sum);
        Shape shape = c.Sizes(2, 1, 7);
        return RandomCase.Of($"{reduction} {options}", [c.Distinct(shape), c.Real(shape), c.Real(shape)], x => [ours(x, reduction)], t => [Reduced(theirs(t), reduction)]);
    }

    // LibTorch has the classes in axis 1: there one axis of samples.
    private static RandomCase Classified(CaseDraw c, string name, Func<NDArray, NDArray, double, Reduction, NDArray> ours, Func<Tensor, Tensor, double, Tensor> theirs)
    {
        Reduction reduction = c.Of(Reduction.None, Reduction.Mean, Reduction.Sum);
        int classes = c.Int(1, 12);
        double smoothing = c.Of(0, 0.1, 0.5, 1);
        Shape shape = c.Sizes(c.Int(3), 1, 6);
        return RandomCase.Of($"{name}({reduction}, smoothing {smoothing})", [c.Real([.. shape.Dimensions, classes], -4, 4), c.Integers(shape, 0, classes, c.Of(DType.Int32, DType.Int64))],
            x => [ours(x[0], x[1], smoothing, reduction)],
            t => [Reduced(theirs(t[0].reshape(-1, classes), t[1].to_type(ScalarType.Int64).reshape(-1), smoothing).reshape(t[1].shape), reduction)]);
    }

    // At least one label counts: of none the mean is no number on either side.
    private static RandomCase Weighted(CaseDraw c, double smoothing, bool likelihood)
    {
        Reduction reduction = c.Of(Reduction.None, Reduction.Mean, Reduction.Sum);
        (int samples, int classes, bool weighted) = (c.Int(1, 9), c.Int(2, 9), c.Flag());
        int ignored = c.Of(-100, -1, 0, 1, classes + 3);
        NDArray labels = c.Integers(samples, 0, classes), skipped = Nd.LogicalAnd(c.Truths(samples), Nd.Arange(0, samples) > 0);
        labels = Nd.Where(skipped, ignored, Nd.Where(labels.Equal(ignored), classes - 1, labels)).AsType(c.Of(DType.Int32, DType.Int64));
        return RandomCase.Of($"{(likelihood ? "NegativeLogLikelihood" : "SoftmaxCrossEntropy")}({reduction}, weights: {weighted}, ignored: {ignored}, smoothing {smoothing})",
            [c.Real((samples, classes), -4, 4), labels, c.Real(classes, 0.1, 2)],
            x => x[2].Detach() is var w && likelihood
                ? [Loss.NegativeLogLikelihood(x[0].LogSoftmax(), x[1], reduction, weighted ? w : null, ignored)]
                : [Loss.SoftmaxCrossEntropy(x[0], x[1], reduction, weighted ? w : null, ignored, smoothing)],
            t =>
            {
                Tensor y = t[1].to_type(ScalarType.Int64), w = t[2].detach();
                nn.Reduction kind = reduction switch { Reduction.Mean => nn.Reduction.Mean, Reduction.Sum => nn.Reduction.Sum, _ => nn.Reduction.None };
                return [F.cross_entropy(t[0], y, weighted ? w : null, ignored, kind, smoothing)];
            });
    }

    private static Tensor Reduced(Tensor x, Reduction reduction) => reduction switch { Reduction.Mean => x.mean(), Reduction.Sum => x.sum(), _ => x };
}
