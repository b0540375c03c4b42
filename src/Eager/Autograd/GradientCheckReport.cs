namespace Fusion;

/// <summary>The outcome of <see cref="Autograd.CheckGradients"/>.</summary>
/// <param name="Passed">Every entry agrees.</param>
/// <param name="MaxRelativeError">The largest |computed − numeric| / max(1, |computed|, |numeric|).</param>
/// <param name="Worst">Order, input, position and both values of that entry.</param>
public sealed record GradientCheckReport(bool Passed, double MaxRelativeError, string Worst)
{
    /// <summary>Names the worst entry.</summary>
    public override string ToString() => $"{(Passed ? "passed" : "FAILED")}, largest relative error {MaxRelativeError:E2} at {Worst}";
}
