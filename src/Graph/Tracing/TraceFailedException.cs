namespace Fusion;

/// <summary>A function cannot be traced; carried to the place that decides between falling back and <see cref="HybridizeException"/>.</summary>
internal sealed class TraceFailedException(string reason) : Exception(reason);
