namespace Fusion;

/// <summary>
/// Writes what the compiler makes of every function, stage by stage, when the environment variable <c>FUSION_DUMP</c> names a folder (a file a stage,
/// numbered in order) or is <c>-</c> (standard output). <c>trace</c>: the calls as they were made, with source lines; <c>forward</c> and <c>backward</c>:
/// the two functions after simplification and the cut between them; <c>…-groups</c>: the launches. The same program writes the same text.
/// </summary>
internal static class IrDump
{
    private static readonly string? s_target = Environment.GetEnvironmentVariable("FUSION_DUMP") is { Length: > 0 } target ? target : null;
    private static readonly Lock s_lock = new();
    private static int s_count;

    public static bool IsOn => s_target is not null;

    /// <summary>Writes one stage.</summary>
    /// <param name="function">The name of the function.</param>
    /// <param name="variant">The number of its variant.</param>
    /// <param name="stage">The name of the stage.</param>
    /// <param name="text">Made only when somebody wants it.</param>
    public static void Write(string function, int variant, string stage, Func<string> text)
    {
        if (s_target is null) return;
        lock (s_lock)
        {
            string head = $"// {function}, variant {variant}: {stage}\n{text()}";
            if (s_target == "-")
            {
                Console.Out.WriteLine(head);
                return;
            }

            try
            {
                Directory.CreateDirectory(s_target);
                File.WriteAllText(Path.Combine(s_target, $"{++s_count:D4}-{FileName(function)}-{variant}-{stage}.txt"), head);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                Diagnostics.Warn($"FUSION_DUMP={s_target}: {failure.Message}");
            }
        }
    }

    /// <summary>Writes the two stages of a plan.</summary>
    public static void Write(string function, int variant, string stage, Plan plan)
    {
        Write(function, variant, stage, () => GraphPrinter.Function(plan.Function));
        Write(function, variant, $"{stage}-groups", () => GraphPrinter.Groups(plan));
    }

    private static string FileName(string function) => string.Concat(function.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
}
