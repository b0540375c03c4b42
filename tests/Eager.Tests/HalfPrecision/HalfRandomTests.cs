namespace Fusion.Tests;

/// <summary>Random numbers of half precision: those of Float32 after the same seed, rounded.</summary>
[Collection(nameof(RandomStream))]
public sealed class HalfRandomTests
{
    private static readonly Dictionary<string, Func<DType, NDArray>> s_draws = new()
    {
        ["Normal"] = static t => Nd.Random.Normal(1, 2, 500, t),
        ["Bernoulli"] = static t => Nd.Random.Bernoulli(0.3, 500, t),
        ["LogNormal"] = static t => Nd.Random.LogNormal(0, 1, 500, t),
        ["Exponential"] = static t => Nd.Random.Exponential(2, 500, t),
        ["Gumbel"] = static t => Nd.Random.Gumbel(0.5, 2, 500, t),
        ["Laplace"] = static t => Nd.Random.Laplace(0.5, 2, 500, t),
        ["Gamma"] = static t => Nd.Random.Gamma(2.5, 2, 100, t),
        ["Beta"] = static t => Nd.Random.Beta(2, 3, 100, t),
        ["Poisson"] = static t => Nd.Random.Poisson(4, 100, t),
        ["Uniform of arrays"] = static t => Nd.Random.Uniform(Nd.Full(500, -1, t), Nd.Full(500, 3, t)),
        ["Normal of arrays"] = static t => Nd.Random.Normal(Nd.Full(500, -1, t), Nd.Full(500, 3, t)),
        ["Exponential of arrays"] = static t => Nd.Random.Exponential(Nd.Full(500, 3, t)),
        ["Multinomial"] = static t => Nd.Random.Multinomial(Nd.Array([0.25, 0.5, 0.25]).AsType(t), 500),
        ["Shuffle"] = static t => Nd.Random.Shuffle(Nd.Arange(0, 100, 1, t)),
    };

    public static TheoryData<string> Draws => [.. s_draws.Keys];

    [Theory]
    [MemberData(nameof(Draws))]
    public void TheNumbersAreThoseOfFloat32Rounded(string name)
    {
        Nd.Random.Seed(11);
        NDArray expected = s_draws[name](DType.Float32);
        RandomState after = Nd.Random.Place;
        foreach (DType half in new[] { DType.Float16, DType.BFloat16 })
        {
            Nd.Random.Seed(11);
            NDArray drawn = s_draws[name](half);
            Assert.Equal(after, Nd.Random.Place);
            Assert.Null(Bits.Difference(expected.DType == DType.Float32 ? expected.AsType(half) : expected, drawn));
        }
    }

    [Theory]
    [InlineData(DType.Float16, 0, 1)]
    [InlineData(DType.BFloat16, 0, 1)]
    [InlineData(DType.BFloat16, -1, -0.5)]
    [InlineData(DType.Float16, 1, 1.1)]
    [InlineData(DType.Float16, 2, 2)]
    public void UniformNumbersStayBelowHigh(DType half, double low, double high)
    {
        Nd.Random.Seed(5);
        NDArray drawn = Nd.Random.Uniform(low, high, 20_000, half);
        Assert.Equal(half, drawn.DType);
        double[] values = Expect.Doubles(drawn);
        Assert.All(values, v => Assert.True(v >= low && (v < high || low == high)));
        Assert.Equal(low == high ? low : (low + high) / 2, values.Average(), 0.01 * (high - low) + 1e-12);
    }

    [Fact]
    public void BoundsThatTheTypeDoesNotHoldAreRefused()
    {
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Uniform(0, 1e6, 3, DType.Float16), "Uniform", "Float16");
        Expect.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Uniform(-3e38, 3e38, 3, DType.BFloat16), "Uniform", "BFloat16");
        Assert.Equal(DType.BFloat16, Nd.Random.Uniform(0, 1e6, 3, DType.BFloat16).DType);
    }
}
