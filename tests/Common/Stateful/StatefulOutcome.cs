namespace Fusion.Tests.Stateful;

/// <summary>What a call gave, and all state before it, after it, and when its results have been used.</summary>
internal sealed class StatefulOutcome
{
    private readonly Dictionary<string, List<(string Name, object? Value)>> _taken = [];
    private readonly List<(string Name, object? Value)> _values = [];

    /// <summary>What the call threw.</summary>
    public Exception? Error { get; set; }

    /// <summary>What the caller's use of the results threw.</summary>
    public Exception? LaterError { get; set; }

    /// <summary>The data are at fault: a compiled call says so only where the result is needed, and after what its trace finds wrong.</summary>
    public bool IsFaultOfData => Error is not null && IsOfData(Error);

    /// <summary>Results are no arrays of the caller, nor each other.</summary>
    public bool AreApart { get; set; }

    public static bool IsOfData(Exception error) => error.Message.StartsWith("Take: index ", StringComparison.Ordinal) || error.Message.StartsWith("Cholesky: ", StringComparison.Ordinal);

    public void Add(string name, NDArray value) => _values.Add((name, Frozen(value)));

    /// <summary>Notes all state under a name.</summary>
    public void Take(string when, StatefulWorld world, NDArray[] arguments, IReadOnlyList<NDArray>? results = null)
    {
        List<(string, object?)> state = [("random numbers", Nd.Random.Place), ("recording", Autograd.IsRecording), ("training", Autograd.IsTraining), ("steps", world.Optimizer.StepCount), ("rate", world.Optimizer.LearningRate)];
        int number = 0;
        foreach (NDArray array in (NDArray[])[.. world.All, .. arguments])
        {
            string name = $"array {number++}";
            state.AddRange([(name, Frozen(array)), ($"{name}, gradient", Frozen(array.Grad)), ($"{name}, request", array.GradReq), ($"{name}, fresh", array.FreshGrad)]);
            state.AddRange([($"{name}, version", array.Version), ($"{name}, version of the gradient", world.CountsGradientWrites ? array.Grad?.Version : 0), ($"{name}, end", EndOf(array))]);
        }

        for (int i = 0; i < results?.Count; i++)
        {
            state.AddRange([($"result {i}", Frozen(results[i])), ($"result {i}, gradient", Frozen(results[i].Grad))]);

            // A backward from one result of a compiled call releases what the others need, too: it is one node.
            if (when != "end") state.Add(($"result {i}, end", EndOf(results[i])));
        }

        _taken[when] = state;
    }

    /// <summary>What the call has changed, or null.</summary>
    public string? Change() => Difference(_taken["before"], _taken["after"]);

    /// <summary>What differs from another outcome, or null.</summary>
    public string? Difference(StatefulOutcome other)
    {
        if (Text(Error) != Text(other.Error)) return $"{Text(other.Error)}, expected {Text(Error)}";
        if (Difference(_taken["after"], other._taken["after"]) is { } after) return $"after the call, {after}";
        bool cannot = LaterError is AutogradException && other.LaterError is AutogradException { Message: var message } && message.StartsWith("Gradients of higher order", StringComparison.Ordinal);
        if (Text(LaterError) != Text(other.LaterError) && !cannot) return $"later {Text(other.LaterError)}, expected {Text(LaterError)}";
        if (Difference(_values, other._values) is { } value) return value;
        return LaterError is null && Error is null && Difference(_taken["end"], other._taken["end"]) is { } end ? $"in the end, {end}" : null;
    }

    private static string? Difference(List<(string Name, object? Value)> expected, List<(string Name, object? Value)> actual)
    {
        for (int i = 0; i < Math.Min(expected.Count, actual.Count); i++)
        {
            (string name, object? value) = expected[i];
            string? difference = value is NDArray x && actual[i].Value is NDArray y ? Bits.Difference(x, y)
                : Equals(value, actual[i].Value) ? null : $"{actual[i].Value}, expected {value}";
            if (difference is not null) return $"{name}: {difference}";
        }

        return null;
    }

    private static NDArray? Frozen(NDArray? array)
    {
        using (Autograd.Pause()) return array?.Detach().Copy();
    }

    // Why an array has no gradient is a matter of messages; that of another handle of an input is not always told.
    private static string EndOf(NDArray array) => !array.DType.IsFloat ? "integers" : array.End is HeadEnd.None or HeadEnd.Released ? $"{array.End}" : "no gradient";

    private static string Text(Exception? error) => error is null ? "no error" : $"{error.GetType().Name}: {error.Message[..Math.Min(25, error.Message.Length)]}";
}
