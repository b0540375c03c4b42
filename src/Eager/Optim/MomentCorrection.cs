namespace Fusion.Optim;

/// <summary>
/// What moving averages lack after t steps from zero, for the decays of the first and the second moment: 1 − β₁ᵗ and √(1 − β₂ᵗ). Most parameters have made equally many
/// steps: the last result is kept.
/// </summary>
internal sealed class MomentCorrection
{
    private readonly double _beta1;
    private readonly double _beta2;
    private long _steps = -1;
    private double _first;
    private double _rootOfSecond;

    /// <exception cref="ArgumentOutOfRangeException">A β is outside [0, 1).</exception>
    public MomentCorrection(string optimizer, double beta1, double beta2)
    {
        Check(optimizer, beta1, nameof(beta1));
        Check(optimizer, beta2, nameof(beta2));
        (_beta1, _beta2) = (beta1, beta2);
    }

    public double Beta1 => _beta1;

    public double Beta2 => _beta2;

    public (double First, double RootOfSecond) After(long steps)
    {
        if (steps != _steps) (_steps, _first, _rootOfSecond) = (steps, 1 - Math.Pow(_beta1, steps), Math.Sqrt(1 - Math.Pow(_beta2, steps)));
        return (_first, _rootOfSecond);
    }

    private static void Check(string optimizer, double value, string name)
    {
        if (!(value is >= 0 and < 1)) throw new ArgumentOutOfRangeException(name, value, $"{optimizer}: {name} must be at least 0 and below 1.");
    }
}
