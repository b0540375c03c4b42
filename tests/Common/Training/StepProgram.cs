using System.Text;
using Fusion.NN;
using Fusion.Optim;

namespace Fusion.Tests.Training;

/// <summary>
/// A random training step of two optimizers: losses of several networks, backward with all its options, updates, schedules, clipping, running averages, weights
/// written in place and gradients of gradients, also inside of choices and loops, whose conditions depend on what has just been written.
/// </summary>
internal sealed class StepProgram
{
    private const int Plain = 15, Kinds = 21, Deepest = 2;

    private readonly Random _random;
    private readonly List<Action<List<NDArray>>> _body = [];
    private readonly StringBuilder _text = new();
    private readonly NDArray[] _weights;
    private readonly NDArray _average, _scale = Nd.Scalar(1), _count = Nd.Scalar(0, DType.Int32);
    private readonly Schedule[] _schedules;
    private readonly BatchNorm _norm = new(3);
    private readonly Lstm _lstm;

    public StepProgram(int seed)
    {
        _random = new Random(seed);
        Nd.Random.Seed((ulong)seed);
        _weights = [Draw((3, 3), _random), Draw(3, _random), Draw((3, 3), _random), Draw(default, _random)];
        foreach (NDArray weight in _weights) weight.AttachGrad(_random.Next(4) == 0 ? GradReq.Add : GradReq.Write);
        (_average, _lstm) = (_weights[0].Copy(), new Lstm(3, 3));
        NDArray[] others = _random.Next(2) == 0 ? _weights[2..] : [.. _weights[1..], .. _norm.Parameters.Values, .. _lstm.Parameters.Values];
        Optimizers = [NextOptimizer(_weights[..2]), NextOptimizer(others)];
        foreach (Optimizer optimizer in Optimizers) optimizer.IgnoreStaleGradients = _random.Next(6) > 0;
        _schedules = [new ExponentialSchedule(Optimizers[0], 0.5), new WarmupSchedule(Optimizers[1], 2, static o => new CosineSchedule(o, 6))];
        AddBlock(_body, 2 + _random.Next(5), 0);
    }

    public Optimizer[] Optimizers { get; }

    /// <summary>Everything that a step may change.</summary>
    public IEnumerable<(string Name, NDArray Array)> State =>
    [
        .. _weights.Select(static (w, i) => ($"weight {i}", w)), ("average", _average), ("scale", _scale), ("count", _count),
        .. ((Module[])[_norm, _lstm]).SelectMany(static m => m.Parameters.Concat(m.Buffers)).Select(static p => (p.Key, p.Value)),
    ];

    public static NDArray Draw(Shape shape, Random random) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => (float)Math.Round(random.NextDouble() * 2 - 1, 3)).ToArray(), shape);

    public NDArray Step(NDArray x) => Run(_body, x, x) * 1;

    /// <summary>What happens between calls.</summary>
    public void Change(Random random)
    {
        if (random.Next(5) == 0) Optimizers[0].LearningRate = random.NextDouble() * 0.1;
        if (random.Next(9) == 0) Optimizers[1].IgnoreStaleGradients = random.Next(2) == 0;
        if (random.Next(7) == 0) _weights[1].AttachGrad(GradReq.Add);
        if (random.Next(7) == 0) _scale.Fill(random.Next(4));
    }

    public override string ToString() => $"{Optimizers[0].GetType().Name}, {Optimizers[1].GetType().Name}\n{_text}";

    private static NDArray Run(List<Action<List<NDArray>>> statements, params List<NDArray> values)
    {
        foreach (Action<List<NDArray>> statement in statements) statement(values);
        return values[^1];
    }

    private Optimizer NextOptimizer(NDArray[] parameters) => _random.Next(7) switch
    {
        0 => new Sgd(parameters, 0.1, 0.9, 0.01, nesterov: true),
        1 => new Sgd(parameters, 0.05),
        2 => new Adam(parameters, 0.05, weightDecay: 0.1),
        3 => new AdamW(parameters, 0.05),
        4 => new RmsProp(parameters, 0.01, momentum: 0.5, centered: true),
        5 => new Lamb(parameters, 0.02),
        _ => new AdaGrad(parameters, 0.1, 0.1),
    };

    private NDArray Network(NDArray x, int kind) => (kind % 6) switch
    {
        0 => x.MatMul(_weights[0]).Tanh() + _weights[1],
        1 => (x * _weights[1]).MatMul(_weights[2]) * _weights[3],
        2 => _norm.Forward(x.MatMul(_weights[0])).Relu() * _weights[3],
        3 => x.MatMul(_weights[0]).MatMul(_weights[2].Transpose()).Dropout(0.3),
        4 => Autograd.Checkpoint(v => _norm.Forward((v * _weights[1]).MatMul(_weights[2])).Sin(), x),
        _ => _lstm.Forward(x.Reshape(-1, 1, 3)).Reshape(-1, 3) + _weights[1],
    };

    private NDArray LossOf(NDArray x, int network, int loss) => (loss % 4) switch
    {
        0 => Network(x, network).Square().Mean(),
        1 => (Network(x, network) * _scale).Abs().Sum() * 0.1,
        2 => NN.Loss.Huber(Network(x, network), x),
        _ => -Network(x, network).LogSoftmax()[.., 0].Mean(),
    };

    private void AddBlock(List<Action<List<NDArray>>> statements, int length, int depth)
    {
        for (int i = 0; i < length; i++)
        {
            (int kind, int network, int loss, int detail) = (_random.Next(depth < Deepest ? Kinds : Plain), _random.Next(12), _random.Next(12), _random.Next(12));
            _text.AppendLine($"{new string(' ', 2 * depth + 2)}{kind}: network {network}, loss {loss}, {detail}");
            List<Action<List<NDArray>>> first = [], second = [];
            if (kind >= Plain) AddBlock(first, 1 + _random.Next(3), depth + 1);
            if (kind is 15 or 16) AddBlock(second, 1 + _random.Next(2), depth + 1);
            statements.Add(kind switch
            {
                < 4 => v => v.Add(Backward(v[0], network, loss, detail)),
                4 => _ => Optimizers[0].Step(),
                5 => _ => Optimizers[1].Step(),
                6 => _ => Stepped(0, before: false),
                7 => _ => Stepped(1, before: true),
                8 => _ => Optimizers[detail % 2].ZeroGrad(),
                9 => v => v.Add(Optimizers[detail % 2].ClipGradNorm(0.05 + detail * 0.1).Array.AsType(DType.Float32)),
                10 => _ => _average.Assign(_average * 0.9 + _weights[0] * 0.1),
                11 => v => Count(v[^1]),
                12 => v => v.Add(Penalty(v[0], network, loss)),
                13 => _ => Write(_weights[2 * (detail % 2)], detail),
                14 => v => v.Add(Marked(v[0], network, loss, detail)),
                15 or 16 => v => v.Add(Nd.Cond(Condition(v[^1], detail), () => Run(first, [.. v]).Sum(), () => Run(second, [.. v]).Sum())),
                17 or 18 => v => v.Add(Nd.ForEach((row, s) => Run(first, row.Reshape(1, 3), s).Sum() is var sum ? (sum, s + sum) : default, v[0], Nd.Scalar(0)).State),
                _ => v => v.Add(Nd.WhileLoop(s => (detail % 3) switch { 0 => s < 2, 1 => _weights[0].Square().Sum() < 9, _ => _count < 2 }, s => Run(first, v[0], s) is var _ ? s + 1 : s, Nd.Scalar(0), detail % 4)),
            });
        }
    }

    private NDArray Condition(NDArray value, int detail) => (detail % 4) switch
    {
        0 => value.Sum() > 0,
        1 => _count < 3,
        2 => _weights[3] > 0,
        _ => (_weights[1].Grad!.Abs() < 0.2).All(),
    };

    private NDArray Backward(NDArray x, int network, int kind, int detail)
    {
        NDArray loss;
        using (Autograd.Record(trainMode: detail % 3 > 0)) loss = LossOf(x, network, kind);
        bool twice = detail == 8;
        loss.Backward(retainGraph: detail % 4 == 0, trainMode: detail switch { 5 => false, 7 => true, _ => null });
        if (twice) loss.Backward(trainMode: true);
        return loss;
    }

    private void Stepped(int which, bool before)
    {
        if (before) _schedules[which].Step();
        Optimizers[which].Step();
        _schedules[which].Step();
    }

    private void Count(NDArray value)
    {
        _count.Assign(_count + 1);
        _scale.Assign(_scale * 0.9 + value.Sum().Detach() * 0.01);
    }

    private NDArray Penalty(NDArray x, int network, int kind)
    {
        NDArray loss;
        using (Autograd.Record())
        {
            loss = LossOf(x, network, kind);
            NDArray[] gradients = Autograd.Grad([loss], [_weights[0], _weights[2]], createGraph: true, allowUnused: true);
            loss = loss + gradients[0].Square().Sum() * 0.1 + (gradients[1] * _weights[2]).Sum();
        }

        loss.Backward();
        return loss;
    }

    private static void Write(NDArray weight, int detail)
    {
        using RecordScope scope = Autograd.Pause();
        if (detail % 3 == 0) weight[0] = weight[1] * 0.5;
        else if (detail % 3 == 1) weight[.., 1..] = weight[.., ..2];
        else weight.Assign(weight.Transpose() * 0.9);
    }

    // A variable of its own, with a gradient buffer that was given.
    private NDArray Marked(NDArray x, int network, int kind, int detail)
    {
        NDArray gradient = Nd.Zeros(3), variable = _weights[1].Detach() * 2, loss;
        Autograd.MarkVariables(variable, gradient, detail % 2 == 0 ? GradReq.Write : GradReq.Add);
        using (Autograd.Record()) loss = (variable * x).Square().Mean() + (detail % 3 == 0 ? LossOf(x, network, kind) : Nd.Scalar(0));
        loss.Backward();
        return variable.Grad! + gradient;
    }
}
