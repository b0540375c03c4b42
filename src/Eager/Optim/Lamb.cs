namespace Fusion.Optim;

/// <summary>
/// LAMB: the moments of Adam, m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), the direction u = m̂/(√v̂ + ε) + λ·p, and p ← p − η·φ·u with the trust ratio
/// φ = ‖p‖/‖u‖ of each parameter (1 where a norm is 0).
/// </summary>
/// <remarks>You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", ICLR 2020, algorithm 2.</remarks>
public sealed class Lamb : Optimizer
{
    private readonly double _beta1;
    private readonly double _beta2;
    private readonly double _epsilon;
    private readonly double _weightDecay;
    private readonly OptimizerState _state = new(3);
    private readonly Dictionary<int, int> _steps = [];
    private readonly FusedUpdate _direction;
    private readonly FusedUpdate _move = new((a, s) => [a[0] - s[0] * a[1]], arrays: 2, outputs: 1, scalars: 1);

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Lamb(
        IEnumerable<NDArray> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-6,
        double weightDecay = 0.01)
        : base(parameters, learningRate) => (_beta1, _beta2, _epsilon, _weightDecay, _direction) = Prepare(beta1, beta2, epsilon, weightDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Lamb(
        IReadOnlyDictionary<string, NDArray> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-6,
        double weightDecay = 0.01)
        : base(parameters, learningRate) => (_beta1, _beta2, _epsilon, _weightDecay, _direction) = Prepare(beta1, beta2, epsilon, weightDecay);

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient)
    {
        int t = _steps[index] = _steps.GetValueOrDefault(index) + 1;
        NDArray[] state = _state.Of(index, parameter);
        NDArray u = state[0];
        _direction.Run(
            [u, state[1], state[2], parameter, gradient],
            [_beta1, 1 - _beta1, _beta2, 1 - _beta2, 1 - Math.Pow(_beta1, t), Math.Sqrt(1 - Math.Pow(_beta2, t)), _epsilon, _weightDecay]);
        // Read by no one here: the ratio stays an array, so that a compiled step computes it, too.
        NDArray size = Nd.Norm(parameter), length = Nd.Norm(u);
        NDArray ratio = Nd.Where(Nd.LogicalAnd(size > 0, length > 0), size / length, 1);
        u.Assign(u * ratio);
        _move.Run([parameter, u], [LearningRate]);
    }

    private static (double Beta1, double Beta2, double Epsilon, double WeightDecay, FusedUpdate Direction) Prepare(
        double beta1, double beta2, double epsilon, double weightDecay)
    {
        CheckBeta(beta1, nameof(beta1));
        CheckBeta(beta2, nameof(beta2));
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        ArgumentOutOfRangeException.ThrowIfNegative(weightDecay);
        FusedUpdate direction = new(
            (a, s) =>
            {
                NDArray m = s[0] * a[1] + s[1] * a[4];
                NDArray v = s[2] * a[2] + s[3] * Nd.Square(a[4]);
                NDArray u = m / s[4] / (Nd.Sqrt(v) / s[5] + s[6]);
                return [weightDecay == 0 ? u : u + s[7] * a[3], m, v];
            },
            arrays: 5,
            outputs: 3,
            scalars: 8);
        return (beta1, beta2, epsilon, weightDecay, direction);
    }

    private static void CheckBeta(double value, string name)
    {
        if (!(value is >= 0 and < 1)) throw new ArgumentOutOfRangeException(name, value, $"Lamb: {name} must be at least 0 and below 1.");
    }
}
