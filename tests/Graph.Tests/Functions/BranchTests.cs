using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Choices and loops inside compiled functions: every way is compiled, and every call goes the eager way, to the bit.</summary>
[Collection(nameof(ProcessState))]
public sealed class BranchTests
{
    private static readonly ListFunction s_choice = Check.List(static x => Nd.Cond(x.Sum() > 0, () => (x * 2).Tanh(), () => x.Exp() - x) * 3);

    private static readonly ListFunction s_loop = Check.List(static (x, w) => Nd.WhileLoop(s => s.Square().Sum() < 50, s => (s * 1.5 + w).Sin() * 2 + s, x, 40) * w);

    [Fact]
    public void BothWaysOfAChoiceAreCompiledOnce()
    {
        HybridFunction<ListFunction> f = s_choice.Hybridize(Check.Strict);
        NDArray plus = Nd.Full((3, 4), 0.25), minus = Nd.Full((3, 4), -0.25);
        foreach (NDArray x in (NDArray[])[plus, minus, plus, plus, minus]) Check.Same(s_choice([x]), f.Invoke([x]));
        Assert.Equal((2, 2L, false), (f.Report.VariantCount, f.Report.CacheMisses, f.Report.FellBack));
        Assert.Equal("condition 0, of Cond, is False, before True", f.Report.LastMiss);
        Assert.Contains(f.Report.Groups, static g => g.Ops.Contains("Exp"));
    }

    [Fact]
    public void ALoopIsCompiledForEachNumberOfSteps()
    {
        HybridFunction<ListFunction> f = s_loop.Hybridize(Check.Strict);
        NDArray w = TestArrays.Uniform((4, 5), 9);
        foreach (double scale in (double[])[0.1, 0.5, 1, 2, 0.1, 2])
        {
            NDArray[] x = [TestArrays.Uniform((4, 5)) * scale, w];
            (IReadOnlyList<NDArray> results, NDArray?[] gradients) = Check.Gradients(s_loop, x);
            (IReadOnlyList<NDArray> own, NDArray?[] ownGradients) = Check.Gradients(f.Invoke, x);
            Check.Same(results, own, $"scale {scale}, result");
            Check.Same(gradients, ownGradients, $"scale {scale}, gradient");
        }

        Assert.False(f.Report.FellBack);
        Assert.InRange(f.Report.VariantCount, 2, 5);
    }

    [Fact]
    public void GradientsOfGradientsGoTheSameWay()
    {
        foreach (double sign in (double[])[1, -1])
        {
            NDArray[] results = [.. ((ListFunction[])[s_choice, s_choice.Hybridize(Check.Strict).Invoke]).Select(f =>
            {
                NDArray x = TestArrays.Uniform((3, 4)).Abs() * sign;
                x.AttachGrad();
                using (Autograd.Record()) Autograd.Grad(f([x])[0], x, createGraph: true).Square().Sum().Backward();
                return x.Grad!;
            })];
            Check.Same(results[0], results[1]);
        }
    }

    /// <summary>What a condition was computed of may be written before the gradient is asked for, which does not depend on its value.</summary>
    [Theory]
    [InlineData("captured", false)]
    [InlineData("input", false)]
    [InlineData("variable", false)]
    [InlineData("captured", true)]
    [InlineData("input", true)]
    [InlineData("variable", true)]
    public void GradientsGoTheWayOfTheirCall(string condition, bool createGraph)
    {
        NDArray[] gradients = Array.ConvertAll<bool, NDArray>([false, true], compiled =>
        {
            NDArray captured = Nd.Ones(1), x = Nd.Full(3, 1.5), other = Nd.Ones(1);
            ListFunction f = v =>
            {
                NDArray of = condition switch { "captured" => captured, "input" => v[1], _ => v[0] };
                NDArray chosen = Nd.Cond(of.Sum() > 0, () => v[0] * 2, () => v[0] * 3);
                return [Nd.WhileLoop(s => of.Sum() + s.Sum() < 40, static s => s + s, chosen, 9), v[0] * 5];
            };
            if (compiled) f = f.Hybridize(Check.Strict).Invoke;
            x.AttachGrad();
            IReadOnlyList<NDArray> results;
            using (Autograd.Record()) results = f([x, other]);
            foreach (NDArray array in (NDArray[])[captured, other, x]) array.Fill(-1);
            if (!createGraph)
            {
                results[0].Backward();
                return x.Grad!;
            }

            using (Autograd.Record()) return Autograd.Grad(results[0], x, createGraph: true);
        });
        Assert.Equal(condition == "variable" ? 8 : 16, gradients[0].ToArray<float>()[0]);
        Check.Same(gradients[0], gradients[1]);
    }

    /// <summary>What a checkpoint computes again goes the way that it went, as it draws the numbers that it drew; choices and loops of checkpoints inside too.</summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void CheckpointsGoTheirWayAgain(bool nested, bool createGraph)
    {
        NDArray captured = Nd.Ones(1), x = Nd.Full(3, 1.5);
        NDArray Chosen(NDArray z) => Nd.WhileLoop(s => captured.Sum() + s.Sum() < 40, static s => s + s, Nd.Cond(captured.Sum() > 0, () => z * 2, () => z * 3), 9);
        ListFunction f = v => [Autograd.Checkpoint(z => Nd.Cond(captured.Sum() > 0.5, () => (nested ? Autograd.Checkpoint(Chosen, z) : Chosen(z)) * 2, () => z), v[0]) * 1];
        foreach (ListFunction function in (ListFunction[])[f, f.Hybridize(Check.Strict).Invoke])
        {
            captured.Fill(1);
            x.AttachGrad();
            NDArray result;
            using (Autograd.Record()) result = function([x])[0];
            captured.Fill(-1);
            using (createGraph ? Autograd.Record() : Autograd.Pause()) Assert.Equal([32, 32, 32], Autograd.Grad(result, x, createGraph: createGraph).ToArray<float>());
        }
    }

    /// <summary>The eager function inside of a checkpoint decides where the compiled one would: it is not part of what goes the same way again.</summary>
    [Fact]
    public void FunctionsInsideOfCheckpointsDecideForThemselves()
    {
        HybridFunction<ListFunction> inner = Check.List(static z => Nd.Cond(z.Sum() > 0, () => z * 2, () => z * 3)).Hybridize(Check.Strict with { CompileInBackground = true });
        NDArray captured = Nd.Ones(1), x = Nd.Full(3, 1.5);
        for (int call = 0; call < 4; call++)
        {
            captured.Fill(1);
            x.AttachGrad();
            NDArray result;
            using (Autograd.Record()) result = Autograd.Checkpoint(z => Nd.Cond(captured.Sum() > 0, () => inner.Invoke([z])[0] * 5, () => z), x);
            captured.Fill(-1);
            if (call == 1) Thread.Sleep(200); // compiled from here on, perhaps
            result.Backward();
            Assert.Equal([10, 10, 10], x.Grad!.ToArray<float>());
        }
    }

    /// <summary>A compiled function inside of a checkpoint of another one is a part of that when its gradient is differentiated.</summary>
    [Fact]
    public void CheckpointsOfCompiledFunctionsGoTheirWayAgain()
    {
        NDArray captured = Nd.Ones(1), x = Nd.Full(3, 1.5);
        ListFunction half = Check.List(z => Nd.Cond(captured.Sum() < 0, () => z * 7, () => z * 2));
        NDArray[] gradients = Array.ConvertAll<bool, NDArray>([false, true], compiled =>
        {
            ListFunction inner = compiled ? half.Hybridize(Check.Strict).Invoke : half;
            ListFunction f = v => [Autograd.Checkpoint(z => Nd.Cond(captured.Sum() > 0, () => inner([z])[0].Square(), () => z) * Nd.Cond(captured.Sum() > -2, () => z, () => z * 3), v[0])];
            if (compiled) f = f.Hybridize(Check.Strict).Invoke;
            captured.Fill(1);
            x.AttachGrad();
            using (Autograd.Record())
            {
                NDArray result = f([x])[0];
                using (Autograd.Pause()) captured.Fill(-3);
                Autograd.Grad(result, x, createGraph: true).Square().Sum().Backward();
            }

            return x.Grad!;
        });
        Check.Same(gradients[0], gradients[1]);
    }

    /// <summary>A mask has shaped the trace. Its gradient may be computed later all the same, but not by a function that reads another mask.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GradientsDoNotReadAnotherMask(bool createGraph)
    {
        NDArray mask = Nd.Array([true, false, true]), x = TestArrays.Uniform(3);
        HybridFunction<ListFunction> f = Check.List(v => v.BooleanMask(mask) * 2).Hybridize(Check.Strict), two = ((ListFunction)(v => [v[0].BooleanMask(mask) * 2, v[0] * 5])).Hybridize(Check.Strict);
        x.AttachGrad();
        NDArray all, some;
        using (Autograd.Record()) (all, some) = (f.Invoke([x])[0], two.Invoke([x])[0]);
        mask.Assign(Nd.Array([false, true, true]));
        using (createGraph ? Autograd.Record() : Autograd.Pause())
        {
            if (!createGraph) Assert.Equal([2, 0, 2], Autograd.Grad(all, x).ToArray<float>());
            foreach (NDArray head in (NDArray[])(createGraph ? [all, some] : [some]))
                Assert.Contains("Bool (3,)", Assert.Throws<AutogradException>(() => Autograd.Grad(head, x, createGraph: createGraph)).Message, StringComparison.Ordinal);
        }

        using (Autograd.Record()) some = two.Invoke([x])[0];
        Assert.Equal([0, 2, 2], Autograd.Grad(some, x).ToArray<float>());
    }

    [Fact]
    public void ACallThatTurnsOffDrawsAndWritesWhatTheEagerOneDoes()
    {
        NDArray[] states = [Nd.Zeros(3), Nd.Zeros(3)];
        ListFunction[] functions = [Body(states[0]), Body(states[1]).Hybridize(Check.Strict).Invoke];
        RandomState[] after = new RandomState[2];
        for (int i = 0; i < 2; i++)
        {
            Nd.Random.Seed(4);
            for (int call = 0; call < 12; call++) functions[i]([Nd.Full(3, 0.5)]);
            after[i] = Nd.Random.Place;
        }

        Check.Same(states[0], states[1]);
        Assert.Equal(after[0], after[1]);

        static ListFunction Body(NDArray state) => x =>
        {
            NDArray noise = Nd.Random.Uniform(0, 1, 3);
            state.Assign(state * 0.5 + noise);
            return [Nd.Cond((noise > x[0]).Any(), () => Update(state, Nd.Random.Normal(0, 1, 3)), () => state * 1)];
        };

        static NDArray Update(NDArray state, NDArray noise)
        {
            state.Assign(state + noise);
            return state * 2;
        }
    }

    [Fact]
    public void AStepThatIsSkippedWhenTheLossIsNotFiniteLeavesTheOptimizerAlone()
    {
        (Linear Layer, Adam Optimizer, Func<NDArray, NDArray, NDArray> Step)[] twins = [Make(), Make()];
        foreach ((string key, NDArray parameter) in twins[1].Layer.Parameters) parameter.Assign(twins[0].Layer.Parameters[key]);
        HybridFunction<Func<NDArray, NDArray, NDArray>> compiled = twins[1].Step.Hybridize(Check.Strict);
        for (int i = 0; i < 6; i++)
        {
            NDArray x = TestArrays.Uniform((5, 4), i), y = Nd.Full((5, 3), i is 2 or 4 ? double.NaN : 0.5);
            Check.Same(twins[0].Step(x, y), compiled.Invoke(x, y));
            Check.Same(twins[0].Layer.Weight, twins[1].Layer.Weight);
            Assert.Equal(twins[0].Optimizer.StepCount, twins[1].Optimizer.StepCount);
        }

        Assert.Equal((2, 4L), (compiled.Report.VariantCount, twins[1].Optimizer.StepCount));

        static (Linear, Adam, Func<NDArray, NDArray, NDArray>) Make()
        {
            Linear layer = new(4, 3);
            Adam optimizer = new(layer.Parameters, 0.01);
            return (layer, optimizer, Step);

            NDArray Step(NDArray x, NDArray y)
            {
                NDArray loss;
                using (Autograd.Record()) loss = Loss.MeanSquaredError(layer.Forward(x), y);
                loss.Backward();
                return Nd.Cond(loss.IsFinite(), Updated, () => loss * 1);

                NDArray Updated()
                {
                    optimizer.Step();
                    return loss * 1;
                }
            }
        }
    }

    [Fact]
    public void WhatOnlyAWrongWayRefusesIsNoError()
    {
        NDArray state = Nd.Zeros(2);
        ListFunction f = x =>
        {
            state.Assign(state + 1);
            return [Nd.Cond((x[1] < 3).All(), () => x[0].Take(x[1]), () => x[0] * 0.5)];
        };
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        NDArray x = TestArrays.Uniform(3);
        Check.Same(x.Take(Nd.Array([2, 0])), compiled.Invoke([x, Nd.Array([2, 0])])[0]);
        Check.Same(x * 0.5, compiled.Invoke([x, Nd.Array([7, 0])])[0]);
        Check.Same(Nd.Full(2, 2), state);

        // The right way may be refused, too.
        Assert.Throws<ArgumentOutOfRangeException>(() => compiled.Invoke([x, Nd.Array([-9, 0])]));
        Check.Same(Nd.Full(2, 2), state);
        Check.Same(x.Take(Nd.Array([2, 0])), compiled.Invoke([x, Nd.Array([2, 0])])[0]);
    }

    [Fact]
    public void AWrongWayForAnArrayThatIsPassedAndWrittenIsNoError()
    {
        NDArray state = Nd.Array([-1f, -2]);
        Func<NDArray, NDArray> f = x =>
        {
            state.Assign(state + 3);
            return Nd.Cond((x > 0).All(), () => x * 2, () => x.Reshape(3));
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize(Check.Strict);
        Check.Same(Nd.Array([4f, 2]), compiled.Invoke(state));
        Check.Same(Nd.Array([6f, 8]), compiled.Invoke(Nd.Array([3f, 4])));
        Assert.Throws<ShapeException>(() => compiled.Invoke(Nd.Array([-3f, 4])));
        Check.Same(Nd.Array([5f, 4]), state);
    }

    [Fact]
    public void CapturedArraysDecideByReference()
    {
        NDArray flag = Nd.Ones(1);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => Nd.Cond(flag, () => x + 1, () => x - 1), Check.Strict);
        Check.Same(Nd.Full(2, 2), f.Invoke(Nd.Ones(2)));
        flag.Fill(0);
        Check.Same(Nd.Zeros(2), f.Invoke(Nd.Ones(2)));
        flag.Fill(double.NaN);
        Check.Same(Nd.Full(2, 2), f.Invoke(Nd.Ones(2)));
    }

    [Fact]
    public void FunctionsInsideOthersAreFollowedToo()
    {
        HybridFunction<Func<NDArray, NDArray>> inner = Hybrid.Hybridize(static (NDArray x) => Nd.Cond(x.Max() > 1, () => x / 2, () => x), Check.Strict);
        ListFunction outer = Check.List(x => inner.Invoke(inner.Invoke(x) + 0.5) * 2);
        HybridFunction<ListFunction> compiled = outer.Hybridize(Check.Strict);
        foreach (double value in (double[])[0.1, 0.7, 1.9, 5, 0.1])
        {
            NDArray x = Nd.Full(3, value);
            Check.Same(Check.Gradients(outer, x).Gradients, Check.Gradients(compiled.Invoke, x).Gradients);
        }
    }

    [Fact]
    public void VerificationFollows()
    {
        HybridFunction<ListFunction> f = s_choice.Hybridize(Check.Strict with { Verify = HybridVerify.Always });
        foreach (double value in (double[])[1, -1, 1, -1]) Check.Gradients(f.Invoke, Nd.Full((3, 4), value));
        double factor = 2;
        HybridFunction<Func<NDArray, NDArray>> g = Hybrid.Hybridize((NDArray x) => Nd.Cond(x.Sum() > 0, () => x * factor, () => x), Check.Strict with { Verify = HybridVerify.Always });
        g.Invoke(Nd.Ones(3));
        factor = 4;
        Assert.Contains("operand 2, now 4", Assert.Throws<HybridizeException>(() => g.Invoke(Nd.Ones(3))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EightThreadsGoDifferentWays()
    {
        HybridFunction<ListFunction> f = s_choice.Hybridize(Check.Strict);
        NDArray[] x = [.. Enumerable.Range(0, 8).Select(static i => Nd.Full((3, 4), i % 2 == 0 ? 0.1 * (i + 1) : -0.1 * (i + 1)))];
        IReadOnlyList<NDArray>[] expected = [.. x.Select(static v => s_choice([v]))];
        string?[] differences = new string?[8];
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            for (int call = 0; call < 20; call++) differences[i] ??= Bits.Difference(expected[i][0], f.Invoke([x[i]])[0]);
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.All(differences, Assert.Null);
        Assert.Equal(2, f.Report.VariantCount);
    }

    /// <summary>What an optimizer has just written depends on its learning rate and its count of steps, which a trace once had no values of.</summary>
    [Fact]
    public void AConditionMayDependOnNumbersOfTheHost()
    {
        (Linear Layer, Optimizer Optimizer, Func<NDArray, NDArray> Step)[] twins = [Make(), Make()];
        foreach ((string key, NDArray parameter) in twins[1].Layer.Parameters) parameter.Assign(twins[0].Layer.Parameters[key]);
        HybridFunction<Func<NDArray, NDArray>> compiled = twins[1].Step.Hybridize(Check.Strict);
        for (int i = 0; i < 8; i++)
        {
            NDArray x = TestArrays.Uniform((3, 2), i);
            Check.Same(twins[0].Step(x), compiled.Invoke(x), $"call {i}");
            Check.Same(twins[0].Layer.Weight, twins[1].Layer.Weight);
            Assert.Equal((twins[0].Optimizer.StepCount, twins[0].Optimizer.LearningRate), (twins[1].Optimizer.StepCount, twins[1].Optimizer.LearningRate));
        }

        Assert.InRange(compiled.Report.VariantCount, 2, 8);
        Assert.False(compiled.Report.FellBack);

        static (Linear, Optimizer, Func<NDArray, NDArray>) Make()
        {
            Linear layer = new(2, 2);
            Adam optimizer = new(layer.Parameters, 0.2);
            ExponentialSchedule schedule = new(optimizer, 0.95);
            return (layer, optimizer, Step);

            // As many steps as it takes, in one call.
            NDArray Step(NDArray x) => Nd.WhileLoop(
                s => s > 0.2,
                s =>
                {
                    NDArray loss;
                    using (Autograd.Record()) loss = (layer.Forward(x) - 1).Square().Mean();
                    loss.Backward();
                    optimizer.Step();
                    schedule.Step();
                    return (layer.Forward(x) - 1).Square().Mean();
                },
                Nd.Scalar(1),
                maxIterations: 9);
        }
    }

    // What the function did before it threw was done once more.
    [Fact]
    public void ACallThatRunsEagerlyAndThrowsRunsOnce()
    {
        NDArray captured = Nd.Ones(2);
        ListFunction f = Check.List((x, i) =>
        {
            captured.Assign(captured + 1);
            return Nd.Cond(x.Sum() > 0, () => x.Take(i, 0), () => x);
        });
        HybridFunction<ListFunction> compiled = f.Hybridize(Check.Strict);
        compiled.Invoke([Nd.Full(2, -9), Nd.Array([0])]);
        Assert.Throws<ArgumentOutOfRangeException>(() => compiled.Invoke([captured, Nd.Array([7])]));
        Check.Same(Nd.Full(2, 3), captured);
    }
}
