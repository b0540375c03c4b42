namespace Fusion.Optim;

/// <summary>
/// Stochastic gradient descent with momentum: g ← ∇ + λ·p, v ← μ·v + g, p ← p − η·v; with Nesterov's momentum p ← p − η·(g + μ·v).
/// </summary>
/// <remarks>
/// The form of PyTorch. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; Sutskever et al., "On the importance of
/// initialization and momentum in deep learning", ICML 2013.
/// </remarks>
public sealed class Sgd : Optimizer
{
    private readonly double _momentum;
    private readonly OptimizerState _state = new(1);
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or Nesterov's momentum is asked for without momentum.</exception>
    public Sgd(IEnumerable<NDArray> parameters, double learningRate, double momentum = 0, double weightDecay = 0, bool nesterov = false)
        : base(parameters, learningRate) => (_momentum, _update) = Prepare(momentum, weightDecay, nesterov);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or Nesterov's momentum is asked for without momentum.</exception>
    public Sgd(IReadOnlyDictionary<string, NDArray> parameters, double learningRate, double momentum = 0, double weightDecay = 0, bool nesterov = false)
        : base(parameters, learningRate) => (_momentum, _update) = Prepare(momentum, weightDecay, nesterov);

    private protected override OptimizerState? State => _momentum == 0 ? null : _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _momentum == 0 ? [] : _state.Of(index, parameter), gradient);

    private void Numbers(int index, Span<double> numbers) => numbers[0] = Rate;

    private (double Momentum, FusedUpdate Update) Prepare(double momentum, double weightDecay, bool nesterov)
    {
        Require.NotNegative(momentum, nameof(Sgd));
        Require.NotNegative(weightDecay, nameof(Sgd));
        if (nesterov && momentum == 0) throw new ArgumentOutOfRangeException(nameof(nesterov), nesterov, "Sgd: Nesterov's momentum needs a momentum above 0.");
        FusedUpdate update = momentum == 0
            ? new FusedUpdate((a, s) => [a[0] - s[0] * Decayed(a[1], a[0], weightDecay)], Numbers, arrays: 2, outputs: 1, scalars: 1)
            : new FusedUpdate(
                (a, s) =>
                {
                    NDArray g = Decayed(a[2], a[0], weightDecay);
                    NDArray v = MovingAverage.Flushed(momentum * a[1] + g);
                    return [a[0] - s[0] * (nesterov ? g + momentum * v : v), v];
                },
                Numbers,
                arrays: 3,
                outputs: 2,
                scalars: 1);
        return (momentum, update);
    }

    private static NDArray Decayed(NDArray gradient, NDArray parameter, double weightDecay) =>
        weightDecay == 0 ? gradient : gradient + weightDecay * parameter;
}
