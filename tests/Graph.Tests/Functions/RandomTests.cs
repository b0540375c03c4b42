namespace Fusion.Tests;

/// <summary>Random numbers inside compiled functions are those of eager execution with the same seed.</summary>
[Collection(nameof(ProcessState))]
public sealed class RandomTests
{
    private static readonly (string Name, ListFunction F)[] s_functions =
    [
        ("dropout", Check.List(static x => (x * 2).Dropout(0.3) + x)),
        ("two draws", static x => [Nd.Random.Uniform(0, 1, 5), x[0] + Nd.Random.Normal(0, 1, x[0].Shape)]),
        ("equal draws differ", static x => [Nd.Random.Uniform(0, 1, 5) - Nd.Random.Uniform(0, 1, 5)]),
        ("an unused draw", static x =>
        {
            _ = Nd.Random.Uniform(0, 1, 1000);
            return [x[0] * Nd.Random.Uniform(0, 1, x[0].Shape)];
        }),
        ("permutation", static x => [x[0].Take(Nd.Random.Permutation(4)), Nd.Random.RandInt(0, 100, 7), Nd.Random.Bernoulli(0.5, 9)]),
    ];

    public static TheoryData<string> Names => [.. s_functions.Select(static f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheSameSeedGivesTheSameNumbers(string name)
    {
        ListFunction f = s_functions.Single(row => row.Name == name).F;
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        using RecordScope scope = Autograd.TrainMode();
        IReadOnlyList<NDArray>[] expected = Three(f);
        Check.Same([.. expected.SelectMany(static r => r)], [.. Three(compiled.Invoke).SelectMany(static r => r)]);
        Assert.NotNull(Bits.Difference(expected[0][^1], expected[1][^1]));
        RandomState after = Nd.Random.Place;
        Three(f);
        Assert.Equal(after, Nd.Random.Place);

        static IReadOnlyList<NDArray>[] Three(ListFunction f)
        {
            Nd.Random.Seed(5);
            return [.. Enumerable.Range(0, 3).Select(_ => f([TestArrays.Uniform((4, 6))]))];
        }
    }

    [Fact]
    public void GradientsUseTheMaskOfForward()
    {
        ListFunction f = static x => [(x[0] * x[1]).Dropout(0.5) * x[0], x[1].Dropout(0.5)];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        foreach (int heads in (int[])[1, 2])
            foreach (bool higher in (bool[])[false, true])
                Check.Same(Run(f, heads, higher), Run(compiled.Invoke, heads, higher), $"{heads} head(s){(higher ? ", second order" : "")}: array");

        static NDArray[] Run(ListFunction f, int heads, bool higher)
        {
            Nd.Random.Seed(11);
            NDArray[] x = [TestArrays.Uniform((4, 6)), TestArrays.Uniform((4, 6), 2)];
            foreach (NDArray variable in x) variable.AttachGrad();
            using (Autograd.Record())
            {
                NDArray[] results = [.. f(x).Take(heads)];
                if (higher) results = [.. Autograd.Grad(results, x, createGraph: true).Select(static g => g.Square())];
                Autograd.Backward([.. results.Where(static r => r.Source is not null)]);
            }

            return [.. x.Select(static v => v.Grad!), Nd.Random.Uniform(0, 1, 3)];
        }
    }

    [Fact]
    public void WithoutTrainingThereIsNoDropout()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x.Dropout(0.5), Check.Strict);
        NDArray x = TestArrays.Uniform(50);
        RandomState before = Nd.Random.Place;
        Check.Same(x, f.Invoke(x));
        Assert.Equal(before, Nd.Random.Place);
        Assert.Equal(0, f.Report.KernelCount);
    }

    [Fact]
    public void TheRandomStreamDoesNotDependOnTracing()
    {
        HybridFunction<Func<NDArray>> f = Hybrid.Hybridize(static () => Nd.Random.Uniform(0, 1, 8), Check.Strict);
        Nd.Random.Seed(3);
        NDArray first = f.Invoke();
        Nd.Random.Seed(3);
        Check.Same(first, f.Invoke());
        Nd.Random.Seed(3);
        Check.Same(first, Nd.Random.Uniform(0, 1, 8));
    }
}
