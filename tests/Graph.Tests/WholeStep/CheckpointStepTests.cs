using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Checkpoints inside a compiled step: what they compute is computed again in the backward part, so that the arena shrinks, to the same bits.</summary>
[Collection(WholeStepCollection.Name)]
public sealed class CheckpointStepTests
{
    private delegate NDArray Wrapper(Func<NDArray, NDArray> f, NDArray x);

    public static TheoryData<string> Blocks => ["products", "dropout", "rows", "convolution", "batch norm"];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void TheArenaShrinksAndTheBitsStay(string block)
    {
        (StepTwins plain, StepTwins checkpointed) = (Twins(block, static (f, x) => f(x)), Twins(block, Autograd.Checkpoint));
        for (int i = 0; i < 3; i++)
        {
            Step(plain, i);
            Step(checkpointed, i);
        }

        foreach ((string name, NDArray parameter) in plain.Compiled.Parameters)
            Assert.Equal(StepTwins.Bytes(parameter), StepTwins.Bytes(checkpointed.Compiled.Parameters[name]));
        (HybridReport before, HybridReport after) = (plain.Function.Report, checkpointed.Function.Report);
        Assert.True(after.ArenaBytes < 0.4 * before.ArenaBytes, $"{after.ArenaBytes} bytes with checkpoints, {before.ArenaBytes} without.\n{after}");
        Assert.True(after.KernelCount > before.KernelCount);
        Assert.False(after.FellBack);
    }

    [Fact]
    public void ACheckpointInACheckpointIsPartOfIt()
    {
        StepTwins twins = Twins("products", static (f, x) => Autograd.Checkpoint(y => Autograd.Checkpoint(f, y), x));
        for (int i = 0; i < 2; i++) Step(twins, i);
        Assert.True(twins.Function.Report.ArenaBytes < 0.4 * Traced("products").ArenaBytes);
    }

    /// <summary>A checkpoint runs once more in backward, and reads what is there then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnArrayThatWasWrittenSinceIsReadAgain(bool nested)
    {
        Func<NDArray, NDArray, NDArray> f = (x, scale) =>
        {
            Func<NDArray, NDArray> scaled = v => (v * scale).Tanh(), block = nested ? v => Autograd.Checkpoint(scaled, v) : scaled;
            NDArray y;
            using (Autograd.Record()) y = Autograd.Checkpoint(block, x).Sum();
            scale.Assign(scale * 2);
            y.Backward();
            return y;
        };
        NDArray[] expected = Run(f), actual = Run(f.Hybridize(Check.Strict).Invoke);
        Check.Same(expected, actual);

        static NDArray[] Run(Func<NDArray, NDArray, NDArray> f)
        {
            NDArray x = TestArrays.Uniform(8), scale = TestArrays.Uniform(8, 2);
            x.AttachGrad(GradReq.Add);
            return [f(x, scale), f(x, scale), x.Grad!, scale];
        }
    }

    /// <summary>A checkpoint runs once more in backward, and writes once more what it writes; in a compiled function it wrote once.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void WhatACheckpointWritesIsWrittenAgain(bool wholeStep, bool nested)
    {
        NDArray[] expected = Run(compile: false), actual = Run(compile: true);
        Check.Same(expected, actual);

        NDArray[] Run(bool compile)
        {
            NDArray x = TestArrays.Uniform(8), calls = Nd.Zeros(3), own = Nd.Zeros(8);
            x.AttachGrad();
            Func<NDArray, NDArray> inner = v =>
            {
                NDArray made = Nd.Zeros(8);
                made.Assign(own);
                calls.Assign(calls + 1);
                return (v * 2 + made).Tanh();
            };
            Func<NDArray, NDArray> block = nested ? v => Autograd.Checkpoint(inner, v) * v : inner;
            Func<NDArray, NDArray> f = v =>
            {
                if (!wholeStep) return Autograd.Checkpoint(block, v).Sum();
                NDArray y;
                using (Autograd.Record()) y = Autograd.Checkpoint(block, v).Sum();
                y.Backward();
                return y;
            };
            HybridFunction<Func<NDArray, NDArray>>? compiled = compile ? f.Hybridize() : null;
            List<NDArray> found = [];
            for (int i = 0; i < 3; i++)
            {
                NDArray y;
                using (RecordScope scope = wholeStep ? Autograd.Pause(trainMode: true) : Autograd.Record()) y = compiled is null ? f(x) : compiled.Invoke(x);
                if (!wholeStep) y.Backward();
                found.AddRange([y.Detach(), x.Grad!.Copy(), calls.Copy()]);
            }

            Assert.Equal(compile && !wholeStep, compiled is { Report.FellBack: true });
            return [.. found];
        }
    }

    [Fact]
    public void CapturedArraysAndSeveralHeadsMeet()
    {
        NDArray w = TestArrays.Uniform((16, 16), 3), v = TestArrays.Uniform((8, 16), 4);
        w.AttachGrad();
        v.AttachGrad();
        NDArray[] expected = Run(Body), actual = Run(new Func<NDArray>(Body).Hybridize(Check.Strict).Invoke);
        Check.Same(expected, actual);

        NDArray Body()
        {
            NDArray loss;
            using (Autograd.Record())
            {
                NDArray h = v.Tanh();
                NDArray a = Autograd.Checkpoint(x => (x.MatMul(w).Tanh() * h).MatMul(w), h), b = Autograd.Checkpoint(x => x.MatMul(w).Exp() + a, h);
                loss = (a * b).Sum() + b.Sum();
            }

            loss.Backward();
            return loss;
        }

        NDArray[] Run(Func<NDArray> step)
        {
            NDArray loss = step();
            return [loss, w.Grad!.Copy(), v.Grad!.Copy()];
        }
    }

    [Fact]
    public void GradientsOfGradientsHaveTheBitsOfEagerExecution()
    {
        NDArray w = TestArrays.Uniform((6, 6), 3), x = TestArrays.Uniform((4, 6), 4);
        w.AttachGrad();
        x.AttachGrad();
        Check.Same(Penalty(), new Func<NDArray>(Penalty).Hybridize(Check.Strict).Invoke());

        NDArray Penalty()
        {
            using RecordScope scope = Autograd.Record();
            NDArray y = Autograd.Checkpoint(a => a.MatMul(w).Tanh().MatMul(w).Sigmoid(), x).Sum();
            return Autograd.Grad(y, x, createGraph: true).Square().Sum();
        }
    }

    private static HybridReport Traced(string block)
    {
        StepTwins twins = Twins(block, static (f, x) => f(x));
        Step(twins, 0);
        return twins.Function.Report;
    }

    private static void Step(StepTwins twins, int seed)
    {
        NDArray x = TestArrays.Uniform((64, 32), seed), y = Nd.Array([.. Enumerable.Range(0, 64).Select(i => (i * 7 + seed) % 8)]);
        Nd.Random.Seed((ulong)seed);
        RandomState before = Nd.Random.Place;
        NDArray expected = twins.EagerStep(x, y);
        RandomState after = Nd.Random.Place;
        Nd.Random.Place = before;
        Assert.Equal(StepTwins.Bytes(expected), StepTwins.Bytes(twins.Function.Invoke(x, y)));
        Assert.Equal(after, Nd.Random.Place);
        twins.AssertSameState();
    }

    private static StepTwins Twins(string block, Wrapper wrapper) => new(
        () => new Stack(block, wrapper), static p => new Sgd(p, 0.05, momentum: 0.9), StepTwins.PlainStep, Check.Strict);

    /// <summary>Eight blocks of one kind, each behind the wrapper, and a linear layer.</summary>
    private sealed class Stack : Module
    {
        private readonly Module[] _blocks;
        private readonly Module _last = new Linear(32, 8);
        private readonly Wrapper _wrapper;

        public Stack(string kind, Wrapper wrapper)
        {
            _wrapper = wrapper;
            _blocks = [.. Enumerable.Range(0, 8).Select(_ => Block(kind))];
            for (int i = 0; i < _blocks.Length; i++) Child($"block{i}", _blocks[i]);
            Child("last", _last);
        }

        protected internal override NDArray ForwardCore(NDArray x)
        {
            foreach (Module block in _blocks) x = _wrapper(y => y + block.Forward(y), x);
            return _last.Forward(x);
        }

        private static Module Block(string kind) => kind switch
        {
            "products" => new Sequential(new Linear(32, 128), new Gelu(), new Linear(128, 128), new Gelu(), new Linear(128, 32)),
            "dropout" => new Sequential(new Linear(32, 128), new Gelu(), new Dropout(0.25), new Linear(128, 128), new Gelu(), new Linear(128, 32)),
            "rows" => new Sequential(new LayerNorm(32), new Linear(32, 128), new Gelu(), new LayerNorm(128), new Linear(128, 32)),
            "batch norm" => new Sequential(new Linear(32, 128), new BatchNorm(128), new Gelu(), new Linear(128, 128), new Gelu(), new Linear(128, 32)),
            _ => new Images(),
        };
    }

    private sealed class Images : Module
    {
        private readonly Conv2d _first = new(1, 4, 3, padding: 1), _second = new(4, 1, 3, padding: 1);

        public Images()
        {
            Child("first", _first);
            Child("second", _second);
        }

        protected internal override NDArray ForwardCore(NDArray x) => _second.Forward(Nd.Gelu(_first.Forward(x.Reshape(-1, 1, 4, 8)))).Reshape(-1, 32);
    }
}
