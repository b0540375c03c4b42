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
    private readonly double _weightDecay;
    private readonly OptimizerState _state = new(1);
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or Nesterov's momentum is asked for without momentum.</exception>
    public Sgd(IEnumerable<NDArray> parameters, double learningRate, double momentum = 0, double weightDecay = 0, bool nesterov = false)
        : base(parameters, learningRate) => (_momentum, _weightDecay, _update) = Prepare(momentum, weightDecay, nesterov);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative, or Nesterov's momentum is asked for without momentum.</exception>
    public Sgd(IReadOnlyDictionary<string, NDArray> parameters, double learningRate, double momentum = 0, double weightDecay = 0, bool nesterov = false)
        : base(parameters, learningRate) => (_momentum, _weightDecay, _update) = Prepare(momentum, weightDecay, nesterov);

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient)
    {
        if (_momentum == 0) _update.Run(index, [parameter, gradient]);
        else _update.Run(index, [parameter, _state.Of(index, parameter)[0], gradient]);
    }

    private void Numbers(int index, Span<double> numbers) => ((ReadOnlySpan<double>)[Rate, _weightDecay, _momentum])[..numbers.Length].CopyTo(numbers);

    private (double Momentum, double WeightDecay, FusedUpdate Update) Prepare(double momentum, double weightDecay, bool nesterov)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        ArgumentOutOfRangeException.ThrowIfNegative(weightDecay);
        if (nesterov && momentum == 0) throw new ArgumentOutOfRangeException(nameof(nesterov), nesterov, "Sgd: Nesterov's momentum needs a momentum above 0.");
        FusedUpdate update = momentum == 0
            ? new FusedUpdate((a, s) => [a[0] - s[0] * Decayed(a[1], a[0], s[1], weightDecay)], Numbers, arrays: 2, outputs: 1, scalars: 2)
            : new FusedUpdate(
                (a, s) =>
                {
                    NDArray g = Decayed(a[2], a[0], s[1], weightDecay);
                    NDArray v = s[2] * a[1] + g;
                    return [a[0] - s[0] * (nesterov ? g + s[2] * v : v), v];
                },
                Numbers,
                arrays: 3,
                outputs: 2,
                scalars: 3);
        return (momentum, weightDecay, update);
    }

    private static NDArray Decayed(NDArray gradient, NDArray parameter, NDArray decay, double weightDecay) =>
        weightDecay == 0 ? gradient : gradient + decay * parameter;
}
