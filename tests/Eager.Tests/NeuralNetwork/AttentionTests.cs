using Fusion.NN;

namespace Fusion.Tests;

public sealed class AttentionTests
{
    private static double[] Reference(NDArray query, NDArray key, NDArray value, Func<int, int, int, double> mask)
    {
        (int batch, int l, int e, int s, int v) = (query.Shape[0], query.Shape[1], query.Shape[2], key.Shape[1], value.Shape[2]);
        double[] q = Samples.Values(query), k = Samples.Values(key), x = Samples.Values(value), y = new double[batch * l * v];
        for (int b = 0; b < batch; b++)
        {
            for (int i = 0; i < l; i++)
            {
                double[] scores = [.. Enumerable.Range(0, s)
                    .Select(j => Enumerable.Range(0, e).Sum(d => q[(b * l + i) * e + d] * k[(b * s + j) * e + d]) / Math.Sqrt(e) + mask(b, i, j))];
                double[] weights = [.. scores.Select(a => Math.Exp(a - scores.Max()))];
                for (int d = 0; d < v; d++) y[(b * l + i) * v + d] = Enumerable.Range(0, s).Sum(j => weights[j] * x[(b * s + j) * v + d]) / weights.Sum();
            }
        }

        return y;
    }

    [Fact]
    public void WeightsAreTheSoftmaxOfTheScores()
    {
        NDArray q = Samples.Normal((2, 4, 3), 1), k = Samples.Normal((2, 5, 3), 2), v = Samples.Normal((2, 5, 2), 3);
        Samples.Close(Reference(q, k, v, (_, _, _) => 0), q.ScaledDotProductAttention(k, v));
        Samples.Close(Reference(q, k, v, (_, i, j) => j <= i ? 0 : double.NegativeInfinity), q.ScaledDotProductAttention(k, v, causal: true));
        NDArray allowed = Nd.Array([true, true, false, true, false], (1, 5));
        Samples.Close(Reference(q, k, v, (_, _, j) => j is 2 or 4 ? double.NegativeInfinity : 0), q.ScaledDotProductAttention(k, v, allowed));
        NDArray added = Samples.Normal((2, 4, 5), 4);
        double[] terms = Samples.Values(added);
        Samples.Close(Reference(q, k, v, (b, i, j) => terms[(b * 4 + i) * 5 + j] + (j <= i ? 0 : double.NegativeInfinity)),
            q.ScaledDotProductAttention(k, v, added, causal: true));
        Samples.Close(Reference(q * Math.Sqrt(3), k, v, (_, _, _) => 0), q.ScaledDotProductAttention(k, v, scale: 1));
        Samples.PassesGradientCheck(a => a[0].ScaledDotProductAttention(a[1], a[2], causal: true), [q, k, v], "attention");
    }

    [Fact]
    public void HeadsAreAttentionsOfTheirPartsOfTheFeatures()
    {
        MultiHeadAttention layer = new(6, 2, dtype: DType.Float64);
        NDArray x = Samples.Normal((2, 4, 6), 1), other = Samples.Normal((2, 5, 6), 2);
        NDArray w = layer.Parameters["in_proj_weight"], bias = layer.Parameters["in_proj_bias"];
        bias.Assign(Samples.Normal(18, 3));
        NDArray Expected(NDArray query, NDArray key, bool causal)
        {
            NDArray[] p = [.. Enumerable.Range(0, 3)
                .Select(i => Nd.FullyConnected(i == 0 ? query : key, w[(6 * i)..(6 * i + 6)], bias[(6 * i)..(6 * i + 6)], flatten: false))];
            NDArray heads = Nd.Concat([.. Enumerable.Range(0, 2)
                .Select(h => Part(p[0], h).ScaledDotProductAttention(Part(p[1], h), Part(p[2], h), causal: causal))], -1);
            return Nd.FullyConnected(heads, layer.Parameters["out_proj.weight"], layer.Parameters["out_proj.bias"], flatten: false);
        }

        Samples.Close(Samples.Values(Expected(x, x, false)), layer.Forward(x));
        Samples.Close(Samples.Values(Expected(x, other, false)), layer.Forward(x, other, other));
        Samples.Close(Samples.Values(Expected(x, x, true)), layer.Forward(x, x, x, causal: true));
        Assert.Contains("(batch, time, 6)", Assert.Throws<ShapeException>(() => layer.Forward(Nd.Zeros((2, 4, 5)))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new MultiHeadAttention(6, 4));

        static NDArray Part(NDArray a, int head) => a[AxisIndex.Ellipsis, (3 * head)..(3 * head + 3)];
    }

    /// <summary>A causal block does not see what comes later, and trains.</summary>
    [Fact]
    public void ABlockIsCausalAndTrains()
    {
        TransformerBlock block = new(8, 2, hidden: 16, causal: true);
        NDArray x = Samples.Normal((2, 5, 8), 1, DType.Float32), changed = x.Copy();
        changed[.., 4] = Nd.Zeros((2, 8));
        Assert.Equal(block.Forward(x)[.., ..4].ToArray<float>(), block.Forward(changed)[.., ..4].ToArray<float>());
        Assert.Equal(x.Shape, block.Forward(x).Shape);
        Optim.Sgd sgd = new(block.Parameters.Values, 0.05);
        NDArray target = Samples.Normal(x.Shape, 2, DType.Float32);
        float first = 0, last = 0;
        for (int step = 0; step < 30; step++)
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.MeanSquaredError(block.Forward(x), target);
            loss.Backward();
            sgd.Step();
            last = loss.Item<float>();
            if (step == 0) first = last;
        }

        Assert.True(last < 0.9 * first, $"loss {first} → {last}");
    }

    [Fact]
    public void MessagesNameTheShapes()
    {
        NDArray q = Nd.Zeros((2, 4, 3));
        Assert.Contains("(2, 5, 4)", Assert.Throws<ShapeException>(() => q.ScaledDotProductAttention(Nd.Zeros((2, 5, 4)), Nd.Zeros((2, 5, 4)))).Message,
            StringComparison.Ordinal);
        Assert.Contains("mask (3, 5)",
            Assert.Throws<ShapeException>(() => q.ScaledDotProductAttention(Nd.Zeros((2, 5, 3)), Nd.Zeros((2, 5, 3)), Nd.Zeros((3, 5)))).Message,
            StringComparison.Ordinal);
    }
}
