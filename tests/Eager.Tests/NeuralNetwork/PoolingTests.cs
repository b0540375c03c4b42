namespace Fusion.Tests;

public sealed class PoolingTests
{
    public static TheoryData<int[], int[], int[], int> Cases => new()
    {
        { [2, 3, 9], [2], [2], 0 },
        { [2, 3, 40], [3], [1], 1 },
        { [2, 3, 8, 8], [2, 2], [2, 2], 0 },
        { [1, 2, 9, 11], [3, 3], [2, 2], 1 },
        { [1, 2, 7, 37], [3, 2], [1, 3], 1 },
        { [1, 2, 5, 6, 7], [2, 3, 2], [2, 1, 2], 1 },
        { [1, 2, 4, 4], [4, 4], [1, 1], 0 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void ValuesAndGradientsAreThoseOfTheDefinition(int[] shape, int[] kernel, int[] stride, int padding)
    {
        int n = kernel.Length;
        int[] planes = [shape[0] * shape[1], 1, .. shape[2..]];
        List<int>[] windows = new WindowReference(planes, [1, 1, .. kernel], stride, [.. kernel.Select(_ => 1)], [.. kernel.Select(_ => (padding, padding))], 1)
            .Windows();
        double[] x = Samples.Numbers(WindowReference.Size(shape), 1), g = Samples.Numbers(windows.Length, 2);
        foreach (DType dtype in new[] { DType.Float32, DType.Float64 })
        {
            int area = WindowReference.Size(kernel);
            Check(v => Pool(v, true, true), w => [.. w.Select(i => x[i] == w.Max(j => x[j]) ? 1.0 : 0)]);
            Check(v => Pool(v, false, true), w => [.. w.Select(_ => 1.0 / area)]);
            Check(v => Pool(v, false, false), w => [.. w.Select(_ => 1.0 / w.Count)]);

            void Check(Func<NDArray, NDArray> f, Func<List<int>, double[]> weights)
            {
                NDArray input = Samples.Array(x, shape, dtype);
                input.AttachGrad();
                NDArray y;
                using (Autograd.Record()) y = f(input);
                y.Backward(Samples.Array(g, y.Shape, dtype));
                double[] expected = new double[windows.Length], gradient = new double[x.Length];
                for (int o = 0; o < windows.Length; o++)
                {
                    foreach ((int i, double weight) in windows[o].Zip(weights(windows[o])))
                    {
                        expected[o] += weight * x[i];
                        gradient[i] += weight * g[o];
                    }
                }

                Samples.Close(expected, y);
                Samples.Close(gradient, input.Grad!);
            }
        }

        NDArray Pool(NDArray v, bool max, bool includePad) => (n, max) switch
        {
            (1, true) => v.MaxPool1D(kernel, stride, padding),
            (2, true) => v.MaxPool2D(kernel, stride, padding),
            (_, true) => v.MaxPool3D(kernel, stride, padding),
            (1, _) => v.AvgPool1D(kernel, stride, padding, includePad),
            (2, _) => v.AvgPool2D(kernel, stride, padding, includePad),
            _ => v.AvgPool3D(kernel, stride, padding, includePad),
        };
    }

    [Fact]
    public void GradientsOfOrderTwoMatchFiniteDifferences()
    {
        NDArray x = Samples.Normal((1, 2, 5, 4), 1);
        (string Name, Func<NDArray, NDArray> F)[] functions =
        [
            ("max", v => v.MaxPool2D((3, 2), 2, (1, 0))),
            ("average", v => v.AvgPool2D(3, 2, 1)),
            ("average without padding", v => v.AvgPool2D(3, 2, 1, countIncludePad: false)),
            ("adaptive", v => v.AdaptiveAvgPool((2, 3))),
            ("global average", v => v.GlobalAvgPool()),
            ("global max", v => v.GlobalMaxPool()),
        ];
        foreach ((string name, Func<NDArray, NDArray> f) in functions) Samples.PassesGradientCheck(v => Nd.Tanh(f(v[0])), [x], name);
    }

    [Fact]
    public void MaxTakesTheFirstOfEqualElementsAndNaN()
    {
        NDArray x = Nd.Array([1, 1, 1, 1, 0, float.NaN, 2, float.NaN, float.NegativeInfinity, float.NegativeInfinity, -0f, 0f], (1, 1, 12));
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = x.MaxPool1D();
        y.Backward(Nd.Array([1f, 2, 3, 4, 5, 6], (1, 1, 6)));
        Assert.Equal([1, 1, float.NaN, float.NaN, float.NegativeInfinity, -0f], y.ToArray<float>());
        Assert.Equal([1, 0, 2, 0, 0, 3, 0, 4, 5, 0, 6, 0], x.Grad!.ToArray<float>());
    }

    /// <summary>A padded window of −∞ still gives its gradient to an element of the input.</summary>
    [Fact]
    public void WindowsOfMinusInfinityTakeTheirFirstElement()
    {
        NDArray x = Nd.Full((1, 1, 4, 4), double.NegativeInfinity);
        x.AttachGrad();
        NDArray y;
        using (Autograd.Record()) y = x.MaxPool2D(3, 2, 1);
        y.Backward();
        Assert.All(y.ToArray<float>(), v => Assert.Equal(float.NegativeInfinity, v));
        Assert.Equal([1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], x.Grad!.ToArray<float>());
    }

    [Theory]
    [InlineData(7, 3)]
    [InlineData(3, 5)]
    [InlineData(8, 4)]
    public void AdaptiveWindowsTileTheInput(int from, int to)
    {
        double[] x = Samples.Numbers(2 * from, 1);
        double[] expected = [.. Enumerable.Range(0, 2 * to).Select(i =>
        {
            int start = i % to * from / to, end = (i % to * from + from + to - 1) / to;
            return x.Skip(i / to * from + start).Take(end - start).Average();
        })];
        Samples.Close(expected, Nd.Array(x, (1, 2, from)).AdaptiveAvgPool(to));
    }

    [Fact]
    public void EmptyBatchesHaveEmptyResults()
    {
        NDArray x = Nd.Zeros((0, 3, 4, 4));
        x.AttachGrad();
        using (Autograd.Record()) Nd.Sum(x.MaxPool2D() + x.AvgPool2D()).Backward();
        Assert.Equal(new Shape(0, 3, 4, 4), x.Grad!.Shape);
        Assert.Equal(new Shape(2, 3, 1, 1), Nd.Ones((2, 3, 4, 4)).GlobalAvgPool().Shape);
    }

    [Fact]
    public void MessagesNameTheShapesAndTheRemedy()
    {
        NDArray x = Nd.Zeros((2, 3, 8, 8));
        (Action Call, string[] Words)[] wrong =
        [
            (() => x.MaxPool1D(), ["MaxPool1D", "(2, 3, 8, 8)", "3 axes"]),
            (() => x.MaxPool2D(9), ["MaxPool2D", "9 elements", "axis 2"]),
            (() => x.MaxPool2D(2, padding: 2), ["MaxPool2D", "less than the kernel 2"]),
            (() => x.AvgPool2D((2, 2, 2)), ["AvgPool2D", "kernel (2, 2, 2)", "one per dimension"]),
            (() => x.AvgPool2D(0), ["AvgPool2D", "positive"]),
            (() => Nd.Zeros((2, 3)).GlobalAvgPool(), ["GlobalAvgPool", "(2, 3)"]),
            (() => x.AdaptiveAvgPool(0), ["AdaptiveAvgPool", "positive"]),
        ];
        foreach ((Action call, string[] words) in wrong)
        {
            ArgumentException error = Assert.ThrowsAny<ArgumentException>(call);
            Assert.All(words, word => Assert.Contains(word, error.Message, StringComparison.Ordinal));
        }
    }
}
