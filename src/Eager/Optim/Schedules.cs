namespace Fusion.Optim;

/// <summary>η·γ^⌊t/size⌋.</summary>
public sealed class StepSchedule : Schedule
{
    private readonly int _size;
    private readonly double _gamma;

    /// <summary>Multiplies the rate by <paramref name="gamma"/> every <paramref name="size"/> steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive, or γ is negative.</exception>
    public StepSchedule(Optimizer optimizer, int size, double gamma = 0.1) : base(optimizer)
    {
        Require.Positive(size, nameof(StepSchedule));
        Require.NotNegative(gamma, nameof(StepSchedule));
        (_size, _gamma) = (size, gamma);
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => BaseRate * Math.Pow(_gamma, step / _size);
}

/// <summary>η·γⁿ where n milestones have been reached.</summary>
public sealed class MultiStepSchedule : Schedule
{
    private readonly long[] _milestones;
    private readonly double _gamma;

    /// <summary>Multiplies the rate by <paramref name="gamma"/> at each milestone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">γ is negative.</exception>
    public MultiStepSchedule(Optimizer optimizer, IEnumerable<long> milestones, double gamma = 0.1) : base(optimizer)
    {
        ArgumentNullException.ThrowIfNull(milestones);
        Require.NotNegative(gamma, nameof(MultiStepSchedule));
        (_milestones, _gamma) = ([.. milestones], gamma);
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => BaseRate * Math.Pow(_gamma, _milestones.Count(m => m <= step));
}

/// <summary>η·γᵗ.</summary>
public sealed class ExponentialSchedule : Schedule
{
    private readonly double _gamma;

    /// <summary>Multiplies the rate by <paramref name="gamma"/> at each step.</summary>
    /// <exception cref="ArgumentOutOfRangeException">γ is negative.</exception>
    public ExponentialSchedule(Optimizer optimizer, double gamma) : base(optimizer)
    {
        Require.NotNegative(gamma, nameof(ExponentialSchedule));
        _gamma = gamma;
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => BaseRate * Math.Pow(_gamma, step);
}

/// <summary>min + ½(η − min)·(1 + cos(π·t/T)), and min from T on.</summary>
/// <remarks>Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq. 5.</remarks>
public sealed class CosineSchedule : Schedule
{
    private readonly long _steps;
    private readonly double _minimum;

    /// <summary>From the optimizer's rate to <paramref name="minimum"/> in so many steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is not positive, or the minimum is negative.</exception>
    public CosineSchedule(Optimizer optimizer, long steps, double minimum = 0) : base(optimizer)
    {
        Require.Positive(steps, nameof(CosineSchedule));
        Require.NotNegative(minimum, nameof(CosineSchedule));
        (_steps, _minimum) = (steps, minimum);
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => _minimum + 0.5 * (BaseRate - _minimum) * (1 + Math.Cos(Math.PI * Math.Min(step, _steps) / _steps));
}

/// <summary>min + (η − min)·(1 − t/T)^power, and min from T on; power 1 is a straight line.</summary>
public sealed class PolynomialSchedule : Schedule
{
    private readonly long _steps;
    private readonly double _power;
    private readonly double _minimum;

    /// <summary>From the optimizer's rate to <paramref name="minimum"/> in so many steps.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps or the power is not positive, or the minimum is negative.</exception>
    public PolynomialSchedule(Optimizer optimizer, long steps, double power = 1, double minimum = 0) : base(optimizer)
    {
        Require.Positive(steps, nameof(PolynomialSchedule));
        Require.Positive(power, nameof(PolynomialSchedule));
        Require.NotNegative(minimum, nameof(PolynomialSchedule));
        (_steps, _power, _minimum) = (steps, power, minimum);
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => _minimum + (BaseRate - _minimum) * Math.Pow(1 - (double)Math.Min(step, _steps) / _steps, _power);
}

/// <summary>From 0 to η in a straight line over the first steps, then another schedule, which counts from the end of the warm-up.</summary>
/// <remarks>Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017, section 2.2.</remarks>
public sealed class WarmupSchedule : Schedule
{
    private readonly long _steps;
    private readonly Schedule? _then;

    /// <summary>A warm-up of so many steps, the first of which has the rate η/steps.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="steps">The length of the warm-up.</param>
    /// <param name="next">Makes the schedule that follows; none: the rate stays η.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is not positive.</exception>
    public WarmupSchedule(Optimizer optimizer, long steps, Func<Optimizer, Schedule>? next = null) : base(optimizer)
    {
        Require.Positive(steps, nameof(WarmupSchedule));
        (_steps, _then) = (steps, next?.Invoke(optimizer));
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => step < _steps ? BaseRate * (step + 1) / _steps : _then?.RateAt(step - _steps) ?? BaseRate;
}

/// <summary>η·f(t) with any function f.</summary>
public sealed class LambdaSchedule : Schedule
{
    private readonly Func<long, double> _factor;

    /// <summary>The optimizer's rate times a factor that depends on the step.</summary>
    public LambdaSchedule(Optimizer optimizer, Func<long, double> factor) : base(optimizer)
    {
        ArgumentNullException.ThrowIfNull(factor);
        _factor = factor;
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step) => BaseRate * _factor(step);
}
