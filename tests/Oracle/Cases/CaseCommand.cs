using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

/// <summary>Draws cases of every row; of a row that disagrees, prints the smallest case found that does.</summary>
internal static class CaseCommand
{
    private const int Smaller = 200;

    /// <summary>Runs so many cases of each row whose name contains the filter.</summary>
    public static int Run(int count, int seed, string filter)
    {
        set_default_dtype(ScalarType.Float64);
        CaseRow[] rows = [.. CaseRows.All.Where(r => r.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))];
        long numbers = 0;
        int failed = 0;
        Console.WriteLine($"The largest error in units of the last place of the largest element or of 1, in {count} cases; how many LibTorch refuses.\n");
        Console.WriteLine("| | Float32 | Float64 | refused |\n|---|---|---|---|");
        foreach (CaseRow row in rows)
        {
            Dictionary<DType, double> errors = new() { [DType.Float32] = 0, [DType.Float64] = 0 };
            List<string> refused = [];
            (int Seed, DType DType)? bad = null;
            for (int i = 0; i < count; i++)
            {
                foreach (DType dtype in errors.Keys)
                {
                    int at = Seed(seed, i);
                    CaseComparison comparison = CaseComparison.Of(row, at, dtype);
                    numbers += comparison.Compared;
                    if (comparison.Refused is { } text) refused.Add(text);
                    if (comparison.Failure is not null) bad ??= (at, dtype);
                    else errors[dtype] = Math.Max(errors[dtype], comparison.Error);
                }
            }

            Console.WriteLine($"| {row.Name} | {errors[DType.Float32]:F1} | {errors[DType.Float64]:F1} | {refused.Count} |");
            if (refused.Count > 0) Console.WriteLine($"  refused: {refused[0]}");
            if (bad is null) continue;
            failed++;
            Report(row, bad.Value.Seed, bad.Value.DType, seed);
        }

        Console.WriteLine($"\n{rows.Length} rows, {count} cases of seed {seed} in each type, {numbers} numbers compared; {failed} rows disagree.");
        return failed == 0 ? 0 : 1;
    }

    // Options hang together, so that a case is not cut: others are drawn, and the smallest that fails is told.
    private static void Report(CaseRow row, int at, DType dtype, int seed)
    {
        RandomCase smallest = row.Draw(new CaseDraw(at, dtype));
        string failure = CaseComparison.Of(row, at, dtype).Failure ?? "not again";
        for (int i = 0; i < Smaller; i++)
        {
            int other = Seed(seed, 1000 + i);
            RandomCase drawn = row.Draw(new CaseDraw(other, dtype));
            if (drawn.Size >= smallest.Size || CaseComparison.Of(row, other, dtype).Failure is not { } found) continue;
            (smallest, failure, at) = (drawn, found, other);
        }

        Console.WriteLine($"  DISAGREES, {dtype}, draw {at}: {smallest.Text}, inputs {string.Join(" ", smallest.Inputs.Select(static x => x.Shape))}: {failure}");
    }

    private static int Seed(int seed, int i) => (seed * 1_000_003) + i;
}
