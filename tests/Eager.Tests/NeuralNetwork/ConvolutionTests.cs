namespace Fusion.Tests;

public sealed class ConvolutionTests
{
    /// <param name="X">Input.</param>
    /// <param name="W">Filters.</param>
    /// <param name="Stride">One number or one per dimension.</param>
    /// <param name="Padding">Before and after, for every dimension.</param>
    /// <param name="Dilation">One number or one per dimension.</param>
    /// <param name="Groups">Groups.</param>
    private sealed record Case(int[] X, int[] W, int[] Stride, (int Before, int After)[] Padding, int[] Dilation, int Groups)
    {
        private int Dimensions => X.Length - 2;

        public Padding AsPadding => Fusion.Padding.Pairs(Padding);

        public WindowReference Reference =>
            new(X, W, Each(Stride), Each(Dilation), Padding.Length == 1 ? [.. Enumerable.Repeat(Padding[0], Dimensions)] : Padding, Groups);

        public NDArray Apply(NDArray x, NDArray w, NDArray? bias = null) => Dimensions switch
        {
            1 => x.Conv1D(w, bias, Stride, AsPadding, Dilation, Groups),
            2 => x.Conv2D(w, bias, Stride, AsPadding, Dilation, Groups),
            _ => x.Conv3D(w, bias, Stride, AsPadding, Dilation, Groups),
        };

        public override string ToString() =>
            $"x ({string.Join(", ", X)}), w ({string.Join(", ", W)}), stride {string.Join(", ", Stride)}, padding {string.Join(", ", Padding)}, " +
            $"dilation {string.Join(", ", Dilation)}, groups {Groups}";

        private int[] Each(int[] values) => values.Length == 1 ? [.. Enumerable.Repeat(values[0], Dimensions)] : values;
    }

    private static readonly Case[] s_cases =
    [
        new([2, 3, 9], [4, 3, 3], [1], [(0, 0)], [1], 1),
        new([1, 2, 500], [3, 2, 5], [2], [(2, 2)], [1], 1),
        new([3, 4, 11], [6, 2, 3], [3], [(1, 2)], [2], 2),
        new([1, 1, 26, 26], [16, 1, 5, 5], [1], [(0, 0)], [1], 1),
        new([3, 12, 12, 12], [7, 12, 5, 5], [1], [(0, 0)], [1], 1),
        new([2, 3, 8, 7], [5, 3, 3, 3], [1], [(1, 1)], [1], 1),
        new([2, 7, 20, 21], [16, 7, 3, 3], [1], [(1, 1)], [1], 1),
        new([2, 3, 8, 9], [5, 3, 3, 3], [2], [(1, 1)], [1], 1),
        new([2, 3, 9, 8], [5, 3, 3, 2], [2, 3], [(1, 0), (0, 1)], [1, 2], 1),
        new([1, 3, 50, 51], [4, 3, 7, 7], [2], [(3, 3)], [1], 1),
        new([3, 6, 7, 7], [5, 6, 1, 1], [1], [(0, 0)], [1], 1),
        new([2, 6, 21, 20], [33, 6, 1, 1], [1], [(0, 0)], [1], 1),
        new([3, 6, 8, 9], [5, 6, 1, 1], [2], [(0, 0)], [1], 1),
        new([2, 6, 10, 10], [9, 2, 3, 3], [1], [(1, 1)], [2], 3),
        new([2, 6, 10, 9], [6, 1, 3, 3], [1], [(1, 1)], [1], 6),
        new([2, 5, 12, 13], [10, 1, 3, 3], [2], [(1, 1)], [1], 5),
        new([2, 5, 12, 33], [5, 1, 5, 3], [3, 2], [(2, 1), (0, 2)], [1], 5),
        new([2, 2, 6, 6], [3, 2, 2, 2], [4], [(0, 0)], [1], 1),
        new([2, 3, 5, 6, 7], [4, 3, 3, 2, 3], [1, 2, 1], [(1, 1), (0, 0), (2, 1)], [1], 1),
        new([1, 4, 4, 5, 6], [4, 1, 2, 3, 3], [2], [(1, 1)], [1], 4),
        new([2, 3, 4, 4], [2, 3, 4, 4], [1], [(0, 0)], [1], 1),
        new([2, 3, 3, 3], [2, 3, 3, 3], [1], [(4, 4)], [1], 1),
    ];

    public static TheoryData<int, DType> Cases()
    {
        TheoryData<int, DType> data = [];
        for (int i = 0; i < s_cases.Length; i++)
        {
            data.Add(i, DType.Float32);
            data.Add(i, DType.Float64);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ValueAndGradientsAreThoseOfTheDefinition(int index, DType dtype)
    {
        Case c = s_cases[index];
        WindowReference reference = c.Reference;
        double[] x = Samples.Numbers(WindowReference.Size(c.X), 1), w = Samples.Numbers(WindowReference.Size(c.W), 2),
            g = Samples.Numbers(WindowReference.Size(reference.OutputShape), 3);
        double[] bias = Samples.Numbers(c.W[0], 4);
        NDArray input = Samples.Array(x, c.X, dtype), weight = Samples.Array(w, c.W, dtype), offset = Samples.Array(bias, c.W[0], dtype);
        foreach (NDArray variable in new[] { input, weight, offset }) variable.AttachGrad();
        NDArray y, biased;
        using (Autograd.Record())
        {
            y = c.Apply(input, weight);
            biased = c.Apply(input, weight, offset);
        }

        Assert.Equal(reference.OutputShape, y.Shape.ToArray());
        double[] expected = reference.Forward(x, w);
        int pixels = WindowReference.Size(reference.OutputShape[2..]);
        Samples.Close(expected, y, $"y of {c}");
        Samples.Close([.. expected.Select((v, i) => v + bias[i / pixels % c.W[0]])], biased, $"y + bias of {c}");

        biased.Backward(Samples.Array(g, reference.OutputShape, dtype));
        Samples.Close(reference.InputGradient(g, w), input.Grad!, $"dx of {c}");
        Samples.Close(reference.WeightGradient(x, g), weight.Grad!, $"dw of {c}");
        Samples.Close([.. Enumerable.Range(0, c.W[0]).Select(o => g.Where((_, i) => i / pixels % c.W[0] == o).Sum())], offset.Grad!, $"db of {c}");
        y.Backward(Samples.Array(g, reference.OutputShape, dtype));
        Samples.Close(reference.InputGradient(g, w), input.Grad!, $"dx of {c}");
        Samples.Close(reference.WeightGradient(x, g), weight.Grad!, $"dw of {c}");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void GradientsOfOrderTwoMatchFiniteDifferences(int index)
    {
        Case c = new Case[]
        {
            new([2, 2, 5], [2, 2, 3], [2], [(1, 1)], [1], 1),
            new([1, 2, 4, 4], [2, 2, 2, 3], [1, 2], [(1, 0), (1, 1)], [2, 1], 1),
            new([1, 2, 4, 3], [2, 1, 2, 2], [1], [(0, 0)], [1], 2),
            new([1, 1, 2, 3, 3], [2, 1, 2, 2, 2], [1], [(0, 1)], [1], 1),
        }[index];
        Samples.PassesGradientCheck(v => Nd.Tanh(c.Apply(v[0], v[1], v[2])), [Samples.Normal(c.X, 1), Samples.Normal(c.W, 2), Samples.Normal(c.W[0], 3)],
            c.ToString());
    }

    /// <summary>A transposed convolution is the gradient of the convolution of the same weight.</summary>
    [Theory]
    [InlineData(new[] { 2, 3, 7 }, new[] { 3, 4, 3 }, 2, 1, 1, 1, 1)]
    [InlineData(new[] { 2, 4, 5, 6 }, new[] { 4, 2, 3, 3 }, 1, 1, 0, 1, 2)]
    [InlineData(new[] { 2, 4, 5, 6 }, new[] { 4, 3, 4, 4 }, 2, 1, 0, 1, 1)]
    [InlineData(new[] { 2, 4, 5, 6 }, new[] { 4, 3, 2, 2 }, 3, 0, 2, 2, 1)]
    [InlineData(new[] { 1, 2, 3, 4, 3 }, new[] { 2, 2, 3, 2, 2 }, 2, 1, 1, 1, 1)]
    public void TransposedConvolutionIsTheAdjoint(int[] x, int[] w, int stride, int padding, int outputPadding, int dilation, int groups)
    {
        int n = x.Length - 2;
        int[] output = [x[0], w[1] * groups,
            .. Enumerable.Range(2, n).Select(i => (x[i] - 1) * stride - 2 * padding + (w[i] - 1) * dilation + outputPadding + 1)];
        WindowReference reference = new(
            output, w, [.. Enumerable.Repeat(stride, n)], [.. Enumerable.Repeat(dilation, n)], [.. Enumerable.Repeat((padding, padding), n)], groups);
        Assert.Equal(x, reference.OutputShape);
        NDArray input = Samples.Normal(x, 1), weight = Samples.Normal(w, 2), bias = Samples.Normal(output[1], 3);
        NDArray Apply(NDArray a, NDArray b, NDArray? c) => n switch
        {
            1 => a.ConvTranspose1D(b, c, stride, padding, outputPadding, dilation, groups),
            2 => a.ConvTranspose2D(b, c, stride, padding, outputPadding, dilation, groups),
            _ => a.ConvTranspose3D(b, c, stride, padding, outputPadding, dilation, groups),
        };
        NDArray y = Apply(input, weight, null);
        Assert.Equal(output, y.Shape.ToArray());
        Samples.Close(reference.InputGradient(Samples.Values(input), Samples.Values(weight)), y);
        int pixels = WindowReference.Size(output[2..]);
        double[] offsets = Samples.Values(bias);
        Samples.Close([.. Samples.Values(y).Select((v, i) => v + offsets[i / pixels % output[1]])], Apply(input, weight, bias));
        if (WindowReference.Size(x) < 80) Samples.PassesGradientCheck(v => Nd.Tanh(Apply(v[0], v[1], v[2])), [input, weight, bias], $"transposed {y.Shape}");
    }

    /// <summary>Further elements than the windows step over, as long as they are fewer than the dilation: what padding would cut off, then the bias alone.</summary>
    [Theory]
    [InlineData(1, 0, 1, 2)]
    [InlineData(1, 1, 2, 3)]
    [InlineData(1, 3, 2, 3)]
    [InlineData(2, 0, 3, 5)]
    [InlineData(2, 1, 3, 4)]
    [InlineData(2, 2, 4, 5)]
    [InlineData(1, 8, 9, 10)]
    public void OutputPaddingMayExceedTheStrideBelowTheDilation(int stride, int padding, int outputPadding, int dilation)
    {
        NDArray x = Samples.Normal([2, 2, 5], 1), w = Samples.Normal([2, 3, 3], 2), bias = Samples.Normal(3, 3);
        NDArray Apply(NDArray a, NDArray b, NDArray? c) => a.ConvTranspose1D(b, c, stride, padding, outputPadding, dilation);
        NDArray all = x.ConvTranspose1D(w, null, stride, 0, 0, dilation).Pad([(0, 0), (0, 0), (0, outputPadding)]);
        NDArray expected = all[.., .., padding..(all.Shape[2] - padding)];
        Samples.Close(Samples.Values(expected), Apply(x, w, null));
        Samples.Close(Samples.Values(expected + bias.Reshape(1, 3, 1)), Apply(x, w, bias));
        Samples.PassesGradientCheck(v => Nd.Tanh(Apply(v[0], v[1], v[2])), [x, w, bias], $"transposed {expected.Shape}");
    }

    /// <summary>All that the windows reach may be cut off by the padding: the bias remains.</summary>
    [Fact]
    public void OutputPaddingMayBeAllThatIsLeft()
    {
        NDArray x = Samples.Normal([2, 2, 1], 1), w = Samples.Normal([2, 3, 1], 2), bias = Samples.Normal(3, 3);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = x.ConvTranspose1D(w, bias, padding: 2, outputPadding: 9, dilation: 10);
        Assert.Equal(Samples.Values(bias.Reshape(1, 3, 1).BroadcastTo((2, 3, 6))), Samples.Values(y));
        y.Backward();
        Assert.All(Samples.Values(x.Grad!), static g => Assert.Equal(0, g));
    }

    [Theory]
    [InlineData(7, 3, 1, 1)]
    [InlineData(8, 3, 2, 1)]
    [InlineData(7, 2, 1, 1)]
    [InlineData(9, 4, 3, 2)]
    [InlineData(5, 1, 3, 1)]
    public void SamePaddingGivesTheCeilingOfTheQuotient(int size, int kernel, int stride, int dilation)
    {
        NDArray x = Samples.Normal((1, 2, size, size), 1), w = Samples.Normal((3, 2, kernel, kernel), 2);
        int output = (size + stride - 1) / stride, total = Math.Max(0, (output - 1) * stride + (kernel - 1) * dilation + 1 - size);
        NDArray y = x.Conv2D(w, stride: stride, padding: Padding.Same, dilation: dilation);
        Assert.Equal(new Shape(1, 3, output, output), y.Shape);
        (int, int) side = (total / 2, total - total / 2);
        Assert.Equal(Samples.Values(x.Conv2D(w, stride: stride, padding: Padding.Pairs(side, side), dilation: dilation)), Samples.Values(y));
        Assert.Equal(new Shape(1, 2, output * stride, output * stride), y.ConvTranspose2D(w, stride: stride, padding: Padding.Same, dilation: dilation).Shape);
    }

    /// <summary>All ways to write sizes, as users will.</summary>
    [Fact]
    public void SizesAreOneNumberOrOnePerDimension()
    {
        NDArray x = Samples.Normal((1, 2, 8, 8), 1), w = Samples.Normal((2, 2, 3, 3), 2);
        double[] expected = Samples.Values(x.Conv2D(w, stride: 2, padding: 1, dilation: 1));
        Assert.Equal(expected, Samples.Values(x.Conv2D(w, stride: (2, 2), padding: (1, 1), dilation: (1, 1))));
        Assert.Equal(expected, Samples.Values(x.Conv2D(w, stride: [2, 2], padding: [1, 1], dilation: [1])));
        Assert.Equal(expected, Samples.Values(x.Conv2D(w, stride: new[] { 2, 2 }, padding: new[] { 1 })));
        Assert.Equal(Samples.Values(x.Conv2D(w)), Samples.Values(x.Conv2D(w, padding: Padding.Valid)));
        Assert.NotEqual(Padding.Same, Padding.Valid);
        Assert.Equal((Padding)(1, 2), [1, 2]);
    }

    [Fact]
    public void EmptyBatchesAndChannelsHaveEmptyOrZeroResults()
    {
        NDArray w = Samples.Normal((3, 2, 3, 3), 1);
        w.AttachGrad();
        using (Autograd.Record())
        {
            NDArray y = Nd.Zeros((0, 2, 5, 5), DType.Float64).Conv2D(w);
            Assert.Equal(new Shape(0, 3, 3, 3), y.Shape);
            y.Backward();
        }

        Assert.All(Samples.Values(w.Grad!), v => Assert.Equal(0, v));
        Assert.Equal(new double[18], Samples.Values(Nd.Zeros((1, 0, 5, 5), DType.Float64).Conv2D(Nd.Zeros((2, 0, 3, 3), DType.Float64))));
        Assert.Equal(new Shape(1, 0, 3, 3), Nd.Zeros((1, 2, 5, 5)).Conv2D(Nd.Zeros((0, 2, 3, 3))).Shape);
    }

    /// <summary>Also where the gradient of the input would go by columns.</summary>
    [Theory]
    [InlineData(2, 0, 9)]
    [InlineData(0, 3, 9)]
    [InlineData(2, 3, 0)]
    public void EmptyAxesHaveGradients(int batch, int channels, int filters)
    {
        NDArray x = Nd.Ones((batch, channels, 8, 8)), w = Nd.Ones((filters, channels, 5, 5));
        x.AttachGrad();
        w.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = x.Conv2D(w);
        y.Backward();
        Assert.Equal((new Shape(batch, filters, 4, 4), x.Shape, w.Shape), (y.Shape, x.Grad!.Shape, w.Grad!.Shape));
        Assert.All(Samples.Values(x.Grad!.AsType(DType.Float64)), v => Assert.Equal(0, v));
    }

    /// <summary>A stride beyond the input leaves one window, however long it is.</summary>
    [Theory]
    [InlineData(6)]
    [InlineData(1 << 20)]
    [InlineData(int.MaxValue)]
    public void StridesBeyondTheInputLeaveOneWindow(int stride)
    {
        NDArray x = Nd.Random.Uniform(-1, 1, (2, 2, 5, 5)), w = Nd.Random.Uniform(-1, 1, (4, 2, 3, 3));
        x.AttachGrad();
        NDArray y, first;
        using (Autograd.Record()) y = x.Conv2D(w, stride: (stride, 1), padding: 1);
        y.Backward();
        float[] gradient = x.Grad!.ToArray<float>();
        using (Autograd.Record()) first = x.Pad([(0, 0), (0, 0), (1, 0), (0, 0)])[.., .., ..3].Conv2D(w, padding: (0, 1));
        first.Backward();
        Assert.Equal((2, 4, 1, 5), y.Shape);
        Assert.True(y.AllClose(first, absolute: 1e-5));
        Assert.True(Nd.Array(gradient, x.Shape).AllClose(x.Grad!, absolute: 1e-5));
        Assert.True(x.MaxPool2D(2, stride).ArrayEqual(x[.., .., ..2, ..2].MaxPool2D(2)));
        Assert.True(x.Conv2D(w, stride: stride, padding: Padding.Same).ArrayEqual(x.Conv2D(w, stride: 5, padding: Padding.Same)));
    }

    [Fact]
    public void StridedInputsAreRead()
    {
        NDArray x = Samples.Normal((2, 6, 7, 3), 1), w = Samples.Normal((3, 3, 4, 2), 2);
        NDArray expected = x.Transpose(0, 3, 1, 2).Copy().Conv2D(w.Transpose(0, 1, 3, 2).Copy(), padding: 1);
        Assert.Equal(Samples.Values(expected), Samples.Values(x.Transpose(0, 3, 1, 2).Conv2D(w.Transpose(0, 1, 3, 2), padding: 1)));
    }

    /// <summary>A bias of another type is converted, there and back.</summary>
    [Fact]
    public void TheResultHasTheTypeOfInputAndWeight()
    {
        NDArray x = Nd.Ones((1, 2, 5, 5)), w = Nd.Ones((2, 2, 3, 3)), bias = Nd.Ones(2, DType.Float64);
        Assert.Equal(DType.Float32, x.Conv2D(w, bias).DType);
        Assert.Equal(DType.Float32, x.ConvTranspose2D(w, bias).DType);
        Assert.Equal(DType.Float64, x.ConvTranspose2D(w.AsType(DType.Float64), Nd.Ones(2)).DType);
    }

    [Fact]
    public void MessagesNameTheShapesAndTheRemedy()
    {
        NDArray x = Nd.Zeros((2, 3, 8, 8)), w = Nd.Zeros((4, 3, 3, 3));
        (Action Call, string[] Words)[] wrong =
        [
            (() => x.Conv2D(Nd.Zeros((4, 2, 3, 3))), ["Conv2D", "(2, 3, 8, 8)", "3 channels", "(4, 2, 3, 3)", "Check the layer"]),
            (() => x.Conv2D(w, groups: 3), ["Conv2D", "3 groups", "(4, 3, 3, 3)"]),
            (() => x.Conv1D(w), ["Conv1D", "(2, 3, 8, 8)", "3 axes"]),
            (() => Nd.Zeros((3, 8, 8)).Conv2D(w), ["Conv2D", "(3, 8, 8)", "4 axes", "ExpandDims(0)"]),
            (() => x.Conv2D(w, Nd.Zeros(3)), ["Conv2D", "bias", "(4,)", "(3,)"]),
            (() => x.Conv2D(Nd.Zeros((4, 3, 9, 3))), ["Conv2D", "9 elements", "axis 2", "Pad more"]),
            (() => x.Conv2D(w, stride: 0), ["Conv2D", "stride", "positive"]),
            (() => x.Conv2D(w, dilation: (1, 2, 3)), ["Conv2D", "dilation (1, 2, 3)", "one per dimension"]),
            (() => x.Conv2D(w, padding: -1), ["Conv2D", "negative", "Slice"]),
            (() => x.Conv2D(w, groups: 0), ["Conv2D", "groups"]),
            (() => x.Conv2D(Nd.Zeros((4, 3, 0, 3))), ["Conv2D", "no element"]),
            (() => x.ConvTranspose2D(w), ["ConvTranspose2D", "3 channels", "(4, 3, 3, 3)", "swap"]),
            (() => x.ConvTranspose2D(Nd.Zeros((3, 4, 3, 3)), outputPadding: 1), ["ConvTranspose2D", "outputPadding", "stride 1 or the dilation 1"]),
            (() => x.ConvTranspose2D(Nd.Zeros((3, 4, 1, 1)), padding: 4), ["ConvTranspose2D", "nothing is left", "Pad less"]),
        ];
        foreach ((Action call, string[] words) in wrong)
        {
            ArgumentException error = Assert.ThrowsAny<ArgumentException>(call);
            Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
        }
    }
}
