namespace Fusion.Optim;

/// <summary>
/// min + ½(η − min)·(1 + cos(π·t/T)) again and again: after T steps the rate is η once more, and every period is so many times as long as the one before.
/// </summary>
/// <remarks>
/// <c>torch.optim.lr_scheduler.CosineAnnealingWarmRestarts</c>. Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq. 5.
/// </remarks>
public sealed class CosineRestartSchedule : Schedule
{
    private readonly long _period;
    private readonly int _growth;
    private readonly double _minimum;

    /// <summary>From the optimizer's rate to <paramref name="minimum"/> in every period.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="period">The steps of the first period.</param>
    /// <param name="growth">How many times as long each period is as the one before.</param>
    /// <param name="minimum">Where a period ends.</param>
    /// <exception cref="ArgumentOutOfRangeException">The period or its growth is not positive, or the minimum is negative.</exception>
    public CosineRestartSchedule(Optimizer optimizer, long period, int growth = 1, double minimum = 0) : base(optimizer)
    {
        Require.Positive(period, nameof(CosineRestartSchedule));
        Require.Positive(growth, nameof(CosineRestartSchedule));
        Require.NotNegative(minimum, nameof(CosineRestartSchedule));
        (_period, _growth, _minimum) = (period, growth, minimum);
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step)
    {
        long length = _period, at = step;
        if (_growth == 1) at %= length;
        while (at >= length)
        {
            at -= length;
            length = length > long.MaxValue / _growth ? long.MaxValue : length * _growth;
        }

        return _minimum + 0.5 * (BaseRate - _minimum) * (1 + Math.Cos(Math.PI * at / length));
    }
}

/// <summary>
/// One cycle: from max/start up to max in a share of the steps, then down to max/(start·end), on cosines, or on straight lines; there the rate stays. The
/// optimizer's own rate does not matter.
/// </summary>
/// <remarks>
/// <c>torch.optim.lr_scheduler.OneCycleLR(cycle_momentum=False)</c>. Smith and Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large
/// Learning Rates", 2017.
/// </remarks>
public sealed class OneCycleSchedule : Schedule
{
    private readonly double _maximum;
    private readonly double _first;
    private readonly double _last;
    private readonly double _top;
    private readonly double _end;
    private readonly bool _linear;

    /// <summary>A cycle of so many steps.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="maximum">The largest rate.</param>
    /// <param name="steps">The steps of the cycle.</param>
    /// <param name="rise">The share of the steps in which the rate rises.</param>
    /// <param name="startDivisor">The first rate is the largest one divided by this.</param>
    /// <param name="endDivisor">The last rate is the first one divided by this.</param>
    /// <param name="linear">Straight lines instead of cosines.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or the share is not in [0, 1].</exception>
    public OneCycleSchedule(Optimizer optimizer, double maximum, long steps, double rise = 0.3, double startDivisor = 25, double endDivisor = 1e4, bool linear = false) : base(optimizer)
    {
        Require.Positive(maximum, nameof(OneCycleSchedule));
        Require.Positive(steps, nameof(OneCycleSchedule));
        Require.Fraction(rise, nameof(OneCycleSchedule));
        Require.Positive(startDivisor, nameof(OneCycleSchedule));
        Require.Positive(endDivisor, nameof(OneCycleSchedule));
        (_maximum, _first, _linear) = (maximum, maximum / startDivisor, linear);
        (_last, _top, _end) = (_first / endDivisor, rise * steps - 1, steps - 1);
        Start();
    }

    /// <inheritdoc/>
    public override double RateAt(long step)
    {
        if (step >= _end) return _last;
        return step <= _top ? Between(_first, _maximum, step / _top) : Between(_maximum, _last, (step - _top) / (_end - _top));
    }

    private double Between(double from, double to, double share)
    {
        // A rise of no length.
        if (double.IsNaN(share)) return from;
        return _linear ? from + (to - from) * share : to + (from - to) / 2 * (1 + Math.Cos(Math.PI * share));
    }
}
