namespace Fusion.Optim;

/// <summary>NAdam's momentum μₜ of each step, and the product of all so far; most parameters have made equally many steps: the last result is kept.</summary>
internal sealed class MomentumSchedule(MomentCorrection moments, double decay)
{
    private long _steps;
    private double _product = 1;

    public MomentCorrection Moments => moments;

    public (double Now, double Next, double Product) After(long steps)
    {
        if (steps < _steps) (_steps, _product) = (0, 1);
        while (_steps < steps) _product *= At(++_steps);
        return (At(steps), At(steps + 1), _product);
    }

    private double At(long step) => moments.Beta1 * (1 - 0.5 * Math.Pow(0.96, step * decay));
}
