namespace Fusion.Optim;

/// <summary>
/// Adamax, Adam with the infinity norm: m ← β₁·m + (1 − β₁)·g, u ← max(β₂·u, |g| + ε), p ← p − η/(1 − β₁ᵗ)·m/u, with g ← ∇ + λ·p.
/// </summary>
/// <remarks>
/// Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 2, in PyTorch's form with ε in the norm.
/// </remarks>
public sealed class Adamax : Optimizer
{
    private readonly OptimizerState _state = new(2);
    private readonly MomentCorrection _correction;
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Adamax(IEnumerable<NDArray> parameters, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : base(parameters, learningRate) => (_correction, _update) = Prepare(beta1, beta2, epsilon, weightDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Adamax(IReadOnlyDictionary<string, NDArray> parameters, double learningRate = 2e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0)
        : base(parameters, learningRate) => (_correction, _update) = Prepare(beta1, beta2, epsilon, weightDecay);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    private void Numbers(int index, Span<double> numbers) => numbers[0] = Rate / _correction.After(UpdateCount(index)).First;

    private (MomentCorrection Correction, FusedUpdate Update) Prepare(double beta1, double beta2, double epsilon, double weightDecay)
    {
        MomentCorrection correction = new(nameof(Adamax), beta1, beta2);
        Require.NotNegative(epsilon, nameof(Adamax));
        Require.NotNegative(weightDecay, nameof(Adamax));
        FusedUpdate update = new(
            (a, s) =>
            {
                (NDArray p, NDArray g) = (a[0], a[3]);
                if (weightDecay != 0) g += weightDecay * p;
                NDArray m = MovingAverage.Next(beta1, a[1], g);
                NDArray u = Nd.Maximum(beta2 * a[2], Nd.Abs(g) + epsilon);
                return [p - s[0] * (m / u), m, u];
            },
            Numbers,
            arrays: 4,
            outputs: 3,
            scalars: 1);
        return (correction, update);
    }
}
