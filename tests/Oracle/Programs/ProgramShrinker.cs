namespace Fusion.Oracle.Programs;

/// <summary>Makes a failing program smaller as long as it fails: fewer instructions, fewer inputs, smaller sizes.</summary>
internal static class ProgramShrinker
{
    /// <summary>The smaller program, and what differs in it.</summary>
    public static (OracleProgram Program, ProgramComparison Comparison) Shrink(OracleProgram program, ProgramComparison comparison)
    {
        for (bool smaller = true; smaller;)
        {
            smaller = false;
            foreach (OracleProgram candidate in Candidates(program))
            {
                if (ProgramComparison.Of(candidate) is not { Failure: not null } failing) continue;
                (program, comparison, smaller) = (candidate, failing, true);
                break;
            }
        }

        return (program, comparison);
    }

    private static IEnumerable<OracleProgram> Candidates(OracleProgram program)
    {
        if (!program.Sizes.SequenceEqual(program.OtherSizes))
        {
            yield return program with { OtherSizes = program.Sizes };
            if (program.OtherSizes.Sum() < program.Sizes.Sum()) yield return program with { Sizes = program.OtherSizes };
        }

        for (int i = program.Body.Length - 1; i >= 0; i--)
            if (program.Body.Length > 1) yield return Without(program, i);
        for (int i = program.Inputs.Length - 1; i >= 0; i--)
            if (program.Inputs.Length > 1 && !program.Body.Any(b => b.Operands.Contains(i))) yield return WithoutInput(program, i);
        for (int i = 0; i < program.Body.Length; i++)
            foreach (int k in Enumerable.Range(0, program.Inputs.Length))
                if (program.Body[i].Operands is [var only] && only != k && only >= program.Inputs.Length) yield return WithOperand(program, i, k);
        for (int i = 0; i < program.Sizes.Length; i++)
        {
            if (program.Sizes[i] > 1) yield return program with { Sizes = Lowered(program.Sizes, i) };
            if (program.OtherSizes[i] > 1) yield return program with { OtherSizes = Lowered(program.OtherSizes, i) };
        }

        for (int i = 0; i < program.Inputs.Length; i++)
            if (program.Inputs[i].IsStrided) yield return program with { Inputs = [.. program.Inputs.Select((p, k) => k == i ? p with { IsStrided = false } : p)] };
    }

    // What used the instruction uses its first operand.
    private static OracleProgram Without(OracleProgram program, int index)
    {
        int place = program.Inputs.Length + index, instead = program.Body[index].Operands[0];
        int Moved(int i) => i == place ? instead : i > place ? i - 1 : i;
        return program with { Body = [.. program.Body.Where((_, i) => i != index).Select(b => b with { Operands = [.. b.Operands.Select(Moved)] })] };
    }

    private static OracleProgram WithoutInput(OracleProgram program, int index) => program with
    {
        Inputs = [.. program.Inputs.Where((_, i) => i != index)],
        Body = [.. program.Body.Select(b => b with { Operands = [.. b.Operands.Select(i => i > index ? i - 1 : i)] })],
    };

    private static OracleProgram WithOperand(OracleProgram program, int index, int operand) => program with
    {
        Body = [.. program.Body.Select((b, i) => i == index ? b with { Operands = [operand] } : b)],
    };

    private static int[] Lowered(int[] sizes, int axis) => [.. sizes.Select((n, i) => i == axis ? Math.Max(1, n / 2) : n)];
}
