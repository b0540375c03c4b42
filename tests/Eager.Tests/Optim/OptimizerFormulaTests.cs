using Fusion.Optim;

namespace Fusion.Tests;

/// <summary>Each optimizer against its published formula in plain loops.</summary>
public sealed class OptimizerFormulaTests
{
    private const int Steps = 6;

    private delegate double Rule(int t, double p, double g, double[] state);

    private static readonly double[] s_start = [0.5, -1.5, 2.0, 0.0];

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 0)]
    [InlineData(false, 0.9)]
    [InlineData(true, 0.9)]
    public void RmsPropFollowsItsFormula(bool centered, double momentum) => Check(
        p => new RmsProp(p, learningRate: 0.05, alpha: 0.9, epsilon: 1e-8, weightDecay: 0.1, momentum: momentum, centered: centered),
        (_, p, g, s) =>
        {
            g += 0.1 * p;
            s[0] = 0.9 * s[0] + 0.1 * g * g;
            s[1] = 0.9 * s[1] + 0.1 * g;
            double direction = g / (Math.Sqrt(centered ? s[0] - s[1] * s[1] : s[0]) + 1e-8);
            s[2] = momentum * s[2] + direction;
            return p - 0.05 * s[2];
        });

    /// <summary>A gradient that stays the same has no variance but that of rounding, whose root is none of a negative number.</summary>
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void CenteredRmsPropTakesAGradientThatStaysTheSame(DType dtype)
    {
        NDArray x = Nd.Ones(1, dtype);
        x.AttachGrad();
        RmsProp optimizer = new([x], centered: true);
        for (int i = 0; i < 4000; i++)
        {
            using (Autograd.Record()) (x * 0.1).Backward();
            optimizer.Step();
        }

        Assert.True(Nd.IsFinite(x).Item<bool>(), x.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AmsGradDividesByTheLargestMomentSoFar(bool decoupled) => Check(
        p => decoupled ? new AdamW(p, 0.1, 0.5, 0.6, 1e-8, 0.1, amsGrad: true) : new Adam(p, 0.1, 0.5, 0.6, 1e-8, 0.1, amsGrad: true),
        (t, p, g, s) =>
        {
            if (decoupled) p *= 1 - 0.1 * 0.1;
            else g += 0.1 * p;
            s[0] = 0.5 * s[0] + 0.5 * g;
            s[1] = 0.6 * s[1] + 0.4 * g * g;
            s[2] = Math.Max(s[2], s[1]);
            return p - 0.1 / (1 - Math.Pow(0.5, t)) * s[0] / (Math.Sqrt(s[2]) / Math.Sqrt(1 - Math.Pow(0.6, t)) + 1e-8);
        });

    [Fact]
    public void AdaGradFollowsItsFormula() => Check(
        p => new AdaGrad(p, learningRate: 0.1, learningRateDecay: 0.05, weightDecay: 0.01, initialAccumulator: 0.2, epsilon: 1e-10),
        (t, p, g, s) =>
        {
            g += 0.01 * p;
            s[0] = (t == 1 ? 0.2 : s[0]) + g * g;
            return p - 0.1 / (1 + (t - 1) * 0.05) * g / (Math.Sqrt(s[0]) + 1e-10);
        });

    [Fact]
    public void AdaDeltaFollowsItsFormula() => Check(
        p => new AdaDelta(p, learningRate: 0.7, rho: 0.8, epsilon: 1e-6, weightDecay: 0.02),
        (_, p, g, s) =>
        {
            g += 0.02 * p;
            s[0] = 0.8 * s[0] + 0.2 * g * g;
            double d = Math.Sqrt(s[1] + 1e-6) / Math.Sqrt(s[0] + 1e-6) * g;
            s[1] = 0.8 * s[1] + 0.2 * d * d;
            return p - 0.7 * d;
        });

    [Fact]
    public void AdamaxFollowsItsFormula() => Check(
        p => new Adamax(p, learningRate: 0.1, beta1: 0.7, beta2: 0.8, epsilon: 1e-3, weightDecay: 0.02),
        (t, p, g, s) =>
        {
            g += 0.02 * p;
            s[0] = 0.7 * s[0] + 0.3 * g;
            s[1] = Math.Max(0.8 * s[1], Math.Abs(g) + 1e-3);
            return p - 0.1 / (1 - Math.Pow(0.7, t)) * s[0] / s[1];
        });

    [Fact]
    public void NAdamFollowsItsFormula() => Check(
        p => new NAdam(p, learningRate: 0.1, beta1: 0.7, beta2: 0.8, epsilon: 1e-3, weightDecay: 0.02, momentumDecay: 0.3),
        (t, p, g, s) =>
        {
            g += 0.02 * p;
            s[0] = 0.7 * s[0] + 0.3 * g;
            s[1] = 0.8 * s[1] + 0.2 * g * g;
            double product = 1;
            for (int i = 1; i <= t; i++) product *= Momentum(i);
            double d = Math.Sqrt(s[1] / (1 - Math.Pow(0.8, t))) + 1e-3;
            return p - 0.1 * (1 - Momentum(t)) / (1 - product) * g / d - 0.1 * Momentum(t + 1) / (1 - product * Momentum(t + 1)) * s[0] / d;

            static double Momentum(int i) => 0.7 * (1 - 0.5 * Math.Pow(0.96, i * 0.3));
        });

    /// <summary>With β₂ = 0.9 the fifth step is the first that is rectified, with 0.5 none is.</summary>
    [Theory]
    [InlineData(0.9)]
    [InlineData(0.999)]
    [InlineData(0.5)]
    public void RAdamFollowsItsFormula(double beta2)
    {
        List<bool> rectified = [];
        Check(
            p => new RAdam(p, learningRate: 0.1, beta1: 0.7, beta2: beta2, epsilon: 1e-3, weightDecay: 0.02),
            (t, p, g, s) =>
            {
                g += 0.02 * p;
                s[0] = 0.7 * s[0] + 0.3 * g;
                s[1] = beta2 * s[1] + (1 - beta2) * g * g;
                double limit = 2 / (1 - beta2) - 1, power = Math.Pow(beta2, t), length = limit - 2 * t * power / (1 - power), m = s[0] / (1 - Math.Pow(0.7, t));
                rectified.Add(length > 5);
                if (length <= 5) return p - 0.1 * m;
                double r = Math.Sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length));
                return p - 0.1 * m * r * Math.Sqrt(1 - power) / (Math.Sqrt(s[1]) + 1e-3);
            });
        Assert.Equal(beta2 == 0.5 ? [false] : [false, true], rectified.Distinct());
    }

    [Fact]
    public void LambFollowsItsFormula()
    {
        double[] p = [.. s_start], m = new double[4], v = new double[4];
        NDArray parameter = Nd.Array(s_start);
        parameter.AttachGrad();
        Lamb lamb = new([parameter], learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weightDecay: 0.05);
        for (int t = 1; t <= Steps; t++)
        {
            double[] u = new double[4];
            for (int i = 0; i < 4; i++)
            {
                double g = Slope(p[i]);
                m[i] = 0.8 * m[i] + 0.2 * g;
                v[i] = 0.9 * v[i] + 0.1 * g * g;
                u[i] = m[i] / (1 - Math.Pow(0.8, t)) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.9, t))) + 1e-6) + 0.05 * p[i];
            }

            double ratio = Math.Sqrt(p.Sum(x => x * x)) / Math.Sqrt(u.Sum(x => x * x));
            for (int i = 0; i < 4; i++) p[i] -= 0.1 * ratio * u[i];
            Step(lamb, parameter);
        }

        AssertClose(p, parameter.ToArray<double>());
    }

    [Fact]
    public void LambMovesAParameterOfZeros()
    {
        NDArray parameter = Nd.Zeros(3);
        parameter.AttachGrad();
        Lamb lamb = new([parameter], learningRate: 0.1);
        Step(lamb, parameter);
        Assert.All(parameter.ToArray<float>(), p => Assert.True(Math.Abs(p) > 0.05f));
    }

    public static TheoryData<string, double[]> Schedules => new()
    {
        { "step", [1, 1, 0.5, 0.5, 0.25, 0.25] },
        { "milestones", [1, 0.5, 0.5, 0.5, 0.25, 0.25] },
        { "exponential", [1, 0.5, 0.25, 0.125, 0.0625, 0.03125] },
        { "cosine", [1, 0.1 + 0.45 * (1 + Math.Cos(Math.PI / 4)), 0.55, 0.1 + 0.45 * (1 + Math.Cos(3 * Math.PI / 4)), 0.1, 0.1] },
        { "polynomial", [1, 0.5625, 0.25, 0.0625, 0, 0] },
        { "warm-up", [0.5, 1, 1, 0.5, 0.25, 0.125] },
        { "restarts", [1, 0.1 + 0.45 * (1 + Math.Cos(Math.PI / 2)), 1, 0.1 + 0.45 * (1 + Math.Cos(Math.PI / 4)), 0.55, 0.1 + 0.45 * (1 + Math.Cos(3 * Math.PI / 4)), 1] },
        { "equal restarts", [1, 0.75, 0.25, 1, 0.75, 0.25, 1] },
        { "one cycle", [0.5, 1.25, 2, 1.505, 0.515, 0.02, 0.02, 0.02] },
        { "one cycle on lines", [0.5, 1.25, 2, 1.34, 0.68, 0.02, 0.02] },
        { "one cycle that falls", [1.625, 0.875, 0.5, 0.5] },
        { "one step", [0.02, 0.02] },
        { "lambda", [1, 0.5, 1.0 / 3, 0.25, 0.2, 1.0 / 6] },
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void SchedulesSetTheRate(string name, double[] rates)
    {
        NDArray parameter = Nd.Zeros(1);
        parameter.AttachGrad();
        Sgd sgd = new([parameter], learningRate: 1);
        Schedule schedule = name switch
        {
            "step" => new StepSchedule(sgd, 2, 0.5),
            "milestones" => new MultiStepSchedule(sgd, [1, 4], 0.5),
            "exponential" => new ExponentialSchedule(sgd, 0.5),
            "cosine" => new CosineSchedule(sgd, 4, 0.1),
            "polynomial" => new PolynomialSchedule(sgd, 4, 2),
            "warm-up" => new WarmupSchedule(sgd, 2, o => new ExponentialSchedule(o, 0.5)),
            "restarts" => new CosineRestartSchedule(sgd, 2, 2, 0.1),
            "equal restarts" => new CosineRestartSchedule(sgd, 3),
            "one cycle" => new OneCycleSchedule(sgd, 2, 6, 0.5, 4, 25),
            "one cycle on lines" => new OneCycleSchedule(sgd, 2, 6, 0.5, 4, 25, linear: true),
            "one cycle that falls" => new OneCycleSchedule(sgd, 2, 3, 0, 4, 1),
            "one step" => new OneCycleSchedule(sgd, 2, 1, 0.5, 4, 25),
            _ => new LambdaSchedule(sgd, t => 1.0 / (t + 1)),
        };
        foreach (double rate in rates)
        {
            Assert.Equal(rate, sgd.LearningRate, 12);
            schedule.Step();
        }

        schedule.StepCount = 1;
        Assert.Equal(rates[1], sgd.LearningRate, 12);
    }

    [Fact]
    public void BadNumbersAreRefused()
    {
        NDArray[] p = [Nd.Zeros(1)];
        p[0].AttachGrad();
        Assert.Throws<ArgumentOutOfRangeException>(() => new RmsProp(p, alpha: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RmsProp(p, momentum: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdaGrad(p, epsilon: -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AdaDelta(p, rho: -0.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Lamb(p, beta1: double.NaN));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new Adamax(p, beta2: 1), "Adamax: beta2");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new RAdam(p, epsilon: -1), "RAdam: epsilon is -1");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new NAdam(p, momentumDecay: -1), "NAdam: momentumDecay is -1");
        Assert.Throws<ArgumentOutOfRangeException>(() => new StepSchedule(new Sgd(p, 0.1), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineSchedule(new Sgd(p, 0.1), 0));
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new CosineRestartSchedule(new Sgd(p, 0.1), 0), "CosineRestartSchedule: period is 0");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new CosineRestartSchedule(new Sgd(p, 0.1), 5, 0), "CosineRestartSchedule: growth is 0");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new OneCycleSchedule(new Sgd(p, 0.1), 0, 5), "OneCycleSchedule: maximum is 0");
        Expect.Throws<ArgumentOutOfRangeException>(() => _ = new OneCycleSchedule(new Sgd(p, 0.1), 1, 5, rise: 1.5), "OneCycleSchedule: rise is 1.5");
        Assert.Equal(0.1, new CosineRestartSchedule(new Sgd(p, 0.1), 3, 2).RateAt(3L * ((1L << 40) - 1)), 12);
    }

    private static void Check(Func<IEnumerable<NDArray>, Optimizer> create, Rule rule)
    {
        double[] p = [.. s_start];
        double[][] states = [.. p.Select(_ => new double[3])];
        NDArray parameter = Nd.Array(s_start);
        parameter.AttachGrad();
        Optimizer optimizer = create([parameter]);
        for (int t = 1; t <= Steps; t++)
        {
            for (int i = 0; i < p.Length; i++) p[i] = rule(t, p[i], Slope(p[i]), states[i]);
            Step(optimizer, parameter);
        }

        AssertClose(p, parameter.ToArray<double>());
    }

    // Of the loss Σ (p⁴/4 + p).
    private static double Slope(double p) => p * p * p + 1;

    private static void Step(Optimizer optimizer, NDArray parameter)
    {
        NDArray loss;
        using (Autograd.Record()) loss = Nd.Sum(Nd.Square(Nd.Square(parameter)) * 0.25 + parameter);
        loss.Backward();
        optimizer.Step();
    }

    private static void AssertClose(double[] expected, double[] actual)
    {
        for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 1e-11 * Math.Max(1, Math.Abs(expected[i])));
    }
}
