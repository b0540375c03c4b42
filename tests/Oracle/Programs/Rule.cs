namespace Fusion.Oracle.Programs;

/// <summary>An operator that instructions may use.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Arity">How many operands an instruction gives it.</param>
/// <param name="Plan">The step for operands of these shapes and types; null where they do not fit. Reads no values.</param>
internal sealed record Rule(string Name, int Arity, Func<Choice, NDArray[], Step?> Plan)
{
    /// <summary>How often it is drawn, in units of a row of the table of operators.</summary>
    public int Weight { get; init; } = 8;
}
