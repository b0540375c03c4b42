namespace Fusion.Tests;

/// <summary>The seed is one setting of the process: tests that draw after a seed do not run beside others.</summary>
[CollectionDefinition(nameof(RandomStream), DisableParallelization = true)]
public sealed class RandomStream;

[Collection(nameof(RandomStream))]
public sealed class RandomTests
{
    /// <summary>Numbers that must never change: programs rely on what a seed gives.</summary>
    [Fact]
    public void TheNumbersOfASeedAreFixed()
    {
        Nd.Random.Seed(0);
        // Words 0 of the blocks 0 and 1 with key 0; 0x6627e8d5 is a published answer of Philox4x32-10.
        Assert.Equal([(0x6627e8d5 >> 8) / 16777216f], Nd.Random.Uniform(0, 1, 1).ToArray<float>());
        Nd.Random.Seed(2024);
        int[] integers = Nd.Random.RandInt(0, 100, 5).ToArray<int>();
        Nd.Random.Seed(2024);
        Assert.Equal(integers, Nd.Random.RandInt(0, 100, 5).ToArray<int>());
        Assert.NotEqual(integers, Nd.Random.RandInt(0, 100, 5).ToArray<int>());
    }

    [Fact]
    public void DrawsTakeTheStreamInTheOrderOfTheCalls()
    {
        Nd.Random.Seed(1);
        NDArray[] first = [Nd.Random.Uniform(0, 1, 10), Nd.Random.Normal(0, 1, (3, 5)), Nd.Random.Permutation(9), Nd.Random.Bernoulli(0.5, 70)];
        RandomState state = Nd.Random.Place;
        NDArray next = Nd.Random.Uniform(0, 1, 4);
        Nd.Random.Seed(1);
        Assert.Equal(first[0].ToArray<float>(), Nd.Random.Uniform(0, 1, 10).ToArray<float>());
        Assert.Equal(first[1].ToArray<float>(), Nd.Random.Normal(0, 1, (3, 5)).ToArray<float>());
        Assert.Equal(first[2].ToArray<int>(), Nd.Random.Permutation(9).ToArray<int>());
        Assert.Equal(first[3].ToArray<float>(), Nd.Random.Bernoulli(0.5, 70).ToArray<float>());
        Nd.Random.Seed(2);
        Assert.NotEqual(first[0].ToArray<float>(), Nd.Random.Uniform(0, 1, 10).ToArray<float>());
        Nd.Random.Place = state;
        Assert.Equal(next.ToArray<float>(), Nd.Random.Uniform(0, 1, 4).ToArray<float>());
    }

    [Fact]
    public void AStateThatWasStoredAsTextContinuesTheStream()
    {
        Nd.Random.Seed(ulong.MaxValue);
        Nd.Random.Normal(0, 1, 1000);
        string text = System.Text.Json.JsonSerializer.Serialize(Nd.Random.State);
        using (Autograd.TrainMode())
        {
            float[] next = Nd.Ones(100).Dropout(0.5).ToArray<float>();
            Nd.Random.Seed(0);
            Nd.Random.State = System.Text.Json.JsonSerializer.Deserialize<RandomState>(text);
            Assert.Equal(next, Nd.Ones(100).Dropout(0.5).ToArray<float>());
        }

        Nd.Random.Seed(7);
        Assert.Equal(new RandomState(7, 0), Nd.Random.State);
    }

    [Fact]
    public void NumbersDoNotDependOnTheThreadCount()
    {
        int threads = FusionRuntime.NumThreads;
        try
        {
            FusionRuntime.NumThreads = 1;
            Nd.Random.Seed(3);
            float[] one = Nd.Random.Normal(0, 1, 300_001).ToArray<float>();
            FusionRuntime.NumThreads = 2;
            Nd.Random.Seed(3);
            Assert.Equal(one, Nd.Random.Normal(0, 1, 300_001).ToArray<float>());
        }
        finally
        {
            FusionRuntime.NumThreads = threads;
        }
    }

    [Fact]
    public void ConcurrentDrawsNeverShareNumbers()
    {
        Nd.Random.Seed(4);
        long[][] drawn = new long[8][];
        Parallel.For(0, drawn.Length, i => drawn[i] = Nd.Random.RandInt(long.MinValue, long.MaxValue, 1000, DType.Int64).ToArray<long>());
        Assert.Equal(8000, drawn.SelectMany(static d => d).Distinct().Count());
    }

    [Fact]
    public void TypesAndParametersAreRespected()
    {
        Nd.Random.Seed(5);
        NDArray wide = Nd.Random.Uniform(-2, -1, (50, 20), DType.Float64);
        Assert.All(wide.ToArray<double>(), v => Assert.InRange(v, -2, Math.BitDecrement(-1)));
        Assert.InRange(wide.ToArray<double>().Average(), -1.53, -1.47);
        Assert.InRange(Nd.Random.Normal(10, 2, 10_000).ToArray<float>().Average(), 9.9f, 10.1f);
        Assert.All(Nd.Random.Normal(3, 0, 10).ToArray<float>(), v => Assert.Equal(3, v));
        Assert.Equal([250, 251, 252, 253, 254, 255], Nd.Random.RandInt(250, 256, 500, DType.UInt8).ToArray<byte>().Distinct().Order().Select(v => (int)v));
        Assert.All(Nd.Random.RandInt(long.MaxValue - 2, long.MaxValue, 20, DType.Int64).ToArray<long>(), v => Assert.True(v >= long.MaxValue - 2));
        Assert.Equal(DType.Bool, Nd.Random.Bernoulli(1, 3, DType.Bool).DType);
        Assert.Equal([true, true, true], Nd.Random.Bernoulli(1, 3, DType.Bool).ToArray<bool>());
        Assert.Equal(0, Nd.Random.Uniform(0, 1, (0, 4)).Size);
    }

    [Fact]
    public void PermutationsAndShufflesKeepEveryElement()
    {
        Nd.Random.Seed(6);
        int[] order = Nd.Random.Permutation(1000).ToArray<int>();
        Assert.Equal(Enumerable.Range(0, 1000), order.Order());
        Assert.NotEqual(Enumerable.Range(0, 1000), order);
        Assert.Empty(Nd.Random.Permutation(0).ToArray<int>());
        NDArray x = Nd.Arange(0, 12).Reshape(6, 2);
        float[] shuffled = Nd.Random.Shuffle(x).ToArray<float>();
        Assert.Equal(x.ToArray<float>(), shuffled.Chunk(2).OrderBy(static row => row[0]).SelectMany(static row => row));
    }

    [Fact]
    public void EveryPermutationIsEquallyLikely()
    {
        Nd.Random.Seed(7);
        Dictionary<string, int> counts = [];
        for (int i = 0; i < 6000; i++)
        {
            string order = string.Join(string.Empty, Nd.Random.Permutation(3).ToArray<int>());
            counts[order] = counts.GetValueOrDefault(order) + 1;
        }

        Assert.Equal(6, counts.Count);
        Assert.All(counts.Values, static c => Assert.InRange(c, 850, 1150));
    }

    [Fact]
    public void ImpossibleParametersAreRefused()
    {
        Assert.Contains("less than low", Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Uniform(1, 0, 3)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Uniform(0, double.NaN, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Uniform(-3e38, 3e38, 3));
        Assert.Throws<DTypeException>(() => Nd.Random.Uniform(0, 1, 3, DType.Int32));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Normal(0, -1, 3));
        Assert.Throws<DTypeException>(() => Nd.Random.Normal(0, 1, 3, DType.Bool));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.RandInt(5, 5, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.RandInt(0, 1L << 40, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.RandInt(-1, 3, 3, DType.UInt8));
        Assert.Throws<DTypeException>(() => Nd.Random.RandInt(0, 3, 3, DType.Float32));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Bernoulli(1.5, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.Random.Permutation(-1));
        Assert.Throws<ShapeException>(() => Nd.Random.Shuffle(Nd.Scalar(1)));
    }
}
