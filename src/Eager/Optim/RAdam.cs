namespace Fusion.Optim;

/// <summary>
/// RAdam, Adam whose rate is rectified while few gradients have been seen: m and v as in <see cref="Adam"/>, p ← p − η/(1 − β₁ᵗ)·m·r·√(1 − β₂ᵗ)/(√v + ε) where
/// ρ = ρ∞ − 2t·β₂ᵗ/(1 − β₂ᵗ) is above 5, with ρ∞ = 2/(1 − β₂) − 1 and r² = (ρ − 4)·(ρ − 2)·ρ∞/((ρ∞ − 4)·(ρ∞ − 2)·ρ); otherwise p ← p − η/(1 − β₁ᵗ)·m.
/// </summary>
/// <remarks>
/// Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020, algorithm 2, in PyTorch's form: λ·p is added to the gradient.
/// </remarks>
public sealed class RAdam : Optimizer
{
    private readonly OptimizerState _state = new(2);
    private readonly MomentCorrection _correction;
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public RAdam(IEnumerable<NDArray> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : base(parameters, learningRate) => (_correction, _update) = Prepare(beta1, beta2, epsilon, weightDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public RAdam(IReadOnlyDictionary<string, NDArray> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : base(parameters, learningRate) => (_correction, _update) = Prepare(beta1, beta2, epsilon, weightDecay);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    // The rate, and what is rectified: 0 as long as nothing is.
    private void Numbers(int index, Span<double> numbers)
    {
        long t = UpdateCount(index);
        (double first, double rootOfSecond) = _correction.After(t);
        double limit = 2 / (1 - _correction.Beta2) - 1, second = rootOfSecond * rootOfSecond;
        double length = limit - 2 * t * (1 - second) / second;
        numbers[0] = Rate / first;
        numbers[1] = length > 5 ? Math.Sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)) * rootOfSecond : 0;
    }

    private (MomentCorrection Correction, FusedUpdate Update) Prepare(double beta1, double beta2, double epsilon, double weightDecay)
    {
        MomentCorrection correction = new(nameof(RAdam), beta1, beta2);
        Require.NotNegative(epsilon, nameof(RAdam));
        Require.NotNegative(weightDecay, nameof(RAdam));
        FusedUpdate update = new(
            (a, s) =>
            {
                (NDArray p, NDArray g) = (a[0], a[3]);
                if (weightDecay != 0) g += weightDecay * p;
                NDArray m = MovingAverage.Next(beta1, a[1], g);
                NDArray v = MovingAverage.NextOfSquares(beta2, a[2], g, epsilon);
                return [p - s[0] * (m * Nd.Where(s[1] > 0, s[1] / (Nd.Sqrt(v) + epsilon), 1)), m, v];
            },
            Numbers,
            arrays: 4,
            outputs: 3,
            scalars: 2);
        return (correction, update);
    }
}
