using System.Globalization;

namespace Fusion.Gpu;

/// <summary>The command line.</summary>
internal sealed record Options
{
    /// <summary>gpu0, gpu1 … or debug.</summary>
    public string Device { get; private init; } = "gpu0";

    /// <summary>table, programs or speed; null: all.</summary>
    public string? Only { get; private init; }

    /// <summary>How many random programs.</summary>
    public int Programs { get; private init; } = 500;

    /// <summary>The seed of the first of them.</summary>
    public int First { get; private init; }

    /// <summary>Part of a case's name.</summary>
    public string Filter { get; private init; } = string.Empty;

    /// <summary>A file with the peer's times.</summary>
    public string? Peer { get; private init; }

    /// <summary>The folder of the report.</summary>
    public string? Out { get; private init; }

    public static Options Parse(string[] args)
    {
        Options options = new();
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            options = args[i] switch
            {
                "--device" => options with { Device = args[i + 1] },
                "--only" => options with { Only = args[i + 1] },
                "--programs" => options with { Programs = int.Parse(args[i + 1], CultureInfo.InvariantCulture) },
                "--first" => options with { First = int.Parse(args[i + 1], CultureInfo.InvariantCulture) },
                "--filter" => options with { Filter = args[i + 1] },
                "--peer" => options with { Peer = args[i + 1] },
                "--out" => options with { Out = args[i + 1] },
                _ => throw new ArgumentException($"Unknown option {args[i]}."),
            };
        }

        return options;
    }
}
