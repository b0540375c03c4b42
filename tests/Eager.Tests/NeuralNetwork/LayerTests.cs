using Fusion.NN;

namespace Fusion.Tests;

public sealed class LayerTests
{
    /// <summary>Names, shapes and order of the parameters and buffers: what files of weights depend on.</summary>
    [Fact]
    public void ParametersAreNamedAsInPyTorch()
    {
        (Module Module, string State)[] layers =
        [
            (new Conv1d(4, 6, 3, groups: 2), "weight (6, 2, 3), bias (6,)"),
            (new Conv2d(3, 8, (3, 5), bias: false), "weight (8, 3, 3, 5)"),
            (new Conv3d(1, 2, 2), "weight (2, 1, 2, 2, 2), bias (2,)"),
            (new ConvTranspose2d(4, 6, 3, groups: 2), "weight (4, 3, 3, 3), bias (6,)"),
            (new BatchNorm(5), "weight (5,), bias (5,), running_mean (5,), running_var (5,)"),
            (new NN.LayerNorm((2, 3)), "weight (2, 3), bias (2, 3)"),
            (new NN.RmsNorm(4), "weight (4,)"),
            (new GroupNorm(2, 4), "weight (4,), bias (4,)"),
            (new Embedding(10, 3), "weight (10, 3)"),
            (new Rnn(3, 2, bias: false), "weight_ih_l0 (2, 3), weight_hh_l0 (2, 2)"),
            (new Gru(3, 2), "weight_ih_l0 (6, 3), weight_hh_l0 (6, 2), bias_ih_l0 (6,), bias_hh_l0 (6,)"),
            (new Lstm(3, 2, layers: 2, bias: false, bidirectional: true),
                "weight_ih_l0 (8, 3), weight_hh_l0 (8, 2), weight_ih_l0_reverse (8, 3), weight_hh_l0_reverse (8, 2), " +
                "weight_ih_l1 (8, 4), weight_hh_l1 (8, 2), weight_ih_l1_reverse (8, 4), weight_hh_l1_reverse (8, 2)"),
            (new MultiHeadAttention(4, 2), "in_proj_weight (12, 4), in_proj_bias (12,), out_proj.weight (4, 4), out_proj.bias (4,)"),
            (new Sequential(new Conv2d(1, 2, 3, bias: false), new BatchNorm(2)),
                "0.weight (2, 1, 3, 3), 1.weight (2,), 1.bias (2,), 1.running_mean (2,), 1.running_var (2,)"),
        ];
        foreach ((Module module, string state) in layers)
            Assert.Equal(state, string.Join(", ", module.Parameters.Concat(module.Buffers).Select(p => $"{p.Key} {p.Value.Shape}")));
        Assert.Equal(
            ["norm1.weight", "norm1.bias", "self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight", "self_attn.out_proj.bias",
                "norm2.weight", "norm2.bias",
                "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"],
            new TransformerBlock(4, 2).Parameters.Keys);
    }

    [Fact]
    public void LayersCallTheirFunctions()
    {
        NDArray x = Samples.Normal((2, 4, 9, 8), 1, DType.Float32), sequence = Samples.Normal((2, 4, 9), 2, DType.Float32),
            volume = Samples.Normal((1, 4, 5, 6, 7), 3, DType.Float32);
        Conv2d conv = new(4, 6, 3, stride: 2, padding: 1, groups: 2);
        Conv1d conv1 = new(4, 3, 3, padding: Padding.Same);
        Conv3d conv3 = new(4, 3, 2, dilation: 2);
        ConvTranspose2d up = new(4, 6, 3, stride: 2, outputPadding: 1);
        NN.LayerNorm norm = new((9, 8));
        norm.Weight.CopyFrom(Samples.Normal((9, 8), 4, DType.Float32).ToArray<float>());
        (NDArray Expected, NDArray Actual)[] results =
        [
            (x.Conv2D(conv.Weight, conv.Bias, 2, 1, groups: 2), conv.Forward(x)),
            (sequence.Conv1D(conv1.Weight, conv1.Bias, padding: 1), conv1.Forward(sequence)),
            (volume.Conv3D(conv3.Weight, conv3.Bias, dilation: 2), conv3.Forward(volume)),
            (x.ConvTranspose2D(up.Weight, up.Bias, 2, outputPadding: 1), up.Forward(x)),
            (x.MaxPool2D(3, 2, 1), new MaxPool2d(3, 2, 1).Forward(x)),
            (x.AvgPool2D(3, 2, 1, false), new AvgPool2d(3, 2, 1, countIncludePad: false).Forward(x)),
            (x.GlobalAvgPool(), new GlobalAvgPool().Forward(x)),
            (x.AdaptiveAvgPool((3, 2)), new AdaptiveAvgPool((3, 2)).Forward(x)),
            (x.GroupNorm(2), new GroupNorm(2, 4).Forward(x)),
            (x.Reshape(2, 4, 72).LayerNorm(norm.Weight.Reshape(72), norm.Bias.Reshape(72)).Reshape(x.Shape), norm.Forward(x)),
            (x.RmsNorm(), new NN.RmsNorm(8).Forward(x)),
        ];
        foreach ((NDArray expected, NDArray actual) in results)
        {
            Assert.Equal(expected.Shape, actual.Shape);
            Samples.Close(Samples.Values(expected), actual);
        }

        ShapeException error = Assert.Throws<ShapeException>(() => norm.Forward(Nd.Zeros((8, 9))));
        Assert.Contains("(8, 9) does not end in (9, 8)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Conv2d(3, 4, 3, groups: 2));
    }

    [Fact]
    public void BatchNormLearnsItsBuffersInTrainingOnly()
    {
        BatchNorm norm = new(3, momentum: 0.5);
        NDArray x = Samples.Normal((50, 3), 1, DType.Float32) * 2 + 5;
        norm.Forward(x);
        Assert.Equal([0, 0, 0], norm.RunningMean.ToArray<float>());
        for (int i = 0; i < 30; i++)
            using (Autograd.Record()) norm.Forward(x);
        Samples.Close(Samples.Values(x.Mean(0)), norm.RunningMean);
        Samples.Close(Samples.Values(x.Var(0)), norm.RunningVar);
        Assert.True(Samples.Values(Nd.Abs(norm.Forward(x).Mean(0))).Max() < 1e-4);
    }

    /// <summary>A convolutional network with batch normalization learns to tell two textures apart.</summary>
    [Fact]
    public void ASmallNetworkLearns()
    {
        Sequential net = new(new Conv2d(1, 4, 3, padding: 1), new BatchNorm(4), new NN.Relu(), new MaxPool2d(2), new Conv2d(4, 8, 3, stride: 2), new NN.Relu(),
            new GlobalAvgPool(), new Flatten(), new Linear(8, 2));
        foreach ((NDArray p, int i) in net.Parameters.Values.Select((p, i) => (p, i)))
            if (p.Rank > 1) p.CopyFrom((Samples.Normal(p.Shape, i, DType.Float32) * Math.Sqrt(2.0 * p.Shape[0] / p.Size)).ToArray<float>());
        int[] labels = [.. Enumerable.Range(0, 32).Select(i => i % 2)];
        double[] noise = Samples.Numbers(32 * 64, 9);
        float[] images = [.. noise.Select((v, i) => (float)(0.5 * v + (labels[i / 64] == 0 ? i / 8 % 2 : i % 2)))];
        NDArray x = Nd.Array(images, (32, 1, 8, 8)), y = Nd.Array(labels);
        Optim.Adam adam = new(net.Parameters.Values, 0.02);
        float first = 0, last = 0;
        for (int step = 0; step < 40; step++)
        {
            NDArray loss;
            using (Autograd.Record()) loss = Loss.SoftmaxCrossEntropy(net.Forward(x), y);
            loss.Backward();
            adam.Step();
            last = loss.Item<float>();
            if (step == 0) first = last;
        }

        Assert.True(last < 0.1 * first, $"loss {first} → {last}");
    }
}
