namespace Fusion.Optim;

/// <summary>
/// Averages that fade, as optimizers keep them. Where the gradient of a parameter stays zero (a unit that is dead, a word that does not occur) an average
/// shrinks until it is denormal, and stays so: 0.9 times the least number rounds to the least number. Processors take up to a hundred times as long for
/// such numbers, in each step from then on, and none of them changes a parameter: they become zeros.
/// </summary>
internal static class MovingAverage
{
    private const double LeastEpsilon = 1e-11;

    /// <summary>decay·average + (1 − decay)·value.</summary>
    public static NDArray Next(double decay, NDArray average, NDArray value) => Flushed(decay * average + (1 - decay) * value);

    /// <summary>
    /// The same of squares whose root is added to ε. What becomes zero has a root below 10⁻¹⁹, which does not show beside ε; where ε is so small that it would, the
    /// average stays what it is.
    /// </summary>
    public static NDArray NextOfSquares(double decay, NDArray average, NDArray value, double epsilon)
    {
        NDArray square = Nd.Square(value);
        return epsilon < LeastEpsilon ? decay * average + (1 - decay) * square : Next(decay, average, square);
    }

    /// <summary>Zero where |x| is below the least normal number of its type; NaN stays.</summary>
    public static NDArray Flushed(NDArray x) => Nd.Where(Nd.Abs(x) < (x.DType == DType.Float64 ? 2.2250738585072014e-308 : 1.1754943508222875e-38), 0, x);
}
