using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

[Collection(nameof(RandomStream))]
public sealed class DistributionFunctionTests
{
    private const int Count = 40_000;

    private static readonly (string Name, Func<Shape, DType, NDArray> Draw, double Mean, double Variance)[] s_distributions =
    [
        ("LogNormal", (s, t) => Nd.Random.LogNormal(0.5, 0.3, s, t), Math.Exp(0.5 + 0.045), (Math.Exp(0.09) - 1) * Math.Exp(1 + 0.09)),
        ("Exponential", (s, t) => Nd.Random.Exponential(2, s, t), 2, 4),
        ("Gumbel", (s, t) => Nd.Random.Gumbel(1, 0.5, s, t), 1 + 0.5 * 0.57721566490153286, Math.PI * Math.PI / 24),
        ("Laplace", (s, t) => Nd.Random.Laplace(-1, 0.5, s, t), -1, 0.5),
        ("Gamma 0.5", (s, t) => Nd.Random.Gamma(0.5, 2, s, t), 1, 2),
        ("Gamma 7", (s, t) => Nd.Random.Gamma(7, 0.5, s, t), 3.5, 1.75),
        ("Beta", (s, t) => Nd.Random.Beta(2, 3, s, t), 0.4, 0.04),
        ("Beta 0.5", (s, t) => Nd.Random.Beta(0.5, 0.5, s, t), 0.5, 0.125),
        ("Beta 0.001", (s, t) => Nd.Random.Beta(0.001, 0.003, s, t), 0.25, 0.001 * 0.003 / (0.004 * 0.004 * 1.004)),
        ("Beta 0.01, 5", (s, t) => Nd.Random.Beta(0.01, 5, s, t), 0.01 / 5.01, 0.05 / (5.01 * 5.01 * 6.01)),
        ("Beta of almost nothing", (s, t) => Nd.Random.Beta(1e-60, 3e-60, s, t), 0.25, 0.1875),
        ("Poisson 3", (s, t) => Nd.Random.Poisson(3, s, t), 3, 3),
        ("Poisson 40", (s, t) => Nd.Random.Poisson(40, s, t), 40, 40),
        ("Poisson 0", (s, t) => Nd.Random.Poisson(0, s, t), 0, 0),
    ];

    public static TheoryData<int> Distributions => [.. Enumerable.Range(0, s_distributions.Length)];

    /// <summary>Mean and variance within five standard errors, with a fixed seed.</summary>
    [Theory]
    [MemberData(nameof(Distributions))]
    public void MomentsAreThoseOfTheDistribution(int index)
    {
        (string name, Func<Shape, DType, NDArray> draw, double mean, double variance) = s_distributions[index];
        foreach (DType dtype in (DType[])[DType.Float32, DType.Float64])
        {
            Nd.Random.Seed(11);
            double[] x = draw(Count, dtype).Values();
            Assert.All(x, v => Assert.True(double.IsFinite(v)));
            double average = x.Average(), spread = x.Average(v => (v - average) * (v - average)), fourth = x.Average(v => Math.Pow(v - average, 4));
            Assert.True(Math.Abs(average - mean) <= 5 * Math.Sqrt(variance / Count), $"{name}: mean {average}, expected {mean}");
            Assert.True(Math.Abs(spread - variance) <= 5 * Math.Sqrt((fourth - spread * spread) / Count) + 1e-12, $"{name}: variance {spread}, expected {variance}");
            Nd.Random.Seed(11);
            Assert.Equal(x, draw(Count, dtype).Values());
            Assert.NotEqual(x, variance == 0 ? [] : draw(Count, dtype).Values());
        }
    }

    [Fact]
    public void PoissonFrequenciesAreThoseOfItsFormula()
    {
        Nd.Random.Seed(5);
        foreach (double mean in (double[])[2.5, 15])
        {
            double[] x = Nd.Random.Poisson(mean, Count, DType.Int32).Values();
            double p = Math.Exp(-mean);
            for (int k = 0; k < 30; k++, p *= mean / k)
            {
                double expected = Count * p;
                Assert.True(Math.Abs(x.Count(v => v == k) - expected) <= 5 * Math.Sqrt(expected) + 1, $"{k} events of a mean of {mean}");
            }
        }
    }

    /// <summary>At this place of the stream a uniform number is the lower bound, which comes once in 2²⁴ draws: the logarithm of a distance of 0.</summary>
    [Fact]
    public void LogarithmsOfTheLowerBoundAreThoseOfANumberBesideIt()
    {
        Nd.Random.State = new RandomState(3, 4595280);
        Assert.Equal(25 * Math.Log(2), Nd.Random.Gumbel(0, 1, 64).Max().Item<float>(), 1e-5);
        Nd.Random.State = new RandomState(3, 4595280);
        Assert.Equal(-1, Nd.Random.Uniform(-1, 1, 64).Min().Item<float>());
        Nd.Random.State = new RandomState(3, 4595280);
        Assert.Equal(-24 * Math.Log(2), Nd.Random.Laplace(0, 1, 64).Min().Item<float>(), 1e-5);
    }

    [Fact]
    public void MultinomialDrawsInProportion()
    {
        Nd.Random.Seed(3);
        NDArray draws = Nd.Random.Multinomial(Shaped((2, 3), 1, 0, 3, 0, 2, 2), Count);
        Assert.Equal(new Shape(2, Count), draws.Shape);
        long[] first = Nd.BinCount(draws[0], minLength: 3).ToArray<long>(), second = Nd.BinCount(draws[1], minLength: 3).ToArray<long>();
        Assert.Equal(0, first[1]);
        Assert.Equal(0, second[0]);
        Assert.Equal(0.25, (double)first[0] / Count, 0.011);
        Assert.Equal(0.5, (double)second[1] / Count, 0.0125);
        Assert.Throws<ShapeException>(() => Nd.Random.Multinomial(Nd.Scalar(1)));
    }

    /// <summary>Weights whose sum overflows, and weights next to 0, with which a product would be rounded to a class of weight 0.</summary>
    [Theory]
    [InlineData(3e38, DType.Float32)]
    [InlineData(1.4e-45, DType.Float32)]
    [InlineData(1.5e308, DType.Float64)]
    [InlineData(5e-324, DType.Float64)]
    public void MultinomialDrawsInProportionToWeightsOfAnyMagnitude(double weight, DType dtype)
    {
        Nd.Random.Seed(3);
        long[] counts = Nd.BinCount(Nd.Random.Multinomial(Nd.Array([weight, weight, 0]).AsType(dtype), Count), minLength: 3).ToArray<long>();
        Assert.Equal(0, counts[2]);
        Assert.Equal(0.5, (double)counts[0] / Count, 0.0125);
    }

    [Theory]
    [InlineData(3e38, 3e38, 0.5)]
    [InlineData(1e39, 1e39, 0.5)]
    [InlineData(1e39, 1, 1)]
    [InlineData(1, 1e39, 0)]
    [InlineData(1.7e308, 1.7e308, 0.5)]
    public void BetaOfLargeParametersIsItsMean(double a, double b, double mean)
    {
        foreach (DType dtype in (DType[])[DType.Float32, DType.Float64]) Assert.All(Nd.Random.Beta(a, b, 100, dtype).Values(), v => Assert.Equal(mean, v, 1e-6));
    }

    [Fact]
    public void GradientsFlowToParameters()
    {
        (string Name, Func<NDArray, NDArray, NDArray> Draw)[] all =
            [("uniform", Nd.Random.Uniform), ("normal", Nd.Random.Normal), ("gumbel", Nd.Random.Gumbel), ("exponential", (_, b) => Nd.Random.Exponential(b))];
        foreach ((string name, Func<NDArray, NDArray, NDArray> draw) in all)
        {
            GradientCheckReport report = Autograd.CheckGradients(
                x =>
                {
                    Nd.Random.Seed(8);
                    return Nd.Square(draw(x[0], x[1]));
                },
                [Random((2, 1)), Doubles(1.5, 2, 3)]);
            Assert.True(report.Passed, $"{name}: {report}");
        }
    }

    [Fact]
    public void BadParametersAreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Exponential(-1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Gumbel(0, double.NaN, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Gamma(0, 1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Beta(1, -1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Poisson(-1, 2));
        Assert.Throws<DTypeException>(() => Nd.Random.Gamma(1, 1, 2, DType.Int32));
    }
}
