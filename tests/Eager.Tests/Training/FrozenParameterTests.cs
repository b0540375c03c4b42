using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Fine-tuning: parameters whose gradients were dropped stay as they are, and go on where they were when they get them back.</summary>
public sealed class FrozenParameterTests
{
    public static TheoryData<string> Ways => ["DropGrad", "AttachGrad", "MarkVariables"];

    [Theory]
    [MemberData(nameof(Ways))]
    public void AFrozenParameterStaysAsItIs(string way)
    {
        NDArray trained = Leaf.Doubles(1, 2), frozen = Leaf.Doubles(3, 4), alone = Leaf.Doubles(1, 2);
        Freeze(frozen, way);
        Adam both = new([trained, frozen], 0.1), one = new([alone], 0.1);
        for (int i = 0; i < 3; i++)
        {
            using (Autograd.Record()) Autograd.Backward([(trained * frozen).Sum(), (alone * Nd.Array([3.0, 4])).Sum()]);
            Assert.Equal(one.ClipGradNorm(1), both.ClipGradNorm(1).Value);
            both.Step();
            one.Step();
            both.ZeroGrad();
        }

        Expect.Elements(frozen, 3, 4);
        Assert.Equal(Expect.Doubles(alone), Expect.Doubles(trained));
        Assert.Equal(3, both.StepCount);
    }

    [Fact]
    public void WhatIsKeptOfAParameterOutlastsTheTimeThatItIsFrozen()
    {
        NDArray w = Leaf.Doubles(1), other = Leaf.Doubles(1), reference = Leaf.Doubles(1);
        Sgd sgd = new([w, other], 0.1, momentum: 0.9), plain = new([reference], 0.1, momentum: 0.9);
        for (int i = 0; i < 4; i++)
        {
            if (i == 2) w.DropGrad();
            if (i == 3) w.AttachGrad();
            using (Autograd.Record()) Autograd.Backward([w * 2 + other, reference * 2]);
            sgd.Step();
            if (i != 2) plain.Step();
        }

        Assert.Equal(Expect.Doubles(reference), Expect.Doubles(w));
    }

    [Fact]
    public void OneThatWasForgottenIsStillRefused()
    {
        NDArray frozen = Leaf.Of(1), forgotten = Nd.Ones(2);
        frozen.DropGrad();
        Expect.Throws<AutogradException>(new Sgd([frozen, forgotten], 0.1).Step, "parameter 1, (2,)", "has no gradient", "AttachGrad()", "DropGrad()");
        new Sgd([frozen], 0.1).Step();
        Expect.Elements(frozen, 1);
        frozen.AttachGrad();
        Expect.Throws<AutogradException>(new Sgd([frozen], 0.1).Step, "IgnoreStaleGradients");
    }

    [Fact]
    public void AFrozenBodyUnderATrainedHead()
    {
        using TemporaryFolder folder = new();
        string path = folder["body.safetensors"];
        Sequential body = new(new Linear(3, 4), new Tanh()), saved = new(new Linear(3, 4), new Tanh());
        saved.Save(path);
        foreach (NDArray parameter in body.Parameters.Values) parameter.DropGrad();
        body.Load(path);
        Linear head = new(4, 2);
        Sequential network = new(body, head);
        AdamW optimizer = new(network.Parameters, 0.01);
        NDArray x = Nd.Random.Normal(0, 1, (5, 3)), y = Nd.Array([0, 1, 0, 1, 1]);
        float[] before = head.Weight.ToArray<float>();
        for (int i = 0; i < 2; i++)
        {
            using (Autograd.Record()) Loss.SoftmaxCrossEntropy(network.Forward(x), y).Backward();
            optimizer.Step();
        }

        foreach ((string name, NDArray parameter) in body.Parameters)
        {
            Assert.Null(parameter.Grad);
            Assert.Equal(saved.Parameters[name].ToArray<float>(), parameter.ToArray<float>());
        }

        Assert.NotEqual(before, head.Weight.ToArray<float>());
        optimizer.Save(folder["optimizer.npz"]);
        optimizer.Load(folder["optimizer.npz"]);
    }

    [Fact]
    public void RegisteringAFrozenParameterElsewhereLeavesItFrozen()
    {
        Linear linear = new(2, 2);
        linear.Weight.DropGrad();
        Tied tied = new(linear.Weight);
        Assert.Null(tied.Parameters["weight"].Grad);
    }

    private static void Freeze(NDArray parameter, string way)
    {
        if (way == "DropGrad") parameter.DropGrad();
        else if (way == "AttachGrad") parameter.AttachGrad(GradReq.Null);
        else Autograd.MarkVariables(parameter, Nd.ZerosLike(parameter), GradReq.Null);
    }

    private sealed class Tied : Module
    {
        private readonly NDArray _weight;

        public Tied(NDArray weight) => _weight = Parameter("weight", weight);

        protected internal override NDArray ForwardCore(NDArray x) => Nd.FullyConnected(x, _weight);
    }
}
