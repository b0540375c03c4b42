namespace Fusion.Tests;

public sealed class NormalizationTests
{
    /// <summary>What is normalized together (a key for each element), and which gamma and beta belong to an element.</summary>
    private static double[] Reference(double[] x, Func<int, int> line, Func<int, int> vector, double[]? gamma, double[]? beta, double epsilon, bool centered)
    {
        double[] y = new double[x.Length];
        foreach (IGrouping<int, int> together in Enumerable.Range(0, x.Length).GroupBy(line))
        {
            double mean = centered ? together.Average(i => x[i]) : 0;
            double scale = 1 / Math.Sqrt(together.Average(i => (x[i] - mean) * (x[i] - mean)) + epsilon);
            foreach (int i in together) y[i] = (x[i] - mean) * scale * (gamma?[vector(i)] ?? 1) + (beta?[vector(i)] ?? 0);
        }

        return y;
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 1)]
    [InlineData(4, 64)]
    [InlineData(7, 333)]
    [InlineData(2, 20000)]
    public void RowsHaveMeanZeroAndVarianceOne(int rows, int columns)
    {
        double[] x = [.. Samples.Numbers(rows * columns, 1).Select(v => 3 * v + 100)], gamma = Samples.Numbers(columns, 2), beta = Samples.Numbers(columns, 3);
        foreach (DType dtype in new[] { DType.Float32, DType.Float64 })
        {
            NDArray input = Samples.Array(x, (rows, columns), dtype), scale = Samples.Array(gamma, columns, dtype), shift = Samples.Array(beta, columns, dtype);
            double[] exact = Samples.Values(input);
            Check(gamma, beta, 1e-5, true, input.LayerNorm(scale, shift));
            Check(null, null, 1e-3, true, input.LayerNorm(epsilon: 1e-3));
            Check(gamma, null, 1e-5, true, input.LayerNorm(scale));
            Check(gamma, null, 1e-6, false, input.RmsNorm(scale));
            Check(null, null, 1e-6, false, input.RmsNorm());

            void Check(double[]? g, double[]? b, double epsilon, bool centered, NDArray actual)
            {
                double[] expected = Reference(exact, i => i / columns, i => i % columns, g, b, epsilon, centered);
                double tolerance = dtype == DType.Float64 ? 1e-10 : 2e-3;
                Assert.All(expected.Zip(Samples.Values(actual)), p => Assert.Equal(p.First, p.Second, tolerance));
            }
        }
    }

    [Theory]
    [InlineData(new[] { 2, 6, 5, 4 }, 3)]
    [InlineData(new[] { 3, 4 }, 2)]
    [InlineData(new[] { 1, 4, 9 }, 1)]
    public void GroupsOfChannelsAreNormalizedPerSample(int[] shape, int groups)
    {
        int channels = shape[1], size = WindowReference.Size(shape[2..]), group = channels / groups * size;
        NDArray x = Samples.Normal(shape, 1), gamma = Samples.Normal(Shape.Create([channels]), 2), beta = Samples.Normal(Shape.Create([channels]), 3);
        double[] values = Samples.Values(x), g = Samples.Values(gamma), b = Samples.Values(beta);
        Samples.Close(Reference(values, i => i / group, i => i / size % channels, g, b, 1e-5, true), x.GroupNorm(groups, gamma, beta));
        Samples.Close(Reference(values, i => i / size, i => i / size % channels, g, b, 1e-5, true), x.InstanceNorm(gamma, beta));
    }

    [Theory]
    [InlineData(new[] { 6, 5 })]
    [InlineData(new[] { 4, 3, 7, 6 })]
    [InlineData(new[] { 40, 3, 2 })]
    [InlineData(new[] { 1, 3, 300, 70 })]
    public void BatchNormUsesTheBatchWhileTrainingAndTheRunningMomentsOtherwise(int[] shape)
    {
        int channels = shape[1], size = WindowReference.Size(shape[2..]);
        NDArray x = Samples.Normal(shape, 1), gamma = Samples.Normal(Shape.Create([channels]), 2), beta = Samples.Normal(Shape.Create([channels]), 3);
        NDArray mean = Samples.Normal(Shape.Create([channels]), 4), variance = Nd.Exp(Samples.Normal(Shape.Create([channels]), 5));
        double[] values = Samples.Values(x), g = Samples.Values(gamma), b = Samples.Values(beta), m = Samples.Values(mean), v = Samples.Values(variance);
        int Channel(int i) => i / size % channels;
        double[] running = [.. values.Select((value, i) => (value - m[Channel(i)]) / Math.Sqrt(v[Channel(i)] + 1e-5) * g[Channel(i)] + b[Channel(i)])];
        Samples.Close(running, x.BatchNorm(gamma, beta, mean, variance));
        Assert.Equal(m, Samples.Values(mean));

        using (Autograd.Record()) Samples.Close(Reference(values, Channel, Channel, g, b, 1e-5, true),
            x.BatchNorm(gamma, beta, mean, variance, momentum: 0.75));
        double[][] channel = [.. Enumerable.Range(0, channels).Select(c => values.Where((_, i) => Channel(i) == c).ToArray())];
        Samples.Close([.. channel.Select((c, k) => 0.75 * m[k] + 0.25 * c.Average())], mean);
        Samples.Close([.. channel.Select((c, k) => 0.75 * v[k] + 0.25 * (c.Average(a => a * a) - c.Average() * c.Average()))], variance);
    }

    /// <summary>As every function of a row, whatever the types of the vectors: for training and afterwards, for all of them and for one.</summary>
    [Fact]
    public void TheResultHasTheTypeOfTheInput()
    {
        NDArray x = Nd.Ones((2, 4, 32)), vector = Nd.Ones(4, DType.Float64), row = Nd.Ones(32, DType.Float64);
        NDArray[] results =
        [
            x.BatchNorm(vector, vector, vector, vector), x.BatchNorm(Nd.Ones(4), Nd.Ones(4), vector, vector), x.GroupNorm(2, vector, vector),
            x.GroupNorm(2, null, vector), x.InstanceNorm(vector), x.LayerNorm(row, row), x.LayerNorm(row), x.LayerNorm(null, row), x.RmsNorm(row),
        ];
        Assert.All(results, static y => Assert.Equal(DType.Float32, y.DType));
        using (Autograd.TrainMode()) Assert.Equal(DType.Float32, x.BatchNorm(vector, vector, vector, vector).DType);
    }

    public static TheoryData<string> Differentiable => [.. Functions.Keys];

    private static readonly Dictionary<string, (Func<IReadOnlyList<NDArray>, NDArray> F, Shape[] Inputs)> Functions = new()
    {
        ["layer"] = (v => v[0].LayerNorm(v[1], v[2], epsilon: 0.1), [(3, 4), 4, 4]),
        ["layer without vectors"] = (v => v[0].LayerNorm(epsilon: 0.1), [(2, 2, 3)]),
        ["rms"] = (v => v[0].RmsNorm(v[1], epsilon: 0.1), [(3, 4), 4]),
        ["rms without a vector"] = (v => v[0].RmsNorm(epsilon: 0.1), [(3, 4)]),
        ["group"] = (v => v[0].GroupNorm(2, v[1], v[2], epsilon: 0.1), [(2, 4, 2), 4, 4]),
        ["long channels in groups"] = (v => Nd.Pow(v[0].GroupNorm(2, v[1], v[2], epsilon: 0.1), 3), [(2, 4, 17), 4, 4]),
        ["instance"] = (v => v[0].InstanceNorm(v[1], v[2], epsilon: 0.1), [(2, 2, 3), 2, 2]),
        ["batch of vectors"] = (v => v[0].BatchNorm(v[1], v[2], Nd.Zeros(2, DType.Float64), Nd.Ones(2, DType.Float64), epsilon: 0.1), [(4, 2), 2, 2]),
        ["batch of images"] = (v => v[0].BatchNorm(v[1], v[2], Nd.Zeros(2, DType.Float64), Nd.Ones(2, DType.Float64), epsilon: 0.1), [(2, 2, 3, 3), 2, 2]),
        ["moments"] = (v => OpTable.ChannelMoments.Apply(v[0]), [(2, 2, 3)]),
        ["sums"] = (v => OpTable.BatchNormSums.Apply(
            [v[0], v[1], Nd.StopGradient(OpTable.ChannelMoments.Apply(v[0]))], new NormAttributes(0.1, true)), [(2, 2, 3), (2, 2, 3)]),
    };

    [Theory]
    [MemberData(nameof(Differentiable))]
    public void GradientsOfOrderTwoMatchFiniteDifferences(string name)
    {
        var (f, shapes) = Functions[name];
        using RecordScope training = Autograd.TrainMode();
        Samples.PassesGradientCheck(v => Nd.Tanh(f(v)), [.. shapes.Select((s, i) => Samples.Normal(s, i + 1))], name);
        if (name is "layer" or "rms" or "batch of vectors") Samples.PassesGradientCheck(v => Nd.Square(f(v)),
            [.. shapes.Select((s, i) => Samples.Normal(s, i + 1))], name, order: 3);
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Float16)]
    public void GradientsThatAreAskedForTogetherAreThoseOneByOne(DType dtype)
    {
        foreach (Shape shape in new Shape[] { (0, 4), (1, 5), (3, 64), (2, 40, 65), (130, 33), (300, 1024) })
        {
            NDArray x = Leaf(shape, 1), gamma = Leaf(shape[-1], 2), beta = Leaf(shape[-1], 3), upstream = Samples.Normal(shape, 4).AsType(dtype);
            Compare([x, gamma, beta], v => v[0].LayerNorm(v[1], v[2]));
            Compare([x, gamma], v => v[0].RmsNorm(v[1]));

            void Compare(NDArray[] variables, Func<NDArray[], NDArray> function) => AreThose(variables, function, upstream);
        }

        foreach (Shape shape in new Shape[] { (1, 4), (3, 6, 5), (2, 40, 7, 7), (5, 8, 33), (3, 4, 20, 20) })
        {
            NDArray x = Leaf(shape, 1), gamma = Leaf(shape[1], 2), beta = Leaf(shape[1], 3), upstream = Samples.Normal(shape, 4).AsType(dtype);
            AreThose([x, gamma, beta], v => v[0].GroupNorm(2, v[1], v[2]), upstream);
            AreThose([x, gamma, beta], v => v[0].InstanceNorm(v[1], v[2]), upstream);
            AreThose([x, gamma, beta], v => v[0].BatchNorm(v[1], v[2], Nd.Zeros(shape[1]), Nd.Ones(shape[1])), upstream);
        }

        static void AreThose(NDArray[] variables, Func<NDArray[], NDArray> function, NDArray upstream)
        {
            NDArray[] together = Gradients(variables);
            for (int i = 0; i < variables.Length; i++) Assert.Equal(Numbers(together[i]), Numbers(Gradients(variables[i])[0]));

            NDArray[] Gradients(params NDArray[] wanted)
            {
                using RecordScope record = Autograd.Record();
                return Autograd.Grad([function(variables)], wanted, [upstream]);
            }
        }

        NDArray Leaf(Shape shape, int seed)
        {
            NDArray leaf = Samples.Normal(shape, seed).AsType(dtype);
            leaf.AttachGrad();
            return leaf;
        }

        static double[] Numbers(NDArray x) => x.AsType(DType.Float64).ToArray<double>();
    }

    [Fact]
    public void EmptyInputsHaveEmptyResultsOrAnError()
    {
        Assert.Equal(new Shape(0, 4), Nd.Zeros((0, 4)).LayerNorm(Nd.Ones(4), Nd.Zeros(4)).Shape);
        Assert.Equal(new Shape(3, 0), Nd.Zeros((3, 0)).RmsNorm().Shape);
        Assert.Equal(new Shape(0, 4, 2), Nd.Zeros((0, 4, 2)).GroupNorm(2).Shape);
        Assert.Equal(new Shape(0, 2), Nd.Zeros((0, 2)).BatchNorm(Nd.Ones(2), Nd.Zeros(2), Nd.Zeros(2), Nd.Ones(2)).Shape);
        using (Autograd.TrainMode())
        {
            ShapeException error = Assert.Throws<ShapeException>(() => Nd.Zeros((0, 2)).BatchNorm(Nd.Ones(2), Nd.Zeros(2), Nd.Zeros(2), Nd.Ones(2)));
            Assert.Contains("Skip empty batches", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void MessagesNameTheShapesAndTheRemedy()
    {
        NDArray x = Nd.Zeros((2, 6, 4));
        (Action Call, string[] Words)[] wrong =
        [
            (() => x.LayerNorm(Nd.Ones(6), Nd.Zeros(6)), ["LayerNorm", "gamma", "(4,)", "(2, 6, 4)", "(6,)"]),
            (() => x.RmsNorm(Nd.Ones(3)), ["RmsNorm", "gamma", "(4,)"]),
            (() => Nd.Scalar(1).LayerNorm(), ["scalar"]),
            (() => x.LayerNorm(epsilon: -1), ["LayerNorm", "epsilon"]),
            (() => x.GroupNorm(4), ["GroupNorm", "4 groups", "6 channels"]),
            (() => x.GroupNorm(2, Nd.Ones(4)), ["GroupNorm", "(4,)", "(6,)"]),
            (() => x.BatchNorm(Nd.Ones(4), Nd.Zeros(6), Nd.Zeros(6), Nd.Ones(6)), ["BatchNorm", "gamma", "(6,)", "(4,)"]),
            (() => x.BatchNorm(Nd.Ones(6), Nd.Zeros(6), Nd.Zeros(5), Nd.Ones(6)), ["BatchNorm", "runningMean", "(5,)"]),
            (() => x.BatchNorm(Nd.Ones(6), Nd.Zeros(6), Nd.Zeros(6), Nd.Ones(6), momentum: 2), ["BatchNorm", "momentum"]),
        ];
        foreach ((Action call, string[] words) in wrong)
        {
            ArgumentException error = Assert.ThrowsAny<ArgumentException>(call);
            Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
        }
    }
}
