namespace Fusion.Tests;

/// <summary>The default head gradient is one element, stretched: what comes of it is what comes of ones in memory.</summary>
[Collection(nameof(RandomStream))]
public sealed class DefaultHeadTests
{
    private static readonly Dictionary<string, Func<NDArray, NDArray, NDArray>> s_functions = new()
    {
        ["elements"] = static (x, w) => Nd.Tanh(x) * w,
        ["passed on"] = static (x, w) => x + w,
        ["twice"] = static (x, w) => x + x * w + x,
        ["rows"] = static (x, w) => Nd.LayerNorm(x, w[0], w[1]),
        ["channels"] = static (x, w) => Nd.GroupNorm(x, 4, w[0], w[1]),
        ["softmax"] = static (x, w) => Nd.Softmax(x * w),
        ["product"] = static (x, w) => Nd.MatMul(x, w),
        ["arrangement"] = static (x, w) => Nd.Concat([x, Nd.Transpose(w)], 0),
    };

    public static TheoryData<string> Names => [.. s_functions.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void GivesTheGradientsOfOnes(string name)
    {
        Nd.Random.Seed(3);
        NDArray x = Nd.Random.Normal(0, 1, (72, 72)), w = Nd.Random.Normal(0, 1, (72, 72));
        float[][] expected = Gradients(static y => y.Backward(Nd.Ones(y.Shape))), actual = Gradients(static y => y.Backward());
        Assert.Equal(expected[0], actual[0]);
        Assert.Equal(expected[1], actual[1]);
        Assert.Contains(actual[1], static g => g != 0);

        float[][] Gradients(Action<NDArray> backward)
        {
            x.AttachGrad();
            w.AttachGrad();
            NDArray y;
            using (Autograd.Record()) y = s_functions[name](x, w);
            backward(y);
            return [x.Grad!.ToArray<float>(), w.Grad!.ToArray<float>()];
        }
    }
}
