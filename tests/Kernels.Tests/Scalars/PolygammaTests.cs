using Fusion.Kernels;

namespace Fusion.Tests.Scalars;

public class PolygammaTests
{
    // ψ⁽ⁿ⁾(x) → (−1)ⁿ⁻¹·(n − 1)!/xⁿ (NIST DLMF 5.15.8), also where xⁿ⁺¹ is no number.
    [Theory]
    [InlineData(2, 1e20)]
    [InlineData(2, 1e110)]
    [InlineData(2, 1e150)]
    [InlineData(3, 1e90)]
    [InlineData(3, 1e100)]
    [InlineData(20, 1e14)]
    public void LargeArgumentsHaveTheirAsymptoticValues(int order, double x)
    {
        double expected = order % 2 == 0 ? -1 : 1;
        for (int i = 1; i < order; i++) expected *= i;
        for (int i = 0; i < order; i++) expected /= x;
        Assert.Equal(1, Polygamma.Evaluate(order, x) / expected, 1e-12);
    }

    [Fact]
    public void AtInfinityTheDerivativesAreZero()
    {
        for (int order = 1; order <= 20; order++) Assert.Equal(0, Polygamma.Evaluate(order, double.PositiveInfinity));
    }
}
