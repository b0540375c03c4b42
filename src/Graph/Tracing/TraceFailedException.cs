namespace Fusion;

/// <summary>A function cannot be traced; carried to the place that decides between falling back and <see cref="HybridizeException"/>.</summary>
internal class TraceFailedException(string reason) : Exception(reason);

/// <summary>This call cannot be traced, since it makes what later ones find; the reason is for a function that makes it at every call.</summary>
internal sealed class TracePostponedException(string reason) : TraceFailedException(reason);

/// <summary>A function cannot be traced for arrays of which two are one, or one variable. For others it can.</summary>
internal sealed class SharedVariableException(Exception failure) : Exception(failure.Message, failure);
