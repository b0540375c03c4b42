using Fusion.NN;

namespace Fusion.Tests;

/// <summary>Lengths and deviations of 0 have the gradient 0, and finite gradients of the second order, eagerly and compiled.</summary>
public sealed class GradientsAtZeroTests
{
    private static readonly (string Name, Func<NDArray, NDArray> F)[] s_functions =
    [
        ("norm", static x => x.Norm()),
        ("norms of rows", static x => x.Norm(1)),
        ("deviation", static x => x.Std()),
        ("deviations of columns", static x => x.Std(0)),
        ("norm of order 1.5", static x => x.VectorNorm(1.5)),
        ("norm of order 1/2", static x => x.VectorNorm(0.5)),
        ("norm of order 3", static x => x.VectorNorm(3, [0])),
        ("norm of order -1", static x => x.VectorNorm(-1)),
        ("hypotenuse", static x => Nd.Hypot(x, x)),
        ("angle", static x => Nd.Atan2(x, x)),
        ("cosine distance", static x => Loss.CosineDistance(Nd.ZerosLike(x), x)),
        ("normalized", static x => x / (x.Norm(1, keepDims: true) + 1)),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void EveryOrderIsFiniteAndCompiledAlike(string name)
    {
        Func<NDArray, NDArray> f = s_functions.Single(row => row.Name == name).F;
        Func<NDArray, NDArray> compiled = f.Hybridize(new HybridOptions { FallbackToEager = false }).Invoke;
        foreach (NDArray x in new[] { Nd.Zeros((3, 4)), Nd.Zeros((3, 4), DType.Float64), Nd.Where(Nd.Arange(0, 12, 1).Reshape(3, 4) < 6, 0, Nd.Ones((3, 4))) })
        {
            NDArray[] expected = Derivatives(f, x);
            Check.Same(expected, Derivatives(compiled, x), "value and gradients");
            Assert.All(expected, static a => Assert.True(a.IsFinite().All().Item<bool>(), $"{a}"));
        }
    }

    private static NDArray[] Derivatives(Func<NDArray, NDArray> f, NDArray at)
    {
        NDArray x = at.Copy();
        x.AttachGrad();
        using (Autograd.Record())
        {
            NDArray y = f(x);
            NDArray first = Autograd.Grad(y.Sum(), x, createGraph: true);
            (first * (x + 2)).Sum().Backward();
            return [y.Detach(), first.Detach(), x.Grad!];
        }
    }
}
