using Fusion.NN;

namespace Fusion.Tests.Training;

/// <summary>Small networks of random layers, for vectors, images, sequences and tokens: what they take and give is known from the drawing.</summary>
internal static class RandomNetwork
{
    private static readonly int[] s_sizes = [1, 2, 3, 4, 6, 8, 12, 17], s_wideSizes = [16, 31, 48, 64, 100, 130, 257];

    /// <summary>A network and the shape of its input, the batch apart; tokens below the second number.</summary>
    /// <param name="random">What is drawn from.</param>
    /// <param name="wide">Layers so wide that their work is blocked, and shared among threads.</param>
    public static (Module Network, int[] Input, int Tokens) Next(Random random, bool wide) => random.Next(4) switch
    {
        0 => Vectors(random, wide),
        1 => Images(random, wide ? 8 : 1),
        2 => Sequences(random, 0, wide ? 8 : 1),
        _ => Sequences(random, 2 + random.Next(6), wide ? 8 : 1),
    };

    /// <summary>The number of features of the result.</summary>
    public static int Outputs(Module network) => ((Linear)((Sequential)network)[^1]).Weight.Shape[0];

    private static (Module, int[], int) Vectors(Random random, bool wide)
    {
        int features = Size(random, wide), input = features;
        List<Module> layers = [];
        for (int i = random.Next(4); i >= 0; i--)
        {
            int next = Size(random, wide);
            layers.Add(random.Next(5) switch
            {
                0 => new LayerNorm(features),
                1 => new RmsNorm(features),
                2 => new BatchNorm(features, momentum: random.Next(2) * 0.5),
                _ => new Linear(features, features = next, bias: random.Next(4) > 0),
            });
            layers.Add(Activation(random));
        }

        return (Closed(layers, features, random), [input], 0);
    }

    private static (Module, int[], int) Images(Random random, int scale)
    {
        int channels = scale > 1 ? 3 * scale : 1 + random.Next(3), side = 5 + random.Next(4 * scale);
        int[] input = [channels, side, side];
        List<Module> layers = [];
        for (int i = random.Next(3); i >= 0; i--)
        {
            int next = 1 + random.Next(5 * scale), kernel = 1 + 2 * random.Next(2), stride = 1 + random.Next(2);
            layers.Add(random.Next(6) switch
            {
                0 => new BatchNorm(channels),
                1 => new GroupNorm(1, channels),
                2 when side > 2 => Pool(random, ref side),
                _ => new Conv2d(channels, channels = next, kernel, stride: Strided(ref side, stride), padding: kernel / 2, bias: random.Next(4) > 0),
            });
            layers.Add(Activation(random));
        }

        if (random.Next(3) == 0)
        {
            layers.Add(new GlobalAvgPool());
            side = 1;
        }

        layers.Add(new Flatten());
        return (Closed(layers, channels * side * side, random), input, 0);
    }

    private static (Module, int[], int) Sequences(Random random, int tokens, int scale)
    {
        int length = 1 + random.Next(5 * scale), features = 4 * scale * (1 + random.Next(2));
        int[] input = tokens > 0 ? [length] : [length, features];
        List<Module> layers = tokens > 0 ? [new Embedding(tokens, features)] : [];
        for (int i = random.Next(2); i >= 0; i--)
        {
            int next = 4 * scale * (1 + random.Next(2)), depth = 1 + random.Next(2);
            bool both = random.Next(3) == 0;
            int before = features;
            layers.Add(random.Next(6) switch
            {
                0 => new Lstm(before, features = next, depth, batchFirst: true, bidirectional: both),
                1 => new Gru(before, features = next, depth, batchFirst: true, bidirectional: both),
                2 => new Rnn(before, features = next, depth, relu: random.Next(2) == 0, batchFirst: true, bidirectional: both),
                3 => new MultiHeadAttention(features, 2, causal: random.Next(2) == 0),
                4 => new TransformerBlock(features, 2, causal: random.Next(2) == 0),
                _ => new LayerNorm(features),
            });
            if (layers[^1] is RecurrentLayer && both) features *= 2;
        }

        layers.Add(new Flatten());
        return (Closed(layers, length * features, random), input, tokens);
    }

    private static Sequential Closed(List<Module> layers, int features, Random random) => new([.. layers, new Linear(features, 1 + random.Next(4))]);

    private static int Size(Random random, bool wide) => wide ? s_wideSizes[random.Next(s_wideSizes.Length)] : s_sizes[random.Next(s_sizes.Length)];

    private static int Strided(ref int side, int stride)
    {
        side = (side + stride - 1) / stride;
        return stride;
    }

    private static Module Pool(Random random, ref int side)
    {
        side /= 2;
        return random.Next(2) == 0 ? new MaxPool2d(2) : new AvgPool2d(2);
    }

    private static Module Activation(Random random) => random.Next(10) switch
    {
        0 => new Relu(),
        1 => new Gelu(approximate: random.Next(2) == 0),
        2 => new Silu(),
        3 => new Tanh(),
        4 => new Sigmoid(),
        5 => new LeakyRelu(0.1),
        6 => new Elu(),
        7 => new Softplus(),
        8 => new Mish(),
        _ => new Selu(),
    };
}
