namespace Fusion.Optim;

/// <summary>AdaDelta: v ← ρ·v + (1 − ρ)·g², d = √(u + ε)/√(v + ε)·g, u ← ρ·u + (1 − ρ)·d², p ← p − η·d, with g ← ∇ + λ·p.</summary>
/// <remarks>Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012, algorithm 1, in PyTorch's form.</remarks>
public sealed class AdaDelta : Optimizer
{
    private readonly double _rho;
    private readonly double _epsilon;
    private readonly double _weightDecay;
    private readonly OptimizerState _state = new(2);
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">ρ is outside [0, 1), or another number is negative.</exception>
    public AdaDelta(IEnumerable<NDArray> parameters, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
        : base(parameters, learningRate) => (_rho, _epsilon, _weightDecay, _update) = Prepare(rho, epsilon, weightDecay);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">ρ is outside [0, 1), or another number is negative.</exception>
    public AdaDelta(IReadOnlyDictionary<string, NDArray> parameters, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
        : base(parameters, learningRate) => (_rho, _epsilon, _weightDecay, _update) = Prepare(rho, epsilon, weightDecay);

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run([parameter, .. _state.Of(index, parameter), gradient], [LearningRate, _rho, 1 - _rho, _epsilon, _weightDecay]);

    private static (double Rho, double Epsilon, double WeightDecay, FusedUpdate Update) Prepare(double rho, double epsilon, double weightDecay)
    {
        if (!(rho is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(rho), rho, "AdaDelta: rho must be at least 0 and below 1.");
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        ArgumentOutOfRangeException.ThrowIfNegative(weightDecay);
        FusedUpdate update = new(
            (a, s) =>
            {
                NDArray g = weightDecay == 0 ? a[3] : a[3] + s[4] * a[0];
                NDArray v = s[1] * a[1] + s[2] * Nd.Square(g);
                NDArray d = Nd.Sqrt(a[2] + s[3]) / Nd.Sqrt(v + s[3]) * g;
                return [a[0] - s[0] * d, v, s[1] * a[2] + s[2] * Nd.Square(d)];
            },
            arrays: 4,
            outputs: 3,
            scalars: 5);
        return (rho, epsilon, weightDecay, update);
    }
}
