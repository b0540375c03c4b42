namespace Fusion.Peers;

/// <summary>What the command line says.</summary>
internal sealed record Options(bool Quick, int[] Threads, string? Filter, string? Out, bool Json)
{
    public static Options Parse(string[] args)
    {
        Options options = new(false, Environment.ProcessorCount > 1 ? [1, 2] : [1], null, null, false);
        for (int i = 0; i < args.Length; i++)
        {
            options = args[i] switch
            {
                "--quick" => options with { Quick = true },
                "--json" => options with { Json = true },
                "--threads" => options with { Threads = [.. Value().Split(',').Select(int.Parse)] },
                "--filter" => options with { Filter = Value() },
                "--out" => options with { Out = Value() },
                _ => throw new ArgumentException($"Unknown option {args[i]}: --quick, --threads 1,2, --filter text, --out folder, --json."),
            };

            string Value() => ++i < args.Length ? args[i] : throw new ArgumentException($"{args[i - 1]} needs a value.");
        }

        return options;
    }
}
