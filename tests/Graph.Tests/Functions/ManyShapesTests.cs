using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>A function that is called for many more shapes than it keeps variants makes plans for those that come again; the others run eagerly, to the same bits.</summary>
[Collection(nameof(ProcessState))]
public class ManyShapesTests
{
    private const string Refused = "of them run eagerly: too many shapes for MaxVariants";

    private static readonly HybridOptions s_four = new() { MaxVariants = 4 };

    [Fact]
    public void ShapesThatComeOnceRunEagerly()
    {
        int runs = 0;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                runs++;
                return (x * 2 + 1).Tanh();
            },
            s_four);
        for (int n = 1; n <= 60; n++) Check.Same((Nd.Ones(n) * 2 + 1).Tanh(), f.Invoke(Nd.Ones(n)));
        HybridReport report = f.Report;
        Assert.Equal((4, 60L, 0L, false), (report.VariantCount, report.CacheMisses, report.CacheHits, report.FellBack));
        Assert.Contains(Refused, report.ToString(), StringComparison.Ordinal);
        int before = runs;
        for (int n = 61; n <= 70; n++) f.Invoke(Nd.Ones(n));
        Assert.Equal(before + 10, runs);
        Assert.Equal(70, report.CacheMisses);
    }

    [Fact]
    public void AShapeThatComesAgainIsCompiled()
    {
        int runs = 0;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                runs++;
                return x * 3 - 1;
            },
            s_four);
        for (int n = 1; n <= 60; n++) f.Invoke(Nd.Ones(n));
        (int before, long hits) = (runs, f.Report.CacheHits);
        for (int call = 0; call < 5; call++) Check.Same(Nd.Full(100, 2), f.Invoke(Nd.Ones(100)));
        Assert.Equal((before + 2, hits + 3), (runs, f.Report.CacheHits));
    }

    [Fact]
    public void WhoMayNotRunEagerlyMakesAPlanForEveryShape()
    {
        foreach (HybridOptions options in new[] { Check.Strict with { MaxVariants = 4 }, s_four with { FastMath = true }, s_four with { Verify = HybridVerify.FirstCall } })
        {
            HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x * 2 + 1, options);
            for (int n = 1; n <= 80; n++) f.Invoke(Nd.Ones(n));
            Assert.DoesNotContain(Refused, f.Report.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void VariantsThatAreUsedAreMadeAsBefore()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x * 2 + 1, s_four);
        for (int n = 1; n <= 80; n++)
            for (int call = 0; call < 12; call++) f.Invoke(Nd.Ones(n));
        Assert.Equal((80L, 80L * 11), (f.Report.CacheMisses, f.Report.CacheHits));
        Assert.DoesNotContain(Refused, f.Report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ClearBeginsAnew()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x * 2 + 1, s_four);
        for (int n = 1; n <= 60; n++) f.Invoke(Nd.Ones(n));
        f.Clear();
        f.Invoke(Nd.Ones(1));
        Assert.Equal(1, f.Report.VariantCount);
    }

    [Fact]
    public void TrainingStepsHaveTheSameBits()
    {
        (Func<NDArray, NDArray> step, Module network) = Training();
        (Func<NDArray, NDArray> other, Module compiled) = Training();
        HybridFunction<Func<NDArray, NDArray>> f = other.Hybridize(s_four);
        Random random = new(5);
        for (int i = 0; i < 250; i++)
        {
            NDArray x = Nd.Array([.. Enumerable.Range(0, 3 * random.Next(1, 25)).Select(_ => (float)random.NextDouble())]).Reshape(-1, 3);
            Nd.Random.Seed((ulong)i);
            NDArray expected = step(x);
            Nd.Random.Seed((ulong)i);
            Check.Same(expected, f.Invoke(x));
        }

        Assert.Contains(Refused, f.Report.ToString(), StringComparison.Ordinal);
        foreach ((string name, NDArray parameter) in network.Parameters) Check.Same(parameter, compiled.Parameters[name]);
    }

    [Fact]
    public void CallsThatChangeStateFollowOneAnother()
    {
        NDArray count = Nd.Zeros([], DType.Int64);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                count.Assign(count + 1);
                return x + 1;
            },
            s_four);
        for (int n = 1; n <= 60; n++) f.Invoke(Nd.Ones(n));
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 200; i++) f.Invoke(Nd.Ones(100 + ((t * 200) + i)));
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Equal(60 + 1600, count.Item<long>());
    }

    /// <summary>The variant that was used last need not be one that writes.</summary>
    [Fact]
    public void CallsThatChangeStateFollowOneAnotherWhereTheLastVariantDoesNot()
    {
        NDArray count = Nd.Zeros([], DType.Int64);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                if (Autograd.IsTraining) count.Assign(count * 1 + 1 - 0);
                return x + 1;
            },
            s_four);
        using (Autograd.TrainMode()) f.Invoke(Nd.Ones(1));
        for (int n = 2; n <= 60; n++) f.Invoke(Nd.Ones(n));
        OnThreads((thread, i) =>
        {
            using (Autograd.TrainMode()) f.Invoke(Nd.Ones(100 + (thread * 2000) + i));
        });
        Assert.Equal(1 + 16000, count.Item<long>());
    }

    /// <summary>While a plan is compiled in the background, and where one array is passed twice: without a plan, but one after the other.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CallsThatChangeStateFollowOneAnotherWithoutAPlan(bool background)
    {
        NDArray count = Nd.Zeros([], DType.Int64);
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x, NDArray y) =>
            {
                count.Assign(count * 1 + 1 - 0);
                if (!background) x.Assign(y + 1);
                for (int i = 0; background && i < 40; i++) x = (x * (1.1 + i)).Tanh() + x.Sum();
                return x + y;
            },
            new HybridOptions { CompileInBackground = background });
        f.Invoke(Nd.Ones(3), Nd.Ones(3));
        OnThreads((_, _) =>
        {
            NDArray x = Nd.Ones(3);
            f.Invoke(x, x);
        });
        Assert.Equal(1 + 16000, count.Item<long>());
    }

    [Fact]
    public void WaysThroughAFunctionAreNoShapes()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => Nd.WhileLoop(static s => s.Max() > 1, static s => s - 1, x, 100), s_four);
        for (int steps = 1; steps <= 40; steps++) Check.Same(Nd.Ones(2), f.Invoke(Nd.Full(2, steps)));
        f.Invoke(Nd.Ones(3));
        Assert.DoesNotContain(Refused, f.Report.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ClearForgetsWhatWasUsed()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x * 2 + 1, s_four);
        for (int call = 0; call < 1000; call++) f.Invoke(Nd.Ones(1));
        f.Clear();
        for (int n = 1; n <= 60; n++) f.Invoke(Nd.Ones(n));
        Assert.Contains(Refused, f.Report.ToString(), StringComparison.Ordinal);
    }

    private static void OnThreads(Action<int, int> call)
    {
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 2000; i++) call(t, i);
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
    }

    private static (Func<NDArray, NDArray> Step, Module Network) Training()
    {
        Nd.Random.Seed(3);
        Sequential network = new(new Linear(3, 8), new Relu(), new Dropout(0.3), new Linear(8, 2));
        Adam optimizer = new(network.Parameters, 1e-2);
        return (x =>
        {
            NDArray loss;
            using (Autograd.Record()) loss = network.Forward(x).Square().Mean();
            loss.Backward();
            optimizer.Step();
            return loss;
        }, network);
    }
}
