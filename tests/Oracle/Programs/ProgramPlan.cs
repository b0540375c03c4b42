namespace Fusion.Oracle.Programs;

/// <summary>The steps of a program for inputs of certain shapes, and the shapes, types and values that it gives.</summary>
internal sealed record ProgramPlan(Step[] Steps, NDArray[] Values)
{
    private static readonly Step s_copy = Step.Of(static x => x[0].Copy(), static x => x[0].clone());

    public static ProgramPlan Of(OracleProgram program, IReadOnlyList<NDArray> inputs)
    {
        List<NDArray> values = [.. inputs];
        List<Step> steps = [];
        foreach (Instruction instruction in program.Body)
        {
            NDArray[] operands = [.. instruction.Operands.Select(i => values[i])];
            Step step = Rules.All[instruction.Rule].Plan(new Choice(instruction.Seed), operands) ?? s_copy;
            steps.Add(step);
            values.Add(step.Ours(operands));
        }

        return new ProgramPlan([.. steps], [.. values]);
    }
}
