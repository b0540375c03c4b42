namespace Fusion.Optim;

/// <summary>
/// RMSProp: v ← α·v + (1 − α)·g², p ← p − η·g/(√v + ε), with g ← ∇ + λ·p. Centered: √max(v − ḡ², 0) with ḡ ← α·ḡ + (1 − α)·g. With momentum
/// b ← μ·b + g/(√v + ε), p ← p − η·b.
/// </summary>
/// <remarks>
/// Tieleman and Hinton, "Lecture 6.5: rmsprop", Coursera 2012; centered after Graves, "Generating Sequences With Recurrent Neural Networks", 2013; the form of
/// PyTorch.
/// </remarks>
public sealed class RmsProp : Optimizer
{
    private readonly OptimizerState _state;
    private readonly FusedUpdate _update;

    /// <summary>Optimizes arrays with gradients attached.</summary>
    /// <exception cref="ArgumentOutOfRangeException">α is outside [0, 1), or another number is negative.</exception>
    public RmsProp(
        IEnumerable<NDArray> parameters,
        double learningRate = 1e-2,
        double alpha = 0.99,
        double epsilon = 1e-8,
        double weightDecay = 0,
        double momentum = 0,
        bool centered = false)
        : base(parameters, learningRate) =>
        (_state, _update) = Prepare(alpha, epsilon, weightDecay, momentum, centered);

    /// <summary>Optimizes named parameters.</summary>
    /// <exception cref="ArgumentOutOfRangeException">α is outside [0, 1), or another number is negative.</exception>
    public RmsProp(
        IReadOnlyDictionary<string, NDArray> parameters,
        double learningRate = 1e-2,
        double alpha = 0.99,
        double epsilon = 1e-8,
        double weightDecay = 0,
        double momentum = 0,
        bool centered = false)
        : base(parameters, learningRate) =>
        (_state, _update) = Prepare(alpha, epsilon, weightDecay, momentum, centered);

    private protected override OptimizerState? State => _state;

    /// <inheritdoc/>
    protected override void Update(int index, NDArray parameter, NDArray gradient) =>
        _update.Run(index, parameter, _state.Of(index, parameter), gradient);

    private void Numbers(int index, Span<double> numbers) => numbers[0] = Rate;

    private (OptimizerState State, FusedUpdate Update) Prepare(double alpha, double epsilon, double weightDecay, double momentum, bool centered)
    {
        if (!(alpha is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "RmsProp: alpha must be at least 0 and below 1.");
        Require.NotNegative(epsilon, nameof(RmsProp));
        Require.NotNegative(weightDecay, nameof(RmsProp));
        Require.NotNegative(momentum, nameof(RmsProp));
        // The state: v, then ḡ when centered, then b with momentum.
        int states = 1 + (centered ? 1 : 0) + (momentum != 0 ? 1 : 0);
        FusedUpdate update = new(
            (a, s) =>
            {
                NDArray p = a[0];
                NDArray g = weightDecay == 0 ? a[^1] : a[^1] + weightDecay * p;
                NDArray v = MovingAverage.NextOfSquares(alpha, a[1], g, epsilon);
                List<NDArray> next = [p, v];
                NDArray spread = v;
                if (centered)
                {
                    NDArray mean = MovingAverage.Next(alpha, a[2], g);
                    next.Add(mean);
                    // Of gradients that stay the same nothing but rounding is left, of either sign.
                    spread = Nd.Maximum(v - Nd.Square(mean), 0);
                }

                NDArray direction = g / (Nd.Sqrt(spread) + epsilon);
                if (momentum != 0)
                {
                    direction = MovingAverage.Flushed(momentum * a[states] + direction);
                    next.Add(direction);
                }

                next[0] = p - s[0] * direction;
                return [.. next];
            },
            Numbers,
            arrays: states + 2,
            outputs: states + 1,
            scalars: 1);
        return (new OptimizerState(states), update);
    }
}
