using static TorchSharp.torch;

namespace Fusion.Oracle.Programs;

/// <summary>Runs random programs; prints the failing ones, made small.</summary>
internal static class ProgramCommand
{
    /// <summary>Runs programs from the one numbered <paramref name="first"/>.</summary>
    /// <param name="special">Of zeros, infinities and NaN.</param>
    public static int Run(int count, int seed, int first, bool special)
    {
        set_default_dtype(ScalarType.Float64);
        long compared = 0, undecided = 0;
        int failed = 0;
        for (int i = first; i < first + count; i++)
        {
            OracleProgram program = new ProgramGenerator(new Random((seed * 1_000_003) + i), special).Next();
            ProgramComparison comparison = ProgramComparison.Of(program);
            compared += comparison.Compared;
            undecided += comparison.Undecided;
            if (comparison.Failure is null) continue;
            failed++;
            Console.WriteLine($"Program {i} of seed {seed}: {comparison.Failure}");
            (OracleProgram small, ProgramComparison last) = ProgramShrinker.Shrink(program, comparison);
            Console.WriteLine($"  made small: {last.Failure}\n{ProgramPrinter.Print(small, last.Sizes)}");
        }

        Console.WriteLine($"{count} programs of seed {seed}, {compared} numbers compared, {undecided} not decided; {failed} programs disagree.");
        return failed == 0 ? 0 : 1;
    }
}
