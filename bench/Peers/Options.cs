using System.Globalization;
using Fusion.Peers.Reports;

namespace Fusion.Peers;

/// <summary>What the command line says.</summary>
/// <param name="Quick">Fewer cases and rounds.</param>
/// <param name="Threads">The numbers of threads, one after the other.</param>
/// <param name="Filter">Only cases whose "area: name" has this text.</param>
/// <param name="Out">The folder for the page and the charts.</param>
/// <param name="Json">The file for all numbers.</param>
/// <param name="Publish">Write docs/benchmarks and the README's table; with narrower registers, a folder of their own and no table of the README.</param>
/// <param name="Registers">Bits of the vector registers that all sides keep to; null: the machine's.</param>
internal sealed record Options(bool Quick, int[] Threads, string? Filter, string? Out, string? Json, bool Publish, int? Registers)
{
    /// <summary>The arguments as they were given.</summary>
    public string Text { get; private init; } = string.Empty;

    public string? Folder => Publish ? Path.Combine(Publication.Root(), "docs", "benchmarks", Registers is { } bits ? $"registers-{bits}" : string.Empty) : Out;

    public static Options Parse(string[] args)
    {
        Options options = new(false, Environment.ProcessorCount > 1 ? [1, 2] : [1], null, null, null, false, null) { Text = string.Join(' ', args) };
        for (int i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { Quick = true },
                "--publish" => options with { Publish = true },
                "--json" => options with { Json = Value() },
                "--threads" => options with { Threads = [.. Value().Split(',').Select(int.Parse)] },
                "--filter" => options with { Filter = Value() },
                "--out" => options with { Out = Value() },
                "--registers" => options with { Registers = int.Parse(Value(), CultureInfo.InvariantCulture) },
                _ => throw new ArgumentException($"Unknown option {args[i]}: --quick, --threads 1,2, --registers 128|256, --filter text, --out folder, --json file, --publish."),
            };

            string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{args[i - 1]} needs a value.");
        }

        if (options.Publish && options.Filter is not null) throw new ArgumentException("--publish writes all areas: it goes without --filter.");
        return options;
    }

    /// <summary>Whether a case is asked for; the sweep over all operators only where the filter begins with its area.</summary>
    public bool Includes(string area, string name, bool isQuick = true)
    {
        string filter = Filter ?? string.Empty;
        if (area == Cases.Operators.Area && !filter.StartsWith(area, StringComparison.OrdinalIgnoreCase)) return false;
        return (!Quick || isQuick) && $"{area}: {name}".Contains(filter, StringComparison.OrdinalIgnoreCase);
    }
}
