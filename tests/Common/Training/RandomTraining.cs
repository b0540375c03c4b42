using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.Training;

/// <summary>A random network, loss, optimizer, schedule and step, all drawn from one seed: the same again for the same seed.</summary>
internal sealed class RandomTraining
{
    private readonly Device _device;
    private readonly int[] _input;
    private readonly int _tokens;
    private readonly int _loss;
    private readonly int _way;
    private readonly double _clip;
    private readonly Schedule? _schedule;

    public RandomTraining(int seed, Device? device = null, bool wide = false)
    {
        _device = device ?? Device.Cpu;
        Random random = new(seed);
        Nd.Random.Seed((ulong)seed);
        (Network, _input, _tokens) = RandomNetwork.Next(random, wide);
        Network.To(_device);
        foreach (NDArray parameter in Network.Parameters.Values)
            if (random.Next(4) == 0) parameter.AttachGrad(GradReq.Add);
        _loss = random.Next(5);
        _way = random.Next(6);
        Optimizer = NextOptimizer(random, Network.Parameters.Values);
        _schedule = NextSchedule(random, Optimizer);
        _clip = random.Next(3) == 0 ? 0.1 + random.NextDouble() : 0;
    }

    public Module Network { get; }

    public Optimizer Optimizer { get; }

    /// <summary>What is compared apart from the loss.</summary>
    public IEnumerable<(string Name, NDArray? Value)> State =>
        Network.Parameters.SelectMany(static p => new[] { (p.Key, (NDArray?)p.Value), ($"{p.Key}.Grad", p.Value.Grad) }).Concat(Network.Buffers.Select(static b => (b.Key, (NDArray?)b.Value)));

    /// <summary>Inputs and targets of one step.</summary>
    public (NDArray X, NDArray Y) Batch(int seed, int size)
    {
        Random random = new(seed);
        int[] shape = [size, .. _input];
        NDArray x = _tokens > 0 ? TestArrays.Indices(shape, _tokens, seed) : TestArrays.Uniform(shape, seed);
        int outputs = RandomNetwork.Outputs(Network);
        NDArray y = _loss == 0 ? TestArrays.Indices(size, outputs, seed + 1) : _loss == 1 ? (TestArrays.Uniform((size, outputs), seed + 1) > 0).AsType(DType.Float32) : TestArrays.Uniform((size, outputs), seed + 1);
        return (x.To(_device), y.To(_device));
    }

    /// <summary>Forward, loss, backward, update.</summary>
    public NDArray Step(NDArray x, NDArray y)
    {
        NDArray loss;
        if (_way == 1) Optimizer.ZeroGrad();
        using (Autograd.Record()) loss = Loss(_way == 2 && _tokens == 0 ? Autograd.Checkpoint(Network.Forward, x) : Network.Forward(x), y);
        loss.Backward(retainGraph: _way == 3);
        if (_way == 3) loss.Backward();
        if (_way == 4)
        {
            using (Autograd.Record()) Loss(Network.Forward(x * 1), y).Backward();
        }

        if (_clip > 0) Optimizer.ClipGradNorm(_clip);
        Optimizer.Step();
        _schedule?.Step();
        if (_way == 5) Optimizer.ZeroGrad();
        return loss;
    }

    public override string ToString() =>
        $"{Network}, {string.Join(" · ", Network.Children.Values.Select(static c => c.GetType().Name))}, loss {_loss}, way {_way}, {Optimizer.GetType().Name}, clip {_clip}, {_schedule?.GetType().Name}";

    private NDArray Loss(NDArray prediction, NDArray target) => _loss switch
    {
        0 => NN.Loss.SoftmaxCrossEntropy(prediction, target),
        1 => NN.Loss.BinaryCrossEntropyWithLogits(prediction, target),
        2 => NN.Loss.Huber(prediction, target, Reduction.Sum),
        3 => NN.Loss.L1(prediction, target),
        _ => NN.Loss.MeanSquaredError(prediction, target),
    };

    private static Optimizer NextOptimizer(Random random, IEnumerable<NDArray> parameters)
    {
        double rate = 0.001 + 0.05 * random.NextDouble(), decay = random.Next(2) * 0.1 * random.NextDouble(), momentum = random.Next(2) * random.NextDouble();
        bool flag = random.Next(2) == 0;
        return random.Next(8) switch
        {
            0 => new Sgd(parameters, rate, momentum, decay, nesterov: flag && momentum > 0),
            1 => new Sgd(parameters, rate, 0, decay),
            2 => new Adam(parameters, rate, 0.5 + 0.4 * random.NextDouble(), 0.9, weightDecay: decay),
            3 => new AdamW(parameters, rate, weightDecay: decay),
            4 => new RmsProp(parameters, rate, weightDecay: decay, momentum: momentum, centered: flag),
            5 => new AdaGrad(parameters, rate, learningRateDecay: decay, weightDecay: decay, initialAccumulator: flag ? 0.1 : 0),
            6 => new AdaDelta(parameters, weightDecay: decay),
            _ => new Lamb(parameters, rate, weightDecay: decay),
        };
    }

    private static Schedule? NextSchedule(Random random, Optimizer optimizer) => random.Next(8) switch
    {
        0 => new StepSchedule(optimizer, 2, 0.5),
        1 => new CosineSchedule(optimizer, 4),
        2 => new ExponentialSchedule(optimizer, 0.9),
        3 => new WarmupSchedule(optimizer, 3, static o => new CosineSchedule(o, 5)),
        4 => new PolynomialSchedule(optimizer, 4, 2),
        5 => new MultiStepSchedule(optimizer, [1, 3]),
        _ => null,
    };
}
