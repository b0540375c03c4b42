// Against LibTorch:
// every function that both sides have, and its gradient, on random inputs:
//     dotnet run -c Release --project tests/Oracle -- [--filter text] [--seeds 3]
// random programs of these functions: results, gradients, gradients of gradients; eager, and compiled to the same bits:
//     dotnet run -c Release --project tests/Oracle -- --programs 1000 [--seed 1] [--first 0] [--special]
// random cases of layers, losses, optimizers, schedules and index expressions: results and gradients; eager, and compiled to the same bits:
//     dotnet run -c Release --project tests/Oracle -- --cases 100 [--seed 1] [--filter text]
using System.Globalization;
using Fusion;
using Fusion.Oracle;
using Fusion.Oracle.Cases;
using Fusion.Oracle.Programs;
using Fusion.Peers.Table;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (TorchArrays.Unavailable() is { } reason)
{
    Console.Error.WriteLine($"LibTorch cannot be loaded: {reason}");
    Console.Error.WriteLine(TorchArrays.Hint);
    return 2;
}

if (Option("--programs") is { } count) return ProgramCommand.Run(int.Parse(count), int.Parse(Option("--seed") ?? "1"), int.Parse(Option("--first") ?? "0"), args.Contains("--special"));

string filter = Option("--filter") ?? string.Empty;
if (Option("--cases") is { } cases) return CaseCommand.Run(int.Parse(cases), int.Parse(Option("--seed") ?? "1"), filter);

int seeds = int.Parse(Option("--seeds") ?? "3");
OperatorRow[] rows = [.. OperatorTable.All.Where(r => r.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))];
int failed = 0;
Console.WriteLine("Errors in units of the last place, of the larger of the element and the mean magnitude.\n");
Console.WriteLine("| function | Float32 | its gradient | Float64 | its gradient |\n|---|---|---|---|---|");
foreach (OperatorRow row in rows)
{
    Comparison[] all = [.. from dtype in new[] { DType.Float32, DType.Float64 } from seed in Enumerable.Range(1, seeds) select Comparison.Of(row, dtype, seed)];
    IEnumerable<string> cells = all.Chunk(seeds).SelectMany(c =>
        new[] { Cell(c.Max(static r => r.ValueError)), row.IsDifferentiable ? Cell(c.Max(static r => r.GradientError)) : "–" });
    Console.WriteLine($"| {row.Name} | {string.Join(" | ", cells)} |");
    if (all.FirstOrDefault(static c => c.Failure is not null) is not { } bad) continue;
    failed++;
    Console.WriteLine($"  DISAGREES, {bad.DType}: {bad.Failure}");
}

string[] compared = [.. rows.Select(static r => r.Function).Distinct()];
IEnumerable<string> functions = typeof(Nd).GetMethods().Where(static m => m.IsStatic && m.ReturnType != typeof(bool)).Select(static m => m.Name);
string[] missing = [.. functions.Except(compared).Order(StringComparer.Ordinal)];
Console.WriteLine($"\n{rows.Length} rows of {compared.Length} functions, {seeds} seeds each; {failed} disagree.");
if (filter.Length == 0) Console.WriteLine($"Without a row: {string.Join(", ", missing)}.");
return failed == 0 ? 0 : 1;

string? Option(string name) => Array.IndexOf(args, name) is var i && i >= 0 && i + 1 < args.Length ? args[i + 1] : null;

static string Cell(double error) => double.IsNaN(error) ? "?" : error.ToString("F1");
