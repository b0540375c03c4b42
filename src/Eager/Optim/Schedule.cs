namespace Fusion.Optim;

/// <summary>
/// The learning rate as a function of the steps made. A schedule starts from the optimizer's learning rate at its construction and sets the rate at once
/// and at each <see cref="Step"/>, also inside a compiled step; call that after the optimizer's step, or after each epoch, whatever the schedule counts.
/// </summary>
public abstract class Schedule
{
    private readonly Optimizer _optimizer;
    private long _stepCount;

    /// <summary>A schedule of an optimizer.</summary>
    protected Schedule(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        _optimizer = optimizer;
        BaseRate = optimizer.LearningRate;
    }

    /// <summary>The optimizer's learning rate when the schedule was made.</summary>
    public double BaseRate { get; }

    /// <summary>The steps made so far; setting it continues a run.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long StepCount
    {
        get
        {
            if (ExecutionState.Current.Tracer is { } tracer) throw tracer.ValueRead($"{GetType().Name}.StepCount");
            return _stepCount;
        }
        set
        {
            Require.NotNegative(value, $"{GetType().Name}.StepCount");
            if (ExecutionState.Current.Tracer is { } tracer) throw tracer.SideEffect($"Setting {GetType().Name}.StepCount");
            Set(value);
        }
    }

    /// <summary>The learning rate after so many steps.</summary>
    public abstract double RateAt(long step);

    /// <summary>Counts a step and sets the learning rate.</summary>
    public void Step()
    {
        if (ExecutionState.Current.Tracer is { } tracer) tracer.Effect(new StepEffect(this));
        else Set(_stepCount + 1);
    }

    /// <summary>Sets the rate of step 0; derived classes call it when they are ready.</summary>
    protected void Start() => StepCount = 0;

    private void Set(long step)
    {
        // First what may throw: a step that fails has not been made.
        _optimizer.SetRate(RateAt(step));
        _stepCount = step;
    }

    private sealed class StepEffect(Schedule schedule) : HostEffect
    {
        private double _rate;

        public override object Owner => schedule._optimizer.RateOwner;

        public override void Make()
        {
            _rate = schedule._optimizer.CurrentRate;
            schedule.Set(schedule._stepCount + 1);
        }

        public override void Undo()
        {
            schedule._stepCount--;
            schedule._optimizer.SetRate(_rate);
        }

        public override Action Keep()
        {
            (long count, double rate) = (schedule._stepCount, schedule._optimizer.CurrentRate);
            return () =>
            {
                schedule._stepCount = count;
                schedule._optimizer.SetRate(rate);
            };
        }
    }
}
