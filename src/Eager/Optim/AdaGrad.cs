namespace Fusion.Optim;

/// <summary>AdaGrad: s ← s + g², p ← p − η/(1 + (t − 1)·d)·g/(√s + ε), with g ← ∇ + λ·p and the decay d of the learning rate.</summary>
/// <remarks>
/// Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 12, 2011, in PyTorch's form.
/// </remarks>
public sealed class AdaGrad : Optimizer
{
    private readonly double _decay;
    private readonly double _epsilon;
    private readonly double _weightDecay;
    private readonly double _start;
    private readonly OptimizerState _state = new(1);
    private readonly Dictionary<int, int> _steps = [];
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
        (_decay, _weightDecay, _start, _epsilon, _update) = Prepare(learningRateDecay, weightDecay, initialAccumulator, epsilon);

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
        (_decay, _weightDecay, _start, _epsilon, _update) = Prepare(learningRateDecay, weightDecay, initialAccumulator, epsilon);

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient)
    {
        int t = _steps[index] = _steps.GetValueOrDefault(index) + 1;
        NDArray sum = _state.Of(index, parameter)[0];
        if (t == 1 && _start != 0) sum.Fill(_start);
        _update.Run([parameter, sum, gradient], [LearningRate / (1 + (t - 1) * _decay), _epsilon, _weightDecay]);
    }

    private static (double Decay, double WeightDecay, double Start, double Epsilon, FusedUpdate Update) Prepare(
        double decay, double weightDecay, double start, double epsilon)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(decay);
        ArgumentOutOfRangeException.ThrowIfNegative(weightDecay);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        FusedUpdate update = new(
            (a, s) =>
            {
                NDArray g = weightDecay == 0 ? a[2] : a[2] + s[2] * a[0];
                NDArray sum = a[1] + Nd.Square(g);
                return [a[0] - s[0] * (g / (Nd.Sqrt(sum) + s[1])), sum];
            },
            arrays: 3,
            outputs: 2,
            scalars: 3);
        return (decay, weightDecay, start, epsilon, update);
    }
}
