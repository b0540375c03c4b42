namespace Fusion.Optim;

/// <summary>
/// Adam: m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², p ← p − η/(1 − β₁ᵗ)·m/(√v/√(1 − β₂ᵗ) + ε), with g ← ∇ + λ·p. As AMSGrad the root is that of the
/// largest v so far.
/// </summary>
/// <remarks>
/// Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1, in PyTorch's form with ε outside the root; Reddi, Kale and Kumar, "On the
/// Convergence of Adam and Beyond", ICLR 2018, algorithm 2.
/// </remarks>
public class Adam : Optimizer
{
    private readonly MomentCorrection _correction;
    private readonly double _weightDecay;
    private readonly OptimizerState _state;
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Adam(IEnumerable<NDArray> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false)
        : this(parameters, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad, decoupled: false)
    {
    }

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1), or ε or the decay is negative.</exception>
    public Adam(
        IReadOnlyDictionary<string, NDArray> parameters, double learningRate = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false)
        : this(parameters, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad, decoupled: false)
    {
    }

    private protected Adam(IEnumerable<NDArray> parameters, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, bool amsGrad, bool decoupled)
        : base(parameters, learningRate) => (_correction, _weightDecay, _state, _update) = Prepare(beta1, beta2, epsilon, weightDecay, amsGrad, decoupled);

    private protected Adam(
        IReadOnlyDictionary<string, NDArray> parameters, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, bool amsGrad, bool decoupled)
        : base(parameters, learningRate) => (_correction, _weightDecay, _state, _update) = Prepare(beta1, beta2, epsilon, weightDecay, amsGrad, decoupled);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    // A parameter that was skipped has made fewer steps than the others.
    private void Numbers(int index, Span<double> numbers)
    {
        (double first, double rootOfSecond) = _correction.After(UpdateCount(index));
        numbers[0] = Rate / first;
        numbers[1] = rootOfSecond;
        numbers[2] = Rate * _weightDecay;
    }

    private (MomentCorrection Correction, double WeightDecay, OptimizerState State, FusedUpdate Update) Prepare(double beta1, double beta2, double epsilon, double weightDecay, bool amsGrad, bool decoupled)
    {
        MomentCorrection correction = new(nameof(Adam), beta1, beta2);
        Require.NotNegative(epsilon, GetType().Name);
        Require.NotNegative(weightDecay, GetType().Name);
        FusedUpdate update = new(
            (a, s) =>
            {
                (NDArray p, NDArray g) = (a[0], a[^1]);
                if (weightDecay != 0 && decoupled) p -= s[2] * p;
                else if (weightDecay != 0) g += weightDecay * p;
                NDArray m = MovingAverage.Next(beta1, a[1], g);
                NDArray v = MovingAverage.NextOfSquares(beta2, a[2], g, epsilon);
                NDArray largest = amsGrad ? Nd.Maximum(a[3], v) : v, next = p - s[0] * (m / (Nd.Sqrt(largest) / s[1] + epsilon));
                return amsGrad ? [next, m, v, largest] : [next, m, v];
            },
            Numbers,
            arrays: amsGrad ? 5 : 4,
            outputs: amsGrad ? 4 : 3,
            scalars: 3);
        return (correction, weightDecay, new OptimizerState(amsGrad ? 3 : 2), update);
    }
}
