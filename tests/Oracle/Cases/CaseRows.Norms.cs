using Fusion.NN;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Cases;

// Normalizations.
internal static partial class CaseRows
{
    private static readonly CaseRow[] Norms =
    [
        new("LayerNorm", static c =>
        {
            int[] last = c.Sizes(c.Int(1, 2), 1, 17);
            double epsilon = c.Of(1e-5, 1e-3, 0.1);
            return c.Layer($"LayerNorm({CaseDraw.Text(last)}, {epsilon})", c.Real([.. c.Sizes(c.Int(3), 0, 5), .. last]), () => new LayerNorm(last, epsilon, c.DType),
                (t, p) => F.layer_norm(t, [.. last], p["weight"], p["bias"], epsilon)) with
            { Slack = 400 };
        }),
        new("RmsNorm", static c =>
        {
            int[] last = c.Sizes(c.Int(1, 2), 1, 17);
            double epsilon = c.Of(1e-6, 1e-3, 0.1);
            return c.Layer($"RmsNorm({CaseDraw.Text(last)}, {epsilon})", c.Real([.. c.Sizes(c.Int(3), 0, 5), .. last]), () => new RmsNorm(last, epsilon, c.DType),
                (t, p) => t * rsqrt(t.square().mean([.. Enumerable.Range(1, last.Length).Select(static i => (long)-i)], true) + epsilon) * p["weight"]) with
            { Slack = 40 };
        }),
        new("GroupNorm", static c =>
        {
            int groups = c.Int(1, 4), channels = groups * c.Int(1, 4);
            double epsilon = c.Of(1e-5, 1e-3, 0.1);
            return c.Layer($"GroupNorm({groups}, {channels}, {epsilon})", c.Real([c.Batch(), channels, .. c.Sizes(c.Int(4), 2, 6)]),
                () => new GroupNorm(groups, channels, epsilon, c.DType), (t, p) => F.group_norm(t, groups, p["weight"], p["bias"], epsilon)) with
            { Slack = 400 };
        }),
        new("InstanceNorm", static c =>
        {
            int channels = c.Int(1, 5);
            double epsilon = c.Of(1e-5, 1e-3, 0.1);
            bool affine = c.Flag();
            return RandomCase.Of($"InstanceNorm(affine: {affine}, {epsilon})", [c.Real([c.Int(1, 4), channels, .. c.Sizes(c.Int(1, 3), 2, 6)]), c.Real(channels), c.Real(channels)],
                x => [x[0].InstanceNorm(affine ? x[1] : null, affine ? x[2] : null, epsilon)],
                t => [F.instance_norm(t[0], null!, null!, affine ? t[1] : null!, affine ? t[2] : null!, true, 0.1, epsilon)]) with
            { Slack = 400 };
        }),
        new("BatchNorm: training", static c => BatchNormalized(c, 3, training: true)),
        new("BatchNorm: evaluation", static c => BatchNormalized(c, 2, training: false)),
    ];

    // Some steps of training, whose running values are results; or evaluation with running values that a training left.
    private static RandomCase BatchNormalized(CaseDraw c, int steps, bool training)
    {
        int channels = c.Int(1, 6);
        double epsilon = c.Of(1e-5, 1e-3, 0.1), momentum = c.Of(0.9, 0.99, 0.5, 0, 1);
        Shape shape = [training ? c.Int(2, 5) : c.Batch(), channels, .. c.Sizes(c.Int(4), 1, 6)];
        NDArray[] inputs = [.. Enumerable.Range(0, steps).Select(_ => c.Real(shape))];
        RandomCase drawn = c.Layer($"BatchNorm({channels}, {momentum}, {epsilon})", inputs, () => new BatchNorm(channels, momentum, epsilon, c.DType),
            (layer, x) =>
            {
                if (!training)
                {
                    layer.RunningMean.Assign(Nd.Arange(channels).AsType(c.DType) * 0.25);
                    layer.RunningVar.Assign((Nd.Arange(channels).AsType(c.DType) * 0.5) + 0.5);
                }

                NDArray[] outputs = [.. x.Select(layer.Forward)];
                return [.. outputs, layer.RunningMean.Copy(), layer.RunningVar.Copy()];
            },
            (t, p) =>
            {
                Tensor numbers = arange(channels).to_type(ScalarType.Float64);
                Tensor mean = training ? zeros(channels) : numbers * 0.25, variance = training ? ones(channels) : (numbers * 0.5) + 0.5;
                List<Tensor> outputs = [];
                long[] axes = [0, .. Enumerable.Range(2, shape.Rank - 2)];
                foreach (Tensor x in t)
                {
                    outputs.Add(F.batch_norm(x, mean.clone(), variance.clone(), p["weight"], p["bias"], training, 0.1, epsilon));
                    if (!training) continue;
                    // MXNet's: the share that stays, and the variance of the batch itself.
                    mean = (momentum * mean) + ((1 - momentum) * x.detach().mean(axes));
                    variance = (momentum * variance) + ((1 - momentum) * x.detach().var(axes, false));
                }

                return [.. outputs, mean, variance];
            });
        return drawn with { IsTraining = training, Slack = 400 };
    }
}
