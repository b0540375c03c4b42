namespace Fusion.Optim;

/// <summary>
/// LAMB: the moments of Adam, m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), the direction u = m̂/(√v̂ + ε) + λ·p, and p ← p − η·φ·u with the trust ratio
/// φ = ‖p‖/‖u‖ of each parameter (1 where a norm is 0).
/// </summary>
/// <remarks>You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes", ICLR 2020, algorithm 2.</remarks>
public sealed class Lamb : Optimizer
{
    private readonly MomentCorrection _correction;
    private readonly OptimizerState _state = new(3);
    private readonly FusedUpdate _direction;
    private readonly FusedUpdate _move;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Lamb(
        IEnumerable<NDArray> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-6,
        double weightDecay = 0.01)
        : base(parameters, learningRate) => (_correction, _direction, _move) = Prepare(beta1, beta2, epsilon, weightDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Lamb(
        IReadOnlyDictionary<string, NDArray> parameters,
        double learningRate = 1e-3,
        double beta1 = 0.9,
        double beta2 = 0.999,
        double epsilon = 1e-6,
        double weightDecay = 0.01)
        : base(parameters, learningRate) => (_correction, _direction, _move) = Prepare(beta1, beta2, epsilon, weightDecay);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient)
    {
        NDArray[] state = _state.Of(index, parameter);
        NDArray u = state[0];
        _direction.Run(index, [u, state[1], state[2], parameter, gradient]);
        // Read by no one here: the ratio stays an array, so that a compiled step computes it, too.
        NDArray size = Nd.Norm(Elements.To(parameter, u.DType)), length = Nd.Norm(u);
        NDArray ratio = Nd.Where(Nd.LogicalAnd(size > 0, length > 0), size / length, 1);
        u.Assign(u * ratio);
        _move.Run(index, [parameter, u]);
    }

    private void Corrections(int index, Span<double> numbers) => (numbers[0], numbers[1]) = _correction.After(UpdateCount(index));

    private (MomentCorrection Correction, FusedUpdate Direction, FusedUpdate Move) Prepare(double beta1, double beta2, double epsilon, double weightDecay)
    {
        MomentCorrection correction = new(nameof(Lamb), beta1, beta2);
        Require.NotNegative(epsilon, nameof(Lamb));
        Require.NotNegative(weightDecay, nameof(Lamb));
        FusedUpdate direction = new(
            (a, s) =>
            {
                NDArray m = MovingAverage.Next(beta1, a[1], a[4]);
                NDArray v = MovingAverage.NextOfSquares(beta2, a[2], a[4], epsilon);
                NDArray u = m / s[0] / (Nd.Sqrt(v) / s[1] + epsilon);
                return [weightDecay == 0 ? u : u + weightDecay * a[3], m, v];
            },
            Corrections,
            arrays: 5,
            outputs: 3,
            scalars: 2);
        FusedUpdate move = new((a, s) => [a[0] - s[0] * a[1]], (_, numbers) => numbers[0] = Rate, arrays: 2, outputs: 1, scalars: 1);
        return (correction, direction, move);
    }
}
