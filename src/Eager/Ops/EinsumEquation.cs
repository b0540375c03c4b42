namespace Fusion;

/// <summary>
/// The parsed equation of <see cref="Nd.Einsum"/>: a string of labels per operand and for the result. Axes of an ellipsis get labels of their own, from
/// the private use area of Unicode, counted from the last.
/// </summary>
internal sealed class EinsumEquation
{
    private const char FirstEllipsisLabel = '\uE000';

    public EinsumEquation(string equation, IReadOnlyList<NDArray> operands)
    {
        string text = equation.Replace(" ", "", StringComparison.Ordinal);
        string[] sides = text.Split("->");
        string[] inputs = sides[0].Split(',');
        if (sides.Length > 2) throw Malformed(equation, "it has more than one arrow");
        if (operands.Count == 0 || inputs.Length != operands.Count) throw Malformed(equation, $"it names {inputs.Length} operands, but {operands.Count} are given");
        int widest = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            Inputs.Add(Expand(equation, inputs[i], operands[i].Rank, operands[i].Shape, out int ellipsis));
            widest = Math.Max(widest, ellipsis);
        }

        string broadcast = Ellipsis(widest);
        Output = sides.Length == 2 ? sides[1].Replace("...", broadcast, StringComparison.Ordinal) : broadcast + Implicit();
        string all = string.Concat(Inputs);
        for (int i = 0; i < Output.Length; i++)
        {
            if (!all.Contains(Output[i], StringComparison.Ordinal)) throw Malformed(equation, $"the result has the letter '{Output[i]}', which no operand has");
            if (Output.IndexOf(Output[i], StringComparison.Ordinal) != i) throw Malformed(equation, $"the result has the letter '{Output[i]}' twice");
        }
    }

    /// <summary>The labels of each operand's axes.</summary>
    public List<string> Inputs { get; } = [];

    /// <summary>The labels of the result's axes.</summary>
    public string Output { get; }

    /// <summary>The label is one of those of ellipses.</summary>
    public static bool IsEllipsis(char label) => label >= FirstEllipsisLabel;

    private static string Expand(string equation, string labels, int rank, Shape shape, out int ellipsis)
    {
        string letters = labels.Replace("...", "", StringComparison.Ordinal);
        foreach (char letter in letters)
            if (!char.IsAsciiLetter(letter)) throw Malformed(equation, $"'{letter}' is no letter");
        bool dots = labels.Length != letters.Length;
        if (labels.Length > letters.Length + 3) throw Malformed(equation, $"'{labels}' has more than one ellipsis");
        ellipsis = rank - letters.Length;
        if (ellipsis < 0 || (ellipsis > 0 && !dots)) throw new ShapeException($"Einsum: '{labels}' names {letters.Length} axes, but the operand is {shape}.");
        return labels.Replace("...", Ellipsis(ellipsis), StringComparison.Ordinal);
    }

    // The last axis of an ellipsis has the lowest label, so that ellipses of different lengths line up at their ends.
    private static string Ellipsis(int count) => string.Create(count, count, static (span, n) =>
    {
        for (int i = 0; i < span.Length; i++) span[i] = (char)(FirstEllipsisLabel + n - 1 - i);
    });

    private string Implicit() => string.Concat(string.Concat(Inputs).Where(static c => !IsEllipsis(c)).GroupBy(static c => c).Where(static g => g.Count() == 1).Select(static g => g.Key).Order());

    private static ArgumentException Malformed(string equation, string reason) => new($"Einsum: the equation \"{equation}\" cannot be read: {reason}.");
}
