namespace Fusion.Gpu;

/// <summary>Checks of one kind, counted; those that fail go to the report.</summary>
internal sealed class Checks(string what)
{
    private readonly List<string> _failures = [];
    private int _passed;

    /// <summary>Whether a check finds nothing: it says what is wrong, or throws.</summary>
    public bool Passes(string name, Func<string?> check)
    {
        string? failure;
        try
        {
            failure = check();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            failure = $"{e.GetType().Name}: {e.Message}";
        }

        if (failure is null)
        {
            _passed++;
            return true;
        }

        _failures.Add($"{name}: {failure.ReplaceLineEndings(" ")}");
        Console.Error.WriteLine(_failures[^1]);
        return false;
    }

    /// <summary>Writes the counts and the failures; true if there are none.</summary>
    public bool Write(Report report)
    {
        report.Checks(what, _passed, _failures);
        return _failures.Count == 0;
    }
}
