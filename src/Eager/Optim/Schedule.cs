namespace Fusion.Optim;

/// <summary>
/// The learning rate as a function of the steps made. A schedule starts from the optimizer's learning rate at its construction and sets the rate at once
/// and at each <see cref="Step"/>; call that after the optimizer's step, or after each epoch, whatever the schedule counts.
/// </summary>
public abstract class Schedule
{
    private readonly Optimizer _optimizer;

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
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
            _optimizer.LearningRate = RateAt(value);
        }
    }

    /// <summary>The learning rate after so many steps.</summary>
    public abstract double RateAt(long step);

    /// <summary>Counts a step and sets the learning rate.</summary>
    public void Step() => StepCount++;

    /// <summary>Sets the rate of step 0; derived classes call it when they are ready.</summary>
    protected void Start() => StepCount = 0;
}
