using Fusion.NN;
using Fusion.Oracle.Programs;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Fusion.Oracle.Cases;

// Layers with weights.
internal static partial class CaseRows
{
    private static readonly CaseRow[] Layers =
    [
        new("Linear", static c =>
        {
            (int features, int outputs, bool bias) = (c.Int(1, 33), c.Int(1, 33), c.Flag());
            NDArray x = c.Real([.. c.Sizes(c.Int(3), 0, 5), features]);
            return c.Layer($"Linear({features}, {outputs}, bias: {bias})", x, () => new Linear(features, outputs, bias, dtype: c.DType),
                (t, p) => F.linear(t, p["weight"], p.GetValueOrDefault("bias")));
        }),
        new("Embedding", static c =>
        {
            (int count, int features) = (c.Int(1, 9), c.Int(1, 9));
            NDArray x = c.Integers(c.Sizes(c.Int(3), 0, 5), 0, count, c.Of(DType.Int32, DType.Int64));
            return c.Layer($"Embedding({count}, {features})", x, () => new Embedding(count, features, dtype: c.DType),
                (t, p) => p["weight"].index_select(0, t.to_type(ScalarType.Int64).reshape(-1)).reshape([.. t.shape, features]));
        }),
        new("Conv1d", static c => Convolved(c, 1)),
        new("Conv2d", static c => Convolved(c, 2)),
        new("Conv2d: depthwise", static c => Convolved(c, 2, depthwise: true)),
        new("Conv3d", static c => Convolved(c, 3)),
        new("ConvTranspose1D", static c => Transposed(c, 1)),
        new("ConvTranspose2d", static c => Transposed(c, 2)),
        new("ConvTranspose3D", static c => Transposed(c, 3)),
        new("Dropout", static c =>
        {
            (double p, bool isBroadcast) = (c.Of(0, 0.1, 0.5, 0.9, 1), c.Int(3) == 0);
            NDArray x = c.Real([c.Int(1, 300), c.Int(1, 20)], 0.5, 2);
            double[] mask = [];
            return new RandomCase($"Dropout({p}, axes: {(isBroadcast ? "[1]" : "null")})", [x],
                compiled =>
                {
                    Dropout layer = new(p, isBroadcast ? [1] : null);
                    return new OurSide(
                        RandomCase.Compiled(x => [layer.Forward(x[0])], compiled) is var f && compiled ? f : x =>
                        {
                            NDArray y = layer.Forward(x[0]);
                            mask = [.. y.Detach().AsType(DType.Float64).ToArray<double>().Select(static v => v == 0 ? 0.0 : 1)];
                            CheckShare(mask, p, isBroadcast ? y.Shape[1] : 1);
                            return [y];
                        },
                        []);
                },
                t => new TheirSide([t[0] * tensor(mask, t[0].shape) * (p == 1 ? 0 : 1 / (1 - p))]))
            { IsTraining = true };
        }),
    ];

    // The share of zeros within six standard deviations.
    private static void CheckShare(double[] mask, double p, int together)
    {
        double zeros = mask.Count(static v => v == 0), allowed = 6 * Math.Sqrt(p * (1 - p) * mask.Length * together);
        if (Math.Abs(zeros - (p * mask.Length)) > allowed) throw new InvalidOperationException($"{zeros} of {mask.Length} elements are 0, with probability {p}");
    }

    private static RandomCase Convolved(CaseDraw c, int rank, bool depthwise = false)
    {
        int groups = depthwise ? c.Int(1, 9) : c.Of(1, 1, 2, 3), inputs = depthwise ? groups : groups * c.Int(1, 5), outputs = groups * c.Int(1, depthwise ? 2 : 9);
        int[] kernel = c.Sizes(rank, 1, 4), stride = c.Sizes(rank, 1, 3), dilation = c.Sizes(rank, 1, 2), before = c.Sizes(rank, 0, 2), after = [.. before];
        int kind = c.Int(4);
        if (kind == 0) after = c.Sizes(rank, 0, 2);
        if (kind == 1)
        {
            stride = [.. stride.Select(static _ => 1)];
            for (int i = 0; i < rank; i++) (before[i], after[i]) = (dilation[i] * (kernel[i] - 1) / 2, dilation[i] * (kernel[i] - 1) - (dilation[i] * (kernel[i] - 1) / 2));
        }

        Padding padding = kind switch { 0 => Padding.Pairs([.. before.Zip(after)]), 1 => Padding.Same, _ => before };
        bool bias = c.Flag();
        int extra = rank == 3 ? 3 : c.Of(2, 6, 20);
        int[] spatial = [.. kernel.Select((k, i) => Math.Max(1, (dilation[i] * (k - 1)) + 1 - before[i] - after[i]) + c.Int(extra))];
        NDArray x = c.Real([c.Batch(), inputs, .. spatial]);
        string text = $"Conv{rank}d({inputs}, {outputs}, {CaseDraw.Text(kernel)}, stride {CaseDraw.Text(stride)}, "
            + $"padding {padding} {CaseDraw.Text(after)}, dilation {CaseDraw.Text(dilation)}, groups {groups}, bias: {bias})";
        return c.Layer(text, x,
            () => rank switch
            {
                1 => new Conv1d(inputs, outputs, kernel, stride, padding, dilation, groups, bias, dtype: c.DType),
                2 => new Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias, dtype: c.DType),
                _ => (Module)new Conv3d(inputs, outputs, kernel, stride, padding, dilation, groups, bias, dtype: c.DType),
            },
            (t, p) =>
            {
                Tensor padded = F.pad(t, [.. Enumerable.Range(0, rank).Reverse().SelectMany(i => new long[] { before[i], after[i] })]), weight = p["weight"];
                Tensor? shift = p.GetValueOrDefault("bias");
                return rank switch
                {
                    1 => F.conv1d(padded, weight, shift, stride[0], 0, dilation[0], groups),
                    2 => F.conv2d(padded, weight, shift, stride.Longs(), [0, 0], dilation.Longs(), groups),
                    _ => F.conv3d(padded, weight, shift, stride.Longs(), [0, 0, 0], dilation.Longs(), groups),
                };
            });
    }

    private static RandomCase Transposed(CaseDraw c, int rank)
    {
        int groups = c.Of(1, 1, 2, 3), inputs = groups * c.Int(1, 4), outputs = groups * c.Int(1, 4);
        int[] kernel = c.Sizes(rank, 1, 4), stride = c.Sizes(rank, 1, 3), dilation = c.Sizes(rank, 1, 2), spatial = c.Sizes(rank, 1, rank == 3 ? 3 : 7);
        int[] padding = [.. kernel.Select((k, i) => c.Int(Math.Max(1, dilation[i] * (k - 1))))];
        int[] output = [.. stride.Select((s, i) => c.Int(Math.Max(s, dilation[i])))];
        for (int i = 0; i < rank; i++)
            if (((spatial[i] - 1) * stride[i]) - (2 * padding[i]) + (dilation[i] * (kernel[i] - 1)) + output[i] < 0) padding[i] = 0;
        bool bias = c.Flag();
        NDArray x = c.Real([c.Batch(), inputs, .. spatial]), weight = c.Real([inputs, outputs / groups, .. kernel], -0.6, 0.6), shift = c.Real(outputs);
        string text = $"ConvTranspose{rank}D(stride {CaseDraw.Text(stride)}, padding {CaseDraw.Text(padding)}, "
            + $"output {CaseDraw.Text(output)}, dilation {CaseDraw.Text(dilation)}, groups {groups}, bias: {bias})";
        return RandomCase.Of(text, [x, weight, shift],
            a =>
            [
                rank switch
                {
                    1 => Nd.ConvTranspose1D(a[0], a[1], bias ? a[2] : null, stride, padding, output, dilation, groups),
                    2 => Nd.ConvTranspose2D(a[0], a[1], bias ? a[2] : null, stride, padding, output, dilation, groups),
                    _ => Nd.ConvTranspose3D(a[0], a[1], bias ? a[2] : null, stride, padding, output, dilation, groups),
                },
            ],
            t =>
            [
                rank switch
                {
                    1 => F.conv_transpose1d(t[0], t[1], bias ? t[2] : null, stride[0], padding[0], output[0], dilation[0], groups),
                    2 => F.conv_transpose2d(t[0], t[1], bias ? t[2] : null, stride.Longs(), padding.Longs(), output.Longs(), dilation.Longs(), groups),
                    _ => F.conv_transpose3d(t[0], t[1], bias ? t[2] : null, stride.Longs(), padding.Longs(), output.Longs(), dilation.Longs(), groups),
                },
            ]);
    }
}
