using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Modules: names, values, modes, initialisers, and that a network learns.</summary>
[Collection(nameof(RandomStream))]
public sealed class ModuleTests
{
    public static TheoryData<string> Activations => [.. s_activations.Keys];

    private static readonly Dictionary<string, (Module Module, Func<NDArray, NDArray> Function)> s_activations = new()
    {
        ["Relu"] = (new Relu(), Nd.Relu),
        ["LeakyRelu"] = (new LeakyRelu(0.2), static x => x.LeakyRelu(0.2)),
        ["Gelu"] = (new Gelu(), static x => x.Gelu()),
        ["Gelu, tanh form"] = (new Gelu(approximate: true), static x => x.Gelu(true)),
        ["Silu"] = (new Silu(), Nd.Silu),
        ["Sigmoid"] = (new Sigmoid(), Nd.Sigmoid),
        ["Tanh"] = (new Tanh(), Nd.Tanh),
        ["Softplus"] = (new Softplus(), Nd.Softplus),
        ["Softmax"] = (new Softmax(axis: 0), static x => x.Softmax(0)),
        ["LogSoftmax"] = (new LogSoftmax(), static x => x.LogSoftmax()),
        ["Flatten"] = (new Flatten(), Nd.Flatten),
    };

    [Theory]
    [MemberData(nameof(Activations))]
    public void AnActivationIsItsFunction(string name)
    {
        NDArray x = Nd.Linspace(-3, 3, 12).Reshape(2, 3, 2);
        NDArray expected = s_activations[name].Function(x);
        NDArray actual = s_activations[name].Module.Forward(x);
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.Equal(Expect.Doubles(expected), Expect.Doubles(actual));
        Assert.Empty(s_activations[name].Module.Parameters);
    }

    [Fact]
    public void LinearIsAProductPlusABias()
    {
        Linear layer = new(3, 2, dtype: DType.Float64);
        layer.Weight.CopyFrom([1.0, 2, 3, 4, 5, 6]);
        layer.Bias!.CopyFrom([10.0, 20]);
        NDArray x = Nd.Array(new double[,] { { 1, 0, -1 }, { 2, 2, 2 } });
        Expect.Elements(layer.Forward(x), 8, 18, 22, 50);
        Assert.Equal(new Shape(4, 5, 2), layer.Forward(Nd.Ones((4, 5, 3), DType.Float64)).Shape);
        Assert.Equal(new Shape(2), layer.Forward(Nd.Ones(3, DType.Float64)).Shape);
        Assert.Equal(["weight"], new Linear(3, 2, bias: false).Parameters.Keys);
        Expect.Throws<ShapeException>(() => layer.Forward(Nd.Ones((2, 4), DType.Float64)), "Linear: inner dimensions differ", "4 ≠ 3");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Linear(0, 2));
        Expect.Throws<ArgumentNullException>(() => layer.Forward(null!));
    }

    [Fact]
    public void ParametersHaveDottedNamesAndGradients()
    {
        Block block = new();
        Assert.Equal(["scale", "inner.0.weight", "inner.0.bias", "inner.2.weight", "inner.2.bias"], block.Parameters.Keys);
        Assert.Equal(["running"], block.Buffers.Keys);
        Assert.Equal(["inner", "again"], block.Children.Keys);
        Assert.All(block.Parameters.Values, static p => Assert.Equal(GradReq.Write, p.GradReq));
        Assert.Null(block.Buffers["running"].Grad);
        using (Autograd.Record()) block.Forward(Nd.Ones((2, 4))).Sum().Backward();
        Assert.All(block.Parameters.Values, static p => Assert.True(p.FreshGrad));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("scale")]
    public void NamesAreUniqueAndWithoutDots(string name) => Expect.Throws<ArgumentException>(() => _ = new Block(name), name.Length == 0 ? "empty" : name);

    [Fact]
    public void ARangeOfASequentialIsAChainOfTheSameModules()
    {
        Sequential network = new() { new Linear(2, 3), new Tanh(), new Linear(3, 4), new Sequential(new Relu()) };
        NDArray x = Nd.Linspace(-1, 1, 6).Reshape(3, 2);
        Assert.Equal(Expect.Doubles(network[..2].Forward(x)), Expect.Doubles(network[1].Forward(network[0].Forward(x))));
        Assert.Same(network[^1], network[1..][^1]);
        Assert.Equal([network[1], network[2]], network[1..3]);
        Assert.Equal(["2.weight", "2.bias", "0.weight", "0.bias"], network[2..3].Parameters.Keys.Select(static k => k.Replace('0', '2')).Concat(network[..1].Parameters.Keys));
        Assert.Empty(network[4..]);
        Assert.ThrowsAny<ArgumentException>(() => network[3..5]);
    }

    [Fact]
    public void ASequenceRunsInOrder()
    {
        Sequential network = new(new Flatten(), new Tanh());
        Assert.Equal(2, network.Count);
        Assert.Same(network, network.Add(new Linear(4, 1)));
        Assert.IsType<Linear>(network[2]);
        Assert.Equal(new Shape(3, 1), network.Forward(Nd.Ones((3, 2, 2))).Shape);
        Assert.Equal(["2.weight", "2.bias"], network.Parameters.Keys);
        NDArray x = Nd.Ones(3);
        Assert.Equal(Expect.Doubles(x), Expect.Doubles(new Sequential().Forward(x)));
        Expect.Throws<ArgumentNullException>(() => network.Add(null!));
        Expect.Throws<ArgumentNullException>(() => _ = new Sequential(null!));
    }

    [Fact]
    public void DropoutDropsAndScalesInTraining()
    {
        Nd.Random.Seed(21);
        Dropout dropout = new(0.25);
        NDArray x = Nd.Ones(40_000);
        Assert.Equal(1, dropout.Forward(x).Min().Item<float>());
        NDArray y;
        using (Autograd.TrainMode()) y = dropout.Forward(x);
        Assert.InRange(y.Mean().Item<float>(), 0.97f, 1.03f);
        Assert.Equal([0f, 4 / 3f], y.ToArray<float>().Distinct().Order());
        Assert.InRange(y.Equal(0).AsType(DType.Float32).Mean().Item<float>(), 0.24f, 0.26f);
        using (Autograd.TrainMode()) Expect.Elements(Nd.Ones(3).Dropout(1), 0, 0, 0);
    }

    public static TheoryData<string, double, double> Initializers => new()
    {
        { "zeros", 0, 0 }, { "ones", 1, 0 }, { "constant", 0.3, 0 }, { "uniform", 1, 4 / Math.Sqrt(12) }, { "normal", -2, 0.5 },
        { "xavier uniform", 0, Math.Sqrt(2.0 / 500) }, { "xavier normal", 0, Math.Sqrt(2.0 / 500) }, { "xavier normal, gain 3", 0, 3 * Math.Sqrt(2.0 / 500) },
        { "he uniform", 0, Math.Sqrt(2.0 / 200) }, { "he normal", 0, Math.Sqrt(2.0 / 200) }, { "he normal, slope 1", 0, Math.Sqrt(1.0 / 200) },
    };

    [Theory]
    [MemberData(nameof(Initializers))]
    public void InitializersHaveTheirMeanAndDeviation(string name, double mean, double deviation)
    {
        Initializer initializer = name switch
        {
            "zeros" => Initializer.Zeros,
            "ones" => Initializer.Ones,
            "constant" => Initializer.Constant(0.3),
            "uniform" => Initializer.Uniform(-1, 3),
            "normal" => Initializer.Normal(-2, 0.5),
            "xavier uniform" => Initializer.XavierUniform(),
            "xavier normal" => Initializer.XavierNormal(),
            "xavier normal, gain 3" => Initializer.XavierNormal(gain: 3),
            "he uniform" => Initializer.HeUniform(),
            "he normal" => Initializer.HeNormal(),
            _ => Initializer.HeNormal(negativeSlope: 1),
        };
        NDArray sample = initializer.Sample((300, 200), DType.Float64);
        Assert.Equal((new Shape(300, 200), DType.Float64), (sample.Shape, sample.DType));
        // 60 000 values: five standard errors of the mean, 3 % of the deviation.
        Assert.InRange(sample.Mean().Item<double>(), mean - 5 * deviation / 245 - 1e-9, mean + 5 * deviation / 245 + 1e-9);
        Assert.InRange(sample.Std().Item<double>(), 0.97 * deviation - 1e-9, 1.03 * deviation + 1e-9);
        if (name.EndsWith("uniform", StringComparison.Ordinal)) Assert.InRange((sample - mean).Abs().Max().Item<double>(), 0, Math.Sqrt(3) * deviation);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ANetworkLearnsExclusiveOr(bool adam)
    {
        Nd.Random.Seed(2);
        Sequential network = new(new Linear(2, 16), new Tanh(), new Linear(16, 2));
        Optimizer optimizer = adam ? new Adam(network.Parameters, 0.05) : new Sgd(network.Parameters, 0.5, momentum: 0.9);
        NDArray x = Nd.Array(new float[,] { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } }), labels = Nd.Array([0, 1, 1, 0]);
        float loss = float.NaN;
        for (int step = 0; step < 200; step++)
        {
            NDArray value;
            using (Autograd.Record()) value = Loss.SoftmaxCrossEntropy(network.Forward(x), labels);
            value.Backward();
            optimizer.Step();
            loss = value.Item<float>();
        }

        Assert.InRange(loss, 0, 0.05f);
        Expect.Elements(network.Forward(x).ArgMax(1), 0, 1, 1, 0);
    }

    // A parameter, a buffer, a child, and the child's layer once more under another name.
    private sealed class Block : Module
    {
        private readonly Sequential _inner;
        private readonly NDArray _scale;

        public Block(string? extra = null)
        {
            _scale = Parameter("scale", Nd.Ones(4));
            Buffer("running", Nd.Zeros(4));
            _inner = Child("inner", new Sequential(new Linear(4, 3), new Relu(), new Linear(3, 4)));
            Child("again", _inner[0]);
            if (extra is not null) Parameter(extra, Nd.Ones(1));
        }

        protected internal override NDArray ForwardCore(NDArray x) => _inner.Forward(x * _scale);
    }
}
