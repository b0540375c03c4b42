namespace Fusion;

/// <summary>
/// The calls on the tape behind the results of a function, in order. Who computes the function again for a gradient finds the same ones, unless a number of C# has
/// changed since.
/// </summary>
internal sealed class TapeCalls
{
    private readonly List<Call> _calls;

    private TapeCalls(List<Call> calls) => _calls = calls;

    /// <summary>Those that were recorded after <paramref name="start"/>.</summary>
    public static TapeCalls Behind(IEnumerable<NDArray> results, long start)
    {
        HashSet<TapeNode> seen = new(ReferenceEqualityComparer.Instance);
        Stack<TapeNode> open = new();
        foreach (NDArray result in results) Meet(result.Source);
        while (open.TryPop(out TapeNode? node))
            for (int i = 0; i < node.InputCount && !node.IsReleased; i++) Meet(node.Edge(i).Source);

        return new TapeCalls([.. seen.OrderBy(static n => n.Sequence).Select(static n => new Call(n.Op.Name, n.Op.Backward is null ? n.Attributes : null, Numbers(n)))]);

        void Meet(object? source)
        {
            if (source is TapeNode node && node.Sequence > start && seen.Add(node)) open.Push(node);
        }
    }

    /// <summary>The function was called again for a gradient.</summary>
    /// <param name="results">What it gave.</param>
    /// <param name="start">The last number of the tape before.</param>
    /// <exception cref="AutogradException">It was another one: the gradient would not be that of the call.</exception>
    public void CheckRepeated(IReadOnlyList<NDArray> results, long start)
    {
        if (ChangeTo(Behind(results, start)) is { } change) throw Other(change);
    }

    /// <summary>The function called again for a gradient is not that of the call.</summary>
    /// <param name="change">What differs.</param>
    public static AutogradException Other(string change) =>
        new(
            $"Gradients of higher order, and of some results of several, compute the hybridized function again, which is another one since the call: {change}. " +
            "Pass the number as an array, or change it after the gradient.");

    // The first call whose number is another one, as text; null when there is none, or other calls are made.
    private string? ChangeTo(TapeCalls now)
    {
        if (_calls.Count != now._calls.Count) return null;
        string? change = null;
        for (int i = 0; i < _calls.Count; i++)
        {
            (Call a, Call b) = (_calls[i], now._calls[i]);
            if (a.Name != b.Name || a.Numbers.Length != b.Numbers.Length) return null;
            for (int k = 0; k < a.Numbers.Length; k++)
            {
                if (a.Numbers[k].HasValue != b.Numbers[k].HasValue) return null;
                if (!a.Numbers[k].Equals(b.Numbers[k])) change ??= FormattableString.Invariant($"{a.Name} had the operand {a.Numbers[k]}, now {b.Numbers[k]}");
            }

            if (!Equals(a.Attributes, b.Attributes) && a.Attributes?.ToString() != b.Attributes?.ToString()) change ??= $"{a.Name} had {a.Attributes}, now {b.Attributes}";
        }

        return change;
    }

    // Of each operand; null: an array.
    private static double?[] Numbers(TapeNode node)
    {
        double?[] numbers = new double?[node.IsReleased ? 0 : node.InputCount];
        for (int i = 0; i < numbers.Length; i++)
            if (node.Edge(i).Source is NDArray { IsConstant: true } number) numbers[i] = Movement.Cast(number, DType.Float64).ScalarDouble();
        return numbers;
    }

    private readonly record struct Call(string Name, object? Attributes, double?[] Numbers);
}
