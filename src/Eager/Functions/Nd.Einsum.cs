namespace Fusion;

public static partial class Nd
{
    /// <summary>
    /// Einstein summation: letters name axes, <c>...</c> stands for axes that line up at their ends, letters that are missing on the right of <c>-&gt;</c> are summed
    /// over. Axes of one name in several operands have one size, or 1, which broadcasts. Without an arrow the result has the letters that occur once, in alphabetical order. Operands are contracted pairwise from the left by
    /// matrix products, or multiplied element by element where nothing is summed.
    /// </summary>
    /// <exception cref="ArgumentException">The equation is malformed or does not fit the number of operands.</exception>
    /// <exception cref="ShapeException">An operand has another rank than its letters, or two axes of one letter differ in size, and neither has the size 1.</exception>
    public static NDArray Einsum(string equation, params IReadOnlyList<NDArray> operands)
    {
        ArgumentNullException.ThrowIfNull(equation);
        ArgumentNullException.ThrowIfNull(operands);
        foreach (NDArray operand in operands) ArgumentNullException.ThrowIfNull(operand, nameof(operands));
        EinsumEquation parsed = new(equation, operands);
        DType dtype = operands[0].DType;
        foreach (NDArray operand in operands) dtype = DTypes.Promote(dtype, operand.DType);
        EinsumTerm[] terms = new EinsumTerm[operands.Count];
        for (int i = 0; i < terms.Length; i++) terms[i] = EinsumTerm.Of(Elements.Wide(Elements.To(operands[i], Elements.RealType(dtype))), parsed.Inputs[i]);
        EinsumTerm result = terms[0];
        for (int i = 1; i < terms.Length; i++)
        {
            // What no later operand and not the result needs is summed now.
            HashSet<char> needed = [.. parsed.Output];
            for (int later = i + 1; later < terms.Length; later++) needed.UnionWith(terms[later].Labels);
            result = EinsumTerm.Contract(result, terms[i], needed, parsed.Output);
        }

        NDArray delivered = Rounded(result.Deliver(parsed.Output), dtype);
        return ReferenceEquals(delivered, operands[0]) ? delivered.Alias() : delivered;
    }
}
