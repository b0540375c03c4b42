namespace Fusion.Tests;

/// <summary>While another thread draws from the stream of the process: what is computed again draws the numbers of its first time, and takes none from the other thread.</summary>
[Collection(nameof(ProcessState))]
public sealed class RandomThreadsTests
{
    private const int Calls = 300;

    private static readonly NDArray s_x = Nd.Ones(64);

    private static NDArray Variable()
    {
        NDArray x = s_x.Copy();
        x.AttachGrad();
        return x;
    }

    /// <summary>What the other thread has drawn meanwhile.</summary>
    private static HashSet<double> Beside(Action action, out int count)
    {
        bool done = false;
        List<double> drawn = [];
        Thread other = new(() =>
        {
            while (!Volatile.Read(ref done)) drawn.Add(Nd.Random.Uniform(0, 1, default, DType.Float64).Item<double>());
        });
        other.Start();
        try
        {
            action();
        }
        finally
        {
            Volatile.Write(ref done, true);
            other.Join();
        }

        count = drawn.Count;
        return [.. drawn];
    }

    [Fact]
    public void ACheckpointHasTheGradientOfItsDraws()
    {
        NDArray x = Variable();
        Beside(() =>
        {
            for (int i = 0; i < Calls; i++)
            {
                NDArray y;
                using (Autograd.Record())
                {
                    // Time for the other thread between two draws.
                    y = Autograd.Checkpoint(
                        static v =>
                        {
                            NDArray first = v.Dropout();
                            Thread.Yield();
                            return (first * v).Dropout();
                        },
                        x);
                }

                y.Backward();
                Check.Same(y * 2, x.Grad, $"gradient {i}");
            }
        }, out _);
    }

    [Fact]
    public void GradientsOfSomeResultsAreThoseOfTheDraws()
    {
        NDArray x = Variable();
        HybridFunction<ListFunction> f = new ListFunction(static v =>
        {
            NDArray y = v[0].Dropout() * v[0];
            return [y, y * 2];
        }).Hybridize(Check.Strict);
        Beside(() =>
        {
            for (int i = 0; i < Calls; i++)
            {
                IReadOnlyList<NDArray> y;
                using (Autograd.Record()) y = f.Invoke([x]);
                y[0].Backward();
                Check.Same(y[0] * 2, x.Grad, $"gradient {i}");
            }
        }, out _);
    }

    [Fact]
    public void GradientsThatAreRecordedAreThoseOfTheDraws()
    {
        NDArray x = Variable();
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray v) => v.Dropout() * v, Check.Strict);
        Beside(() =>
        {
            for (int i = 0; i < Calls; i++)
            {
                using RecordScope scope = Autograd.Record();
                NDArray y = f.Invoke(x);
                Check.Same(y * 2, Autograd.Grad(y, x, createGraph: true), $"gradient {i}");
            }
        }, out _);
    }

    public static TheoryData<string> Works => ["a checkpoint", "a condition that is traced", "a call that throws", "verification"];

    [Theory]
    [MemberData(nameof(Works))]
    public void NoNumberIsDrawnTwice(string work)
    {
        NDArray x = Variable();
        HybridFunction<Func<NDArray, NDArray>> throws = Hybrid.Hybridize(static (NDArray v) => Nd.Cholesky(-Nd.Eye(3) * Nd.Random.Uniform(0.5, 1, default)) + v.Sum(), Check.Strict);
        HybridFunction<Func<NDArray, NDArray>> verified = Hybrid.Hybridize(static (NDArray v) => v * Nd.Random.Uniform(0, 1, 64), Check.Strict with { Verify = HybridVerify.Always });
        HashSet<double> drawn = Beside(
            () =>
            {
                for (int i = 0; i < Calls; i++)
                {
                    switch (work)
                    {
                        case "a checkpoint":
                            NDArray y;
                            using (Autograd.Record()) y = Autograd.Checkpoint(static v => v.Dropout(), x);
                            y.Backward();
                            break;
                        case "a condition that is traced":
                            Hybrid.Hybridize((NDArray v) => Nd.Cond(Nd.Random.Uniform(0, 1, default) < 2, () => v, () => -v), Check.Strict).Invoke(x);
                            break;
                        case "a call that throws":
                            Assert.Throws<LinearAlgebraException>(() => throws.Invoke(x));
                            break;
                        default:
                            verified.Invoke(x);
                            break;
                    }
                }
            },
            out int count);
        Assert.Equal(count, drawn.Count);
    }
}
