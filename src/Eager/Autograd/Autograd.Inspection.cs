namespace Fusion;

public static partial class Autograd
{
    /// <summary>The recorded computation behind an array: arguments, operators, text and DOT.</summary>
    /// <exception cref="AutogradException">The graph was released by a backward without retainGraph.</exception>
    public static Symbol GetSymbol(NDArray head)
    {
        ArgumentNullException.ThrowIfNull(head);
        return new Symbol(head);
    }

    /// <summary>
    /// Compares the gradients of the sum of <c>f(inputs)</c> with central finite differences in Float64. <paramref name="order"/> 2 checks the gradient
    /// of a weighted sum of the first-order gradients, and so on.
    /// </summary>
    /// <param name="f">A function of arrays; called many times, so it must be deterministic.</param>
    /// <param name="inputs">Where to check; converted to Float64.</param>
    /// <param name="order">The highest order of derivatives checked, 1 to 16; each takes a multiple of the time and memory of the one before.</param>
    /// <exception cref="ArgumentOutOfRangeException">The order is not between 1 and 16.</exception>
    public static GradientCheckReport CheckGradients(Func<IReadOnlyList<NDArray>, NDArray> f, IReadOnlyList<NDArray> inputs, int order = 1)
    {
        ArgumentNullException.ThrowIfNull(f);
        ArgumentNullException.ThrowIfNull(inputs);
        Require.Between(order, 1, GradientChecker.MaxOrder);
        return new GradientChecker(f, inputs).Check(order);
    }
}
