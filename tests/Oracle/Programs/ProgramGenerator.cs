namespace Fusion.Oracle.Programs;

/// <summary>Draws programs whose values stay finite and moderate; or, special ones, of infinities and NaN, too.</summary>
internal sealed class ProgramGenerator(Random random, bool special)
{
    private static readonly int[] s_sizes = [1, 2, 3, 4, 5, 6, 7, 8, 2, 3, 4, 17];

    private static readonly int[] s_largeSizes = [1, 2, 16, 31, 64, 65, 100, 130];

    private static readonly int[] s_byWeight = [.. Rules.All.SelectMany(static (r, i) => Enumerable.Repeat(i, r.Weight))];

    private static readonly int s_reduced = Array.FindIndex(Rules.All, static r => r.Name == "Reduced");

    private int _maxSize;

    public OracleProgram Next()
    {
        DType[] types = random.Next(special ? 8 : 10) switch
        {
            < 5 => [DType.Float64],
            < 8 => [DType.Float32],
            8 => [DType.Float32, DType.Float64],
            _ => [random.Next(2) == 0 ? DType.Float16 : DType.BFloat16, DType.Float32],
        };
        bool large = random.Next(12) == 0;
        _maxSize = large ? 60_000 : 3000;
        int[] sizes = Sizes(large);
        ProgramInput[] inputs = [.. Enumerable.Range(0, 2 + random.Next(4)).Select(_ => Input(types)), Input([DType.Int64, DType.Int32]), Input([DType.Bool])];
        OracleProgram program = new(inputs, [], sizes, Sizes(large));
        List<NDArray> values = [.. program.Draw(sizes)];
        int length = 3 + random.Next(28);
        for (int tries = 0; program.Body.Length < length && tries < 2000; tries++)
        {
            Instruction instruction = Draw(values.Count);
            NDArray? value;
            try
            {
                value = Value(instruction, values);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Ours refuses what it should take: the comparison says so.
                return program with { Body = [.. program.Body, instruction] };
            }

            if (value is null) continue;
            program = program with { Body = [.. program.Body, instruction] };
            values.Add(value);
            if (!value.DType.IsFloat || Magnitude(value) < 20) continue;
            program = program with { Body = [.. program.Body, new Instruction(s_reduced, [values.Count - 1], 0)] };
            values.Add(value * 0.03125);
        }

        return program;
    }

    private int[] Sizes(bool large)
    {
        int[] sizes = large ? s_largeSizes : s_sizes;
        return [.. Enumerable.Range(0, 3).Select(_ => random.Next(40) == 0 ? 0 : sizes[random.Next(sizes.Length)])];
    }

    private ProgramInput Input(DType[] types)
    {
        int rank = random.Next(8) switch { 0 => 0, 1 or 2 => 1, 7 => 3, _ => 2 };
        int[] axes = [.. Enumerable.Range(3 - rank, rank).Select(i => random.Next(6) == 0 ? -1 : random.Next(5) == 0 ? random.Next(3) : i)];
        return new ProgramInput(axes, types[random.Next(types.Length)], random.Next(), random.Next(3) == 0) { IsSpecial = special };
    }

    // Recent values are likelier: chains rather than stars.
    private Instruction Draw(int count)
    {
        int rule = s_byWeight[random.Next(s_byWeight.Length)];
        int[] operands = [.. Enumerable.Range(0, Rules.All[rule].Arity).Select(_ => random.Next(2) == 0 ? random.Next(count) : count - 1 - random.Next(Math.Min(count, 4)))];
        return new Instruction(rule, operands, random.Next());
    }

    // Null where the instruction does not fit, or gives what is too large to be compared.
    private NDArray? Value(Instruction instruction, List<NDArray> values)
    {
        NDArray[] operands = [.. instruction.Operands.Select(i => values[i])];
        if (special && Rules.HasConventions(Rules.All[instruction.Rule])) return null;
        if (Rules.All[instruction.Rule].Plan(new Choice(instruction.Seed), operands) is not { } step) return null;
        NDArray value = step.Ours(operands);
        return value.Size <= _maxSize && value.Rank <= 5 && Magnitude(value) < 1e4 ? value : null;
    }

    private double Magnitude(NDArray x) =>
        x.Size == 0 ? 0 : x.AsType(DType.Float64).ToArray<double>().Max(v => double.IsFinite(v) ? Math.Abs(v) : special ? 1 : double.PositiveInfinity);
}
