using System.Diagnostics;

namespace Fusion.Tests;

/// <summary>Tapes as long as memory: no recursion, no repeated walks.</summary>
public sealed class LongTapeTests
{
    [Fact]
    public void AMillionOperationsGoBackward()
    {
        NDArray x = Leaf.Of(1);
        NDArray y = x;
        using (Autograd.Record())
            for (int i = 0; i < 1_000_000; i++) y = i % 2 == 0 ? y + 1 : y * 1;
        // A stack as small as a thread's of a server; recursion over the tape would need hundreds of megabytes.
        OnSmallStack(() => y.Backward());
        Expect.Elements(x.Grad, 1);
    }

    [Fact]
    public void AGradFindsItsPathWithoutRecursion()
    {
        NDArray x = Leaf.Doubles(1);
        OnSmallStack(() =>
        {
            NDArray y = x;
            using (Autograd.Record())
            {
                for (int i = 0; i < 50_000; i++) y = y * 0.9999;
                Expect.Near(1e-9, Autograd.Grad(y, x, createGraph: true), Math.Pow(0.9999, 50_000));
                Assert.Equal(["var0"], Autograd.GetSymbol(y).ListArguments());
            }
        });
    }

    [Fact]
    public void AnUnusedTapeDiesWithoutRecursion() => OnSmallStack(static () =>
    {
        NDArray y = Leaf.Of(1);
        using (Autograd.Record())
            for (int i = 0; i < 200_000; i++) y = y + 1;
        y = null!;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Null(y);
    });

    [Fact]
    public void SixtyDoublingsAreLinear()
    {
        NDArray x = Leaf.Doubles(1);
        NDArray y = x;
        using (Autograd.Record())
            for (int i = 0; i < 60; i++) y = y + y;
        Stopwatch watch = Stopwatch.StartNew();
        y.Backward(retainGraph: true);
        Expect.Elements(x.Grad, Math.Pow(2, 60));
        Expect.Elements(Autograd.Grad(y, x, createGraph: true), Math.Pow(2, 60));
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 5);
    }

    [Fact]
    public void SixtySquaringsOfTheGraphAreLinearToSecondOrder()
    {
        NDArray x = Leaf.Doubles(1);
        NDArray y = x;
        using (Autograd.Record())
        {
            for (int i = 0; i < 20; i++) y = y * y;
            NDArray dy = Autograd.Grad(y, x, createGraph: true);
            Expect.Elements(dy, 1 << 20);
            Expect.Elements(Autograd.Grad(dy, x), Math.Pow(2, 20) * (Math.Pow(2, 20) - 1));
        }
    }

    [Fact]
    public void AVariableMayBeUsedByTenThousandOperators()
    {
        NDArray x = Leaf.Of(1);
        using (Autograd.Record())
        {
            NDArray[] parts = new NDArray[10_000];
            for (int i = 0; i < parts.Length; i++) parts[i] = x * 2;
            Nd.Concat(parts).Sum().Backward();
        }

        Expect.Elements(x.Grad, 20_000);
    }

    private static void OnSmallStack(Action action)
    {
        Exception? failure = null;
        Thread thread = new(
            () =>
            {
                try
                {
                    action();
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    failure = error;
                }
            },
            256 * 1024);
        thread.Start();
        thread.Join();
        if (failure is not null) throw new InvalidOperationException("The action failed on its thread.", failure);
    }
}
