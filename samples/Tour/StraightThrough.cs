using Fusion;

namespace Tour;

/// <summary>Rounds, and passes the gradient on as if it had not: the straight-through estimator of Bengio et al., 2013.</summary>
internal sealed class StraightThrough : Autograd.Function
{
    protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs) => [inputs[0].Round()];

    protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0]];
}
