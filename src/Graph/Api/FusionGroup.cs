namespace Fusion;

/// <summary>One launch of a compiled function.</summary>
/// <param name="Ops">The operators in it, in order.</param>
/// <param name="Kind"><c>Elementwise</c> (a fused kernel), <c>Library</c> or <c>View</c>.</param>
/// <param name="Reason">Why the group ends where it does.</param>
public sealed record FusionGroup(IReadOnlyList<string> Ops, string Kind, string Reason)
{
    /// <summary>Part of the backward function.</summary>
    public bool IsBackward { get; init; }

    /// <summary>The shape that the kernel runs over.</summary>
    public Shape Shape { get; init; }
}
