namespace Fusion.Optim;

/// <summary>AdaGrad: s ← s + g², p ← p − η/(1 + (t − 1)·d)·g/(√s + ε), with g ← ∇ + λ·p and the decay d of the learning rate.</summary>
/// <remarks>
/// Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12, 2011, in PyTorch's form.
/// </remarks>
public sealed class AdaGrad : Optimizer
{
    private readonly double _decay;
    private readonly OptimizerState _state;
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public AdaGrad(
        IEnumerable<NDArray> parameters,
        double learningRate = 1e-2,
        double learningRateDecay = 0,
        double weightDecay = 0,
        double initialAccumulator = 0,
        double epsilon = 1e-10)
        : base(parameters, learningRate) =>
        (_decay, _state, _update) = Prepare(learningRateDecay, weightDecay, initialAccumulator, epsilon);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public AdaGrad(
        IReadOnlyDictionary<string, NDArray> parameters,
        double learningRate = 1e-2,
        double learningRateDecay = 0,
        double weightDecay = 0,
        double initialAccumulator = 0,
        double epsilon = 1e-10)
        : base(parameters, learningRate) =>
        (_decay, _state, _update) = Prepare(learningRateDecay, weightDecay, initialAccumulator, epsilon);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    private void Numbers(int index, Span<double> numbers) => numbers[0] = Rate / (1 + (UpdateCount(index) - 1) * _decay);

    private (double Decay, OptimizerState State, FusedUpdate Update) Prepare(double decay, double weightDecay, double start, double epsilon)
    {
        Require.NotNegative(decay, nameof(AdaGrad), "learningRateDecay");
        Require.NotNegative(weightDecay, nameof(AdaGrad));
        Require.NotNegative(start, nameof(AdaGrad), "initialAccumulator");
        Require.NotNegative(epsilon, nameof(AdaGrad));
        FusedUpdate update = new(
            (a, s) =>
            {
                NDArray g = weightDecay == 0 ? a[2] : a[2] + weightDecay * a[0];
                NDArray sum = a[1] + Nd.Square(g);
                return [a[0] - s[0] * (g / (Nd.Sqrt(sum) + epsilon)), sum];
            },
            Numbers,
            arrays: 3,
            outputs: 2,
            scalars: 1);
        return (decay, new OptimizerState(1, start), update);
    }
}
