namespace Fusion.Optim;

/// <summary>
/// NAdam, Adam with Nesterov's momentum: m and v as in <see cref="Adam"/>, p ← p − η·(1 − μₜ)/(1 − Πμ)·g/d − η·μₜ₊₁/(1 − Πμ·μₜ₊₁)·m/d with
/// d = √v/√(1 − β₂ᵗ) + ε, μₜ = β₁·(1 − ½·0.96^(t·ψ)), Πμ = μ₁·…·μₜ and g ← ∇ + λ·p.
/// </summary>
/// <remarks>
/// Dozat, "Incorporating Nesterov Momentum into Adam", ICLR 2016 workshop, algorithm 2, in PyTorch's form.
/// </remarks>
public sealed class NAdam : Optimizer
{
    private readonly OptimizerState _state = new(2);
    private readonly MomentumSchedule _correction;
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public NAdam(IEnumerable<NDArray> parameters, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 4e-3)
        : base(parameters, learningRate) => (_correction, _update) = Prepare(beta1, beta2, epsilon, weightDecay, momentumDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public NAdam(IReadOnlyDictionary<string, NDArray> parameters, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 4e-3)
        : base(parameters, learningRate) => (_correction, _update) = Prepare(beta1, beta2, epsilon, weightDecay, momentumDecay);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    private void Numbers(int index, Span<double> numbers)
    {
        long t = UpdateCount(index);
        (double now, double next, double product) = _correction.After(t);
        numbers[0] = Rate * (1 - now) / (1 - product);
        numbers[1] = Rate * next / (1 - product * next);
        numbers[2] = _correction.Moments.After(t).RootOfSecond;
    }

    private (MomentumSchedule Correction, FusedUpdate Update) Prepare(double beta1, double beta2, double epsilon, double weightDecay, double momentumDecay)
    {
        MomentumSchedule correction = new(new MomentCorrection(nameof(NAdam), beta1, beta2), momentumDecay);
        Require.NotNegative(momentumDecay, nameof(NAdam));
        Require.NotNegative(epsilon, nameof(NAdam));
        Require.NotNegative(weightDecay, nameof(NAdam));
        FusedUpdate update = new(
            (a, s) =>
            {
                (NDArray p, NDArray g) = (a[0], a[3]);
                if (weightDecay != 0) g += weightDecay * p;
                NDArray m = MovingAverage.Next(beta1, a[1], g);
                NDArray v = MovingAverage.NextOfSquares(beta2, a[2], g, epsilon);
                NDArray spread = Nd.Sqrt(v) / s[2] + epsilon;
                return [p - s[0] * (g / spread) - s[1] * (m / spread), m, v];
            },
            Numbers,
            arrays: 4,
            outputs: 3,
            scalars: 3);
        return (correction, update);
    }
}
