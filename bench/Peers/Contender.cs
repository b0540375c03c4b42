namespace Fusion.Peers;

/// <summary>One side of a comparison: what is timed, and its result, so that sides are compared before they are timed.</summary>
/// <param name="Name">eager, hybridized, LibTorch.</param>
/// <param name="Run">One call.</param>
/// <param name="Result">Elements of the result of one more call; null: nothing to compare.</param>
internal sealed record Contender(string Name, Action Run, Func<double[]>? Result)
{
    public const string Eager = "eager", Hybridized = "hybridized", Torch = "LibTorch";
}

/// <summary>A comparison: inputs are made once, by <see cref="Prepare"/>, and are the same for all sides.</summary>
/// <param name="Area">The row of the summary that it counts for.</param>
/// <param name="Name">What is computed, with sizes.</param>
/// <param name="Prepare">Makes the contenders; whatever they own is garbage afterwards.</param>
internal sealed record PeerCase(string Area, string Name, Func<Contender[]> Prepare)
{
    /// <summary>Part of <c>--quick</c>.</summary>
    public bool IsQuick { get; init; } = true;

    /// <summary>The largest relative difference of results that is still the same computation.</summary>
    public double Tolerance { get; init; } = 1e-3;
}
