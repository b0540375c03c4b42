using Fusion.Optim;

namespace Fusion.Tests.Training;

/// <summary>
/// A random optimizer with all its options, and random parameters of several shapes and element types, empty ones and numbers among them, of a loss whose
/// gradient is known: all drawn from one seed, the same again for the same seed.
/// </summary>
internal sealed class OptimizerDrawing
{
    private static readonly Shape[] s_shapes = [default, 1, 5, (2, 3), (0, 3), 0, (1, 1), (3, 1, 2), 17, (64, 65), 100_000];

    private readonly NDArray[] _slopes, _centers;
    private readonly Schedule? _schedule;
    private readonly int[] _reached;

    public OptimizerDrawing(int seed)
    {
        Random random = new(seed);
        int count = 1 + random.Next(6);
        DType[] types = random.Next(4) switch
        {
            0 or 1 => [DType.Float64],
            2 => [DType.Float32],
            _ => [DType.Float32, DType.Float64, DType.Float16, DType.BFloat16],
        };
        Parameters = new NDArray[count];
        (_slopes, _centers, _reached) = (new NDArray[count], new NDArray[count], new int[count]);
        bool wide = random.Next(8) == 0;
        for (int i = 0; i < count; i++)
        {
            Shape shape = s_shapes[random.Next(s_shapes.Length - (wide ? 0 : 1))];
            DType type = types[random.Next(types.Length)];
            (Parameters[i], _slopes[i], _centers[i]) = (Draw(shape, type, random), Draw(shape, type, random).Abs(), Draw(shape, type, random));
            Parameters[i].AttachGrad(random.Next(4) == 0 ? GradReq.Add : GradReq.Write);

            // Some are left out by the loss of every second or third step, or of all of them.
            _reached[i] = random.Next(6) switch { 0 => 2, 1 => 3, 2 when i > 0 => 100, _ => 1 };
        }

        _reached[0] = 1;
        Optimizer = Next(random, Parameters);
        Optimizer.IgnoreStaleGradients = Array.Exists(_reached, static r => r != 1);
        _schedule = random.Next(3) == 0 ? new LambdaSchedule(Optimizer, static t => 1 / (1.0 + t % 4)) : null;
        Clip = random.Next(3) == 0 ? Math.Pow(10, random.Next(-2, 3)) : 0;
        ZeroFirst = random.Next(3) == 0;
        ZeroLast = !ZeroFirst && random.Next(3) == 0;
    }

    public NDArray[] Parameters { get; }

    public Optimizer Optimizer { get; }

    public Dictionary<string, double> Options { get; } = [];

    public bool ZeroFirst { get; }

    public bool ZeroLast { get; }

    public double Clip { get; }

    /// <summary>Rounding stays small: all numbers are double, and nothing is divided by what may be next to nothing.</summary>
    public bool IsExact =>
        Array.TrueForAll(Parameters, static p => p.DType == DType.Float64) && Options.GetValueOrDefault("beta2", 1) > 0 && Options.GetValueOrDefault("epsilon", 1) >= 1e-6
        && !(Options.GetValueOrDefault("centered") > 0 && Options["alpha"] == 0);

    /// <summary>Whether the loss of a step depends on a parameter.</summary>
    public bool Reaches(int step, int parameter) => step % _reached[parameter] == 0;

    public double[] Slopes(int i) => Doubles(_slopes[i]);

    public double[] Centers(int i) => Doubles(_centers[i]);

    /// <summary>A bit for each parameter on which the loss of a step depends.</summary>
    public int Reached(int step) => Enumerable.Range(0, Parameters.Length).Sum(i => Reaches(step, i) ? 1 << i : 0);

    public static double[] Doubles(NDArray x) => x.AsType(DType.Float64).ToArray<double>();

    /// <summary>½ Σ a·(p − c)²·w over the parameters that the step reaches; then the update.</summary>
    public NDArray Step(NDArray weight, int step)
    {
        if (ZeroFirst) Optimizer.ZeroGrad();
        NDArray loss;
        using (Autograd.Record())
        {
            loss = Nd.Scalar(0, DType.Float64);
            for (int i = 0; i < Parameters.Length; i++)
                if (Reaches(step, i)) loss = loss + (_slopes[i] * (Parameters[i] - _centers[i]).Square()).Sum().AsType(DType.Float64) * 0.5 * weight;
        }

        loss.Backward();
        if (Clip > 0) Optimizer.ClipGradNorm(Clip);
        Optimizer.Step();
        _schedule?.Step();
        if (ZeroLast) Optimizer.ZeroGrad();
        return loss;
    }

    public override string ToString() =>
        $"{Optimizer.GetType().Name} [{string.Join(", ", Options.Select(static o => $"{o.Key} {o.Value}"))}], clip {Clip}, schedule {_schedule is not null}, zero {ZeroFirst} {ZeroLast}, "
        + string.Join(", ", Parameters.Select((p, i) => $"{p.DType} {p.Shape} {p.GradReq} every {_reached[i]}"));

    private Optimizer Next(Random random, NDArray[] p)
    {
        double Pick(string name, params double[] values)
        {
            double value = values[random.Next(values.Length)];
            Options[name] = value;
            return value;
        }

        double rate = Pick("rate", 0, 0.001, 0.05, 0.7), decay = Pick("decay", 0, 0, 0.01, 0.5);
        switch (random.Next(7))
        {
            case 0:
                double momentum = Pick("momentum", 0, 0.5, 0.9, 1);
                return new Sgd(p, rate, momentum, decay, nesterov: momentum > 0 && Pick("nesterov", 0, 1) > 0);
            case 1: return new Adam(p, rate, Pick("beta1", 0, 0.5, 0.9), Pick("beta2", 0, 0.9, 0.999), Pick("epsilon", 1e-8, 1e-3), decay, Pick("amsGrad", 0, 1) > 0);
            case 2: return new AdamW(p, rate, Pick("beta1", 0, 0.5, 0.9), Pick("beta2", 0, 0.9, 0.999), Pick("epsilon", 1e-8, 1e-3), decay, Pick("amsGrad", 0, 1) > 0);
            case 3: return new RmsProp(p, rate, Pick("alpha", 0, 0.5, 0.99), Pick("epsilon", 1e-8, 1e-3), decay, Pick("momentum", 0, 0.9), Pick("centered", 0, 1) > 0);
            case 4: return new AdaGrad(p, rate, Pick("rateDecay", 0, 0.1), decay, Pick("initial", 0, 0.3), Pick("epsilon", 1e-10, 1e-3));
            case 5: return new AdaDelta(p, rate, Pick("rho", 0, 0.5, 0.9), Pick("epsilon", 1e-6, 1e-3), decay);
            default: return new Lamb(p, rate, Pick("beta1", 0, 0.5, 0.9), Pick("beta2", 0, 0.9, 0.999), Pick("epsilon", 1e-6, 1e-3), decay);
        }
    }

    private static NDArray Draw(Shape shape, DType type, Random random) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => random.Next(12) == 0 ? 0.0 : Math.Round(random.NextDouble() * 4 - 2, 2)).ToArray(), shape).AsType(type);
}
