namespace Fusion.Tests;

/// <summary>One compiled function called from many threads, compiled on another one, and switched off.</summary>
public sealed class ConcurrencyTests
{
    [Fact]
    public void EightThreadsCallOneFunction()
    {
        NDArray w = TestArrays.Uniform((16, 16), 9);
        ListFunction f = static x => [(x[0].MatMul(x[1]) * 2 + 1).Tanh().Sum(0), x[0].Transpose()];
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        OnThreads(thread =>
        {
            for (int i = 0; i < 40; i++)
            {
                NDArray x = TestArrays.Uniform((4 + (i + thread) % 3, 16), thread * 100 + i);
                if (i % 2 == 0) Check.Same(f([x, w]), compiled.Invoke([x, w]), $"thread {thread}, call {i}");
                else Check.Same(Check.Gradients(f, x, w).Gradients, Check.Gradients(compiled.Invoke, x, w).Gradients, $"thread {thread}, call {i}, gradient");
            }
        });
        Assert.Equal(6, compiled.Report.VariantCount);
        Assert.Equal(6, compiled.Report.CacheMisses);
        Assert.Equal(8 * 40, compiled.Report.CacheHits + compiled.Report.CacheMisses);
    }

    [Fact]
    public void CallsOfDifferentShapesTakeNoArenaFromOneAnother()
    {
        Func<NDArray, NDArray> f = static x => (x.MatMul(x.Transpose()).Softmax().MatMul(x) + x).Tanh().MatMul(x.Transpose()).Sum(0);
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        NDArray[] x = [.. Enumerable.Range(0, 6).Select(static i => TestArrays.Uniform((60 + 10 * i, 64), i))];
        NDArray[] expected = Array.ConvertAll(x, v => f(v));
        foreach (NDArray input in x) compiled.Invoke(input);
        OnThreads(thread =>
        {
            for (int i = 0; i < 60; i++) Check.Same(expected[(i + thread) % 6], compiled.Invoke(x[(i + thread) % 6]), $"thread {thread}, call {i}");
        });
    }

    [Fact]
    public void EightFirstCallsTraceOnce()
    {
        int traces = 0;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) =>
        {
            Interlocked.Increment(ref traces);
            Thread.Sleep(20);
            return x * 3 + 1;
        }, Check.Strict);
        OnThreads(_ => Check.Same(Nd.Full(5, 4), f.Invoke(Nd.Ones(5))));
        Assert.Equal(1, traces);
    }

    /// <summary>A call that is under way when all variants are forgotten does not bring its own back.</summary>
    [Fact]
    public void WhatWasForgottenIsNotRemembered()
    {
        double factor = 0;
        bool done = false;
        NDArray x = Nd.Ones(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray v) => v * Volatile.Read(ref factor), Check.Strict with { MaxVariants = 2 });
        Thread[] callers = [.. Enumerable.Range(0, 3).Select(i => new Thread(() =>
        {
            while (!Volatile.Read(ref done)) f.Invoke(Nd.Ones(3));
        }))];
        foreach (Thread caller in callers) caller.Start();
        int wrong = 0;
        for (int i = 1; i <= 3000; i++)
        {
            Volatile.Write(ref factor, i);
            f.Clear();
            for (int call = 0; call < 3; call++) wrong += f.Invoke(x).ToArray<float>()[0] == i ? 0 : 1;
        }

        Volatile.Write(ref done, true);
        foreach (Thread caller in callers) caller.Join();
        Assert.Equal(0, wrong);
    }

    [Fact]
    public void FlagsOfOneThreadAreNotThoseOfAnother()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => Autograd.IsTraining ? x * 2 : x * 3, Check.Strict);
        OnThreads(thread =>
        {
            for (int i = 0; i < 50; i++)
            {
                if (thread % 2 == 0)
                {
                    Check.Same(Nd.Full(3, 3), f.Invoke(Nd.Ones(3)));
                    continue;
                }

                using (Autograd.TrainMode()) Check.Same(Nd.Full(3, 2), f.Invoke(Nd.Ones(3)));
            }
        });
    }

    [Fact]
    public void CompilingInTheBackgroundAnswersEagerlyUntilItIsDone()
    {
        Func<NDArray, NDArray> f = static x => (x * 1.7 + 0.3).Tanh().Exp();
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict with { CompileInBackground = true });
        NDArray x = TestArrays.Uniform(100);
        NDArray expected = f(x);
        for (int i = 0; i < 10_000 && compiled.Report.KernelCount == 0; i++)
        {
            Check.Same(expected, compiled.Invoke(x));
            Thread.Sleep(2);
        }

        Assert.Equal(1, compiled.Report.KernelCount);
        Check.Same(expected, compiled.Invoke(x));
        Check.Same(Check.Gradients(Check.List(f), x).Gradients, Check.Gradients(Check.List(compiled.Invoke), x).Gradients);
    }

    [Fact]
    public void CompilingInTheBackgroundUnderLoadGivesTheSameBits()
    {
        ListFunction f = Check.List(static (x, w) => (x.MatMul(w) * 1.3 + x).Tanh().Softmax());
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict with { CompileInBackground = true });
        NDArray w = TestArrays.Uniform((6, 6));
        (IReadOnlyList<NDArray>, NDArray?[])[] expected = [.. Enumerable.Range(1, 12).Select(n => Check.Gradients(f, TestArrays.Uniform((n, 6), n), w))];
        OnThreads(thread =>
        {
            for (int call = 0; call < 120; call++)
            {
                int n = (call + thread) % expected.Length + 1;
                (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(compiled.Invoke, TestArrays.Uniform((n, 6), n), w);
                Check.Same(expected[n - 1].Item1, results, $"batch {n}, result");
                Check.Same(expected[n - 1].Item2, gradients, $"batch {n}, gradient");
            }
        });
        Assert.Equal((12, 12L), (compiled.Report.VariantCount, compiled.Report.CacheMisses));
    }

    [Fact]
    public void ErrorsSurfaceBeforeAndAfterCompilingInTheBackground()
    {
        Func<NDArray, NDArray, NDArray> f = static (x, labels) => (x * 2.5).SoftmaxCrossEntropy(labels).Mean();
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = f.Hybridize(Check.Strict with { CompileInBackground = true });
        NDArray x = TestArrays.Uniform((2, 3));
        NDArray wrong = Nd.Array<int>([1, 7]);
        string message = Assert.ThrowsAny<ArgumentException>(() => f(x, wrong)).Message;
        for (int i = 0; i < 10_000 && compiled.Report.KernelCount == 0; i++)
        {
            Assert.Equal(message, Assert.ThrowsAny<ArgumentException>(() => compiled.Invoke(x, wrong)).Message);
            Thread.Sleep(2);
        }

        Assert.NotEqual(0, compiled.Report.KernelCount);
        Assert.Equal(message, Assert.ThrowsAny<ArgumentException>(() => compiled.Invoke(x, wrong)).Message);
        Check.Same(f(x, Nd.Array<int>([1, 2])), compiled.Invoke(x, Nd.Array<int>([1, 2])));
        Assert.Throws<ShapeException>(() => compiled.Invoke(x, Nd.Array<int>([1, 2, 0])));
    }

    [Fact]
    public void AFunctionThatCannotBeTracedFallsBackInTheBackgroundToo()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(static (NDArray x) => x * x.Item<float>(), new HybridOptions { CompileInBackground = true });
        Check.Same(Nd.Full(1, 9), f.Invoke(Nd.Full(1, 3)));
        Assert.True(f.Report.FellBack);
    }

    /// <summary>Calls that change state follow one another, each with its verification.</summary>
    [Fact]
    public void CallsThatChangeStateAreVerifiedOneAfterTheOther()
    {
        NDArray count = Nd.Zeros(3);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray x) =>
            {
                count.Assign(count + x);
                return count * 2;
            },
            Check.Strict with { Verify = HybridVerify.Always });
        OnThreads(_ =>
        {
            for (int i = 0; i < 50; i++) f.Invoke(Nd.Ones(3));
        });
        Check.Same(Nd.Full(3, 400), count);
    }

    [Fact]
    public void DroppedFunctionsAreCollected()
    {
        WeakReference weight = Make();
        for (int i = 0; i < 10 && weight.IsAlive; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(weight.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Make()
        {
            NDArray weight = Nd.Ones(10_000);
            HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * weight, Check.Strict);
            NDArray x = Nd.Ones(10_000);
            x.AttachGrad();
            using (Autograd.Record()) f.Invoke(x).Backward();
            return new WeakReference(weight);
        }
    }

    [Fact]
    public void ManyDifferentFunctionsLeaveNothingBehind()
    {
        List<WeakReference> made = [];
        for (int i = 0; i < 40; i++) made.Add(Make(i));
        for (int i = 0; i < 10 && made.Exists(static m => m.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.DoesNotContain(made, static m => m.IsAlive);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Make(int number)
        {
            NDArray weight = Nd.Ones((4, 3 + number));
            weight.AttachGrad();
            Func<NDArray, NDArray> body = (number % 4) switch
            {
                0 => x => (x * weight + number).Tanh().Softmax().Sum(),
                1 => x => Nd.Cond(x.Sum() > 0, () => (x * weight).Square().Sum() * number, () => x.Sum()),
                2 => x =>
                {
                    NDArray loss;
                    using (Autograd.Record()) loss = ((x * weight).Sigmoid() * number).Mean();
                    loss.Backward();
                    weight.Assign(weight - weight.Grad!);
                    return loss;
                }
                ,
                _ => x => Autograd.Grad((x * x * weight).Sum(), x, createGraph: true).Sum(),
            };
            HybridFunction<Func<NDArray, NDArray>> f = body.Hybridize(Check.Strict);
            NDArray x = Nd.Ones((4, 3 + number));
            x.AttachGrad();
            if (number % 4 == 2)
            {
                f.Invoke(x);
            }
            else
            {
                using (Autograd.Record())
                {
                    NDArray y = f.Invoke(x);
                    NDArray gradient = Autograd.Grad(y, x, createGraph: true);
                    gradient.Sum().Backward();
                }
            }

            Assert.NotEqual(0, f.Report.KernelCount);
            return new WeakReference(weight);
        }
    }

    private static void OnThreads(Action<int> body)
    {
        Exception? failure = null;
        using Barrier start = new(8);
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                body(i);
            }
            catch (Exception e)
            {
                failure = e;
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.Null(failure);
    }
}
