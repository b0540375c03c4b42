namespace Fusion.Optim;

/// <summary>AdaDelta: v ← ρ·v + (1 − ρ)·g², d = √(u + ε)/√(v + ε)·g, u ← ρ·u + (1 − ρ)·d², p ← p − η·d, with g ← ∇ + λ·p.</summary>
/// <remarks>Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012, algorithm 1, in PyTorch's form.</remarks>
public sealed class AdaDelta : Optimizer
{
    private readonly OptimizerState _state = new(2);
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">ρ is outside [0, 1), or another number is negative.</exception>
    public AdaDelta(IEnumerable<NDArray> parameters, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
        : base(parameters, learningRate) => _update = Prepare(rho, epsilon, weightDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">ρ is outside [0, 1), or another number is negative.</exception>
    public AdaDelta(IReadOnlyDictionary<string, NDArray> parameters, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
        : base(parameters, learningRate) => _update = Prepare(rho, epsilon, weightDecay);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    private void Numbers(int index, Span<double> numbers) => numbers[0] = Rate;

    private FusedUpdate Prepare(double rho, double epsilon, double weightDecay)
    {
        if (!(rho is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(rho), rho, "AdaDelta: rho must be at least 0 and below 1.");
        Require.NotNegative(epsilon, nameof(AdaDelta));
        Require.NotNegative(weightDecay, nameof(AdaDelta));
        return new FusedUpdate(
            (a, s) =>
            {
                NDArray g = weightDecay == 0 ? a[3] : a[3] + weightDecay * a[0];
                NDArray v = MovingAverage.NextOfSquares(rho, a[1], g, epsilon);
                NDArray d = Nd.Sqrt(a[2] + epsilon) / Nd.Sqrt(v + epsilon) * g;
                return [a[0] - s[0] * d, v, MovingAverage.NextOfSquares(rho, a[2], d, epsilon)];
            },
            Numbers,
            arrays: 4,
            outputs: 3,
            scalars: 1);
    }
}
