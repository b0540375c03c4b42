namespace Fusion.Tests;

/// <summary>All state of recording belongs to the thread.</summary>
public sealed class ThreadTests
{
    [Fact]
    public void ANewThreadStartsWithBothFlagsOff()
    {
        (bool, bool) inside = (true, true);
        using (Autograd.Record())
        {
            Thread thread = new(() => inside = (Autograd.IsRecording, Autograd.IsTraining));
            thread.Start();
            thread.Join();
            Assert.True(Autograd.IsRecording && Autograd.IsTraining);
        }

        Assert.Equal((false, false), inside);
    }

    [Fact]
    public void AScopeOnOneThreadIsNotSeenOnAnother()
    {
        using Barrier barrier = new(2);
        bool[] seen = new bool[2];
        Run(2, i =>
        {
            if (i == 0) Autograd.SetRecording(true);
            barrier.SignalAndWait();
            seen[i] = Autograd.IsRecording;
            barrier.SignalAndWait();
            Autograd.SetRecording(false);
        });
        Assert.Equal([true, false], seen);
    }

    [Fact]
    public void ThreadsRecordAndDifferentiateIndependently() => Run(4, static i =>
    {
        for (int k = 1; k <= 200; k++)
        {
            NDArray x = Leaf.Doubles(i + 1, k);
            using (Autograd.Record())
            {
                NDArray y = x.Pow(3);
                NDArray dy = Autograd.Grad(y, x, createGraph: true);
                dy.Backward();
            }

            Expect.Near(1e-13, x.Grad, 6 * (i + 1), 6 * k);
        }
    });

    [Fact]
    public void ThreadsThatShareAVariableAddUpTheirGradients()
    {
        NDArray w = Leaf.Attached(Nd.Ones(1000), GradReq.Add);
        Run(4, i =>
        {
            for (int k = 0; k < 100; k++)
                using (Autograd.Record()) (w * (i + 1)).Backward();
        });
        Assert.All(Expect.Doubles(w.Grad!), static g => Assert.Equal(100 * (1 + 2 + 3 + 4), g));
    }

    [Fact]
    public void AGraphRecordedOnOneThreadGoesBackwardOnAnother()
    {
        NDArray x = Leaf.Of(3);
        NDArray y = null!;
        Run(1, _ =>
        {
            using (Autograd.Record()) y = x * x;
        });
        Run(1, _ =>
        {
            using (Autograd.Record()) y = y * x;
        });
        y.Backward();
        Expect.Elements(x.Grad, 27);
    }

    private static void Run(int threads, Action<int> action)
    {
        Exception?[] failures = new Exception?[threads];
        Thread[] running = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            int index = i;
            running[i] = new Thread(() =>
            {
                try
                {
                    action(index);
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    failures[index] = error;
                }
            });
            running[i].Start();
        }

        foreach (Thread thread in running) thread.Join();
        Assert.All(failures, static f => Assert.Null(f));
    }
}
